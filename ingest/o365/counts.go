package o365

import (
	"time"
)

// Snapshot is how the reading of a content type goes, at one moment.
type Snapshot struct {
	Source    string    `json:"source"`
	Partition int32     `json:"partition"`
	Content   string    `json:"content"`
	Listed    time.Time `json:"listed,omitzero"` // up to when blobs were listed completely
	Windows   int64     `json:"windows"`         // listings, since the start
	Pages     int64     `json:"pages"`           // their pages
	Blobs     int64     `json:"blobs"`           // that were read,
	Late      int64     `json:"late"`            // of them those that were listed late, and
	Lost      int64     `json:"lost"`            // those that have expired unread
	Waiting   int64     `json:"waiting"`         // that are listed and not read
	Failing   int64     `json:"failing"`         // that are tried again now and then
	First     string    `json:"failing_first,omitempty"`
	// Left is how many requests may be sent within the minute, of Share; Throttled until when none is sent.
	Left      int64     `json:"requests_left"`
	Share     int64     `json:"requests_share"`
	Throttled time.Time `json:"throttled_until,omitzero"`
	Refused   int64     `json:"throttled"` // answers that said that the quota is used up
	// Availability is how long blobs were there before they were read, in milliseconds.
	Availability Availability `json:"availability"`
	Backfill     *Backfill    `json:"backfill,omitempty"` // nil where the past is read
	// Ahead is how far the clock of this machine is ahead of the API's, in milliseconds; 0 while they are together.
	Ahead int64 `json:"clock_ahead_ms,omitempty"`
}

// Availability are the delays of blobs.
type Availability struct {
	Last    int64 `json:"last_ms"`
	Longest int64 `json:"longest_ms"`
	Sum     int64 `json:"sum_ms"`
}

// Backfill is what is left of the past.
type Backfill struct {
	From time.Time `json:"from"` // what became available from here
	To   time.Time `json:"to"`   // to here is still to be listed
}

// Counts are the snapshots of the content types that this instance reads now.
func (s *Stream) Counts() (all []Snapshot) {
	for i, p := range s.parts {
		if p == nil {
			continue
		}
		p.mu.Lock()
		open, c := p.open, p.counts
		p.mu.Unlock()
		if !open {
			continue
		}
		if c.Failing == 0 {
			c.First = ""
		}
		c.Share, c.Ahead = int64(s.client.limits.share), s.client.ahead().Milliseconds()
		c.Left, c.Throttled, c.Refused = s.client.limits.state(int32(i))
		all = append(all, c)
	}
	return all
}

func (p *part) change(do func(*Snapshot)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	do(&p.counts)
}
