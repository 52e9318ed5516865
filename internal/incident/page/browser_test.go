package page

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"noroshi/internal/chromiumtest"
	"noroshi/internal/incident"
)

// look is what a page looks like.
type look struct {
	Wide, Room, Empty, Small int
	Ground                   string
}

const looking = `({Wide: document.documentElement.scrollWidth, Room: document.documentElement.clientWidth,
	Empty: [...document.querySelectorAll("figure svg rect, figure svg text, li, td.name")].filter(e => e.textContent.trim() && e.getBoundingClientRect().width == 0).length,
	Small: [...document.querySelectorAll("p, li, td, pre")].filter(e => parseFloat(getComputedStyle(e).fontSize) < 9).length,
	Ground: getComputedStyle(document.body).backgroundColor})`

// axe asks axe-core what of the page somebody could not use.
const axe = `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}).then(r => r.violations.map(v => v.id + ": " + v.nodes.slice(0, 3).map(n => n.html).join(" ")))`

// TestThePageInABrowser: on a screen, in the dark, on a phone and on paper, in both languages, and whatever strangers have written, the page
// is shown whole and asks for nothing, and the browser has nothing to say against it. NOROSHI_SHOTS names a folder for pictures, NOROSHI_AXE
// the file axe.min.js of axe-core, which then looks at it, too.
func TestThePageInABrowser(t *testing.T) {
	b := chromiumtest.Start(t)
	var rules []byte
	if path := os.Getenv("NOROSHI_AXE"); path != "" {
		var err error
		if rules, err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	} else {
		t.Log("NOROSHI_AXE names no axe.min.js: the page is not looked at by axe")
	}
	const white, night = "rgb(255, 255, 255)", "rgb(20, 23, 27)"
	for _, as := range []struct {
		name          string
		of            *incident.Incident
		lang          incident.Language
		width, height int
		media, scheme string
		ground        string
	}{
		{"screen", takeover(), incident.English, 1280, 900, "", "light", white}, {"dark", takeover(), incident.English, 1280, 900, "", "dark", night},
		{"phone", takeover(), incident.Japanese, 390, 844, "", "light", white}, {"phone-dark", takeover(), incident.English, 390, 844, "", "dark", night},
		{"paper", takeover(), incident.English, 718, 1000, "print", "light", white}, {"nasty", poisoned(nasty[0]), incident.English, 390, 844, "", "light", white},
		{"long", poisoned(strings.Repeat("long", 200)), incident.Japanese, 390, 844, "", "light", white}, {"empty", &incident.Incident{Account: "taro@contoso.example"}, incident.English, 1280, 900, "", "light", white},
	} {
		page := filepath.Join(t.TempDir(), as.name+".html")
		if err := os.WriteFile(page, []byte(written(t, as.of, as.lang, Options{Format: HTML, Program: "test"})), 0o600); err != nil {
			t.Fatal(err)
		}
		p := b.NewTab()
		p.Show(as.width, as.height, as.media, as.scheme)
		p.Open("file://" + page)
		var l look
		p.Evaluate(looking, &l)
		if l.Wide > l.Room || l.Empty > 0 || l.Small > 0 || l.Ground != as.ground {
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
		if rules != nil {
			var none any
			p.Evaluate(string(rules)+";0", &none)
			var violations []string
			p.Evaluate(axe, &violations)
			for _, v := range violations {
				t.Errorf("%s: axe: %s", as.name, v)
			}
		}
	}
}
