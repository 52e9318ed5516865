package cli

import (
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// followed are the pages that a reader follows step by step.
var followed = []string{"../docs/start/first-export.md", "../docs/start/first-webhook.md", "../docs/start/first-rule.md", "../docs/start/account-taken-over.md", "../docs/ja/start.md"}

// step is a block of a page: a file to write, or commands with what they say.
type step struct {
	line       int
	file, text string // a file; without a name, commands
}

var fence = regexp.MustCompile("(?ms)^```(\\w+)(?: (\\S+))?\n(.*?)^```$")

// steps are the blocks of a page that its reader follows: ```console, and others with the name of a file.
func stepsOf(t *testing.T, page []byte) (all []step) {
	t.Helper()
	for _, m := range fence.FindAllSubmatchIndex(page, -1) {
		s := step{line: 1 + bytes.Count(page[:m[0]], []byte("\n")), text: string(page[m[6]:m[7]])}
		if m[4] >= 0 {
			s.file = string(page[m[4]:m[5]])
		}
		if s.file != "" || string(page[m[2]:m[3]]) == "console" {
			all = append(all, s)
		}
	}
	return all
}

// endpoint takes what the page sends to https://alerts.example.com, and tells how many alerts have come.
func endpoint(t *testing.T) (srv *httptest.Server, came chan string) {
	came = make(chan string, 100)
	srv = httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body) // the page is what is tested
		came <- string(b)
	}))
	t.Cleanup(srv.Close)
	if err := os.WriteFile("receiver.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return srv, came
}

// TestPagesCanBeFollowed: who does what the page says sees what it shows. What stands behind `$ noroshi` runs here, other commands run
// in a shell; a line … stands for lines that are left out; `# exit 1` behind a command says that it ends so.
func TestPagesCanBeFollowed(t *testing.T) {
	for _, name := range followed {
		t.Run(strings.TrimPrefix(name, "../docs/"), func(t *testing.T) {
			page, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			t.Chdir(t.TempDir())
			srv, came := endpoint(t)
			commands := 0
			for _, s := range stepsOf(t, page) {
				if s.file != "" {
					text := strings.ReplaceAll(s.text, "url: https://alerts.example.com/", "ca_file: receiver.pem\n      allow_private: true\n      url: "+srv.URL+"/")
					write(t, ".", s.file, text)
					continue
				}
				for _, c := range strings.Split("\n"+s.text, "\n$ ")[1:] {
					line, want, _ := strings.Cut(c, "\n")
					commands++
					out := follow(t, fmt.Sprintf("%s:%d", name, s.line), line, came)
					if !shows(out, want) {
						t.Errorf("%s:%d: %s\nprints\n%sthe page says\n%s", name, s.line, line, out, want)
					}
				}
			}
			if commands < 3 {
				t.Errorf("the page has %d commands", commands)
			}
		})
	}
}

// follow runs a command line and gives all that it prints.
func follow(t *testing.T, place, line string, came chan string) string {
	t.Helper()
	line, remark, _ := strings.Cut(line, " #")
	want := 0
	if _, err := fmt.Sscanf(remark, " exit %d", &want); err != nil {
		want = 0 // no remark, or another one
	}
	line, into, redirected := strings.Cut(strings.TrimSpace(line), " > ")
	args, ours := strings.CutPrefix(line, "noroshi ")
	if !ours {
		if redirected {
			line += " > " + into
		}
		out, err := exec.CommandContext(t.Context(), "sh", "-c", line).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %s: %v\n%s", place, line, err, out)
		}
		return string(out)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	if strings.HasPrefix(args, "run ") { // until an alert has come, then as Ctrl-C does
		go func() {
			select {
			case body := <-came:
				if !strings.Contains(body, `"id":"inbox-rule-hides-mail"`) {
					t.Errorf("%s: came %s", place, body)
				}
			case <-time.After(2 * time.Minute):
				t.Errorf("%s: nothing has come", place)
			}
			stop()
		}()
	}
	var out, all bytes.Buffer
	to := io.Writer(&all)
	if redirected {
		to = &out
	}
	code := Main(ctx, strings.Fields(args), Streams{In: strings.NewReader(""), Out: to, Err: &all, Now: time.Now})
	if code != want {
		t.Errorf("%s: noroshi %s: exit %d, the page says %d\n%s", place, args, code, want, all.String())
	}
	if redirected {
		write(t, ".", filepath.Clean(into), out.String())
	}
	for len(came) > 0 && !strings.HasPrefix(args, "run ") {
		<-came
	}
	return all.String()
}

// shows reports whether an output is what the page shows. Nothing shown is fine: the page does not speak of it.
func shows(out, want string) bool {
	want = strings.TrimSpace(want)
	if want == "" {
		return true
	}
	parts := regexp.MustCompile(`(?m)^…\n?`).Split(want+"\n", -1)
	for i, part := range parts {
		at := strings.Index(out, strings.TrimSpace(part))
		if at < 0 || len(parts) == 1 && strings.TrimSpace(out) != want || i == 0 && at > 0 {
			return false
		}
		out = out[at+len(strings.TrimSpace(part)):]
	}
	return len(parts) == 1 || strings.TrimSpace(parts[len(parts)-1]) == "" || strings.TrimSpace(out) == ""
}
