package detector

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"noroshi/internal/decode"
	"noroshi/internal/event"
	"noroshi/rules"
)

// stream is audit records as a tenant's log has them: many file accesses and sign-ins, few commands.
func stream(n int) (b []byte, spans [][2]int) {
	r := rand.New(rand.NewPCG(3, 4))
	for i := range n {
		user := fmt.Sprintf("user%d@contoso.example", r.IntN(400))
		ip := fmt.Sprintf("198.51.100.%d", r.IntN(250)+1)
		head := fmt.Sprintf(`{"CreationTime":"2026-01-02T%02d:%02d:%02d","Id":"7d1f8e53-24a1-4e0b-8f0c-%012d","Operation":"%%s","OrganizationId":"aaaabbbb-0000-cccc-1111-dddd2222eeee","RecordType":%%d,"ResultStatus":"Succeeded","UserKey":"10032000%08d","UserType":0,"Version":1,"Workload":"%%s","ClientIP":"%s","UserId":"%s"`, i/3600%24, i/60%60, i%60, i, i, ip, user)
		var rec string
		switch k := r.IntN(100); {
		case k < 45:
			rec = fmt.Sprintf(head, "FileAccessed", 6, "SharePoint") + fmt.Sprintf(`,"ObjectId":"https://contoso.sharepoint.example/sites/team%d/Documents/plan-%d.docx","SourceFileName":"plan-%d.docx","SiteUrl":"https://contoso.sharepoint.example/sites/team%d","UserAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64)","FileSizeBytes":%d,"EventSource":"SharePoint","ItemType":"File"}`, i%90, i, i, i%90, r.IntN(1<<20))
		case k < 75:
			rec = fmt.Sprintf(head, "UserLoggedIn", 15, "AzureActiveDirectory") + `,"ExtendedProperties":[{"Name":"ResultStatusDetail","Value":"Success"},{"Name":"UserAgent","Value":"Mozilla/5.0 (Windows NT 10.0; Win64; x64)"},{"Name":"RequestType","Value":"OAuth2:Authorize"}],"ErrorNumber":"0","DeviceProperties":[{"Name":"OS","Value":"Windows10"},{"Name":"BrowserType","Value":"Edge"}],"ApplicationId":"00000002-0000-0ff1-ce00-000000000000"}`
		case k < 97:
			rec = fmt.Sprintf(head, "MailItemsAccessed", 50, "Exchange") + fmt.Sprintf(`,"MailboxOwnerUPN":"%s","OperationProperties":[{"Name":"MailAccessType","Value":"Bind"},{"Name":"IsThrottled","Value":"False"}],"Folders":[{"Path":"\\Inbox","FolderItems":[{"InternetMessageId":"<m%d@mail.example>"}]}]}`, user, i)
		default:
			rec = fmt.Sprintf(head, "Set-Mailbox", 1, "Exchange") + fmt.Sprintf(`,"Parameters":[{"Name":"Identity","Value":"%s"},{"Name":"Languages","Value":"ja-JP"}]}`, user)
		}
		spans = append(spans, [2]int{len(b), len(b) + len(rec)})
		b = append(append(b, rec...), 0)
	}
	return append(b, make([]byte, decode.Slack)...), spans
}

// indicators are rules as authors write them: an operation or an indicator, and a few conditions; hardly one of them fires.
func indicators(tb testing.TB, n int, ignoreCase bool) *rules.Set {
	tb.Helper()
	dir := tb.TempDir()
	writeIndicators(tb, dir, n, ignoreCase)
	set, ps := rules.Load(rules.Options{Paths: []string{dir}})
	if len(ps) > 0 {
		tb.Fatal(ps[0].Format())
	}
	return set
}

// writeIndicators writes these rules into a folder.
func writeIndicators(tb testing.TB, dir string, n int, ignoreCase bool) {
	tb.Helper()
	for i := range n {
		when := []string{
			fmt.Sprintf(`event.action == "Set-Mailbox" && param["ForwardingSmtpAddress"] endsWith "@drop%d.example.net"`, i),
			fmt.Sprintf(`source.ip startsWith "203.0.113.%d" && event.outcome == "success"`, i%250),
			fmt.Sprintf(`user_agent.original contains "tool-%d" && user.name != ""`, i),
			fmt.Sprintf(`event.action in ["FileDownloaded", "FileAccessed"] && file.name endsWith ".locked%d"`, i),
			fmt.Sprintf(`app.id in ["11112222-0000-4000-8000-%012d", "99990000-0000-4000-8000-%012d"]`, i, i),
		}[i%5]
		if ignoreCase {
			when = strings.NewReplacer(`event.action == "Set-Mailbox"`, `iequals(event.action, "SET-mailbox")`, `param["ForwardingSmtpAddress"] endsWith `, `iends(param["ForwardingSmtpAddress"], `, `.net"`, `.NET")`).Replace(when)
		}
		text := fmt.Sprintf("id: rule-%d\ntitle: Rule\nseverity: low\nwhen: '%s'\n", i, when)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%05d.yaml", i)), []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
}

// over evaluates the stream again and again and reports what an event costs.
func over(b *testing.B, bytes []byte, spans [][2]int, do func(from, to int)) {
	b.ReportAllocs()
	for b.Loop() {
		for _, s := range spans {
			do(s[0], s[1])
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(spans)), "ns/event")
	b.SetBytes(int64(len(bytes)))
}

// ratios are what an event costs of what the projection alone costs, which is measured first: the metric x_projection.
type ratios struct{ alone float64 }

func (r *ratios) report(b *testing.B, events int) {
	per := float64(b.Elapsed().Nanoseconds()) / float64(b.N*events)
	if r.alone == 0 {
		r.alone = per
	}
	b.ReportMetric(per/r.alone, "x_projection")
}

// BenchmarkMatch: the projection alone, then with rules; the ratio is what rules cost.
func BenchmarkMatch(b *testing.B) {
	bytes, spans := stream(5000)
	var cost ratios
	run := func(name string, set *Set) {
		b.Run(name, func(b *testing.B) {
			w := set.Worker()
			over(b, bytes, spans, func(from, to int) {
				if err := w.Read(bytes, from, to, time.Time{}); err != nil {
					b.Fatal(err)
				}
				w.Hits()
			})
			b.ReportMetric(float64(w.Candidates)/float64(b.N*len(spans)), "candidates/event")
			cost.report(b, len(spans))
		})
	}
	var sample [][]byte
	for _, s := range spans[:500] {
		sample = append(sample, bytes[s[0]:s[1]])
	}
	two := indicators(b, 200, false)
	b.Run("projection", func(b *testing.B) {
		w := New(two, Options{Sample: sample}).Worker()
		over(b, bytes, spans, func(from, to int) {
			if err := w.Read(bytes, from, to, time.Time{}); err != nil {
				b.Fatal(err)
			}
		})
		cost.report(b, len(spans))
	})
	run("rules=200", New(two, Options{Sample: sample}))
	run("rules=200,ignoring_case", New(indicators(b, 200, true), Options{Sample: sample}))
	run("rules=2000", New(indicators(b, 2000, false), Options{Sample: sample}))
	library, ps := rules.Load(rules.Options{Library: true})
	if len(ps) > 0 {
		b.Fatal(ps[0].Format())
	}
	run("rules=library", New(library, Options{Sample: sample}))
	run("rules=place", New(aboutPlaces(b), Options{Sample: sample}))
	run("rules=place,known", New(aboutPlaces(b), Options{Sample: sample, Decode: places}))
}

// places are known as by a database: the look-up of a real one takes some microseconds more, once for each address.
var places = decode.Options{Place: func(string) event.Place {
	return event.Place{Country: "NL", City: "Amsterdam", Location: "52.3676,4.9041", From: "City", Number: "64500", NumberFrom: "ASN"}
}}

// aboutPlaces is a rule that wants the place of each record and the number of its network.
func aboutPlaces(tb testing.TB) *rules.Set {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "rule.yaml")
	text := "id: far\ntitle: Far away\nseverity: low\nwhen: event.outcome == \"success\" && (source.geo.country_iso_code == \"KP\" || source.geo.city_name startsWith \"Pyong\")\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	set, ps := rules.Load(rules.Options{Paths: []string{path}})
	if len(ps) > 0 {
		tb.Fatal(ps[0].Format())
	}
	return set
}

// TestAnEventThatMatchesNothingCostsNoMemory: an event costs no allocation, with the shipped rules and with 200 others. Rules that
// remember look at what everybody does all day; these events are left out.
func TestAnEventThatMatchesNothingCostsNoMemory(t *testing.T) {
	bytes, spans := stream(2000)
	library, ps := rules.Load(rules.Options{Library: true})
	if len(ps) > 0 {
		t.Fatal(ps[0].Format())
	}
	library.Rules = slices.DeleteFunc(library.Rules, func(r *rules.Rule) bool { return r.Kind.Name() == "silence" }) // all is a sign of life
	const quiet = 1000                                                                                               // events at least
	for name, rs := range map[string]*rules.Set{"library": library, "200 rules": indicators(t, 200, false), "a rule about places": aboutPlaces(t)} {
		o := Options{}
		if strings.Contains(name, "places") {
			o.Decode = places
		}
		w := New(rs, o).Worker()
		hits := func(s [2]int) int {
			if err := w.Read(bytes, s[0], s[1], time.Time{}); err != nil {
				t.Fatal(err)
			}
			w.Reader().Duplicate()
			return len(w.Hits())
		}
		silent := slices.DeleteFunc(slices.Clone(spans), func(s [2]int) bool { return hits(s) > 0 })
		if len(silent) < quiet {
			t.Fatalf("%s: only %d events match nothing", name, len(silent))
		}
		round := func() {
			for _, s := range silent {
				hits(s)
			}
		}
		round() // texts are learned
		per := testing.AllocsPerRun(3, round) / float64(len(silent))
		t.Logf("%s: %.3f allocations an event", name, per)
		if per > 0.1 {
			t.Errorf("%s: %.2f allocations an event", name, per)
		}
	}
}

// TestTheVMDecidesWhatMatches: native conditions leave the VM hardly more than what fires.
func TestTheVMDecidesWhatMatches(t *testing.T) {
	bytes, spans := stream(2000)
	w := New(indicators(t, 200, false), Options{}).Worker()
	for _, s := range spans {
		if err := w.Read(bytes, s[0], s[1], time.Time{}); err != nil {
			t.Fatal(err)
		}
		w.Hits()
	}
	if w.Runs() > 0 {
		t.Errorf("the VM ran %d times for nothing", w.Runs())
	}
	if slots := len(w.set.always); slots > 0 {
		t.Errorf("%d rules have nothing to be looked up by", slots)
	}
}
