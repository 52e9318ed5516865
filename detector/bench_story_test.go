package detector

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"noroshi/internal/alert"
	"noroshi/internal/incident"
	"noroshi/internal/state"
	"noroshi/rules"
)

// BenchmarkStories: the shipped rules and the lines of stories over what comes in a tenant at work, to be compared with BenchmarkLibrary.
func BenchmarkStories(b *testing.B) {
	records, spans := mixed(b, 5000)
	var sample [][]byte
	for _, s := range spans[:500] {
		sample = append(sample, records[s[0]:s[1]])
	}
	library, ps := rules.Load(rules.Options{Library: true, Untested: true, Story: true})
	if len(ps) > 0 {
		b.Fatal(ps[0].Format())
	}
	for _, one := range []struct {
		name  string
		lines []*rules.Line
	}{{"without", nil}, {"with", library.Story}} {
		own := *library
		own.Story = one.lines
		set := New(&own, Options{Sample: sample})
		b.Run("remembering/"+one.name, func(b *testing.B) {
			b.ReportAllocs()
			w := set.Worker()
			w.Packing = Together
			each := func(*alert.Alert) {}
			told := 0
			m := set.Memory(MemoryOptions{Live: true, Stored: true, Story: &Story{Activity: func(*incident.Activity) { told++ }, Profile: func(*incident.Profile) { told++ }}})
			w.Marked = m.Marked
			var packed []byte
			i := 0
			over(b, records, spans, func(from, to int) {
				if err := w.Read(records, from, to, time.Time{}); err != nil {
					b.Fatal(err)
				}
				packed = w.Match(packed[:0])
				EachHit(packed, func(p []byte) {
					if err := m.Apply(p, each); err != nil {
						b.Fatal(err)
					}
				})
				m.Advance(w.Reader().Time(), each)
				if i++; i%100 == 0 {
					m.Changes(func(Row) {})
				}
			})
			b.ReportMetric(float64(told)/float64(b.N*len(spans)), "told/event")
		})
	}
}

// BenchmarkProfiles: what the profiles of many accounts take, who signed in from one to four addresses on each of twenty days, and how long
// it takes to read them again.
func BenchmarkProfiles(b *testing.B) {
	const accounts = 20_000
	r := rand.New(rand.NewPCG(7, 8))
	library, ps := rules.Load(rules.Options{Library: true, Untested: true, Story: true})
	if len(ps) > 0 {
		b.Fatal(ps[0].Format())
	}
	library.Rules = nil
	set := New(library, Options{})
	for b.Loop() {
		before := heapBytes()
		m := set.Memory(MemoryOptions{Live: true, Stored: true, Story: &Story{Activity: func(*incident.Activity) {}, Profile: func(*incident.Profile) {}}})
		rows, changes := 0, 0
		for n := range accounts {
			p := m.person(whose{"aaaabbbb-0000-cccc-1111-dddd2222eeee", fmt.Sprintf("user%06d@contoso.example", n)})
			for day := range 20 {
				for k := range 1 + r.IntN(4) {
					in := oneSignIn{at: int64(20455+day)*daySeconds + int64(3600*k), hash: r.Uint64(), ip: fmt.Sprintf("198.51.%d.%d", n%256, k), country: "JP", asn: 64496,
						client: "Edge 143.0.0 on Windows10", device: fmt.Sprintf("PC-%06d", n)}
					m.change(p, func(f *profile) { f.signIn(&in) })
				}
				m.Changes(func(r Row) { rows, changes = rows+len(r.Value), changes+1 })
			}
		}
		b.ReportMetric(float64(heapBytes()-before)/accounts, "B/account")
		b.ReportMetric(float64(rows)/float64(changes), "B/row")
		var all []Row
		m.Rows(func(r Row) {
			all = append(all, Row{append([]byte{}, r.Key...), append([]byte{}, r.Value...), state.Whole})
		})
		began := time.Now()
		again := set.Memory(MemoryOptions{Live: true, Stored: true})
		for _, row := range all {
			if err := again.Load(row); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(time.Since(began).Microseconds())/accounts, "µs/restored")
	}
}
