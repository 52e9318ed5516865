package o365

import "time"

const (
	day = 24 * time.Hour
	// kept is how long blobs can be listed, edge how far we stay from that: a request takes time, and clocks differ. A first start stays
	// further away, so that nothing slips over the edge while it reads.
	kept      = 7 * day
	edge      = time.Minute
	firstEdge = 15 * time.Minute
	// step is how much of the past is listed at once, and overlap how much of what was listed is each time.
	step    = time.Hour
	overlap = 10 * time.Minute
	// swept is how much of what was listed is listed again now and then, sweepStep how much of that at once.
	swept     = day - edge
	sweepStep = 6 * time.Hour
	// mostParts is into how many parts these are divided at most where listings are long: some seconds each.
	mostParts = 256
	// remembers is how long a blob that was read is known.
	remembers = 8 * day
)

// window is what is listed at once.
type window struct {
	from, to time.Time
	kind     kind
}

type kind int

const (
	forward  kind = iota // on from what was listed
	backward             // of the past, the newest first
	again                // what was listed before
)

// second cuts a time down to the second, as listings ask for it.
func second(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// first is where a first start begins.
func (c *Config) first(now time.Time) place {
	now = second(now)
	oldest := now.Add(firstEdge - kept)
	p := place{Floor: oldest}
	switch {
	case c.Latest:
		p.Floor = now
	case c.Since.After(oldest):
		p.Floor = earlier(second(c.Since), now)
	}
	if p.Reached = p.Floor; c.Newest && p.Floor.Before(now) {
		p.Reached, p.Back = now, now
	}
	return p
}

// least is the oldest that is listed again: what lies before is not to be read, or not yet.
func (p *place) least(now time.Time) time.Time {
	least := later(p.Floor, second(now).Add(edge-kept))
	if p.behind() {
		least = later(least, p.Back)
	}
	return least
}

// plan says what is to be listed next at a time. Sweep is where the last day is listed again, zero where that is not due; poll is when
// something new is to be looked for. Parts is how much less than usual is listed at once. Where nothing is due, ok is false, and at is when
// something will be.
func (p *place) plan(now, sweep, poll time.Time, parts time.Duration) (w window, at time.Time, ok bool) {
	now = second(now)
	if now.Sub(p.Reached) > step || !now.Before(poll) && now.After(p.Reached) {
		return window{later(second(p.Reached.Add(-overlap/parts)), p.least(now)), earlier(second(p.Reached.Add(step/parts)), now), forward}, at, true
	}
	if w, ok := p.again(now, sweep, parts); ok {
		return w, at, true
	}
	if p.behind() {
		return window{later(second(p.Back.Add(-step/parts)), later(p.Floor, now.Add(edge-kept))), p.Back, backward}, at, true
	}
	return w, later(poll, p.Reached.Add(time.Second)), false
}

// again is what is to be listed again, from where that has come to; false where it has come to its end.
func (p *place) again(now, sweep time.Time, parts time.Duration) (window, bool) {
	from := later(sweep, p.least(now))
	to := earlier(second(from.Add(sweepStep/parts)), p.Reached)
	return window{from, to, again}, !sweep.IsZero() && to.After(from)
}

// done moves the place over a window all of which is read, or remembered.
func (p *place) done(w window) {
	switch w.kind {
	case forward:
		p.Reached = later(p.Reached, w.to)
	case backward:
		if p.Back = w.from; !p.behind() {
			p.Back = time.Time{}
		}
	}
}

// ahead moves the place back where it lies in the future: it was stored by a clock that was ahead, and what became available since then may
// not be listed. It is listed again as far as it can be; what was read is known by its rows.
func (p *place) ahead(now time.Time) bool {
	if now = second(now); p.Reached.Sub(now) <= clocksDiffer {
		return false
	}
	p.Floor = earlier(p.Floor, now)
	if p.behind() {
		p.Reached, p.Back = now, now
	} else {
		p.Reached = later(p.Floor, now.Add(edge-kept))
	}
	return true
}

// expired is what cannot be listed any more at a time and was not. The place is moved over it.
func (p *place) expired(now time.Time) (from, to time.Time) {
	oldest := second(now).Add(edge - kept)
	switch {
	case p.behind() && !p.Back.After(oldest):
		from, to = p.Floor, p.Back
		p.Floor, p.Back = oldest, time.Time{}
	case p.Reached.Before(oldest):
		from, to = p.Reached, oldest
		p.Reached = oldest
	}
	return from, to
}
