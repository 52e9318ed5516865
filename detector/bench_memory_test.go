package detector

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"testing"
	"time"

	"noroshi/internal/alert"
	"noroshi/rules"
)

// writeRemembering writes n rules with memory into a folder: one in six counts what every account does all day, or the commands that
// few give, and the others what hardly anybody does.
func writeRemembering(tb testing.TB, dir string, n int, commands bool) {
	tb.Helper()
	common := []string{
		"kind: first_seen\nwhen: event.action == \"UserLoggedIn\" && event.outcome == \"success\"\nvalue: [source.ip]\nwithin: 30d",
		"kind: threshold\nwhen: event.action == \"MailItemsAccessed\"\nwithin: 10m\ncount: 500",
		"kind: baseline\nwhen: event.action == \"FileAccessed\"\nbucket: 1h\nratio: 5\nfloor: 1000\nhistory: 14d",
		"kind: sequence\nwithin: 60m\nsteps:\n  - {id: in, when: event.action == \"UserLoggedIn\"}\n  - {id: set, when: event.action == \"Set-Mailbox\", count: 50}",
		"kind: silence\nwhen: event.dataset == \"ual.azure_active_directory_sts_logon\"\nby: [event.dataset]\nlonger: 12h",
	}
	rare := []string{
		"kind: threshold\nwhen: event.action == \"UserLoginFailed\" && auth.error == \"%d\"\nwithin: 10m\ncount: 10",
		"kind: sequence\nwithin: 60m\nsteps:\n  - {id: in, when: source.ip startsWith \"203.0.113.%d\"}\n  - {id: hide, when: event.action == \"New-InboxRule\"}",
		"kind: absence\nwhen: event.action == \"Send-%d\"\nwithout: {when: event.action == \"SendAs\", after: 30m}\nneeds: [ual.exchange_admin]",
		"kind: first_seen\nwhen: app.id == \"11112222-0000-4000-8000-%012d\"\nvalue: [source.ip]\nwithin: 30d",
		"kind: travel\nwhen: app.id == \"11112222-0000-4000-8000-%012d\"\nwithin: 12h\nleast_km: 500\nleast_kmh: 900",
		"kind: match\nwhen: file.name endsWith \".locked%d\"\nrepeat: 1h",
	}
	for i := range n {
		kind := ""
		if i%6 == 0 {
			kind = common[i/6%len(common)]
			if commands {
				kind = allDay.ReplaceAllString(kind, `event.action == "Set-Mailbox"`)
			}
		} else {
			kind = fmt.Sprintf(rare[i%len(rare)], i)
		}
		text := fmt.Sprintf("id: memory-%d\ntitle: Rule\nseverity: low\n%s\n", i, kind)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("memory-%05d.yaml", i)), []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
}

// allDay is a condition on what every account does.
var allDay = regexp.MustCompile(`event\.(action == "(UserLoggedIn|MailItemsAccessed|FileAccessed)"|dataset == "[a-z_.]+")`)

// BenchmarkRemember: the projection alone, then with 200 rules of which 60 remember; an event of them goes through memory.
func BenchmarkRemember(b *testing.B) {
	bytes, spans := stream(20_000)
	var sample [][]byte
	for _, s := range spans[:500] {
		sample = append(sample, bytes[s[0]:s[1]])
	}
	for _, commands := range []bool{true, false} {
		dir := b.TempDir()
		writeIndicators(b, dir, 140, false)
		writeRemembering(b, dir, 60, commands)
		set, ps := rules.Load(rules.Options{Paths: []string{dir}})
		if len(ps) > 0 {
			b.Fatal(ps[0].Format())
		}
		d := New(set, Options{Sample: sample})
		var cost ratios
		what := "all_day"
		if commands {
			what = "commands"
		}
		b.Run("projection,"+what, func(b *testing.B) {
			w := d.Worker()
			over(b, bytes, spans, func(from, to int) {
				if err := w.Read(bytes, from, to, time.Time{}); err != nil {
					b.Fatal(err)
				}
			})
			cost.report(b, len(spans))
		})
		b.Run("rules=200,remembering=60,"+what, func(b *testing.B) {
			remember(b, d, bytes, spans)
			cost.report(b, len(spans))
		})
	}
}

// remember evaluates the stream again and again, each time with an empty memory.
func remember(b *testing.B, d *Set, bytes []byte, spans [][2]int) {
	w := d.Worker()
	w.Packing = Together
	alerts, hits := 0, 0
	each := func(*alert.Alert) { alerts++ }
	var m *Memory
	var packed []byte
	i := 0
	over(b, bytes, spans, func(from, to int) {
		if i%len(spans) == 0 {
			m = d.Memory(MemoryOptions{})
		}
		i++
		if err := w.Read(bytes, from, to, time.Time{}); err != nil {
			b.Fatal(err)
		}
		packed = w.Match(packed[:0])
		hits += len(w.found)
		EachHit(packed, func(p []byte) {
			if err := m.Apply(p, each); err != nil {
				b.Fatal(err)
			}
		})
		m.Advance(w.Reader().Time(), each)
	})
	b.ReportMetric(float64(hits)/float64(b.N*len(spans)), "hits/event")
	b.ReportMetric(float64(alerts)/float64(b.N), "alerts")
}

// TestAKeyWithOneEntryIsSmall: a key with one entry takes no more than 600 bytes, so a million of them no more than 600 MB.
func TestAKeyWithOneEntryIsSmall(t *testing.T) {
	const keys = 100_000
	text := "id: many\ntitle: Many\nseverity: low\nkind: threshold\nwhen: event.action == \"UserLoginFailed\"\nwithin: 30d\ncount: 10\n"
	f := feed(t, ruleSet(t, text), MemoryOptions{Keys: keys}, func(*alert.Alert) {})
	before := heapBytes()
	for i := range keys {
		rec := fmt.Sprintf(`{"CreationTime":"2026-01-02T%02d:%02d:%02d","Id":"7d1f8e53-24a1-4e0b-8f0c-%012d","Operation":"UserLoginFailed","OrganizationId":"aaaabbbb-0000-cccc-1111-dddd2222eeee","RecordType":15,"UserKey":"x","UserType":0,"Version":1,"Workload":"AzureActiveDirectory","ClientIP":"198.51.100.7","UserId":"user%d@contoso.example"}`, i/3600%24, i/60%60, i%60, i, i)
		f.record(rec)
	}
	if f.memory.Keys() != keys {
		t.Fatalf("%d keys are held", f.memory.Keys())
	}
	per := float64(heapBytes()-before) / float64(keys)
	t.Logf("%.0f bytes a key, %d keys", per, keys)
	if per > 600 {
		t.Errorf("%.0f bytes a key", per)
	}
	runtime.KeepAlive(f)
}

func heapBytes() uint64 {
	var s runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}
