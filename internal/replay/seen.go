package replay

import (
	"strings"
	"time"

	"noroshi/detector"
	"noroshi/internal/event"
)

// Seen are events of one dataset and one hour that came in a row. Duplicates are not among them.
type Seen struct {
	Dataset string
	Hour    time.Time // its beginning
	Events  int
}

// Hidden is an event that an exception of a rule excused.
type Hidden struct {
	Rule    string
	By      int // which of the rule's exceptions, from 0
	Account string
	Time    time.Time
}

// excused is a rule that was kept silent about an event, and whose event it was where that is asked for.
type excused struct {
	detector.Excused
	account string
}

// excuse takes over what exceptions excused of the record at hand.
func (m *matched) excuse(w *detector.Worker) {
	account := ""
	if m.names {
		account = strings.Clone(w.Reader().Event.Text(event.Account))
	}
	for _, x := range w.Excused {
		m.excused = append(m.excused, excused{x, account})
	}
}

// excuse counts what an exception excused.
func (o *ordering) excuse(x *excused, at int64) {
	id := o.rules[x.Rule].ID
	o.stats.Excused[id]++
	if o.replay.Hidden != nil {
		o.replay.Hidden(Hidden{Rule: id, By: int(x.By), Account: x.account, Time: time.Unix(0, at).UTC()})
	}
}

// hour is a span of time, in nanoseconds since 1970.
type hour struct{ from, to int64 }

func hourOf(at int64) hour {
	from := at - at%int64(time.Hour)
	if from > at {
		from -= int64(time.Hour) // before 1970
	}
	return hour{from, from + int64(time.Hour)}
}

func (h hour) holds(at int64) bool { return at >= h.from && at < h.to }

func (h hour) time() time.Time { return time.Unix(0, h.from).UTC() }
