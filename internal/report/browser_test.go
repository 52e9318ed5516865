package report

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"noroshi/internal/chromiumtest"
	"noroshi/internal/replay"
	"noroshi/rules"
)

// busy is a report with something of everything, about strangers with unpleasant names.
func busy() *Report {
	c := New(&rules.Set{})
	names := []string{"taro@contoso.example", `<img src="http://evil.example/x">`, "\u202eevil", strings.Repeat("長", 5000), "hanako@" + strings.Repeat("long", 40) + ".example"}
	datasets := map[string]int{}
	for i := range 400 {
		at := start.Add(time.Duration(i*i) * time.Minute)
		a := finding(i, levels[i%5], fmt.Sprintf("rule-number-%d", i%9), names[i%len(names)], at)
		if i%4 == 0 {
			a.State = string(rules.Shadow)
		}
		c.Alert(a)
		dataset := fmt.Sprint("ual.dataset_", i%6)
		datasets[dataset] += i
		c.Seen(replay.Seen{Dataset: dataset, Hour: at, Events: i})
		c.Fault(replay.Fault{Input: names[1], Line: i, Reason: "json", Detail: names[3]})
	}
	return c.End(Run{Program: "test", Written: start, Inputs: []Input{{Name: names[1], Fault: names[3]}}, Interrupted: "it was interrupted",
		Stats: replay.Stats{Records: 1, Events: 2000, Unknown: 3, UnknownKeys: names, ByDataset: datasets}})
}

// look is what a page looks like.
type look struct {
	Wide, Room, Rects, Empty int
	Ground                   string
}

const looking = `({Wide: document.documentElement.scrollWidth, Room: document.documentElement.clientWidth,
	Rects: document.querySelectorAll("figure svg rect").length,
	Empty: [...document.querySelectorAll("figure svg rect, figure svg text")].filter(e => e.getBoundingClientRect().width == 0).length,
	Ground: getComputedStyle(document.body).backgroundColor})`

// TestThePageInABrowser: on a screen, in the dark, on a phone and on paper the page is shown whole and asks for nothing, and the browser
// has nothing to say against it. NOROSHI_SHOTS names a folder for screenshots, NOROSHI_PAGE another page to look at.
func TestThePageInABrowser(t *testing.T) {
	b := chromiumtest.Start(t)
	dir := t.TempDir()
	if err := busy().Write(dir); err != nil {
		t.Fatal(err)
	}
	page := filepath.Join(dir, Files[0].Name)
	if other := os.Getenv("NOROSHI_PAGE"); other != "" {
		page = other
	}
	const white, night = "rgb(255, 255, 255)", "rgb(20, 23, 27)"
	for _, as := range []struct {
		name          string
		width, height int
		media, scheme string
		ground        string
	}{
		{"screen", 1280, 900, "", "light", white}, {"dark", 1280, 900, "", "dark", night}, {"phone", 390, 844, "", "light", white},
		{"paper", 718, 1000, "print", "light", white},
	} {
		p := b.NewTab()
		p.Show(as.width, as.height, as.media, as.scheme)
		p.Open("file://" + page)
		var l look
		p.Evaluate(looking, &l)
		if l.Wide > l.Room || l.Rects < 100 || l.Empty > 0 || l.Ground != as.ground {
			t.Errorf("%s: %+v", as.name, l)
		}
		if to := os.Getenv("NOROSHI_SHOTS"); to != "" {
			p.Shoot(filepath.Join(to, as.name+".png"))
		}
		for _, asked := range p.Requests {
			if asked != "file://"+page && asked != "data:," {
				t.Errorf("%s: the page asks for %s", as.name, asked)
			}
		}
		if len(p.Requests) == 0 || len(p.Said) > 0 {
			t.Errorf("%s: %d requests; the console shows %q", as.name, len(p.Requests), p.Said)
		}
	}
}

// TestThePolicyOfThePage keeps out what a stranger might bring in. Without it, the request is made, and seen.
func TestThePolicyOfThePage(t *testing.T) {
	b := chromiumtest.Start(t)
	var came atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { came.Add(1) }))
	defer s.Close()
	var page strings.Builder
	if err := busy().HTML(&page); err != nil {
		t.Fatal(err)
	}
	bad := strings.Replace(page.String(), "</main>", `<img src="`+s.URL+`/x"><script>fetch("`+s.URL+`/y")</script></main>`, 1)
	for name, text := range map[string]string{"with.html": bad, "without.html": strings.Replace(bad, "Content-Security-Policy", "X", 1)} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		came.Store(0)
		p := b.NewTab()
		p.Open("file://" + path) // an image is part of what is loaded
		switch kept := name == "with.html"; {
		case kept && (came.Load() > 0 || len(p.Said) < 2):
			t.Errorf("%d requests came; the console shows %q", came.Load(), p.Said)
		case !kept && (came.Load() == 0 || len(p.Requests) < 2):
			t.Errorf("without the policy %d requests came; seen are %q", came.Load(), p.Requests)
		}
	}
}
