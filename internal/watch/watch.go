// Package watch finds what is wrong with the watch itself, and remembers what was told of it.
package watch

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"
)

// The ids that alerts of the watch have in the place of a rule's.
const (
	SourceSilent    = "noroshi-source-silent"
	SourceFailing   = "noroshi-source-failing"
	SinkFailing     = "noroshi-sink-failing"
	DiskFilling     = "noroshi-disk-filling"
	CertificateEnds = "noroshi-certificate-ends"
	ExceptionEnds   = "noroshi-exception-ends"
	DeadLetters     = "noroshi-dead-letters"
	ClocksDiffer    = "noroshi-clocks-differ"
	RulesAsleep     = "noroshi-rules-asleep"
	NewDataset      = "noroshi-new-dataset"
)

// Rules are all of them, sorted.
var Rules = []string{CertificateEnds, ClocksDiffer, DeadLetters, DiskFilling, ExceptionEnds, NewDataset, RulesAsleep, SinkFailing, SourceFailing, SourceSilent}

// Options tune the watch. The zero value is not usable; Usual is.
type Options struct {
	Off        []string      // rules that tell nothing
	SilentFrom time.Duration // no source is silent sooner
	EndsWithin time.Duration // how long before its end something is told
}

// Usual are the options where nothing is configured.
func Usual() Options { return Options{SilentFrom: time.Hour, EndsWithin: 14 * 24 * time.Hour} }

// Sight is what is seen of all instances at a moment.
type Sight struct {
	At       time.Time
	Sources  []Source
	Meant    []string // sources that are configured, not retired and not at their end, whether an instance shows them or not
	Sinks    []Sink
	Disks    []Disk
	Letters  map[string]int64 // dead letters since the start, by instance
	Started  map[string]time.Time
	Ahead    time.Duration // how far clocks differ
	Asleep   []string      // rules that cannot fire on what sources have shown
	Lacks    []string      // datasets that would wake them
	Untried  []string      // rules that are awake and were tried on no record
	Datasets []string      // that sources have shown
	Ends     []End
}

// Source is how a source is.
type Source struct {
	Name  string
	Last  time.Time // when it brought its last record; zero: none that is known
	Fault string
	Since time.Time // when the fault came
}

// Sink is a sink that does not deliver.
type Sink struct {
	Name, Fault string
	Since       time.Time
}

// Disk is a disk that is filling up.
type Disk struct {
	Where string // instance and folder
	Text  string // how much is free
	Full  bool
}

// End is something that ends.
type End struct {
	Rule  string // CertificateEnds or ExceptionEnds
	Of    string // which one
	Where string
	At    time.Time
}

// Found is something that is wrong at a moment, or new.
type Found struct {
	Rule     string `json:"rule"`
	Of       string `json:"of"` // whom it is about, such as a sink
	Severity string `json:"severity"`
	Title    string `json:"title"`
	Summary  string `json:"summary"`
	Level    int64  `json:"level"` // a higher one is told again
	Once     bool   `json:"once"`  // it is news: it has no end
}

// The bounds of what is told.
const (
	failingFrom = 5 * time.Minute // a fault of a source or a sink is told after so long
	lettersFrom = 100             // dead letters within lettersIn
	lettersIn   = time.Hour
	learning    = 7 * 24 * time.Hour
	silentFirst = 12 * time.Hour // while the rhythm of a source is learned no silence is told sooner
	tried       = 24 * time.Hour // after so long a rule that was tried on nothing is told
	named       = 10             // so many rules are named
)

// Look finds what is wrong. Memory learns from what is seen.
func (m *Memory) Look(s *Sight, o Options) (all []Found) {
	m.begin(s.At)
	add := func(f Found) {
		if !slices.Contains(o.Off, f.Rule) {
			all = append(all, f)
		}
	}
	m.unseen = map[string]bool{}
	for _, one := range s.unseen() {
		if r := m.Sources[one.Name]; r != nil && !r.Last.IsZero() { // it brought something once
			m.unseen[one.Name] = true
			m.source(&one, s.At, o, add)
		}
	}
	for _, one := range s.Sources {
		m.source(&one, s.At, o, add)
	}
	for _, one := range s.Sinks {
		if lasts := s.At.Sub(one.Since); lasts >= failingFrom {
			add(Found{Rule: SinkFailing, Of: one.Name, Severity: "high", Title: "A sink does not deliver", Level: doubled(lasts, failingFrom*12),
				Summary: fmt.Sprintf("The sink %s has not delivered since %s: %s. Alerts wait for it; noroshi sinks test %s says what to do.", one.Name, minute(one.Since), one.Fault, one.Name)})
		}
	}
	for _, one := range s.Disks {
		f := Found{Rule: DiskFilling, Of: one.Where, Severity: "medium", Title: "A disk is filling up", Level: 1,
			Summary: fmt.Sprintf("The disk of %s is filling up: %s. Make room before noroshi cannot write.", one.Where, one.Text)}
		if one.Full {
			f.Severity, f.Level = "critical", 2
			f.Summary = fmt.Sprintf("The disk of %s is as good as full: %s. Make room at once; what cannot be stored is not evaluated.", one.Where, one.Text)
		}
		add(f)
	}
	for _, one := range s.Ends {
		m.end(&one, s.At, o, add)
	}
	if n := m.letters(s); n >= lettersFrom {
		add(Found{Rule: DeadLetters, Of: "dead letters", Severity: "medium", Title: "Many records are set aside", Level: int64(bits.Len64(uint64(n / lettersFrom))),
			Summary: fmt.Sprintf("%d dead letters within an hour: records that cannot be read, or alerts that a destination refuses. noroshi dead-letters list says why.", n)})
	}
	if s.Ahead.Abs() > time.Minute {
		add(Found{Rule: ClocksDiffer, Of: "clocks", Severity: "medium", Title: "Clocks differ", Level: doubled(s.Ahead.Abs(), time.Minute),
			Summary: fmt.Sprintf("The clocks of machines differ by %v. What is decided late waits longer; set them by a time server.", s.Ahead.Abs().Round(time.Second))})
	}
	m.asleep(s, add)
	m.datasets(s, add)
	return all
}

// unseen are the sources that should be there, and that no instance shows.
func (s *Sight) unseen() (all []Source) {
	for _, name := range s.Meant {
		if !slices.ContainsFunc(s.Sources, func(one Source) bool { return one.Name == name }) {
			all = append(all, Source{Name: name})
		}
	}
	return all
}

// source tells of a source that has a fault, or is silent for longer than it ever was.
func (m *Memory) source(one *Source, now time.Time, o Options, add func(Found)) {
	r := m.rhythm(one.Name)
	r.heard(one.Last, now)
	if one.Fault != "" && !one.Since.IsZero() && now.Sub(one.Since) >= failingFrom {
		add(Found{Rule: SourceFailing, Of: one.Name, Severity: "high", Title: "A source cannot be read", Level: doubled(now.Sub(one.Since), failingFrom*12),
			Summary: fmt.Sprintf("The source %s gives nothing, or not all, since %s: %s. What it holds is not evaluated until then.", one.Name, minute(one.Since), one.Fault)})
		return // its silence is no news
	}
	if r.Last.IsZero() {
		return // it never brought anything: that it is asleep is told by its rules
	}
	most := max(o.SilentFrom, 2*r.longest())
	if now.Sub(r.Since) < learning {
		most = max(most, silentFirst)
	}
	if gap := now.Sub(r.Last); gap > most {
		add(Found{Rule: SourceSilent, Of: one.Name, Severity: "high", Title: "A source is silent", Level: doubled(gap, most),
			Summary: fmt.Sprintf("The source %s has brought nothing since %s. Its longest pause within two weeks was %v. Look whether the export, the hub or its subscription was switched off.",
				one.Name, minute(r.Last), r.longest().Round(time.Minute))})
	}
}

// end tells of what ends soon, again three days before and when it has ended.
func (m *Memory) end(one *End, now time.Time, o Options, add func(Found)) {
	left := one.At.Sub(now)
	if left > o.EndsWithin {
		return
	}
	f := Found{Rule: one.Rule, Of: one.Of + " until " + one.At.Format(time.DateOnly), Severity: "low", Level: 1}
	what := "certificate"
	if f.Title = "A certificate ends soon"; one.Rule == ExceptionEnds {
		what, f.Title = "exception", "An exception ends soon"
	}
	ends := "ends"
	switch {
	case left <= 0:
		f.Severity, f.Level, ends = "high", 3, "has ended"
	case left <= 3*24*time.Hour:
		f.Severity, f.Level = "medium", 2
	}
	f.Summary = fmt.Sprintf("The %s %s (%s) %s at %s.", what, one.Of, one.Where, ends, minute(one.At))
	add(f)
}

func (m *Memory) asleep(s *Sight, add func(Found)) {
	if s.At.Sub(m.Since) < tried || len(s.Datasets) == 0 {
		return
	}
	if n := len(s.Asleep); n > 0 {
		add(Found{Rule: RulesAsleep, Of: "asleep", Severity: "info", Title: "Rules cannot fire on what comes in", Level: int64(n),
			Summary: fmt.Sprintf("%d rules cannot fire, for no source has shown %s: %s. Connect such a source, or switch the rules off.", n, few(s.Lacks), few(s.Asleep))})
	}
	if n := len(s.Untried); n > 0 {
		add(Found{Rule: RulesAsleep, Of: "never tried", Severity: "info", Title: "Rules were never tried", Level: int64(n),
			Summary: fmt.Sprintf("%d rules were tried on no record since the start, though their datasets come in: %s. noroshi explain shows what they look for.", n, few(s.Untried))})
	}
}

// datasets tells of one that comes for the first time, once it is known which usually come.
func (m *Memory) datasets(s *Sight, add func(Found)) {
	for _, name := range s.Datasets {
		first, known := m.Datasets[name]
		if !known {
			if len(m.Datasets) >= mostKept {
				continue
			}
			first = s.At
			m.Datasets[name] = first
		}
		if first.Sub(m.Since) >= learning && s.At.Sub(first) < newFor {
			add(Found{Rule: NewDataset, Of: name, Severity: "info", Title: "A new dataset comes in", Level: 1, Once: true,
				Summary: fmt.Sprintf("Records of the dataset %s come in for the first time. noroshi coverage shows which rules look at them.", name)})
		}
	}
}

// newFor is for how long something is news, so that whoever is to tell it can.
const newFor = time.Hour

// doubled is how often a duration has doubled beyond a first one, from 1 on.
func doubled(d, first time.Duration) int64 { return int64(bits.Len64(uint64(max(1, d/max(first, 1))))) }

func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// few names some of many.
func few(all []string) string {
	if more := len(all) - named; more > 0 {
		return strings.Join(all[:named], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(all, ", ")
}
