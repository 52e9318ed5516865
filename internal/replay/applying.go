package replay

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"time"

	"noroshi/detector"
	"noroshi/internal/alert"
	"noroshi/rules"
	"noroshi/rules/kind"
)

// applying turns hits into alerts: in the order of their events or as they come, with the clock at the event at hand.
type applying struct {
	memory    *detector.Memory
	rules     []*rules.Rule
	hits      *spool // wait to be sorted
	alerts    *spool // where rules remember: alerts, by the event that speaks for them
	shown     *detector.Shown
	remembers bool
	arrived   bool      // hits are applied as they come, and the clock stands still
	now       time.Time // when the replay began: later times do not move the clock; zero: all do
	until     time.Time // the clock at the end, where it is later than the last event
	last      int64     // the latest event
	packed    []byte
	watch     *watch
	give      func(*found) error
	at        time.Time // of the hit at hand
	failed    error     // what a story tells cannot be kept
	story     bool
	revisions map[uint64]int // where there is a story: the last ones, by hash of the alert's id
}

// replayKeys is how many keys of a tenant a rule holds in a replay: one process reads what many share live.
const replayKeys = 12 * detector.DefaultKeys

func newApplying(set *detector.Set, w *watch, s *Story, give func(*found) error) *applying {
	a := &applying{hits: newSpool(spoolMemory), alerts: newSpool(spoolMemory), shown: detector.NewShown(),
		rules: set.Rules(), remembers: set.Remembers() || s != nil, give: give, story: s != nil, revisions: map[uint64]int{}}
	a.memory = set.Memory(detector.MemoryOptions{Keys: replayKeys, Shown: a.shown, Live: s != nil, KeepAlerts: w.keeps(), Story: a.storyOf(s)})
	w.over(a.memory)
	a.watch = w
	return a
}

func (p *applying) close() {
	p.hits.close()
	p.alerts.close()
}

// hit takes a packed hit.
func (p *applying) hit(packed []byte) error {
	if p.arrived {
		return p.apply(packed)
	}
	return p.hits.add(packed)
}

// apply gives the alerts that a hit completes.
func (p *applying) apply(packed []byte) error {
	var failed error
	take := p.taking(&failed)
	at, err := kind.TimeOf(packed)
	if err != nil {
		return fmt.Errorf("apply hit: %w", err)
	}
	p.at = at
	if !p.arrived {
		if err := p.watch.before(p.clock(at)); err != nil {
			return err
		}
		p.memory.Advance(p.clock(at), take)
	}
	if err := p.memory.Apply(packed, take); err != nil {
		return fmt.Errorf("apply hit: %w", err)
	}
	if p.failed != nil {
		return p.failed
	}
	if failed != nil {
		return failed
	}
	return p.watch.applied(packed)
}

// future is how far ahead of the start of the replay times move the clock.
const future = 5 * time.Minute

// clock is what a time moves the clock to.
func (p *applying) clock(at time.Time) time.Time {
	if most := p.now.Add(future); !p.now.IsZero() && at.After(most) {
		return most
	}
	return at
}

// reportEvery is how many hits are applied between two reports of progress.
const reportEvery = 8192

// finish applies what waits to be sorted, ends the memory, and gives out the alerts that wait for their turn, until ctx ends.
func (p *applying) finish(ctx context.Context, progress func(done, all int)) error {
	until := func(do func([]byte) error) func([]byte) error {
		return func(packed []byte) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return do(packed)
		}
	}
	done := 0
	if err := p.hits.each(until(func(packed []byte) error {
		if progress != nil && done%reportEvery == 0 {
			progress(done, p.hits.added)
		}
		done++
		return p.apply(packed)
	})); err != nil {
		return err
	}
	var failed error
	end := p.clock(time.Unix(0, p.last).UTC())
	if end.Before(p.until) {
		end = p.until
	}
	if err := p.watch.ends(end); err != nil {
		return err
	}
	p.memory.End(end, p.taking(&failed))
	p.at = end
	p.memory.EndStories(end)
	if failed = cmp.Or(failed, p.failed); failed != nil {
		return failed
	}
	if err := p.watch.ended(); err != nil {
		return err
	}
	return p.alerts.each(until(func(packed []byte) error { return p.give(readFound(packed)) }))
}

// taking gives alerts out, or keeps them until all can be sorted: rules that remember give theirs late. Where hits are applied as they
// come, so are the alerts of the other rules. After a failure it takes nothing more.
func (p *applying) taking(failed *error) func(*alert.Alert) {
	return func(a *alert.Alert) {
		switch {
		case *failed != nil:
		case !p.remembers, p.arrived && !p.story && p.rules[p.memory.Rule()].Kind.Memory == nil:
			*failed = p.give(&found{rule: p.memory.Rule(), id: a.ID, at: a.Time, value: a})
		default:
			revision := a.Revision
			if p.story {
				p.revisions[maphash.String(seed, a.ID)] = revision
				a.Revision = 1 // the one that is given out is the last and the only one
			}
			p.packed = appendFound(p.packed[:0], a, revision, p.memory)
			*failed = p.alerts.add(p.packed)
		}
	}
}
