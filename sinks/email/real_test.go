package email

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"noroshi/internal/alert"
	"noroshi/sinks"
	"noroshi/sinks/remote"
	"noroshi/sinks/sinktest"
)

// received is a mail as Python's package email has read it.
type received struct {
	From    string
	To      []string
	TLS     bool
	User    string
	Headers [][2]string
	Defects []string
	Type    string
	Parts   []string
	Longest int
	Plain   string
	HTML    string
}

// TestAMailServer sends to a foreign mail server, over STARTTLS, over TLS and without, and reads what it has with a foreign parser.
func TestAMailServer(t *testing.T) {
	port, dir := sinktest.Counterpart(t, "smtp", "PASSWORD="+password)
	reach := remote.Reach{CAFile: filepath.Join(sinktest.Certs(t), "ca.crt")}
	of := func(n int, c Config) *Sink {
		c.Address, c.Timeout = fmt.Sprintf("127.0.0.1:%d", port+n), time.Minute
		if n < 2 {
			c.Reach, c.User, c.Password = reach, "noroshi", remote.Fixed(password)
		}
		return sink(t, c)
	}
	whose := func(token string) remote.Identity {
		return func(http.RoundTripper) (remote.Token, error) {
			return func(_ context.Context, host string) (string, error) {
				if host != "outlook.office365.com" {
					t.Errorf("a token for %s is asked for", host)
				}
				return token, nil
			}, nil
		}
	}
	byToken, wrongToken := of(0, Config{}), of(0, Config{})
	byToken.Password, byToken.Identity = nil, whose(password)
	wrongToken.Password, wrongToken.Identity = nil, whose("wrong")
	a := sinktest.Alert(1)
	a.Status, a.Revision = alert.Updated, 2
	all := append([]sinks.Message{sinktest.Message(1), sinktest.Of(a)}, sinktest.Hostile()...)
	for n, s := range []*Sink{byToken, of(1, Config{Security: Implicit}), of(2, Config{Security: Plain, To: []string{"soc@example.com", "refused@example.com", "full@example.com"}})} {
		for some := range slices.Chunk(all, s.Batch().Messages) {
			err := s.Send(t.Context(), some)
			if n == 2 && errors.As(err, new(sinks.Verdicts)) { // somebody's mailbox is full, for longer than the mails wait
				at := s.env.Now().Add(laterWithin)
				s.env.Now = func() time.Time { return at }
				err = s.Send(t.Context(), some)
			}
			if err != nil {
				t.Fatalf("port %d: %v", n, err)
			}
		}
	}
	spam := sinktest.Alert(2)
	spam.Rule.Title = "SPAM"
	wrong := of(0, Config{})
	wrong.Password = remote.Fixed("wrong")
	none := of(2, Config{Security: Plain})
	none.Security = STARTTLS
	for name, one := range map[string]struct {
		s    *Sink
		m    sinks.Message
		want string
	}{"spam": {of(0, Config{}), sinktest.Of(spam), "refused"}, "nobody takes it": {of(0, Config{To: []string{"refused@example.com"}}), all[0], "again"}, "full": {of(0, Config{To: []string{"full@example.com"}}), all[0], "again"},
		"a wrong password": {wrong, all[0], "again"}, "a wrong token": {wrongToken, all[0], "again"}, "a right password": {of(0, Config{}), all[0], "taken"}, "no STARTTLS": {none, all[0], "again"}} {
		if err := one.s.Send(t.Context(), []sinks.Message{one.m}); kind(err) != one.want {
			t.Errorf("%s: %v, want %s", name, err, one.want)
		}
	}
	got := mails(t, dir)
	if len(got) != 3*len(all)+1 {
		t.Fatalf("%d mails have arrived, want %d", len(got), 3*len(all)+1)
	}
	for i, m := range got[:3*len(all)] {
		check(t, m, all[i%len(all)], i/len(all))
	}
}

// check compares a mail with its alert. Each port has its own login and recipients.
func check(t *testing.T, m received, of sinks.Message, port int) {
	t.Helper()
	h := map[string]string{}
	for _, line := range m.Headers {
		h[line[0]] = line[1]
	}
	if len(h) != len(m.Headers) || len(m.Defects) > 0 || m.Type != "multipart/alternative" || strings.Join(m.Parts, " ") != "text/plain text/html" || m.Longest > 998 || m.From != "noroshi@example.com" {
		t.Errorf("%s: %+v", of.ID, m)
	}
	if want := []bool{true, true, false}[port]; m.TLS != want || (m.User == "noroshi") != want || len(m.To) != 2-port/2 {
		t.Errorf("%s came over TLS %v as %q to %v", of.ID, m.TLS, m.User, m.To)
	}
	if want := fmt.Sprintf("<%s.%d@example.com>", of.ID, of.Revision); h["Message-ID"] != want || h["From"] != "Noroshi 見張り <noroshi@example.com>" || (h["References"] != "") != (of.Revision > 1) || h["Auto-Submitted"] != "auto-generated" {
		t.Errorf("%s has the header %v", of.ID, h)
	}
	if !strings.HasPrefix(h["Subject"], "[HIGH] ") || !strings.Contains(m.Plain, "Rule inbox-rule-hides-mail, alert "+of.ID) || !strings.Contains(m.HTML, of.ID) {
		t.Errorf("%s: %s\n%s", of.ID, h["Subject"], m.Plain)
	}
	if of.ID == sinktest.Message(1).ID && (!strings.Contains(m.Plain, "請求書") || !strings.Contains(m.HTML, "請求書")) {
		t.Error(m.Plain, m.HTML)
	}
}

// mails reads what the server has written.
func mails(t *testing.T, dir string) (all []received) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "received"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		var m received
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}
