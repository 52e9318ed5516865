// Package chromiumtest opens pages in a browser, for tests.
package chromiumtest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"
)

// Browser is a Chromium that is told what to do through a pipe: one JSON object, then a NUL.
type Browser struct {
	t    *testing.T
	ctx  context.Context
	to   *os.File
	from chan message
	last int
}

type message struct {
	ID      int             `json:"id,omitempty"`
	Session string          `json:"sessionId,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  any             `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *struct {
		Message string
	} `json:"error,omitempty"`
}

// Start starts a browser, or skips the test on a machine without one.
func Start(t *testing.T) *Browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome-stable", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil && path == "" {
			path = found
		}
	}
	if path == "" || runtime.GOOS == "windows" { // no pipes for children there
		t.Skip("the page is not opened in a browser: there is no chromium here; on Debian, apt-get install chromium brings one")
	}
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
	b := &Browser{t: t, ctx: ctx, from: make(chan message, 1000)}
	theirs, ours, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	answers, answering, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	b.to = ours
	c := exec.CommandContext(ctx, path, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
		"--disable-background-networking", "--user-data-dir="+profile(t), "--remote-debugging-pipe")
	c.ExtraFiles = []*os.File{theirs, answering} // 3 and 4
	c.WaitDelay = time.Minute
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = theirs.Close(), answering.Close()
	go b.listen(answers)
	t.Cleanup(func() {
		b.last++
		_ = b.send(message{ID: b.last, Method: "Browser.close"})
		_ = c.Wait() // it writes its profile until then
		stop()
	})
	return b
}

// profile is a folder for what the browser keeps. Its processes may write there for a moment after it has ended.
func profile(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "noroshi-chromium-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for tries := 0; os.RemoveAll(dir) != nil && tries < 1000; tries++ {
			time.Sleep(50 * time.Millisecond)
		}
	})
	return dir
}

// listen hands on what the browser says.
func (b *Browser) listen(answers *os.File) {
	defer close(b.from)
	for r := bufio.NewReaderSize(answers, 1<<20); ; {
		line, err := r.ReadBytes(0)
		if err != nil {
			return
		}
		var m message
		if json.Unmarshal(line[:len(line)-1], &m) == nil {
			select {
			case b.from <- m:
			case <-b.ctx.Done():
				return
			}
		}
	}
}

func (b *Browser) send(m message) error {
	line, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = b.to.Write(append(line, 0))
	return err
}

// Tab is a page that is open, and what has happened in it.
type Tab struct {
	*Browser
	session  string
	loaded   bool
	Requests []string // addresses that it has asked for
	Said     []string // what the console shows
}

// NewTab opens an empty tab.
func (b *Browser) NewTab() *Tab {
	b.t.Helper()
	p := &Tab{Browser: b}
	var target struct{ TargetID, SessionID string }
	p.Do("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	p.Do("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &target)
	p.session = target.SessionID
	for _, of := range []string{"Network", "Log", "Runtime", "Page"} {
		p.Do(of+".enable", nil, nil)
	}
	return p
}

// Do gives an order and waits until it is carried out.
func (p *Tab) Do(method string, params, result any) {
	p.t.Helper()
	p.last++
	id := p.last
	if params == nil {
		params = struct{}{}
	}
	if err := p.send(message{ID: id, Session: p.session, Method: method, Params: params}); err != nil {
		p.t.Fatal(err)
	}
	for {
		m := p.next()
		if m.ID != id {
			continue
		}
		if m.Error != nil {
			p.t.Fatalf("%s: %s", method, m.Error.Message)
		}
		if result != nil {
			if err := json.Unmarshal(m.Result, result); err != nil {
				p.t.Fatal(err)
			}
		}
		return
	}
}

// next is what the browser says next; events are noted.
func (p *Tab) next() message {
	p.t.Helper()
	select {
	case m, ok := <-p.from:
		if !ok {
			p.t.Fatal("the browser has ended")
		}
		if m.Session == p.session {
			p.note(&m)
		}
		return m
	case <-p.ctx.Done():
		p.t.Fatal("the browser does not answer")
	}
	return message{}
}

func (p *Tab) note(m *message) {
	params, _ := m.Params.(map[string]any)
	switch m.Method {
	case "Network.requestWillBeSent":
		request, _ := params["request"].(map[string]any)
		p.Requests = append(p.Requests, fmt.Sprint(request["url"]))
	case "Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown":
		p.Said = append(p.Said, fmt.Sprint(params))
	case "Page.loadEventFired":
		p.loaded = true
	}
}

// Open opens a page and waits until it is loaded.
func (p *Tab) Open(url string) {
	p.t.Helper()
	p.loaded = false
	p.Do("Page.navigate", map[string]any{"url": url}, nil)
	for !p.loaded {
		p.next()
	}
}

// Evaluate asks the page for a value.
func (p *Tab) Evaluate(expression string, value any) {
	p.t.Helper()
	var answer struct {
		Result struct{ Value json.RawMessage }
	}
	p.Do("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true}, &answer)
	if err := json.Unmarshal(answer.Result.Value, value); err != nil {
		p.t.Fatalf("%s: %s: %v", expression, answer.Result.Value, err)
	}
}

// Shoot writes a picture of the whole page.
func (p *Tab) Shoot(to string) {
	p.t.Helper()
	var shot struct{ Data []byte }
	p.Do("Page.captureScreenshot", map[string]any{"captureBeyondViewport": true}, &shot)
	if err := os.WriteFile(to, shot.Data, 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// Show makes the tab a window of a width and a height, light or dark, on a screen or, with media "print", on paper.
func (p *Tab) Show(width, height int, media, scheme string) {
	p.t.Helper()
	p.Do("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}, nil)
	p.Do("Emulation.setEmulatedMedia", map[string]any{"media": media, "features": []any{map[string]any{"name": "prefers-color-scheme", "value": scheme}}}, nil)
}
