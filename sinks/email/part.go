package email

import (
	"cmp"
	"errors"
	"fmt"
	"net/textproto"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"noroshi/sinks"
)

// The bounds of what is waited for a recipient whom a server refuses for the moment, while others have the mail: servers that know
// nobody at first want a pause of five minutes. Longer would hold up all other mails.
const (
	laterWithin = 6 * time.Minute
	maxParts    = 1000 // mails that others may have taken over since
)

// part is a mail that some recipients have.
type part struct {
	have  map[string]bool
	since time.Time
	said  string // what the server said when it took it
}

// name names the recipients who do not have the mail yet. It gives those whom the server takes, and why not the others.
func (r *part) name(c *smtp.Client, all []string) (taken []string, refused map[string]error) {
	refused = map[string]error{}
	for _, to := range all {
		if r.have[to] {
			continue
		}
		if err := c.Rcpt("<" + to + ">"); err != nil {
			refused[to] = err
			continue
		}
		taken = append(taken, to)
	}
	return taken, refused
}

// missed looks who does not have a mail that others have. It is sent again to those who are refused for the moment, for a while, unless
// the mails before it have waited for them in vain. What the server says in the end tells of them.
func (s *Sink) missed(m *sinks.Message, r *part, refused map[string]error) error {
	key := m.Key()
	for _, to := range s.to {
		if err := refused[to]; later(err) && !s.left[to] && s.env.Now().Sub(r.since) < laterWithin {
			if len(s.parts) >= maxParts {
				clear(s.parts)
			}
			s.parts[key] = r
			return s.Fault(fmt.Sprintf("%d of %d recipients have the mail, which goes again to the others", len(r.have), len(s.to)), err)
		}
	}
	delete(s.parts, key)
	s.leftOut(refused)
	said := r.said
	for _, to := range s.to {
		if err := refused[to]; err != nil {
			said += "; not to " + to + ": " + err.Error()
		}
	}
	s.env.Answer.Set(s.Said(strings.TrimPrefix(cmp.Or(said, "250"), "; ")))
	return nil
}

// later reports whether a server refuses for the moment: its answer begins with 4.
func later(err error) bool {
	var said *textproto.Error
	return errors.As(err, &said) && said.Code/100 == 4
}
