package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"noroshi/internal/bus"
	"noroshi/sinks"
)

// Hop is one step of a drill.
type Hop struct {
	Hop     string        `json:"hop"` // sent, stored, found, told
	After   time.Duration `json:"-"`
	Seconds float64       `json:"seconds"`
	Alert   string        `json:"alert,omitempty"`
	Rule    string        `json:"rule,omitempty"`
	Source  string        `json:"source,omitempty"`
	Sink    string        `json:"sink,omitempty"`
	Outcome sinks.Outcome `json:"outcome,omitempty"`
	Answer  string        `json:"answer,omitempty"`
}

// Following follows a drill through Kafka.
type Following struct {
	drill Drill
	sinks []string
	tails map[bus.Topic]*bus.Tail
	began time.Time
	ready chan struct{} // hops are there

	mu     sync.Mutex
	hops   []Hop // not given yet
	stored bool
	found  map[string]string          // the rule of each alert
	told   map[string]map[string]bool // by alert and sink
	early  map[string][]Hop           // what sinks told of alerts that have not been seen, as those of other drills and heartbeats never are
}

// Follow begins to look, so that nothing that is sent afterwards is missed.
func Follow(ctx context.Context, b *bus.Bus, d Drill, names []string) (*Following, error) {
	f := newFollowing(d, names)
	for _, topic := range []bus.Topic{bus.Events, bus.Alerts, bus.DeliveryResults} {
		t, err := b.Tail(ctx, topic)
		if err != nil {
			f.Close()
			return nil, err
		}
		f.tails[topic] = t
	}
	return f, nil
}

func newFollowing(d Drill, names []string) *Following {
	return &Following{
		drill: d, sinks: names, tails: map[bus.Topic]*bus.Tail{}, ready: make(chan struct{}, 1),
		found: map[string]string{}, told: map[string]map[string]bool{}, early: map[string][]Hop{},
	}
}

// Close ends it.
func (f *Following) Close() {
	for _, t := range f.tails {
		t.Close()
	}
}

// Missing is a hop that has not come in time.
type Missing struct {
	Sink string // that has not told; "": it is an earlier hop
	text string
}

func (m *Missing) Error() string { return m.text }

// missing says what has not come, and what to look at; nil where everything has. The lock is held.
func (f *Following) missing() *Missing {
	switch {
	case !f.stored:
		return &Missing{text: "the record has not been stored: no instance reads the source, or it is behind; noroshi status shows both"}
	case len(f.found) == 0:
		return &Missing{text: "no alert was found: no instance has the role detect, or no rule fires on the record; noroshi status shows the first, and the library's rule inbox-rule-hides-mail must be live"}
	}
	for _, id := range slices.Sorted(maps.Keys(f.found)) {
		for _, name := range f.sinks {
			if !f.told[id][name] {
				return &Missing{name, fmt.Sprintf("the sink %s has not told of %s", name, id)}
			}
		}
	}
	return nil
}

// Run gives each hop as it is seen, until all are there or ctx ends; the error is then a Missing. An alert is expected at every sink.
func (f *Following) Run(ctx context.Context, began time.Time, hop func(Hop)) error {
	f.began = began
	ctx, end := context.WithCancel(ctx)
	defer end()
	var wg sync.WaitGroup
	errs := make(chan error, len(f.tails))
	for topic, t := range f.tails {
		look := map[bus.Topic]func(bus.Record){bus.Events: f.event, bus.Alerts: f.alert, bus.DeliveryResults: f.result}[topic]
		wg.Go(func() { errs <- t.Read(ctx, look) })
	}
	defer wg.Wait()
	defer end()
	for over := false; ; {
		f.mu.Lock()
		hops, missing := f.hops, f.missing()
		f.hops = nil
		f.mu.Unlock()
		for _, h := range hops {
			hop(h)
		}
		switch {
		case missing == nil:
			return nil
		case over:
			return missing
		}
		select {
		case <-f.ready:
		case err := <-errs:
			if err != nil {
				return err
			}
		case <-ctx.Done():
			over = true
		}
	}
}

// saw adds a hop. The lock is held.
func (f *Following) saw(h Hop) {
	f.hops = append(f.hops, h)
	select {
	case f.ready <- struct{}{}:
	default:
	}
}

func (f *Following) after(h Hop) Hop {
	h.After = time.Since(f.began)
	h.Seconds = h.After.Round(time.Millisecond).Seconds()
	return h
}

func (f *Following) event(r bus.Record) {
	if isAside(&r) || !bytes.Contains(r.Value, []byte(f.drill.ID)) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.stored {
		f.stored = true
		f.saw(f.after(Hop{Hop: "stored"}))
	}
}

func (f *Following) alert(r bus.Record) {
	if ofStory(&r) {
		return
	}
	h, err := headOf(&r)
	if err != nil || !bytes.Contains(r.Value, []byte(f.drill.ID)) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, known := f.found[h.ID]; known {
		return
	}
	f.found[h.ID] = h.Rule.ID
	f.saw(f.after(Hop{Hop: "found", Alert: h.ID, Rule: h.Rule.ID}))
	for _, one := range f.early[h.ID] {
		f.saw(one)
	}
	delete(f.early, h.ID)
}

func (f *Following) result(r bus.Record) {
	var one sinks.Result
	if json.Unmarshal(r.Value, &one) != nil || !one.Drill {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.told[one.Alert][one.Sink] {
		return
	}
	if f.told[one.Alert] == nil {
		f.told[one.Alert] = map[string]bool{}
	}
	f.told[one.Alert][one.Sink] = true
	h := f.after(Hop{Hop: "told", Alert: one.Alert, Rule: one.Rule, Sink: one.Sink, Outcome: one.Outcome, Answer: one.Answer})
	if _, ours := f.found[one.Alert]; !ours {
		f.early[one.Alert] = append(f.early[one.Alert], h)
		return
	}
	f.saw(h)
}
