package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"noroshi/detector"
	"noroshi/internal/config"
	"noroshi/internal/diag"
	"noroshi/internal/kafkatest"
	"noroshi/rules"
)

// reloading is a run whose files a test writes.
type reloading struct {
	t    *testing.T
	dir  string
	run  *Run
	k    *kafka
	w    *watcher
	said bytes.Buffer
	then func() // while the files are read
}

func newReloading(t *testing.T, files map[string]string) *reloading {
	t.Helper()
	r := &reloading{t: t, dir: t.TempDir(), k: &kafka{bus: kafkatest.Start(t, 1)}, w: &watcher{}, then: func() {}}
	for name, text := range files {
		r.write(name, text)
	}
	r.run = &Run{Log: slog.New(slog.NewTextHandler(&r.said, nil)), Read: r.read}
	first := r.read()
	if diag.Errors(first.Problems) > 0 {
		t.Fatal(first.Problems)
	}
	r.run.Config = first.Config
	u, err := r.run.rule(first.Config, first.Compile(nil))
	if err != nil {
		t.Fatal(err)
	}
	r.run.ruling.Store(u)
	r.w.took(first.Config.Files, time.Now())
	return r
}

func (r *reloading) write(name, text string) {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func (r *reloading) read() *Reading {
	c, _, ps := config.Read(filepath.Join(r.dir, "noroshi.yaml"), []string{"file"})
	set, more := rules.Load(rules.Options{Paths: c.Rules, Lists: c.Lists})
	if r.then != nil {
		r.then()
	}
	return &Reading{Config: c, Problems: append(ps, more...), Compile: func(sample [][]byte) *detector.Set {
		return detector.New(set, detector.Options{Decode: DecodeOptions(c), Sample: sample})
	}}
}

func (r *reloading) again() { r.run.readAgain(r.t.Context(), r.k, r.w, "a test") }

const sends = "id: sends\ntitle: Sent\nseverity: low\nwhen: event.action == %q\nstate: %s\n"

const configuration = "kafka: {prefix: %s}\nrules: [rules]\nlists: {vip: [%s]}\nsinks: [{name: %s, file: {path: a}}]\n"

// TestWhatIsTakenOverAndWhatIsNot: of changed files a run takes over all or nothing, and tells what it cannot take over.
func TestWhatIsTakenOverAndWhatIsNot(t *testing.T) {
	for name, c := range map[string]struct {
		name, text string
		other      bool // other rules than before
		fault      string
		restart    []string
		said       string
	}{
		"nothing":          {"noroshi.yaml", fmt.Sprintf(configuration, "a.", "taro", "out"), false, "", nil, "the rules are those of before"},
		"a rule":           {"rules/a.yaml", fmt.Sprintf(sends, "Create", "live"), true, "", nil, "rule=sends change=changed"},
		"a state":          {"rules/a.yaml", fmt.Sprintf(sends, "Send", "shadow"), false, "no rule is live", nil, "those of before stay"},
		"another rule":     {"rules/b.yaml", "id: b\ntitle: B\nseverity: low\nwhen: event.action == \"Send\"\n", true, "", nil, "rule=b change=added"},
		"a broken rule":    {"rules/b.yaml", "id: b\ntitle: B\nseverity: low\nwhen: event.action == \n", false, "b.yaml:4:", nil, "those of before stay"},
		"half a file":      {"rules/a.yaml", "id: sends\ntitle: Sent\nsever", false, "a.yaml:3:", nil, "those of before stay"},
		"a list":           {"noroshi.yaml", fmt.Sprintf(configuration, "a.", "hanako", "out"), true, "", nil, `what="list vip" change=changed`},
		"a list less":      {"noroshi.yaml", strings.Replace(fmt.Sprintf(configuration, "a.", "taro", "out"), "vip", "boss", 1), true, "", nil, `what="list vip" change=removed`},
		"lateness":         {"noroshi.yaml", fmt.Sprintf(configuration, "a.", "taro", "out") + "lateness: {ual.*: {wait: 2h}}\n", true, "", nil, `what="lateness of ual.*" change=added`},
		"a sink":           {"noroshi.yaml", fmt.Sprintf(configuration, "a.", "taro", "other"), false, "", []string{"sinks"}, "restart needed for: sinks"},
		"Kafka and a list": {"noroshi.yaml", fmt.Sprintf(configuration, "b.", "hanako", "out"), true, "", []string{"kafka"}, "restart needed for: kafka"},
		"no configuration": {"noroshi.yaml", "rules: {", false, "noroshi.yaml:1:", nil, "those of before stay"},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"noroshi.yaml": fmt.Sprintf(configuration, "a.", "taro", "out"), "rules/a.yaml": fmt.Sprintf(sends, "Send", "live")}
			r := newReloading(t, files)
			was := r.run.ruling.Load()
			r.write(c.name, c.text)
			r.again()
			s := r.run.ruleSet()
			if other := r.run.ruling.Load() != was; other != c.other || (s.Digest != was.digest) != c.other || (s.Reloads == 1) != c.other {
				t.Errorf("other rules: %t; %+v", other, s)
			}
			if c.fault == "" && s.Fault != "" || !strings.Contains(s.Fault, c.fault) || (s.Failed == 1) != (c.fault != "") || s.Since.IsZero() != (c.fault == "") {
				t.Errorf("the fault is %+v", s)
			}
			if !slices.Equal(s.Restart, c.restart) || !strings.Contains(r.said.String(), c.said) {
				t.Errorf("%v; the log says %s", s.Restart, r.said.String())
			}
			if c.name == "rules/b.yaml" {
				if err := os.Remove(filepath.Join(r.dir, c.name)); err != nil {
					t.Fatal(err)
				}
			}
			for name, text := range files {
				r.write(name, text)
			}
			r.again()
			if s := r.run.ruleSet(); s.Digest != was.digest || s.Fault != "" || s.Restart != nil || !s.Since.IsZero() {
				t.Errorf("mended, it is %+v", s)
			}
		})
	}
}

// TestFilesThatChangeWhileTheyAreReadAreNotTakenOver: a part of them may be of before, and a part of after.
func TestFilesThatChangeWhileTheyAreReadAreNotTakenOver(t *testing.T) {
	r := newReloading(t, map[string]string{"noroshi.yaml": fmt.Sprintf(configuration, "a.", "taro", "out"), "rules/a.yaml": fmt.Sprintf(sends, "Send", "live")})
	was := r.run.ruling.Load()
	r.write("rules/a.yaml", fmt.Sprintf(sends, "Create", "live"))
	r.then = func() { r.write("rules/a.yaml", "id:") }
	r.again()
	if s := r.run.ruleSet(); r.run.ruling.Load() != was || s.Failed > 0 {
		t.Errorf("it is %+v", s)
	}
	r.then = func() {}
	r.write("rules/a.yaml", fmt.Sprintf(sends, "Update", "live"))
	if r.w.due(time.Now()); !r.w.due(time.Now()) {
		t.Error("they are not read when they rest")
	}
	if r.again(); r.run.ruling.Load() == was {
		t.Error("they are not taken over")
	}
}

// TestARequestToReloadIsAnswered: it tells the difference, or what is wrong, with its place.
func TestARequestToReloadIsAnswered(t *testing.T) {
	r := newReloading(t, map[string]string{"noroshi.yaml": fmt.Sprintf(configuration, "a.", "taro", "out"), "rules/a.yaml": fmt.Sprintf(sends, "Send", "live")})
	if got, err := r.run.reload(t.Context()); err == nil || got.(Reloaded).Result != Never {
		t.Errorf("before the start it says %+v, %v", got, err)
	}
	now := time.Now()
	r.run.prepared.running.Store(&now)
	r.run.reloads.asked = make(chan asked)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.run.keepReading(ctx, r.k)
	}()
	defer func() { cancel(); <-done }()
	says := func(want string, taken bool) {
		t.Helper()
		got, err := r.run.reload(t.Context())
		body, _ := json.Marshal(got)
		if !strings.Contains(string(body), want) || (err == nil) != taken {
			t.Errorf("got %s, %v", body, err)
		}
	}
	says(`{"result":"same","rule_set":"`, true)
	r.write("rules/b.yaml", strings.Replace(fmt.Sprintf(sends, "Send", "live"), "sends", "others", 1))
	says(`"changes":[{"rule":"others","change":"added"}]`, true)
	r.write("rules/b.yaml", "id: others\ntitle: T\nseverity: none\nwhen: event.code == \"1\"\n")
	says(`"line":3,"column":11,"code":"severity"`, false)
	cancel()
	<-done
	ended, stop := context.WithCancel(t.Context())
	stop()
	if got, err := r.run.reload(ended); err == nil || got.(Reloaded).Result != NotYet {
		t.Errorf("where nobody answers it says %+v, %v", got, err)
	}
}
