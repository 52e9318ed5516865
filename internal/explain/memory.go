package explain

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
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
		if id, first, told := s.ToldBefore(); told {
			t.Because = fmt.Sprintf("told before by alert %s for %s at %s, since repeat is %s",
				id, first.ID, clock(first.Time), kind.Written(time.Duration(p.Repeat)))
		}
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
	p := s.Progress
	if p.Fired != nil {
		t.raises = raised(s.Rule, kind.Raised(p.Fired))
	}
	t.place(s)
	t.fill(s)
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
			t.Missing = append(t.Missing, lack(s, i, &one))
		}
	}
	t.Parts = append(t.Parts, t.raises...)
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
		if p.Unit == kind.Events && ofAlerts(r, i) {
			one.Unit = "alerts"
		}
		one.Says = join(measured(s, p, one.Unit), p.Note)
	}
	for k, e := range p.Entries {
		if k >= firstEvents && k < len(p.Entries)-lastEvents {
			one.More++
			continue
		}
		x := s.See(e)
		ev := Event{ID: x.ID, Time: Time{x.Time}, Action: x.Action, Account: x.Account, Rule: x.Rule}
		for _, f := range x.Facts {
			ev.Values = append(ev.Values, Value{f.Name, f.Value})
		}
		one.Events = append(one.Events, ev)
	}
	return one
}

var units = [...]string{kind.Events: "events", kind.Different: "different values", kind.Amount: "sum", kind.Seconds: "s",
	kind.Kilometres: "km", kind.KilometresAnHour: "km/h"}

// ofAlerts reports whether the events of a part are alerts of other rules.
func ofAlerts(r *kind.Rule, part int) bool {
	if len(r.Steps) > 0 {
		return part < len(r.Steps) && r.Clauses[part].Of != nil
	}
	return len(r.Of) > 0
}

// measured says how much of what is needed there is.
func measured(s *detector.Standing, p *kind.Part, unit string) string {
	have, need := number(p.Have), number(p.Need)
	switch p.Unit {
	case kind.Different:
		return fmt.Sprintf("%s of %s %s%s", have, need, different(s.Rule.Kind, p.Need), listed(s.Values(p.Entries), int(p.Have)))
	case kind.Amount:
		return fmt.Sprintf("%s of %s, the sum of %s", have, need, s.Rule.Kind.Looks[0].Name)
	case kind.Seconds:
		return fmt.Sprintf("%s of %s", kind.Written(seconds(p.Have)), kind.Written(seconds(p.Need)))
	case kind.Kilometres, kind.KilometresAnHour:
		return fmt.Sprintf("%.0f of %s %s", p.Have, need, unit)
	}
	if p.Need == 1 {
		return have + " of 1"
	}
	return fmt.Sprintf("%s of %s %s", have, need, unit)
}

// differing is what alerts differ in, one and more of them.
var differing = map[string][2]string{
	kind.AlertRule: {"rule", "rules"}, kind.AlertGuide: {"item of the guide", "items of the guide"}, "account": {"account", "accounts"},
}

// different names the different values that a rule counts, so many of them.
func different(r *kind.Rule, n float64) string {
	name, many := r.Looks[0].Name, 1
	if n == 1 {
		many = 0
	}
	if words, ok := differing[name]; ok && len(r.Of) > 0 {
		return "different " + words[many]
	}
	return [...]string{"different value of ", "different values of "}[many] + name
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
func lack(s *detector.Standing, i int, p *Part) string {
	r, n := s.Rule.Kind, number(p.Missing)
	switch {
	case p.Unit == units[kind.Different]:
		return n + " more " + different(r, p.Missing) + others(s, i)
	case p.Unit == units[kind.Amount]:
		return n + " more of " + r.Looks[0].Name
	case len(r.Steps) > 0 && ofAlerts(r, i):
		return fmt.Sprintf("%s more of %s (%s of %s)", n, p.Name, many("alert", p.Missing), either(named(s, i)))
	case len(r.Steps) > 0:
		return n + " more of " + p.Name
	case ofAlerts(r, i):
		return fmt.Sprintf("%s more %s of %s", n, many("alert", p.Missing), either(named(s, i)))
	}
	return n + " more " + many("event", p.Missing)
}

// named are the rules whose alerts a part counts, and where none of them gives alerts the words of the rule's file.
func named(s *detector.Standing, i int) []string {
	if ids := s.Takes(clauseOf(s.Rule.Kind, i)); len(ids) > 0 {
		return ids
	}
	return s.Rule.Kind.Clauses[clauseOf(s.Rule.Kind, i)].Of
}

// clauseOf is the clause of a part that counts: parts of steps are in the order of the steps.
func clauseOf(r *kind.Rule, part int) int {
	if len(r.Steps) > 0 {
		return part
	}
	return 0
}

// others names the rules of which another alert is missing, where different rules are counted.
func others(s *detector.Standing, i int) string {
	if len(s.Rule.Kind.Of) == 0 || s.Rule.Kind.Looks[0].Name != kind.AlertRule {
		return ""
	}
	have := map[string]bool{}
	for _, e := range s.Progress.Parts[i].Entries {
		have[s.See(e).Rule] = true
	}
	left := slices.DeleteFunc(named(s, i), func(id string) bool { return have[id] })
	if len(left) == 0 {
		return "; no other rule gives alerts that count"
	}
	return ": " + either(left)
}

// maxEither is how many rules are named of which one is enough.
const maxEither = 5

// either names things of which one is enough.
func either(all []string) string {
	rest := len(all) - maxEither
	if rest > 1 {
		all = append(slices.Clone(all[:maxEither]), fmt.Sprintf("%d more", rest))
	}
	if len(all) == 1 {
		return all[0]
	}
	return strings.Join(all[:len(all)-1], ", ") + " or " + all[len(all)-1]
}

func many(word string, n float64) string {
	if n == 1 {
		return word
	}
	return word + "s"
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
	t.raises = raised(s.Rule, s.Raised())
	for i := range s.Rule.Kind.Clauses {
		if s.Clauses&(1<<i) != 0 {
			t.CountsAs = append(t.CountsAs, s.Rule.Kind.ClauseName(i))
		}
	}
	t.Of(s)
	return t
}
