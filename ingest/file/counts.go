package file

import (
	"sync"
	"time"
)

// Counts are what a source has to say of itself.
type Counts struct {
	mu  sync.Mutex
	now Snapshot
}

// Snapshot is a look at the counts.
type Snapshot struct {
	Files   int64     `json:"files"`                // that are listed
	Open    int64     `json:"open"`                 // descriptors
	Failing int64     `json:"failing"`              // files and folders that cannot be read
	First   string    `json:"first,omitempty"`      // one of them,
	Fault   string    `json:"fault,omitempty"`      // why,
	Since   time.Time `json:"since,omitzero"`       // and since when
	Vain    int64     `json:"vain"`                 // paths and patterns that name no file
	Without string    `json:"vain_first,omitempty"` // one of them
	Cut     int64     `json:"cut"`                  // times that a file was cut, rewritten or deleted before it was known to be read to its end
}

// Snapshot is what the counts are now.
func (c *Counts) Snapshot() Snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *Counts) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now.Cut++
}

func (c *Counts) set(files, open int, t telling, vain []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = Snapshot{Files: int64(files), Open: int64(open), Failing: int64(t.files), Vain: int64(len(vain)), Cut: c.now.Cut}
	if len(vain) > 0 {
		c.now.Without = vain[0]
	}
	if t.files > 0 {
		c.now.First, c.now.Fault, c.now.Since = t.path, t.fault.err.Error(), t.fault.since.UTC()
	}
}
