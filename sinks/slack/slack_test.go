package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"noroshi/internal/alert"
	"noroshi/sinks"
	"noroshi/sinks/page"
	"noroshi/sinks/remote"
	"noroshi/sinks/sinktest"
)

const (
	path  = "T0Team/B0hook/S3cretOfTheWebhook"
	token = "xoxb-0123456789-S3cretOfTheBot"
)

func webhook(t *testing.T, o sinktest.Options) *Sink {
	t.Helper()
	c := Config{Config: o.Remote()}
	c.URL, c.Address = "", remote.Fixed(o.URL+path)
	return made(t, c, sinktest.Env())
}

func bot(t *testing.T, o sinktest.Options, env sinks.Env) *Sink {
	t.Helper()
	return made(t, Config{Config: o.Remote(), Token: remote.Fixed(token), Channel: "C1"}, env)
}

func made(t *testing.T, c Config, env sinks.Env) *Sink {
	t.Helper()
	s, err := New(c, env)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// titleOf is what stands at the top of a message.
func titleOf(m sinks.Message) string {
	p, err := page.Of(&m)
	if err != nil {
		return err.Error()
	}
	return alert.OneLine(p.Title, maxHeader)
}

// read checks what holds for every message, and gives its title: all texts are plain, and what notifications show names nobody.
func read(t *testing.T, body []byte) string {
	var m message
	if err := json.Unmarshal(body, &m); err != nil || len(m.Blocks) == 0 || m.Blocks[0].Text == nil {
		t.Fatalf("%s: %v", body, err)
	}
	if strings.ContainsAny(m.Text, "<>\n\u202e") || m.Parse != "none" || m.LinkNames || m.Mrkdwn || m.Unfurl || m.Media {
		t.Errorf("the text %q, %+v", m.Text, m)
	}
	if strings.Count(string(body), `"type":"plain_text"`) != strings.Count(string(body), `"text":"`)-1 || strings.Contains(string(body), "mrkdwn\":true") {
		t.Errorf("a text is not plain: %s", body)
	}
	if len(m.Blocks) > 50 || len([]rune(m.Blocks[0].Text.Text)) > maxHeader {
		t.Errorf("%d blocks, %q", len(m.Blocks), m.Blocks[0].Text.Text)
	}
	for _, b := range m.Blocks {
		for _, f := range append(b.Fields, b.Elements...) {
			if len([]rune(f.Text)) > maxField || f.Text == "" {
				t.Errorf("a field of %d characters", len([]rune(f.Text)))
			}
		}
		if len(b.Fields) > maxFields || b.Text != nil && (b.Text.Text == "" || len([]rune(b.Text.Text)) > maxSection) {
			t.Errorf("%+v", b)
		}
	}
	return m.Blocks[0].Text.Text
}

func again(status int) sinktest.Verdict {
	if status == http.StatusGone {
		return sinktest.Again
	}
	return ""
}

func TestWebhookContract(t *testing.T) {
	sinktest.HTTP{
		Make: func(t *testing.T, o sinktest.Options) sinks.Sink { return webhook(t, o) }, Secrets: []string{path}, Reads: true, Verdict: again, Want: titleOf,
		Alerts: func(t *testing.T, r *http.Request, body []byte) []string {
			if r.URL.Path != "/"+path {
				t.Error(r.URL.Path)
			}
			return []string{read(t, body)}
		}}.Contract(t)
}

func TestBotContract(t *testing.T) {
	sinktest.HTTP{
		Make: func(t *testing.T, o sinktest.Options) sinks.Sink { return bot(t, o, sinktest.Env()) }, Secrets: []string{token}, Reads: true, Verdict: again, Want: titleOf,
		Answer: func(*http.Request, []byte) string { return `{"ok":true,"channel":"C1","ts":"1767323045.000100"}` },
		Alerts: func(t *testing.T, r *http.Request, body []byte) []string {
			if r.URL.Path != "/chat.postMessage" || r.Header.Get("Authorization") != "Bearer "+token {
				t.Error(r.URL.Path, r.Header)
			}
			return []string{read(t, body)}
		}}.Contract(t)
}

// TestAnswersOfTheWebhook: what is about the channel pauses the sink, what is about the message is its own fault.
func TestAnswersOfTheWebhook(t *testing.T) {
	for text, refused := range map[string]bool{"invalid_payload": true, "no_text": true, "channel_is_archived": false, "no_service": false} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, text, http.StatusBadRequest) }))
		err := webhook(t, sinktest.Options{URL: srv.URL + "/"}).Send(t.Context(), []sinks.Message{sinktest.Message(1)})
		srv.Close()
		if err == nil || errors.As(err, new(*sinks.Refused)) != refused || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %T %v", text, err, err)
		}
	}
}

// TestAnswersOfTheAPI: all errors come with status 200.
func TestAnswersOfTheAPI(t *testing.T) {
	for text, refused := range map[string]bool{"invalid_blocks": true, "msg_too_long": true, "not_in_channel": false, "invalid_auth": false, "ratelimited": false, "something_new": false} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{"ok":false,"error":%q}`, text) }))
		err := bot(t, sinktest.Options{URL: srv.URL}, sinktest.Env()).Send(t.Context(), []sinks.Message{sinktest.Message(1)})
		srv.Close()
		if err == nil || errors.As(err, new(*sinks.Refused)) != refused || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %T %v", text, err, err)
		}
	}
}

// channel is a channel of Slack, as far as a bot sees it.
type channel struct {
	t   *testing.T
	all []string // title of each message, by number; "" where it was deleted
	ts  []string
	of  map[string][]string // answers in the thread of a message
	in  int
}

func (c *channel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var m message
	if err := json.Unmarshal(body, &m); err != nil {
		c.t.Error(err)
	}
	title := read(c.t, body)
	say := func(ts string) { fmt.Fprintf(w, `{"ok":true,"channel":"C1","ts":%q}`, ts) }
	at := slices.Index(c.ts, m.TS+m.Thread)
	c.in++
	switch {
	case m.Channel != "C1":
		fmt.Fprint(w, `{"ok":false,"error":"channel_not_found"}`)
	case m.TS+m.Thread != "" && (at < 0 || c.all[at] == ""):
		fmt.Fprint(w, `{"ok":false,"error":"message_not_found"}`)
	case strings.HasSuffix(r.URL.Path, "chat.update"):
		c.all[at] = title
		say(m.TS)
	case m.Thread != "":
		c.of[m.Thread] = append(c.of[m.Thread], title)
		say("1767323045.9")
	default:
		c.all, c.ts = append(c.all, title), append(c.ts, fmt.Sprintf("1767323045.%06d", len(c.ts)))
		say(c.ts[len(c.ts)-1])
	}
}

// TestOneThreadForEachAlert: later revisions change the message and answer in its thread, also after a restart; where the message is gone
// they are posted.
func TestOneThreadForEachAlert(t *testing.T) {
	c := &channel{t: t, of: map[string][]string{}}
	srv := httptest.NewServer(c)
	defer srv.Close()
	stored := map[string]string{}
	env := func() sinks.Env {
		e := sinktest.Env()
		e.Answer = &sinks.Answer{Told: func(_ context.Context, id string) (string, error) { return stored[id], nil }}
		return e
	}
	e := env()
	s := bot(t, sinktest.Options{URL: srv.URL}, e)
	partial := false
	send := func(n, revision int, status alert.Status, count int) {
		t.Helper()
		a := sinktest.Alert(n)
		a.Revision, a.Status, a.Window.Count, a.Partial = revision, status, count, partial
		if err := s.Send(t.Context(), []sinks.Message{sinktest.Of(a)}); err != nil {
			t.Fatal(err)
		}
		if _, ref := e.Answer.Take(); ref != "" {
			stored[a.ID] = ref
		}
	}
	send(1, 1, alert.Firing, 2)
	send(2, 1, alert.Firing, 2)
	send(1, 2, alert.Updated, 3)
	e = env() // a restart
	s = bot(t, sinktest.Options{URL: srv.URL}, e)
	send(1, 3, alert.Withdrawn, 3)
	c.all[1] = "" // somebody deletes the message
	send(2, 2, alert.Updated, 7)
	send(2, 3, alert.Updated, 8)
	send(3, 2, alert.Updated, 2) // its first revision came in a summary
	partial = true
	send(3, 9000, alert.Firing, 1)
	got := fmt.Sprintf("%q %q", c.all, c.of)
	want := `["[HIGH] withdrawn: An inbox rule hides mail: taro1@contoso.example (3 events, 03:03–03:04 UTC)" "" "[HIGH] An inbox rule hides mail: taro2@contoso.example (8 events, 03:03–03:04 UTC)" "[HIGH] An inbox rule hides mail: taro3@contoso.example (2 events, 03:03–03:04 UTC)"] ` +
		`map["1767323045.000000":["[HIGH] An inbox rule hides mail: taro1@contoso.example (3 events, 03:03–03:04 UTC)" "[HIGH] withdrawn: An inbox rule hides mail: taro1@contoso.example (3 events, 03:03–03:04 UTC)"] "1767323045.000002":["[HIGH] An inbox rule hides mail: taro2@contoso.example (8 events, 03:03–03:04 UTC)"] "1767323045.000003":["[HIGH] came late: An inbox rule hides mail: taro3@contoso.example (1 event, 03:03–03:04 UTC)"]]`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestWhatAConfigurationNeeds: a webhook or a bot, and no half of both.
func TestWhatAConfigurationNeeds(t *testing.T) {
	hook := remote.Fixed("https://hooks.slack.com/services/" + path)
	for want, c := range map[string]Config{"slack needs webhook_url, or token": {}, "of which one is there": {Config: remote.Config{Address: hook}, Token: remote.Fixed(token)}, "channel is missing": {Token: remote.Fixed(token)},
		"a webhook has a channel of its own": {Config: remote.Config{Address: hook}, Channel: "C1"}, "must begin with https": {Config: remote.Config{Address: remote.Fixed("http://hooks.slack.com/x")}}} {
		if _, err := New(c, sinks.Env{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
