package o365

import (
	"log/slog"
	"net/http"
	"time"
)

// clocksDiffer is how far clocks may be apart before it matters: an answer is under way for a while.
const clocksDiffer = time.Minute

// skew is how far the clock of this machine is ahead of the API's.
type skew struct {
	known    bool
	measured time.Duration
	ahead    time.Duration // that counts: 0 while the clocks are together
	told     time.Time
}

// now is the time of the API. Windows are its times, and a clock that is a day off would hide all blobs.
func (c *client) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.config.Now().Add(-c.clock.ahead)
}

// ahead is how far the clock of this machine is ahead of the API's, 0 while they are together.
func (c *client) ahead() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.clock.ahead
}

// off is how far our clock is ahead of that of an answer, where that tells the time.
func (c *client) off(res *http.Response) (off time.Duration, known bool) {
	said, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		return 0, false
	}
	return c.config.Now().Sub(said), true
}

// compare measures by an answer how far the clocks are apart, and tells of it once an hour. One that was long under way, as where the machine
// slept, measures nothing. A measure counts when it is the first or the one before agrees: a time that a proxy makes up comes once.
func (c *client) compare(res *http.Response, asked time.Time) {
	off, known := c.off(res)
	if !known || c.config.Now().Round(0).Sub(asked).Abs() > clocksDiffer/2 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	k, now := &c.clock, c.config.Now()
	agrees := !k.known || (off-k.measured).Abs() <= clocksDiffer/2
	if k.known, k.measured = true, off; !agrees {
		return
	}
	most := clocksDiffer
	if k.ahead != 0 { // so that it does not change all the time
		most /= 2
	}
	if off.Abs() <= most {
		k.ahead = 0
		return
	}
	k.ahead = off
	if now.Sub(k.told).Abs() >= time.Hour {
		k.told = now
		c.config.Log.Error("the clock of this machine is "+offBy(off)+": set it; blobs are looked for by the API's clock", slog.Duration("off", off.Round(time.Second)))
	}
}

func offBy(d time.Duration) string {
	if d < 0 {
		return (-d).Round(time.Minute).String() + " behind the API's"
	}
	return d.Round(time.Minute).String() + " ahead of the API's"
}
