package feed

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Progress is how far a partition has come that this instance reads.
type Progress struct {
	Source    string
	Partition int32
	// At is when the stream took the message stored last; where nothing waits, shortly before that was asked. Zero: it is not known.
	At time.Time
	// Shown is what was stored since it was asked for last.
	Shown map[Dataset]*Span
}

// Dataset is a dataset of a tenant.
type Dataset struct{ Tenant, Name string }

// Clone is the same with texts of its own.
func (d Dataset) Clone() Dataset { return Dataset{strings.Clone(d.Tenant), strings.Clone(d.Name)} }

// Span are the first and the last time of events.
type Span struct{ First, Last time.Time }

// shown is what a transaction holds of a dataset.
type shown struct {
	delay Delay
	span  Span
}

func (s Span) plus(o Span) Span {
	if s.First.IsZero() && s.Last.IsZero() {
		return o
	}
	return Span{earlier(s.First, o.First), later(s.Last, o.Last)}
}

// Plus is the span of these events and others.
func (s *Span) Plus(o *Span) { *s = s.plus(*o) }

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

const (
	// future is how far ahead of its arrival an event may say that it happened.
	future = 5 * time.Minute
	// clocksDiffer is how far the stream's clock may be behind ours.
	clocksDiffer = time.Minute
	// heardWithin is for how long a partition that says nothing still tells how far it has come.
	heardWithin = 2 * time.Minute
)

// through is up to when the state is known to be all, where it is said; else up to a time.
func (s *State) through(usual time.Time) time.Time {
	if s.Through.IsZero() {
		return usual
	}
	return s.Through
}

// come moves progress, which never goes back.
func (p *Partition) come(to time.Time) { p.progress = later(p.progress, to) }

func (p *Partition) show(of Dataset, span Span) {
	if p.fresh == nil {
		p.fresh = map[Dataset]*Span{}
	}
	if have := p.fresh[of]; have != nil {
		have.Plus(&span)
		return
	}
	p.fresh[of] = &span
}

// recall takes what was shown before and may not have been told.
func (p *Partition) recall(all map[Dataset]*Span) {
	p.change(func(*Snapshot) {
		for of, span := range all {
			p.show(of, *span)
		}
	})
}

// Progress gives the partitions that tell at a time how far they have come: those that this instance reads, without a fault.
func (c *Counts) Progress(now time.Time) (all []Progress) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for at, p := range c.all {
		if shown, progress, tells := p.tell(now); tells {
			all = append(all, Progress{at.source, at.partition, progress, shown})
		}
	}
	slices.SortFunc(all, func(a, b Progress) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Partition, b.Partition))
	})
	return all
}

func (p *Partition) tell(now time.Time) (shown map[Dataset]*Span, progress time.Time, tells bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.s.Owned || p.s.Fault != nil || now.Sub(p.heard) > heardWithin {
		return nil, time.Time{}, false
	}
	shown, p.fresh = p.fresh, nil
	return shown, p.progress, true
}

func (f *Feed) now() time.Time {
	if f.Now == nil {
		return time.Time{}
	}
	return f.Now()
}
