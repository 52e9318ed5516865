package detector

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"noroshi/internal/alert"
)

const downloads = "id: much\ntitle: Much\nseverity: low\nkind: baseline\nwhen: event.action == \"FileDownloaded\"\nbucket: 1h\nratio: 2\nfloor: 3\nhistory: 5h\nlearn: 1h\n"

// download is a record of a download, so long after three o'clock.
func download(id string, after time.Duration) string {
	at := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC).Add(after).Format("2006-01-02T15:04:05")
	return fmt.Sprintf(`{"CreationTime":%q,"Id":%q,"Operation":"FileDownloaded","RecordType":6,"OrganizationId":"t-1","UserType":0,"UserId":"taro@contoso.example"}`, at, id)
}

// told are the alerts as texts: revision, time of the first event, count, evidence.
func told(all []alert.Alert) (lines []string) {
	for _, a := range all {
		ids := ""
		for _, e := range a.Evidence {
			ids += " " + e.ID
		}
		lines = append(lines, fmt.Sprintf("%d %s %d%s", a.Revision, a.Time.Format("15:04:05"), a.Window.Count, ids))
	}
	return lines
}

// TestABaselineShowsEvidenceInOrder: live, events of one instant come in any order. What is shown is in order, the first and the last.
func TestABaselineShowsEvidenceInOrder(t *testing.T) {
	set := ruleSet(t, downloads)
	last := ""
	for turn, step := range []int{1, 7, 59} { // 60 events, each time in another order
		var all []alert.Alert
		f := feed(t, set, MemoryOptions{Live: true}, func(a *alert.Alert) { all = append(all, *a) })
		f.record(download("before", 0))
		for i := range 60 {
			f.record(download(fmt.Sprintf("e%02d", i*step%60), time.Hour))
		}
		f.memory.Advance(f.worker.Reader().Time().Add(9*time.Hour), f.take)
		lines := told(all)
		is := strings.SplitN(lines[len(lines)-1], " ", 3)[2]
		if turn > 0 && is != last {
			t.Errorf("got %s\nwant %s", is, last)
		}
		if last = is; !strings.HasPrefix(is, "60 e00 e01") || !strings.HasSuffix(is, "e58 e59") {
			t.Errorf("got %s", is)
		}
	}
}

// TestABaselineKeepsItsFirstEvent: what comes after the clock has passed the end of its bucket changes what counted, not for which event
// the rule fired first.
func TestABaselineKeepsItsFirstEvent(t *testing.T) {
	var all []alert.Alert
	f := feed(t, ruleSet(t, downloads), MemoryOptions{Live: true}, func(a *alert.Alert) { all = append(all, *a) })
	f.record(download("before", 0))
	for i := range 4 {
		f.record(download(fmt.Sprint("e", i), time.Hour+time.Duration(i)*time.Minute))
	}
	start := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	f.memory.Advance(start.Add(2*time.Hour+time.Second), f.take)
	f.record(download("late", time.Hour+30*time.Minute))
	f.memory.Advance(start.Add(3*time.Hour), f.take)
	f.record(download("next", 4*time.Hour))
	got := strings.Join(told(all), "\n")
	want := "1 04:02:00 3 e0 e1 e2\n2 04:02:00 4 e0 e1 e2 e3\n3 04:02:00 5 e0 e1 e2 e3 late"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// BenchmarkBaseline: an event of a key that has been seen for a month costs no more than one of a key that is new.
func BenchmarkBaseline(b *testing.B) {
	text := strings.NewReplacer("history: 5h", "history: 30d", "ratio: 2", "ratio: 50").Replace(downloads)
	for _, hours := range []int{5, 700} {
		b.Run(fmt.Sprint("hours=", hours), func(b *testing.B) {
			f := feed(b, ruleSet(b, text), MemoryOptions{}, func(*alert.Alert) {})
			for i := range hours * 5 {
				f.next(download(fmt.Sprint("b", i), time.Duration(i/5)*time.Hour))
			}
			for i := 0; b.Loop(); i++ {
				f.record(download(fmt.Sprint("e", i), time.Duration(hours)*time.Hour))
			}
		})
	}
}
