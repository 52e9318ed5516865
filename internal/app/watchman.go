package app

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"noroshi/internal/alert"
	"noroshi/internal/bus"
	"noroshi/internal/certs"
	"noroshi/internal/watch"
	"noroshi/rules"
	"noroshi/sinks"
)

// watchman watches the watch. One instance does: the one that has partition 0 of events, so that the group of the detectors, which gives
// each partition to one of them, also says who tells. It sees the others by their reports. What it has told is a row among the positions,
// so that its successor goes on with it; where two hold themselves for it for a moment they tell the same ids.
type watchman struct {
	memory *watch.Memory // nil: this instance is not the one, or has not read what was told
	looked time.Time
	stored time.Time
	ends   []watch.End // certificates, as they were read last
	read   time.Time
}

// The rhythm of the watchman.
const (
	settles        = 5 * time.Minute // after the start; until then sources and sinks find their feet
	itselfEvery    = 30 * time.Second
	learnedEvery   = 10 * time.Minute // what was only learned is stored so often
	endsEvery      = time.Hour
	itselfWithin   = 10 * time.Second
	keyWatch       = "watch/itself" // of its row
	watchClass     = "operation"
	watchAccount   = "noroshi" // by which its alerts find their partition: they stay in order
	mostOfWatchman = 512 << 10 // bytes of its row; beyond it what was learned is begun anew
)

// watchItself looks and tells, if this instance is the one that does.
func (r *Run) watchItself(ctx context.Context, k *kafka, w *bus.Writer, now time.Time, ended bool) {
	m := &r.watchman
	since := r.prepared.running.Load()
	if !r.Config.Watch.Enabled || ended || since == nil || now.Sub(*since) < settles || now.Sub(m.looked) < itselfEvery {
		return
	}
	m.looked = now
	if !r.clocks.has(0) {
		m.memory = nil
		return
	}
	ctx, cancel := context.WithTimeout(ctx, itselfWithin)
	defer cancel()
	if err := r.watchOnce(ctx, k.bus, w, now); err != nil && ctx.Err() == nil {
		m.memory = nil // what is stored is what was told
		r.Log.Warn("noroshi cannot tell what is wrong with itself; it tries again", slog.Any("err", err))
	}
}

// watchOnce tells what is to be told at a moment. What is found is stored before it is told: whoever tells it again gives it the same id and
// revision.
func (r *Run) watchOnce(ctx context.Context, b *bus.Bus, w *bus.Writer, now time.Time) error {
	m := &r.watchman
	if m.memory == nil {
		rows, err := b.Positions(ctx)
		if err != nil {
			return err
		}
		m.memory = &watch.Memory{}
		if row := rows[keyWatch]; row != nil && json.Unmarshal(row, m.memory) != nil {
			m.memory = &watch.Memory{} // of another version
		}
	}
	changed := m.memory.Move(m.memory.Look(r.sight(now), r.Config.Watch.Options), now)
	due := m.memory.Due()
	if !changed && len(due) == 0 && now.Sub(m.stored) < learnedEvery {
		return nil
	}
	if err := m.store(ctx, w, now); err != nil || len(due) == 0 {
		return err
	}
	var all []bus.Record
	for _, e := range due {
		all = append(all, watchAlert(e, now))
		r.Log.Warn("noroshi watches itself", slog.String("rule", e.Rule), slog.String("of", e.Of), slog.Int("revision", e.Revision), slog.String("found", e.Summary))
	}
	if err := w.Write(ctx, all); err != nil {
		return err
	}
	for _, e := range due {
		e.Told = true
	}
	return m.store(ctx, w, now)
}

func (m *watchman) store(ctx context.Context, w *bus.Writer, now time.Time) error {
	row, err := json.Marshal(m.memory)
	if err != nil {
		return err
	}
	if len(row) > mostOfWatchman {
		m.memory = &watch.Memory{}
		fresh, err := json.Marshal(m.memory)
		if err != nil {
			return err
		}
		if err := w.Write(ctx, []bus.Record{{Topic: bus.Checkpoints, Key: []byte(keyWatch), Value: fresh}}); err != nil { // else it is read again
			return err
		}
		return fmt.Errorf("what is remembered of the watch has %d bytes; it begins anew", len(row))
	}
	m.stored = now
	return w.Write(ctx, []bus.Record{{Topic: bus.Checkpoints, Key: []byte(keyWatch), Value: row}})
}

// watchAlert is what an episode says.
func watchAlert(e *watch.Episode, now time.Time) bus.Record {
	values := []string{e.Of}
	a := alert.Alert{Schema: alert.Schema, ID: alert.ID("", e.Rule, values, e.Day()), Status: alert.Firing, Revision: e.Revision, Severity: e.Severity, Target: e.Of,
		Rule:    alert.Rule{ID: e.Rule, Title: e.Title, Guide: []string{}, Class: watchClass, Attack: []string{}},
		Actor:   alert.Actor{Kind: "service", Name: watchAccount},
		Summary: alert.OneLine(e.Summary, maxShown*2), Time: now, Window: alert.Window{First: e.Begun, Last: e.Seen, Count: 1},
		Group: map[string]string{"of": e.Of}, DedupKey: alert.DedupKey("", e.Rule, values), Times: alert.Times{Happened: e.Begun, Evaluated: now}}
	return alertRecord([]byte(watchAccount), &a)
}

// sight is what is seen of all instances.
func (r *Run) sight(now time.Time) *watch.Sight {
	var all []Status
	if s := r.last.Load(); s != nil {
		all = append(all, *s)
	}
	p := &r.peers
	p.mu.Lock()
	for _, name := range slices.Sorted(maps.Keys(p.all)) {
		all = append(all, p.all[name])
	}
	p.mu.Unlock()
	s := seenOf(all, now)
	s.Meant = meant(r.sources(), all)
	s.Ends = r.watchman.endings(r.Config.Certificates, r.ruling.Load().set.Rules(), now)
	return s
}

// meant are the sources of the configuration without those that are at their end, or of which all partitions are retired.
func meant(configured []SourceSum, all []Status) (names []string) {
	ended, retired, live := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i := range all {
		for _, x := range all[i].Sources {
			ended[x.Name] = ended[x.Name] || x.Ended
		}
		for _, c := range all[i].Clocks {
			of, _, _ := strings.Cut(c.Source, "/")
			if c.Retired.IsZero() {
				live[of] = true
			} else {
				retired[of] = true
			}
		}
	}
	for _, x := range configured {
		if !x.Ended && !ended[x.Name] && (live[x.Name] || !retired[x.Name]) {
			names = append(names, x.Name)
		}
	}
	return names
}

// seenOf puts together what instances report.
func seenOf(all []Status, now time.Time) *watch.Sight {
	s := &watch.Sight{At: now, Letters: map[string]int64{}, Started: map[string]time.Time{}}
	sources, ill := map[string]*watch.Source{}, map[string]watch.Sink{}
	asleep, lacks, datasets := map[string]bool{}, map[string]bool{}, map[string]bool{}
	evaluated := map[string]int64{}
	for i := range all {
		one := &all[i]
		s.Letters[one.Instance] += one.Letters
		s.Started[one.Instance] = one.Started
		s.Ahead = max(s.Ahead, time.Duration(one.Ahead)*time.Second)
		for _, x := range one.Sources {
			if !x.Ended {
				sourceSeen(sources, &x)
			}
		}
		for name, k := range one.Sinks {
			if k.State != sinks.Delivering && k.State != "" && (ill[name].Since.IsZero() || k.Since.Before(ill[name].Since)) {
				ill[name] = watch.Sink{Name: name, Fault: k.Fault, Since: k.Since}
			}
		}
		for _, d := range one.Disks {
			if d.Filling() {
				host, _, _ := strings.Cut(one.Instance, "/")
				s.Disks = append(s.Disks, watch.Disk{Where: d.Path + " of " + host, Text: fmt.Sprintf("%d MiB of %d are free", d.Free>>20, d.Total>>20), Full: d.Full()})
			}
		}
		for _, x := range one.Asleep {
			for _, rule := range x.Rules {
				asleep[rule] = true
			}
			for _, l := range x.Lacks {
				for _, d := range l.Datasets {
					lacks[d] = true
				}
			}
		}
		for _, c := range one.Clocks {
			for _, x := range c.Shown {
				datasets[x.Dataset] = true
			}
		}
		if len(one.Roles) == 0 || slices.Contains(one.Roles, Detect) {
			for _, rule := range one.Rules {
				if rule.State == string(rules.Live) {
					evaluated[rule.ID] += rule.Evaluated
				}
			}
		}
	}
	for _, name := range sortedKeys(sources) {
		s.Sources = append(s.Sources, *sources[name])
	}
	for _, name := range sortedKeys(ill) {
		s.Sinks = append(s.Sinks, ill[name])
	}
	for _, rule := range sortedKeys(evaluated) {
		if evaluated[rule] == 0 && !asleep[rule] {
			s.Untried = append(s.Untried, rule)
		}
	}
	s.Asleep, s.Lacks, s.Datasets = sortedKeys(asleep), sortedKeys(lacks), sortedKeys(datasets)
	return s
}

// sourceSeen adds how a source is in one instance: it has a fault where one has.
func sourceSeen(all map[string]*watch.Source, x *SourceSum) {
	to := all[x.Name]
	if to == nil {
		to = &watch.Source{Name: x.Name}
		all[x.Name] = to
	}
	if x.Last.After(to.Last) {
		to.Last = x.Last
	}
	if x.Fault != "" && !x.Since.IsZero() && (to.Since.IsZero() || x.Since.Before(to.Since)) {
		to.Fault, to.Since = x.Fault, x.Since
	}
}

// endings are the certificates and exceptions that end some day. Certificates are read again each hour.
func (m *watchman) endings(files []string, all []*rules.Rule, now time.Time) []watch.End {
	if m.read.IsZero() || now.Sub(m.read) >= endsEvery {
		m.read, m.ends = now, nil
		for _, file := range files {
			found, err := certs.All(file)
			if err != nil { // its user tells
				continue
			}
			for _, c := range found {
				m.ends = append(m.ends, watch.End{Rule: watch.CertificateEnds, Of: "of " + c.Subject.CommonName, Where: file, At: c.NotAfter.UTC()})
			}
		}
	}
	ends, seen := slices.Clone(m.ends), map[string]bool{}
	for _, rule := range all {
		for _, x := range rule.Unless {
			key := x.Because + x.Until.String()
			if x.Until.IsZero() || seen[key] {
				continue
			}
			seen[key] = true
			where := "of the rule " + rule.ID
			if x.Outside {
				where = "of the configuration"
			}
			ends = append(ends, watch.End{Rule: watch.ExceptionEnds, Of: fmt.Sprintf("%q of %s", x.Because, x.Owner), Where: where, At: x.Until})
		}
	}
	return ends
}
