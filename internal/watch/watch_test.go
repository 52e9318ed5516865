package watch

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// rules gives the rules of what was found, with their levels.
func rules(all []Found) string {
	var names []string
	for _, f := range all {
		names = append(names, fmt.Sprintf("%s %s %d", f.Rule, f.Severity, f.Level))
	}
	return strings.Join(names, ", ")
}

func TestWhatIsFound(t *testing.T) {
	old := noon.AddDate(0, -1, 0)
	for name, c := range map[string]struct {
		memory Memory
		sight  Sight
		want   string
	}{
		"nothing":                       {Memory{}, Sight{}, ""},
		"a sink that has just failed":   {Memory{}, Sight{Sinks: []Sink{{"soc", "status 500", noon.Add(-time.Minute)}}}, ""},
		"a sink that fails":             {Memory{}, Sight{Sinks: []Sink{{"soc", "status 500", noon.Add(-6 * time.Minute)}}}, SinkFailing + " high 1"},
		"a sink that fails for hours":   {Memory{}, Sight{Sinks: []Sink{{"soc", "status 500", noon.Add(-5 * time.Hour)}}}, SinkFailing + " high 3"},
		"a disk":                        {Memory{}, Sight{Disks: []Disk{{"/data", "1 MiB", false}}}, DiskFilling + " medium 1"},
		"a full disk":                   {Memory{}, Sight{Disks: []Disk{{"/data", "1 MiB", true}}}, DiskFilling + " critical 2"},
		"a certificate of next month":   {Memory{}, Sight{Ends: []End{{CertificateEnds, "of a", "ca.pem", noon.AddDate(0, 1, 0)}}}, ""},
		"a certificate of next week":    {Memory{}, Sight{Ends: []End{{CertificateEnds, "of a", "ca.pem", noon.AddDate(0, 0, 7)}}}, CertificateEnds + " low 1"},
		"an exception of tomorrow":      {Memory{}, Sight{Ends: []End{{ExceptionEnds, "x", "", noon.AddDate(0, 0, 1)}}}, ExceptionEnds + " medium 2"},
		"an exception that has ended":   {Memory{}, Sight{Ends: []End{{ExceptionEnds, "x", "", noon}}}, ExceptionEnds + " high 3"},
		"clocks":                        {Memory{}, Sight{Ahead: 3 * time.Hour}, ClocksDiffer + " medium 8"},
		"clocks by a minute":            {Memory{}, Sight{Ahead: time.Minute}, ""},
		"few dead letters":              {Memory{}, Sight{Letters: map[string]int64{"a/1": 99}}, ""},
		"many dead letters":             {Memory{}, Sight{Letters: map[string]int64{"a/1": 60, "b/1": 60}, Started: map[string]time.Time{"a/1": noon, "b/1": noon}}, DeadLetters + " medium 1"},
		"dead letters of before":        {Memory{Counts: map[string]int64{"a/1": 500}}, Sight{Letters: map[string]int64{"a/1": 550}}, ""},
		"those of an hour ago":          {Memory{Grown: []Grown{{noon.Add(-time.Hour), 500}}}, Sight{}, ""},
		"a source in trouble":           {Memory{}, Sight{Sources: []Source{{"audit", time.Time{}, "not found", noon.Add(-time.Hour)}}}, SourceFailing + " high 1"},
		"a source that never came":      {Memory{}, Sight{Sources: []Source{{"audit", time.Time{}, "", time.Time{}}}}, ""},
		"a quiet source, hardly known":  {Memory{}, Sight{Sources: []Source{{"audit", noon.Add(-11 * time.Hour), "", time.Time{}}}}, ""},
		"a silent source, hardly known": {Memory{}, Sight{Sources: []Source{{"audit", noon.Add(-13 * time.Hour), "", time.Time{}}}}, SourceSilent + " high 1"},
		"a source that is known, quiet": {Memory{Sources: map[string]*Rhythm{"audit": {Since: old, Last: noon.Add(-5 * time.Hour), Gaps: map[string]time.Duration{"2026-01-01": 3 * time.Hour}}}},
			Sight{Sources: []Source{{Name: "audit"}}}, ""},
		"beyond its own gap": {Memory{Sources: map[string]*Rhythm{"audit": {Since: old, Last: noon.Add(-7 * time.Hour), Gaps: map[string]time.Duration{"2026-01-01": 3 * time.Hour}}}},
			Sight{Sources: []Source{{Name: "audit"}}}, SourceSilent + " high 1"},
		"a busy source has a floor": {Memory{Sources: map[string]*Rhythm{"audit": {Since: old, Last: noon.Add(-59 * time.Minute), Gaps: map[string]time.Duration{"2026-01-01": time.Second}}}},
			Sight{Sources: []Source{{Name: "audit"}}}, ""},
		"beyond the floor": {Memory{Sources: map[string]*Rhythm{"audit": {Since: old, Last: noon.Add(-61 * time.Minute), Gaps: map[string]time.Duration{"2026-01-01": time.Second}}}},
			Sight{Sources: []Source{{Name: "audit"}}}, SourceSilent + " high 1"},
		"rules asleep at the start":   {Memory{}, Sight{Datasets: []string{"entra.signin"}, Asleep: []string{"a", "b"}}, ""},
		"rules asleep":                {Memory{Since: noon.AddDate(0, 0, -1)}, Sight{Datasets: []string{"entra.signin"}, Asleep: []string{"a", "b"}, Untried: []string{"c"}}, RulesAsleep + " info 2, " + RulesAsleep + " info 1"},
		"a dataset of the first days": {Memory{Since: noon.AddDate(0, 0, -6)}, Sight{Datasets: []string{"entra.signin"}}, ""},
		"a new dataset":               {Memory{Since: noon.AddDate(0, 0, -8)}, Sight{Datasets: []string{"entra.signin"}}, NewDataset + " info 1"},
		"a dataset that is known":     {Memory{Since: noon.AddDate(0, 0, -8), Datasets: map[string]time.Time{"entra.signin": noon.AddDate(0, 0, -1)}}, Sight{Datasets: []string{"entra.signin"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c.sight.At = noon
			got := c.memory.Look(&c.sight, Usual())
			if rules(got) != c.want {
				t.Errorf("got %s, want %s", rules(got), c.want)
			}
			for _, f := range got {
				if f.Of == "" || f.Title == "" || f.Summary == "" || !slices.Contains(Rules, f.Rule) {
					t.Errorf("it lacks something: %+v", f)
				}
				if quiet := c.memory.Look(&c.sight, Options{Off: []string{f.Rule}, SilentFrom: time.Hour, EndsWithin: Usual().EndsWithin}); strings.Contains(rules(quiet), f.Rule) {
					t.Errorf("%s is off and tells", f.Rule)
				}
			}
		})
	}
}

// TestASourceTeachesItsRhythm: pauses that ended within two weeks are known, older ones are forgotten.
func TestASourceTeachesItsRhythm(t *testing.T) {
	var m Memory
	see := func(last, now time.Time) string {
		return rules(m.Look(&Sight{At: now, Sources: []Source{{Name: "audit", Last: last}}}, Usual()))
	}
	day := noon
	for range 10 { // each day there is a pause of ten hours
		see(day, day)
		see(day.Add(14*time.Hour), day.Add(14*time.Hour))
		day = day.AddDate(0, 0, 1)
	}
	last := day.AddDate(0, 0, -1).Add(14 * time.Hour)
	if got := see(last, last.Add(27*time.Hour)); got != "" {
		t.Errorf("within twice its longest pause it is silent: %s", got)
	}
	if got := see(last, last.Add(29*time.Hour)); got == "" {
		t.Error("beyond it is not")
	}
	for now := last; now.Before(last.AddDate(0, 0, 16)); now = now.Add(20 * time.Minute) {
		see(now, now)
	}
	now := last.AddDate(0, 0, 16).Add(2 * time.Hour)
	if got := see(time.Time{}, now); got != SourceSilent+" high 2" {
		t.Errorf("it comes each 20 minutes now, and is told: %s", got)
	}
}

// TestAnEpisodeIsToldOnce: and revised when it grows, ends or comes back; with a memory that is stored in between.
func TestAnEpisodeIsToldOnce(t *testing.T) {
	m := &Memory{}
	var told []string
	step := func(after time.Duration, found ...Found) {
		t.Helper()
		m.Move(found, noon.Add(after))
		for _, e := range m.Due() {
			told = append(told, fmt.Sprintf("%v %s/%d %s %s", after, e.Rule, e.Revision, e.Severity, e.Summary))
			e.Told = true
		}
		row, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		m = &Memory{}
		if err := json.Unmarshal(row, m); err != nil {
			t.Fatal(err)
		}
	}
	f := func(level int64) Found {
		return Found{Rule: SinkFailing, Of: "soc", Severity: "high", Summary: "gone", Level: level}
	}
	step(0, f(1))
	step(time.Minute, f(1))
	step(2*time.Minute, f(2))
	step(3*time.Minute, f(1))
	step(4 * time.Minute)
	step(12*time.Minute, f(1))
	step(21 * time.Minute)
	step(23 * time.Minute)
	step(40 * time.Minute)
	step(5*time.Hour, f(1))
	step(5*time.Hour+11*time.Minute, Found{Rule: NewDataset, Of: "x", Summary: "new", Once: true})
	step(6 * time.Hour)
	step(40 * time.Hour)
	step(41*time.Hour, f(1))
	want := []string{
		"0s noroshi-sink-failing/1 high gone", "2m0s noroshi-sink-failing/2 high gone", "23m0s noroshi-sink-failing/3 info It is over since 2026-01-02 12:12 UTC: gone",
		"5h0m0s noroshi-sink-failing/4 high gone", "5h11m0s noroshi-new-dataset/1  new", "5h11m0s noroshi-sink-failing/5 info It is over since 2026-01-02 17:00 UTC: gone",
		"41h0m0s noroshi-sink-failing/1 high gone",
	}
	if d := cmp.Diff(told, want); d != "" {
		t.Error(d)
	}
	if e := m.Episodes[SinkFailing+"\x00soc"]; e == nil || e.Day() != "2026-01-04" {
		t.Errorf("it has begun as %+v", e)
	}
}

// TestThereIsNoStorm: what comes and goes all day is revised some times, and what is stored stays small.
func TestThereIsNoStorm(t *testing.T) {
	m, told := &Memory{}, 0
	const days = 10_000/(24*6) + 2
	for n := range 10_000 {
		now := noon.Add(time.Duration(n) * overAfter)
		var found []Found
		if n%2 == 0 {
			found = append(found, Found{Rule: SinkFailing, Of: "soc", Level: 1})
		}
		found = append(found, Found{Rule: DiskFilling, Of: fmt.Sprint(n), Level: 1})
		m.Move(found, now)
		for _, e := range m.Due() {
			if e.Told = true; e.Rule == SinkFailing {
				told++
			}
		}
	}
	if told < days || told > days*(mostRevisions+1) || len(m.Episodes) > mostKept {
		t.Errorf("told %d times, %d episodes are kept", told, len(m.Episodes))
	}
}

// TestFlapping: a sink that fails each night for weeks is still told when it fails for good.
func TestFlapping(t *testing.T) {
	m, now, told := &Memory{}, noon, 0
	look := func(all ...Sink) {
		m.Move(m.Look(&Sight{At: now, Sinks: all}, Usual()), now)
		for _, e := range m.Due() {
			e.Told = true
			told++
		}
	}
	for range 30 {
		look(Sink{"soc", "500", now.Add(-10 * time.Minute)})
		now = now.Add(11 * time.Minute)
		look()
		now = now.Add(22 * time.Hour)
	}
	if told != 60 {
		t.Errorf("thirty nights told %d, want 60", told)
	}
	look(Sink{"soc", "500", now.Add(-10 * time.Minute)})
	if told != 61 {
		t.Errorf("that it fails again is not told: %d", told)
	}
}

// TestLettersOfBefore: what an instance set aside before it was seen, or while it was not, is not of this hour.
func TestLettersOfBefore(t *testing.T) {
	m, now := &Memory{}, noon
	started := map[string]time.Time{"a/1": noon, "b/1": noon, "c/1": noon}
	look := func(letters map[string]int64) {
		t.Helper()
		now = now.Add(24 * time.Hour)
		for _, f := range m.Look(&Sight{At: now, Letters: letters, Started: started}, Usual()) {
			t.Error(f.Summary)
		}
	}
	look(map[string]int64{"a/1": 0, "b/1": 149})
	look(map[string]int64{"a/1": 0}) // b reports late
	look(map[string]int64{"a/1": 0, "b/1": 150})
	look(map[string]int64{"a/1": 0, "b/1": 150, "c/1": 400})
}

// TestTheOnlyReaderDies: a source that nobody shows any more becomes silent, and its fault is not over; one that is not meant is let go.
func TestTheOnlyReaderDies(t *testing.T) {
	for name, row := range map[string]struct {
		meant []string
		want  string
	}{"meant": {[]string{"hub"}, SourceSilent + " high"}, "retired": {nil, SourceFailing + " info"}} {
		t.Run(name, func(t *testing.T) {
			m, now, told := &Memory{}, noon, ""
			look := func(after time.Duration, all ...Source) {
				now = now.Add(after)
				for i := range all {
					all[i].Last = now
				}
				m.Move(m.Look(&Sight{At: now, Sources: all, Meant: row.meant}, Usual()), now)
			}
			for range 30 * 24 {
				look(time.Hour, Source{Name: "hub"})
			}
			look(10*time.Minute, Source{Name: "hub", Fault: "refused", Since: now})
			for _, e := range m.Due() {
				e.Told = true
			}
			for range 3 {
				look(time.Hour)
			}
			for _, e := range m.Due() {
				told += e.Rule + " " + e.Severity
			}
			if told != row.want {
				t.Errorf("told %q, want %q", told, row.want)
			}
		})
	}
}
