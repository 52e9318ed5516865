package email

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"mime"
	"regexp"
	"strconv"
	"strings"
	text "text/template"

	"github.com/wneessen/go-mail"

	"noroshi/internal/alert"
	"noroshi/sinks"
	"noroshi/sinks/page"
)

//go:embed mail.txt.tmpl
var plainText string

//go:embed mail.html.tmpl
var htmlText string

// The templates of a mail's two parts. What an alert says is data in them, never template.
var (
	plainForm = text.Must(text.New("mail.txt").Parse(plainText))
	htmlForm  = template.Must(template.New("mail.html").Parse(htmlText))
)

// shown is what the templates show.
type shown struct {
	*page.Page
	Revision int
	Color    string
}

// Events is how many events there are, in words.
func (s shown) Events() string {
	if s.Count == 1 {
		return "1 event"
	}
	return strconv.Itoa(s.Count) + " events"
}

// Withdrawn reports whether the alert no longer holds.
func (s shown) Withdrawn() bool { return s.Status == string(alert.Withdrawn) }

// colors are those of a mail's head, dark enough for white letters.
var colors = map[string]string{"critical": "#8b0000", "high": "#b02a0b", "medium": "#8a5a00", "low": "#2f5d8a", "info": "#555555"}

// message is the mail of an alert.
func (s *Sink) message(m *sinks.Message, encoding mail.Encoding) (*mail.Msg, error) {
	p, err := s.Templates.Of(m)
	if err != nil {
		return nil, err
	}
	all := shown{p, m.Revision, colors[p.Severity]}
	if all.Color == "" {
		all.Color = colors["info"]
	}
	var plain, rich strings.Builder
	if err := plainForm.Execute(&plain, all); err != nil {
		return nil, &sinks.Refused{Cause: fmt.Errorf("write mail: %w", err)}
	}
	if err := htmlForm.Execute(&rich, all); err != nil {
		return nil, &sinks.Refused{Cause: fmt.Errorf("write mail: %w", err)}
	}
	mm := mail.NewMsg(mail.WithEncoding(encoding), mail.WithNoDefaultUserAgent())
	if err := mm.From(s.From); err != nil {
		return nil, fmt.Errorf("write mail: %w", err)
	}
	if err := mm.To(s.To...); err != nil {
		return nil, fmt.Errorf("write mail: %w", err)
	}
	s.head(mm, m, p)
	mm.SetBodyString(mail.TypeTextPlain, plain.String())
	mm.AddAlternativeString(mail.TypeTextHTML, rich.String())
	return mm, nil
}

// head writes a mail's header. All revisions of an alert lie in one thread: they refer to the first, and have its subject.
func (s *Sink) head(mm *mail.Msg, m *sinks.Message, p *page.Page) {
	mm.SetGenHeaderPreformatted(mail.HeaderSubject, mime.BEncoding.Encode("UTF-8", p.Subject)) // the library begins long ones on a line of their own
	mm.SetDateWithValue(s.env.Now())
	mm.SetMessageIDWithValue(s.id(m, m.Revision))
	if m.Revision > 1 {
		first := "<" + s.id(m, 1) + ">"
		mm.SetGenHeader(mail.HeaderReferences, first)
		mm.SetGenHeader(mail.HeaderInReplyTo, first)
	}
	if p.Severity == "critical" || p.Severity == "high" {
		mm.SetImportance(mail.ImportanceHigh)
	}
	mm.SetGenHeader("Auto-Submitted", "auto-generated") // nobody's absence answers it: RFC 3834
	mm.SetGenHeader("X-Auto-Response-Suppress", "All")
	mm.SetGenHeader("X-Noroshi-Alert", local(m.ID))
	mm.SetGenHeader("X-Noroshi-Revision", strconv.Itoa(m.Revision))
}

// id is the name of a revision's mail. It is the same however often it is sent, so that servers know what comes twice.
func (s *Sink) id(m *sinks.Message, revision int) string {
	_, domain, _ := strings.Cut(s.from.Address, "@")
	return local(m.ID) + "." + strconv.Itoa(revision) + "@" + domain
}

// plainID is an id that a header holds as it is.
var plainID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)

// local is an alert's id as the part of an address.
func local(id string) string {
	if plainID.MatchString(id) {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:16])
}
