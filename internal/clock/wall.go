package clock

import (
	"time"

	"noroshi/internal/state"
)

// quiet is for how long a source partition may send no tick before it does not count as one that ticks.
const quiet = 5 * time.Minute

// heedless is how long nobody may have looked at ticks and still have listened all the time.
const heedless = 90 * time.Second

// Listen says that ticks have been taken up to one that was made at a time; where several streams carry them, up to such a one of each. What
// was stored until then has been read.
func (c *Clocks) Listen(now time.Time, made int64) {
	if !c.looked.IsZero() {
		c.listened += max(0, min(heedless, now.Sub(c.looked)))
	}
	c.looked = now
	c.wall = max(c.wall, min(made, state.Nanoseconds(now)))
}

// Wall gives the clock on the wall where no source partition ticks any more that has shown one of the datasets in the tenant; it is asked
// for as in Of. It is not further than what has been read. One counts as ticking for some minutes in which ticks were listened to, and until
// as much has been read behind its last tick: what it has brought may still be there to be read.
func (c *Clocks) Wall(tenant string, datasets []string) (now int64, stands bool) {
	stands = c.listened >= quiet && c.wall != Unknown
	c.each(tenant, datasets, func(by *shown) {
		c.holders(by, func(s *source) {
			stands = stands && c.listened-s.heard >= quiet && c.wall >= state.Plus(s.ticked, int64(quiet))
		})
	})
	return c.wall, stands
}
