package file

import "sync"

// Counts are what a source has to say of itself.
type Counts struct {
	mu  sync.Mutex
	now Snapshot
}

// Snapshot is a look at the counts.
type Snapshot struct {
	Files   int    `json:"files"`           // that are listed
	Open    int    `json:"open"`            // descriptors
	Failing int    `json:"failing"`         // files and folders that cannot be read
	First   string `json:"first,omitempty"` // one of them,
	Fault   string `json:"fault,omitempty"` // and why
	Cut     int64  `json:"cut"`             // times that a file was cut, rewritten or deleted before it was known to be read to its end
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

func (c *Counts) set(files, open int, t telling) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now.Files, c.now.Open, c.now.Failing, c.now.First, c.now.Fault = files, open, t.files, "", ""
	if t.files > 0 {
		c.now.First, c.now.Fault = t.path, t.fault.err.Error()
	}
}
