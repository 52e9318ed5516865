package email

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	netmail "net/mail"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/alert"
	"noroshi/internal/strictyaml"
	"noroshi/sinks"
	"noroshi/sinks/remote"
	"noroshi/sinks/sinktest"
)

const password = "M4il-Passw0rd"

func sink(t *testing.T, c Config) *Sink {
	t.Helper()
	if c.From == "" {
		c.From = "Noroshi 見張り <noroshi@example.com>"
	}
	if c.To == nil {
		c.To = []string{"SOC <soc@example.com>", "night@example.com"}
	}
	c.AllowPrivate = true
	if c.Timeout == 0 {
		c.Timeout = time.Minute // a loaded machine is slow
	}
	s, err := New(c, sinktest.Env())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// kind is what an error means.
func kind(err error) string {
	var refused *sinks.Refused
	var fault *sinks.Fault
	switch {
	case err == nil:
		return "taken"
	case errors.As(err, &refused):
		return "refused"
	case errors.As(err, &fault):
		return "again"
	}
	return "unknown"
}

// TestAnswers: what a server says of the mail is the alert's fault; what it says of sender, recipients, password and itself pauses
// the sink.
func TestAnswers(t *testing.T) {
	for _, row := range []struct{ begins, says, want string }{
		{"EHLO", "421 later", "again"}, {"AUTH", "535 5.7.8 wrong " + password, "again"}, {"AUTH", "", "again"},
		{"MAIL", "550 5.7.60 may not send as this sender", "again"}, {"MAIL", "451 later", "again"}, {"MAIL", "", "again"},
		{"RCPT", "550 5.1.1 no such person", "again"}, {"RCPT", "452 full", "again"}, {"RCPT", "", "again"},
		{"RCPT TO:<soc@", "550 5.1.1 no such person", "taken"}, {"RCPT TO:<night@", "452 full", "again"},
		{"DATA", "554 no", "again"}, {"DATA", "451 later", "again"}, {"DATA", "", "again"},
		{".", "552 5.3.4 too big", "refused"}, {".", "554 5.7.1 spam", "refused"}, {".", "550 5.6.0 odd", "refused"}, {".", "550 5.7.57 not authenticated", "again"}, {".", "530 5.7.0 first log in", "again"},
		{".", "451 4.3.0 later", "again"}, {".", "421 later", "again"}, {".", "", "again"}, {".", "odd", "again"}, {".", "250 taken", "taken"}, {"QUIT", "", "taken"}, {"QUIT", "500 no", "taken"},
	} {
		conf, ca := certificate(t)
		c := Config{Address: sinktest.Mails(t, conf, map[string]string{row.begins: row.says}).Address, Reach: remote.Reach{CAFile: ca}}
		if row.begins == "AUTH" {
			conf.MaxVersion = tls.VersionTLS12
			c.User, c.Password = "bob", remote.Fixed(password)
		}
		err := sink(t, c).Send(t.Context(), []sinks.Message{sinktest.Message(1)})
		if got := kind(err); got != row.want {
			t.Errorf("%s %q: %s (%v), want %s", row.begins, row.says, got, err, row.want)
		}
		if err != nil && (strings.Contains(err.Error(), password) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 400) {
			t.Errorf("%s %q: %v", row.begins, row.says, err)
		}
	}
}

// certificate is one that servers have, and the file of its authority.
func certificate(t *testing.T) (*tls.Config, string) {
	pair, ca, _ := sinktest.Certificate(t, time.Now().Add(24*time.Hour), "127.0.0.1")
	return &tls.Config{Certificates: []tls.Certificate{pair}}, ca
}

// TestEachMailHasAVerdict: one that is refused leaves the others; a connection that ends leaves those that were taken.
func TestEachMailHasAVerdict(t *testing.T) {
	all := []sinks.Message{sinktest.Message(1), sinktest.Message(2), sinktest.Message(3)}
	for says, want := range map[string]string{"550 5.6.0 odd": "refused refused refused", "": "again again again"} {
		conf, ca := certificate(t)
		srv := sinktest.Mails(t, conf, map[string]string{".": says})
		err := sink(t, Config{Address: srv.Address, Reach: remote.Reach{CAFile: ca}}).Send(t.Context(), all)
		var v sinks.Verdicts
		if !errors.As(err, &v) || len(v) != 3 {
			t.Fatalf("%q: %T %v", says, err, err)
		}
		if got := kind(v[0]) + " " + kind(v[1]) + " " + kind(v[2]); got != want {
			t.Errorf("%q: %s, want %s", says, got, want)
		}
		if n := strings.Count(srv.Got(), "\nDATA"); n != map[string]int{"": 1}[says]+map[bool]int{true: 3}[says != ""] {
			t.Errorf("%q: %d mails were sent", says, n)
		}
	}
}

// TestARecipientWhoIsLeftOutIsToldOnce.
func TestARecipientWhoIsLeftOutIsToldOnce(t *testing.T) {
	conf, ca := certificate(t)
	srv := sinktest.Mails(t, conf, map[string]string{"RCPT TO:<soc@": "550 5.1.1 no such person"})
	var log bytes.Buffer
	s := sink(t, Config{Address: srv.Address, Reach: remote.Reach{CAFile: ca}})
	s.env.Log = slog.New(slog.NewTextHandler(&log, nil))
	for range 3 {
		if err := s.Send(t.Context(), []sinks.Message{sinktest.Message(1)}); err != nil {
			t.Fatal(err)
		}
	}
	if text := log.String(); strings.Count(text, "left out") != 1 || !strings.Contains(text, "soc@example.com") || !strings.Contains(text, "no such person") {
		t.Error(text)
	}
}

// TestConnections: nothing goes over a connection that is not secured as the configuration says, and what never answers ends in time.
func TestConnections(t *testing.T) {
	conf, ca := certificate(t)
	_, other := certificate(t)
	expired, expiredCA, _ := sinktest.Certificate(t, time.Now().Add(-time.Hour), "127.0.0.1")
	old := &tls.Config{Certificates: conf.Certificates, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	secret := remote.Fixed(password)
	quick := 500 * time.Millisecond
	addresses := map[string]string{"nobody listens": "127.0.0.1:1"}
	if hole, made := sinktest.Hole(t); made {
		addresses["no connection ever"] = hole
	}
	for name, one := range map[string]struct {
		conf *tls.Config
		c    Config
		want string
	}{
		"right":                  {conf, Config{Reach: remote.Reach{CAFile: ca}}, "taken"},
		"of nobody we know":      {conf, Config{}, "again"},
		"of another authority":   {conf, Config{Reach: remote.Reach{CAFile: other}}, "again"},
		"expired":                {&tls.Config{Certificates: []tls.Certificate{expired}}, Config{Reach: remote.Reach{CAFile: expiredCA}}, "again"},
		"TLS 1.1":                {old, Config{Reach: remote.Reach{CAFile: ca}}, "again"},
		"no STARTTLS":            {nil, Config{User: "bob", Password: secret}, "again"},
		"no TLS, as told":        {nil, Config{Security: Plain}, "taken"},
		"STARTTLS, not implicit": {conf, Config{Security: Implicit, Timeout: quick, Reach: remote.Reach{CAFile: ca}}, "again"},
		"nobody listens":         {nil, Config{}, "again"},
		"no connection ever":     {nil, Config{Timeout: quick}, "again"},
	} {
		srv := sinktest.Mails(t, one.conf, nil)
		if one.c.Address = addresses[name]; one.c.Address == "" {
			one.c.Address = srv.Address
		}
		err := sink(t, one.c).Send(t.Context(), []sinks.Message{sinktest.Message(1)})
		if got := kind(err); got != one.want {
			t.Errorf("%s: %s (%v), want %s", name, got, err, one.want)
		}
		if strings.Contains(srv.Got(), "MAIL") != (one.want == "taken") {
			t.Errorf("%s: the server got\n%s", name, srv.Got())
		}
	}
}

// read is a mail as Go's own packages read it.
func read(t *testing.T, text string) (h netmail.Header, plain, rich string) {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatal(kind, err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	var all []string
	for {
		p, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return m.Header, all[0], all[1]
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, strings.ReplaceAll(string(b), "\r\n", "\n"))
	}
}

// written is what a sink writes of an alert.
func written(t *testing.T, s *Sink, m sinks.Message) (h netmail.Header, plain, rich string) {
	t.Helper()
	mm, err := s.message(&m, "quoted-printable")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := mm.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return read(t, b.String())
}

// TestTheLifeOfAnAlert: all revisions lie in one thread, and each has a name of its own, however often it is sent.
func TestTheLifeOfAnAlert(t *testing.T) {
	s := sink(t, Config{Address: "mail.example.com:587"})
	a := sinktest.Alert(1)
	const first = "<alrt_00000000000000000000000001.1@example.com>"
	for i, status := range []alert.Status{alert.Firing, alert.Updated, alert.Withdrawn} {
		a.Status, a.Revision = status, i+1
		a.Window.Count += i
		for range 2 {
			h, plain, rich := written(t, s, sinktest.Of(a))
			thread := ""
			if i > 0 {
				thread = first
			}
			if h.Get("Message-Id") != strings.Replace(first, ".1@", "."+string(rune('1'+i))+"@", 1) || h.Get("References") != thread || h.Get("In-Reply-To") != thread || h.Get("Subject") != "[HIGH] An inbox rule hides mail: taro1@contoso.example" {
				t.Errorf("revision %d: %v", i+1, h)
			}
			gone := status == alert.Withdrawn
			if strings.HasPrefix(plain, "WITHDRAWN") != gone || strings.Contains(rich, "<b>Withdrawn") != gone || strings.Contains(plain, "First steps") == gone {
				t.Errorf("revision %d:\n%s\n%s", i+1, plain, rich)
			}
		}
	}
}

// TestGolden shows both parts whole.
func TestGolden(t *testing.T) {
	_, plain, rich := written(t, sink(t, Config{Address: "mail.example.com:587"}), sinktest.Message(1))
	for name, got := range map[string]string{"testdata/mail.txt": plain, "testdata/mail.html": rich} {
		if os.Getenv("NOROSHI_UPDATE") != "" {
			if err := os.WriteFile(name, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil || strings.ReplaceAll(string(want), "\r\n", "\n") != got {
			t.Errorf("%s is\n%s", name, got)
		}
	}
}

var element = regexp.MustCompile(`<([a-z!/][a-zA-Z]*)`)

// TestStrangersTextsStayTexts: whatever an alert says, the header has the lines that it always has, and the HTML the elements.
func TestStrangersTextsStayTexts(t *testing.T) {
	s := sink(t, Config{Address: "mail.example.com:587"})
	h, _, _ := written(t, s, sinktest.Message(1))
	known := map[string]bool{}
	for _, tag := range element.FindAllStringSubmatch(htmlText, -1) {
		known[tag[1]] = true
	}
	for i, m := range sinktest.Hostile() {
		got, plain, rich := written(t, s, m)
		for name := range got {
			if h[name] == nil {
				t.Errorf("%d: the header has a line %s", i, name)
			}
		}
		if len(got) != len(h) || len(plain) > 20_000 || len(rich) > 60_000 {
			t.Errorf("%d: %d lines in the header, texts of %d and %d bytes", i, len(got), len(plain), len(rich))
		}
		for _, tag := range element.FindAllStringSubmatch(rich, -1) {
			if !known[tag[1]] {
				t.Errorf("%d: the HTML has an element <%s>", i, tag[1])
			}
		}
	}
	m := sinktest.Message(1)
	m.ID = "a@b>\r\nBcc: x@example.com"
	if got, _, _ := written(t, s, m); got.Get("Bcc") != "" || !regexp.MustCompile(`^<[0-9a-f]{32}\.1@example\.com>$`).MatchString(got.Get("Message-Id")) {
		t.Errorf("%v", got)
	}
}

// TestPreview shows the mail as it is read, and sends none.
func TestPreview(t *testing.T) {
	var b bytes.Buffer
	s := sink(t, Config{Address: "127.0.0.1:1"})
	s.env.Preview = &b
	err := s.Send(t.Context(), []sinks.Message{sinktest.Message(1)})
	if text := b.String(); !errors.Is(err, sinks.ErrPreview) || !strings.HasPrefix(text, "MAIL FROM:<noroshi@example.com>\nRCPT TO:<soc@example.com>\nRCPT TO:<night@example.com>\nDATA\n") || !strings.Contains(text, "請求書") {
		t.Errorf("%v\n%s", err, text)
	}
}

// TestWhatIsRefused of a configuration.
func TestWhatIsRefused(t *testing.T) {
	const good = "address: 'smtp.example.com:587', from: noroshi@example.com, to: [soc@example.com]"
	for text, want := range map[string]string{
		"{" + good + "}":                         "",
		"{" + good + ", user: bob, password: x}": "",
		"{address: '10.0.0.1:25', tls: none, from: a@example.com, to: ['SOC <soc@example.com>']}": "",
		"{}": "address is the host and port",
		"{address: smtp.example.com, from: a@example.com, to: [a@example.com]}":                            "address is the host and port",
		"{address: 'a.example.com:25', to: [a@example.com]}":                                               "from: expected an address",
		"{address: 'a.example.com:25', from: a@example.com}":                                               "to holds 1 to 50",
		"{address: 'a.example.com:25', from: a@example.com, to: ['太郎@example.com']}":                       "to: expected an address",
		"{address: 'a.example.com:25', from: \"a@example.com\\nBcc: b@example.com\", to: [a@example.com]}": "from: expected an address",
		"{" + good + ", user: bob, credential: {}}":                                                        "",
		"{" + good + ", credential: {}}":                                                                   "belongs together",
		"{" + good + ", user: bob, password: x, credential: {}}":                                           "exclude each other",
		"{" + good + ", tls: none, user: bob, credential: {}}":                                             "everybody's",
		"{" + good + ", user: bob}":                                                                        "belongs together",
		"{" + good + ", password: x}":                                                                      "belongs together",
		"{" + good + ", tls: none, user: bob, password: x}":                                                "everybody's",
		"{" + good + ", tls: none, server_name: a}":                                                        "tls: none switches off",
		"{" + good + ", tls: ssl}":                                                                         "none of starttls, implicit, none",
		"{" + good + ", timeout: 1h}":                                                                      "100ms to 2m",
		"{address: '169.254.169.254:25', from: a@example.com, to: [a@example.com]}":                        "credentials",
		"{address: '10.0.0.1:25', allow_private: false, from: a@example.com, to: [a@example.com]}":         "allow_private",
	} {
		d := strictyaml.Parse("f", []byte(text))
		c := Read(remote.Reader{Doc: d, Secret: sinktest.Secret, Identity: func(*yaml.Node) remote.Identity {
			return func(http.RoundTripper) (remote.Token, error) { return nil, errors.New("no") }
		}}, d.Root)
		got := ""
		for _, p := range d.Problems {
			got += p.Message
		}
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
		_ = c
	}
	for address, want := range map[string]Security{"a.example.com:465": Implicit, "a.example.com:587": STARTTLS, "a.example.com:25": STARTTLS} {
		if s := sink(t, Config{Address: address}); s.Security != want {
			t.Errorf("%s: %s", address, s.Security)
		}
	}
}
