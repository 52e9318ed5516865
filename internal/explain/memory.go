package explain

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"noroshi/detector"
	"noroshi/internal/state"
	"noroshi/rules"
	"noroshi/rules/kind"
)

// The events of a part that are shown: the first ones and the last ones.
const (
	firstEvents = 3
	lastEvents  = 2
)

// Of adds to what conditions say of an event what the memory does.
func (t *Tree) Of(s *detector.Standing) {
	t.place(s)
	p := s.Progress
	switch {
	case p == nil:
		return
	case p.Gone:
		t.Verdict, t.Because = NotHeld, "the key held more events than it can, or what it held of this one is over"
		return
	}
	t.fill(s)
	switch {
	case t.Verdict == Excused:
	case p.Fires:
		t.Verdict, t.Near = Fires, 1
	case p.Waits != state.Never:
		t.Verdict = Waits
	case len(s.Unshown) > 0 && t.lacksNothing():
		t.Verdict, t.Because = Undecided, unshown(s, p)
	default:
		t.Verdict = Silent
	}
}

// Key is what a rule holds for a key at a time.
func Key(s *detector.Standing, at time.Time) Tree {
	t := Tree{Rule: s.Rule.ID, Title: s.Rule.Title, Kind: s.Rule.Kind.Name(), at: at, Verdict: Silent}
	if s.Rule.State != rules.Live {
		t.State = string(s.Rule.State)
	}
	t.place(s)
	t.fill(s)
	p := s.Progress
	switch {
	case p.Fires:
		t.Verdict = Fires
	case p.Fired != nil:
		t.Verdict = Fired
		x := s.See(p.Fired)
		t.Because = fmt.Sprintf("for %s at %s", x.ID, clock(x.Time))
	case p.Waits != state.Never:
		t.Verdict = Waits
	case len(s.Unshown) > 0 && t.lacksNothing():
		t.Verdict, t.Because = Undecided, unshown(s, p)
	}
	return t
}

func unshown(s *detector.Standing, p *kind.Progress) string {
	return fmt.Sprintf("%s has shown no event after %s", strings.Join(s.Unshown, ", "), clock(time.Unix(0, p.To)))
}

// place says whose memory it is.
func (t *Tree) place(s *detector.Standing) {
	t.Tenant = s.Tenant
	for i, f := range s.Rule.Kind.By {
		b, err := json.Marshal(s.Key[i])
		if err == nil {
			t.Key = append(t.Key, Value{f.Name, b})
		}
	}
}

// fill puts the parts of a progress in the place of those of the conditions.
func (t *Tree) fill(s *detector.Standing) {
	p := s.Progress
	t.From, t.To, t.Left, t.Waits = moment(p.From), moment(p.To), moment(p.Left), moment(p.Waits)
	if t.at.IsZero() && t.Event != nil {
		t.at = t.Event.Time.Time
	}
	t.Near = p.Near()
	if len(p.Parts) == 0 {
		return
	}
	t.Parts = nil
	for i := range p.Parts {
		one := part(s, i)
		t.Parts = append(t.Parts, one)
		switch {
		case one.Holds:
		case p.Parts[i].Short != "" && t.Verdict == Excused: // there is a better reason
		case p.Parts[i].Short != "":
			t.Because = join(t.Because, p.Parts[i].Short)
		case one.counts(s.Rule.Kind):
			t.Missing = append(t.Missing, one.lack(s.Rule.Kind))
		}
	}
}

func moment(n int64) *Time {
	if n == state.Never {
		return nil
	}
	return &Time{time.Unix(0, n).UTC()}
}

func (t *Tree) lacksNothing() bool { return len(t.Missing) == 0 && t.Because == "" }

// part is a part of a progress.
func part(s *detector.Standing, i int) Part {
	p, r := &s.Progress.Parts[i], s.Rule.Kind
	one := Part{Name: p.Name, Holds: p.Holds, Have: p.Have, Need: p.Need, Missing: p.Missing(), Says: p.Note}
	if i < len(r.Steps) {
		one.Name = r.Steps[i].ID
	}
	if p.Need > 0 {
		one.Unit = units[p.Unit]
		one.Says = join(measured(s, p), p.Note)
	}
	for k, e := range p.Entries {
		if k >= firstEvents && k < len(p.Entries)-lastEvents {
			one.More++
			continue
		}
		x := s.See(e)
		ev := Event{ID: x.ID, Time: Time{x.Time}, Action: x.Action, Account: x.Account}
		for _, f := range x.Facts {
			ev.Values = append(ev.Values, Value{f.Name, f.Value})
		}
		one.Events = append(one.Events, ev)
	}
	return one
}

var units = [...]string{kind.Events: "events", kind.Different: "different values", kind.Amount: "sum", kind.Seconds: "s",
	kind.Kilometres: "km", kind.KilometresAnHour: "km/h"}

// measured says how much of what is needed there is.
func measured(s *detector.Standing, p *kind.Part) string {
	r, of := s.Rule.Kind, ""
	if len(r.Looks) > 0 {
		of = r.Looks[0].Name
	}
	have, need := number(p.Have), number(p.Need)
	switch p.Unit {
	case kind.Different:
		return fmt.Sprintf("%s of %s different values of %s%s", have, need, of, listed(s.Values(p.Entries), int(p.Have)))
	case kind.Amount:
		return fmt.Sprintf("%s of %s, the sum of %s", have, need, of)
	case kind.Seconds:
		return fmt.Sprintf("%s of %s", kind.Written(seconds(p.Have)), kind.Written(seconds(p.Need)))
	case kind.Kilometres, kind.KilometresAnHour:
		return fmt.Sprintf("%.0f of %s %s", p.Have, need, units[p.Unit])
	}
	if p.Need == 1 {
		return have + " of 1"
	}
	return fmt.Sprintf("%s of %s events", have, need)
}

// listed are texts behind a colon, and how many more there are.
func listed(some []string, all int) string {
	if len(some) == 0 {
		return ""
	}
	text := ": " + strings.Join(some, ", ")
	if more := all - len(some); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// counts reports whether what a part lacks is a number of events, of values or a sum.
func (p *Part) counts(r *kind.Rule) bool {
	return len(r.Steps) > 0 || p.Name == "count" || p.Name == "distinct" || p.Name == "sum"
}

// lack says what a part lacks that counts.
func (p *Part) lack(r *kind.Rule) string {
	switch {
	case p.Unit == units[kind.Different]:
		if p.Missing == 1 {
			return "1 more different value of " + r.Looks[0].Name
		}
		return fmt.Sprintf("%s more different values of %s", number(p.Missing), r.Looks[0].Name)
	case p.Unit == units[kind.Amount]:
		return fmt.Sprintf("%s more of %s", number(p.Missing), r.Looks[0].Name)
	case len(r.Steps) > 0:
		return fmt.Sprintf("%s more of %s", number(p.Missing), p.Name)
	case p.Missing == 1:
		return "1 more event"
	}
	return number(p.Missing) + " more events"
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}

// number is a number to read: a mean has more decimals than help.
func number(f float64) string {
	if f != math.Trunc(f) {
		f = math.Round(f*1000) / 1000
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

func seconds(f float64) time.Duration { return time.Duration(f * float64(time.Second)) }

func clock(t time.Time) string { return Time{t}.String() }

// Counted is what a memory makes of an event that counts.
func Counted(s *detector.Standing) Tree {
	x := s.Event
	t := Tree{Rule: s.Rule.ID, Title: s.Rule.Title, Kind: s.Rule.Kind.Name(), Verdict: Silent}
	t.Event = &Event{ID: x.ID, Time: Time{x.Time}, Action: x.Action, Account: x.Account}
	if s.Rule.State != rules.Live {
		t.State = string(s.Rule.State)
	}
	if s.Excused {
		t.Verdict = Excused
	}
	for i := range s.Rule.Kind.Clauses {
		if s.Clauses&(1<<i) != 0 {
			t.CountsAs = append(t.CountsAs, s.Rule.Kind.ClauseName(i))
		}
	}
	t.Of(s)
	return t
}
