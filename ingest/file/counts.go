package file

import (
	"sync"
	"time"
)

// Counts are what a source has to say of itself.
type Counts struct {
	mu    sync.Mutex
	now   Snapshot
	looks Looks
}

// Looks are how far a source has come.
type Looks struct {
	// Whole is when it looked last and then read all files to their ends; zero: it has not yet.
	Whole time.Time
	// Alone says that it reads on in one file at most now: then its events tell how far it has come. Several files may be of the same time.
	Alone bool
	Turn  int // counts looks
}

// Looks tells how far the source has come.
func (c *Counts) Looks() Looks {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.looks
}

func (c *Counts) look(do func(l *Looks)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	do(&c.looks)
}

// Snapshot is a look at the counts.
type Snapshot struct {
	Files        int64     `json:"files"`                      // that are listed
	Open         int64     `json:"open"`                       // descriptors
	Failing      int64     `json:"failing"`                    // files and folders that cannot be read
	First        string    `json:"first,omitempty"`            // one of them,
	Fault        string    `json:"fault,omitempty"`            // why,
	Since        time.Time `json:"since,omitzero"`             // and since when
	Vain         int64     `json:"vain"`                       // paths and patterns that name no file
	Without      string    `json:"vain_first,omitempty"`       // one of them
	NotFiles     int64     `json:"not_files"`                  // paths that a pattern matches and that are pipes, devices or sockets: they are not read
	NotFile      string    `json:"not_files_first,omitempty"`  // one of them, and what it is
	Unfinished   int64     `json:"unfinished"`                 // files whose last line has not been finished for a while
	UnfinishedAt string    `json:"unfinished_first,omitempty"` // one of them, and the line
	Cut          int64     `json:"cut"`                        // times that a file was cut, rewritten or deleted before it was known to be read to its end
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

// set takes what a turn has found. What is counted over all turns stays.
func (c *Counts) set(now Snapshot) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now.Cut = c.now.Cut
	c.now = now
}
