package page

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rivo/uniseg"
	nethtml "golang.org/x/net/html"

	"noroshi/internal/incident"
	"noroshi/rules"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

var tokyo = time.FixedZone("Asia/Tokyo", 9*3600)

// checklist is that of the shipped library.
var checklist = sync.OnceValue(func() *incident.Checklist {
	steps, scope, _ := rules.Remediation()
	return incident.NewChecklist(steps, scope)
})

// takeover is an account that was taken over: a sign-in from nowhere, a rule, a forwarding, a delegate, a role.
func takeover() *incident.Incident {
	const account, tenant = "taro@contoso.example", "00000000-0000-0000-0000-000000000001"
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	return &incident.Incident{Schema: incident.Schema, ID: incident.ID(tenant, account, 1), Number: 1, Revision: 7, Tenant: tenant, Account: account, Status: incident.Open,
		Level: incident.Confirmed, Score: 100, ScoreNow: 96, ConfirmedBy: "access-then-hiding", Severity: "critical", Opened: at(0), Updated: at(3600), Hybrid: true,
		Why:    []string{"A new address signed in, and 155 seconds later the same session hid mail.", "Mail goes to drop@mail.example, which is not yours."},
		Alerts: []string{"alrt_A", "alrt_B"}, AlertsTotal: 2, Rules: map[string]int{"first-seen-address": 1, "inbox-rule-hides-mail": 1},
		SignIns: incident.SignIns{Succeeded: 41, Failed: 11, Left: 2, Places: []incident.Place{
			{IP: "203.0.113.7", Country: "NL", ASN: 64501, Succeeded: 2, Failed: 11, First: at(0), Last: at(400), Marked: true, Days: []incident.Day{{Date: "2026-01-02", Succeeded: 2, Failed: 11}}},
			{IP: "198.51.100.20", Country: "JP", ASN: 64500, Succeeded: 39, First: at(-864000), Last: at(-3600),
				Days: []incident.Day{{Date: "2025-12-23", Succeeded: 6}, {Date: "2025-12-26", Succeeded: 12}, {Date: "2026-01-01", Succeeded: 20}, {Date: "2026-01-02", Succeeded: 1}}}}},
		InboxRules: []incident.Thing{{Kind: incident.InboxRule, Name: ".", Detail: "deletes mail, stops further rules", Since: at(155), Seen: "event", EventID: "e-2", During: true},
			{Kind: incident.InboxRule, Name: "Newsletters", Detail: "moves mail to Newsletters", Since: at(-8640000), Seen: "export", AsOf: at(-86400)}},
		Forwarding: []incident.Thing{{Kind: incident.Forwarding, Name: "drop@mail.example", Detail: "the mailbox keeps a copy", Since: at(248), Gone: at(3000), Seen: "event", EventID: "e-3", During: true}},
		Delegates:  []incident.Thing{{Kind: incident.Delegate, Name: account, Of: "hanako@contoso.example", Detail: "FullAccess", Since: at(312), Seen: "event", EventID: "e-4", During: true}},
		Roles: []incident.Thing{{Kind: incident.Role, Name: "Global Administrator", ID: "62e90394-69f5-4237-9190-012177145e10", Of: "svc-backup@contoso.example", By: account, Since: at(416), Seen: "event",
			EventID: "e-5", During: true}},
		Timeline: []incident.Entry{
			{Time: at(0), Kind: incident.Sign, Text: "taro@contoso.example signed in from 203.0.113.7, an address not seen before", EventID: "e-1", Rule: "first-seen-address", Severity: "low", IP: "203.0.113.7", Country: "NL", ASN: 64501, Client: "Firefox"},
			{Time: at(155), Kind: incident.Sign, Text: "Inbox rule . of taro@contoso.example deletes mail", EventID: "e-2", Rule: "inbox-rule-hides-mail", Severity: "critical", IP: "203.0.113.7", Country: "NL", ASN: 64501},
			{Time: at(200), Kind: incident.Context, Text: "Read mail", EventID: "e-9", Count: 212, IP: "203.0.113.7"},
			{Time: at(248), Kind: incident.Context, Text: "Mail is forwarded to drop@mail.example", EventID: "e-3", IP: "203.0.113.7"},
			{Time: at(3000), Kind: incident.Closing, Text: "Forwarding was removed", EventID: "e-7", IP: "198.51.100.99"},
			{Time: at(3600), Kind: incident.Closing, Text: "An administrator reset the password", EventID: "e-8"}},
		TimelineTotal: 9,
		Containment: []incident.Demand{{ID: incident.Password, Text: "A new password", Done: at(3600), EventID: "e-8"}, {ID: incident.Sessions, Text: "Sessions ended"},
			{ID: incident.InboxRule, Thing: ".", Text: "Inbox rule . removed"}, {ID: incident.Forwarding, Thing: "drop@mail.example", Text: "Forwarding to drop@mail.example removed", Done: at(3000), EventID: "e-7"},
			{ID: incident.Role, Thing: "Global Administrator", Text: "Role Global Administrator of svc-backup@contoso.example removed"}},
		Remediation: []incident.Step{{ID: "review-sent-mail", Text: "Look up what taro@contoso.example has sent", Command: "Get-MessageTraceV2 -SenderAddress 'taro@contoso.example'"},
			{ID: "own-step", Text: "A step of a library of your own", Command: "Get-Mailbox", Link: "javascript:alert(1)"}},
	}
}

func written(t testing.TB, i *incident.Incident, lang incident.Language, o Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, i.AsPage(checklist(), lang, tokyo), o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var update = flag.Bool("update", os.Getenv("NOROSHI_UPDATE") != "", "rewrite the goldens")

// TestPagesAsTheyAre: the page of one take-over, in both languages.
func TestPagesAsTheyAre(t *testing.T) {
	for file, got := range map[string]string{
		"takeover.txt": written(t, takeover(), incident.English, Options{Width: 100}), "takeover.ja.txt": written(t, takeover(), incident.Japanese, Options{Width: 80}),
		"takeover.md": written(t, takeover(), incident.English, Options{Format: Markdown}), "takeover.html": written(t, takeover(), incident.English, Options{Format: HTML, Program: "test"}),
	} {
		path := filepath.Join("testdata", file)
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s is not what is written now; NOROSHI_UPDATE=1 rewrites it", path)
		}
	}
}

// nasty are texts that strangers write.
var nasty = []string{`<script>alert(1)</script><img src=http://evil.example/x onerror=alert(1)>`, "\x1b[31mred\x1b]0;title\x07", "\u202egnp.exe\u2066", "=cmd|'/c calc'!A1",
	"a|b\n# heading\n[link](http://evil.example) ![i](http://evil.example/i.png) `code` </td></tr>\r\n- [x] done", "'; Remove-Mailbox eve; '", "’; Remove-Mailbox eve; ‘", "`$(Remove-Mailbox eve)\"",
	"{{.Incident}}${x}", strings.Repeat("長い名前", 20_000)}

// poisoned is an incident with a text of a stranger wherever one fits.
func poisoned(bad string) *incident.Incident {
	i := takeover()
	i.Account, i.Tenant, i.Manual, i.ConfirmedBy, i.Parent = bad, bad, bad, bad, bad
	i.Why, i.Cut, i.Members = []string{bad}, []string{bad}, []string{bad}
	for _, some := range [][]incident.Thing{i.InboxRules, i.Forwarding, i.Delegates, i.Roles} {
		for k := range some {
			some[k].Name, some[k].Of, some[k].Detail, some[k].By, some[k].EventID = bad, bad, bad, bad, bad
		}
	}
	for k := range i.Timeline {
		e := &i.Timeline[k]
		e.Text, e.EventID, e.Rule, e.Client, e.Severity, e.Country, e.IP = bad, bad, bad, bad, bad, bad, bad
	}
	for k := range i.SignIns.Places {
		p := &i.SignIns.Places[k]
		p.IP, p.Country = bad, bad
	}
	for k := range i.Containment {
		i.Containment[k].Text, i.Containment[k].Thing, i.Containment[k].EventID = bad, bad, bad
	}
	i.Remediation = []incident.Step{{ID: bad, Text: bad, Command: "Get-X", Connect: bad, Link: bad}}
	i.Rules = map[string]int{bad: 3}
	return i
}

// What pages are made of; elements and attributes that fetch or run something are none of them.
var (
	elements   = strings.Fields("html head meta link title style body main header h1 h2 h3 p ul li nav a section table thead tbody tr th td div small code pre span svg desc rect text line g figure figcaption footer wbr br")
	attributes = strings.Fields("lang charset http-equiv content name rel href id class aria-label scope colspan tabindex role aria-labelledby viewBox x y x1 x2 y1 y2 dx dy width height transform text-anchor fill-opacity aria-hidden")
)

// TestStrangersWriteNothingButTexts: whatever records say, a page has our elements alone, a terminal gets no control character, and
// Markdown no sign that it reads.
func TestStrangersWriteNothingButTexts(t *testing.T) {
	for _, bad := range nasty {
		i := poisoned(bad)
		for _, lang := range incident.Languages {
			page := written(t, i, lang, Options{Format: HTML})
			if len(page) > 600_000 {
				t.Errorf("%.20q: the page has %d bytes", bad, len(page))
			}
			for z := nethtml.NewTokenizer(strings.NewReader(page)); z.Next() != nethtml.ErrorToken; {
				token := z.Token()
				if token.Type != nethtml.StartTagToken && token.Type != nethtml.SelfClosingTagToken {
					continue
				}
				if !slices.Contains(elements, token.Data) && token.Data != "title" {
					t.Errorf("%.20q: the page has the element %s", bad, token.Data)
				}
				for _, a := range token.Attr {
					if !slices.Contains(attributes, a.Key) && a.Key != "viewbox" {
						t.Errorf("%.20q: the page has the attribute %s=%.40q", bad, a.Key, a.Val)
					}
					if a.Key == "href" && !strings.HasPrefix(a.Val, "https://") && !strings.HasPrefix(a.Val, "#") && a.Val != "data:," || strings.Contains(a.Val, "evil") {
						t.Errorf("%.20q: the page has %s=%.40q", bad, a.Key, a.Val)
					}
				}
			}
			for _, form := range []string{page, written(t, i, lang, Options{}), written(t, i, lang, Options{Format: Markdown}), written(t, i, lang, Options{Format: JSON})} {
				if at := regexp.MustCompile(`[\x00-\x08\x0b-\x1f\x7f\x{202a}-\x{202e}\x{2066}-\x{2069}]`).FindString(form); at != "" {
					t.Errorf("%.20q: %q stands in %.60q", bad, at, form)
				}
			}
		}
		if strings.Contains(bad, "長") {
			if text := written(t, i, incident.English, Options{}); !strings.Contains(text, "(cut; 240000 bytes)") {
				t.Error("nobody is told of what was cut")
			}
		}
	}
}

// TestMarkdownReadsNothingIntoTexts: outside of code every sign of Markdown stands behind a backslash.
func TestMarkdownReadsNothingIntoTexts(t *testing.T) {
	for _, bad := range nasty[:9] {
		got := plainly(bad)
		for k, r := range got {
			if strings.ContainsRune("[]<>|`#*_&~", r) && (k == 0 || got[k-1] != '\\') {
				t.Errorf("%q is written %q", bad, got)
				break
			}
		}
		if strings.ContainsAny(got, "\n\r") {
			t.Errorf("%q takes several lines", bad)
		}
	}
	b := written(t, func() *incident.Incident {
		i := takeover()
		i.InboxRules[0].Name = "```\n# x"
		return i
	}(), incident.English, Options{Format: Markdown})
	if !strings.Contains(b, "````powershell") {
		t.Error("a name ends the code")
	}
}

// TestTextsKeepToTheirWidth: no line but a command, which is copied, is wider than the terminal.
func TestTextsKeepToTheirWidth(t *testing.T) {
	i := takeover()
	i.InboxRules[0].Name = strings.Repeat("転送のルール", 30)
	for _, width := range []int{40, 60, 80, 120} {
		for _, lang := range incident.Languages {
			text := written(t, i, lang, Options{Width: width})
			if !strings.Contains(strings.ReplaceAll(text, "\n", ""), "drop@mail.example") {
				t.Error("the destination is missing")
			}
			for line := range strings.Lines(text) {
				line = strings.TrimRight(line, "\n")
				if w := uniseg.StringWidth(line); w > width && !regexp.MustCompile(`^ +([A-Z$][A-Za-z]*[- ]|https:)|^    +\$`).MatchString(line) {
					t.Errorf("width %d: %d columns: %s", width, w, line)
				}
			}
		}
	}
}

// TestJSONIsTheIncident with the steps of the page.
func TestJSONIsTheIncident(t *testing.T) {
	var got incident.Incident
	if err := json.Unmarshal([]byte(written(t, takeover(), incident.English, Options{Format: JSON})), &got); err != nil {
		t.Fatal(err)
	}
	if got.ID != takeover().ID || len(got.Remediation) < 12 || got.Remediation[0].Phase != incident.Preserve {
		t.Errorf("%+v", got.Remediation)
	}
}
