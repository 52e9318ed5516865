package email

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"noroshi/internal/strictyaml"
	"noroshi/sinks"
	"noroshi/sinks/page"
	"noroshi/sinks/remote"
	"noroshi/sinks/sinktest"
)

// TestARecipientWhoIsRefusedForTheMoment gets the mail a little later, and the others get it once. Who is refused for longer is left out:
// the answer says so, and no other mail waits.
func TestARecipientWhoIsRefusedForTheMoment(t *testing.T) {
	for name, lasts := range map[string]bool{"a moment": false, "longer": true} {
		t.Run(name, func(t *testing.T) {
			conf, ca := certificate(t)
			srv := sinktest.Mails(t, conf, map[string]string{"RCPT TO:<soc@": "451 4.7.1 come again"})
			s := sink(t, Config{Address: srv.Address, Reach: remote.Reach{CAFile: ca}})
			now := time.Now()
			s.env.Now = func() time.Time { return now }
			s.env.Answer = &sinks.Answer{}
			send := func(n int) error { return s.Send(t.Context(), []sinks.Message{sinktest.Message(n)}) }
			err := send(1)
			if want := "1 of 2 recipients have the mail"; kind(err) != "again" || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "come again") {
				t.Fatalf("%v, want %q", err, want)
			}
			if !lasts {
				srv.Speak(map[string]string{})
			}
			now = now.Add(time.Minute)
			if got, want := kind(send(1)), map[bool]string{false: "taken", true: "again"}[lasts]; got != want {
				t.Errorf("a minute later it is %s, want %s", got, want)
			}
			now = now.Add(laterWithin)
			if err := send(1 + map[bool]int{false: 1}[lasts]); err != nil {
				t.Error(err)
			}
			text, _ := s.env.Answer.Take()
			if strings.Contains(text, "not to soc@example.com: 451") != lasts {
				t.Errorf("the answer is %q", text)
			}
			if err := send(3); err != nil {
				t.Errorf("the next mail waits: %v", err)
			}
			got := srv.Got()
			counts := [...]int{strings.Count(got, "TO:<soc@"), strings.Count(got, "TO:<night@"), strings.Count(got, "\nDATA")}
			if want := map[bool][3]int{false: {4, 3, 4}, true: {4, 2, 2}}[lasts]; counts != want || len(s.parts) != 0 {
				t.Errorf("soc is named, night is named, and mails are sent so often: %v, want %v; %d wait", counts, want, len(s.parts))
			}
		})
	}
}

// TestTextsOfOnesOwn: templates write the subject, the first line and a link.
func TestTextsOfOnesOwn(t *testing.T) {
	d := strictyaml.Parse("f", []byte(`{title: "Noroshi: {{.Rule}} <b>", link: "https://soc.example.com/{{path .ID}}"}`))
	var shown strings.Builder
	env := sinktest.Env()
	env.Preview = &shown
	s, err := New(Config{Address: "smtp.example.com:587", From: "a@example.com", To: []string{"b@example.com"}, Templates: page.Read(d, d.Root)}, env)
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Send(t.Context(), []sinks.Message{sinktest.Message(1)})
	for _, want := range []string{"\nSubject: Noroshi: inbox-rule-hides-mail <b>\n", "\nNoroshi: inbox-rule-hides-mail <b>\n", "Noroshi: inbox-rule-hides-mail &lt;b&gt;", "\nMore: https://soc.example.com/alrt_00000000000000000000000001\n",
		`<a href="https://soc.example.com/alrt_00000000000000000000000001">`} {
		if !strings.Contains(shown.String(), want) {
			t.Errorf("%q is not in\n%s", want, shown.String())
		}
	}
}

// TestATokenGoesTheWayOfTheMails: who asks for it has the sink's proxy.
func TestATokenGoesTheWayOfTheMails(t *testing.T) {
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.Host)
		w.WriteHeader(http.StatusForbidden)
	}))
	defer proxy.Close()
	identity := func(way http.RoundTripper) (remote.Token, error) {
		return func(ctx context.Context, host string) (string, error) {
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://login.example.com/token", nil)
			if err != nil || way == nil {
				return "", errors.New("there is no way")
			}
			a, err := way.RoundTrip(r)
			if err == nil {
				a.Body.Close()
			}
			return "", err
		}, nil
	}
	s := sink(t, Config{Address: "192.0.2.1:587", User: "bob", Identity: identity, Reach: remote.Reach{Proxy: proxy.URL}})
	if err := s.Send(t.Context(), []sinks.Message{sinktest.Message(1)}); kind(err) != "again" || len(asked) != 1 || asked[0] != "CONNECT login.example.com:443" {
		t.Errorf("%v, asked was %q", err, asked)
	}
}
