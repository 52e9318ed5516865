package detector

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"noroshi/internal/event"
	"noroshi/internal/incident"
	"noroshi/internal/state"
	"noroshi/rules"
	"noroshi/rules/kind"
)

// The bounds of a profile. The oldest go first, and are counted.
const (
	placesMost = 32
	usedMost   = 16 // clients, and devices
	daysMost   = 30
	hashesMost = 64 // of the sign-ins of a place and a day
	thingsMost = 16 // of each kind
	tenantMost = 256
	sameSignIn = 10 * 60 // seconds in which a session signs in from a place once
	daySeconds = 24 * 60 * 60
)

// profile is what is known of an account. Times are seconds since 1970.
type profile struct {
	places  []signInPlace
	used    []used
	things  []incident.Thing
	cut     int
	most    int    // things of a kind
	changes []byte // entries that have changed since it was loaded
}

// signInPlace is an address that sign-ins came from.
type signInPlace struct {
	ip, country string
	asn         int
	first       int64
	days        []signInDay // in order of time
}

// signInDay is the sign-ins of a place and a day.
type signInDay struct {
	number  int64 // days since 1970
	ok, bad int
	last    int64
	seen    []uint64 // hashes of those that counted, while the day is open
}

// used is a client or a device that signed in.
type used struct {
	kind, name string
	first      int64
	day        int64 // the last one
}

// oneSignIn is a sign-in.
type oneSignIn struct {
	at             int64
	failed         bool
	hash           uint64
	ip, country    string
	asn            int
	client, device string
}

// hashOf tells sign-ins apart: a session signs in from a place once in ten minutes; of failures each counts.
func (in *oneSignIn) hashOf(s *shower, h *kind.Hit) uint64 {
	if session := s.ev.Text(event.Session); session != "" && !in.failed {
		return hashOfEvent(session, string(binary.AppendVarint(nil, in.at/sameSignIn)))
	}
	return hashOfEvent(h.ID, h.Action)
}

// hashOfEvent is a hash of texts that is the same for ever.
func hashOfEvent(texts ...string) uint64 {
	sum := sha256.Sum256(joined(nil, texts))
	return binary.BigEndian.Uint64(sum[:])
}

// read reads what the event at hand says of a sign-in.
func (in *oneSignIn) read(s *shower, x *rules.Line) {
	in.ip, in.country, in.asn = s.text(event.SourceIP), s.text(event.SourceCountry), s.source().ASN
	in.client, in.device = s.short(x.Client, maxClient), s.short(x.Device, maxClient)
}

// signIn counts a sign-in.
func (f *profile) signIn(in *oneSignIn) {
	day := in.at / daySeconds
	if day <= f.latest()-daysMost {
		return // longer ago than what is counted
	}
	i := slices.IndexFunc(f.places, func(p signInPlace) bool { return p.ip == in.ip })
	if i < 0 {
		i = f.addPlace(in)
	}
	p := &f.places[i]
	k, have := slices.BinarySearchFunc(p.days, day, func(d signInDay, n int64) int { return int(d.number - n) })
	if !have {
		p.days = slices.Insert(p.days, k, signInDay{number: day})
	}
	d := &p.days[k]
	if slices.Contains(d.seen, in.hash) {
		return
	}
	if len(d.seen) == hashesMost {
		d.seen = slices.Delete(d.seen, 0, 1)
	}
	d.seen = append(d.seen, in.hash)
	if in.failed {
		d.bad++
	} else {
		d.ok++
	}
	d.last = max(d.last, in.at)
	if in.at < p.first {
		p.first = in.at
		f.changes = p.appendHead(f.changes)
	}
	f.changes = appendDay(f.changes, p.ip, d)
	if !in.failed {
		f.use(incident.Client, in.client, in.at)
		f.use(incident.UsedDevice, in.device, in.at)
	}
	f.age()
}

// latest is the last day of which there is a sign-in.
func (f *profile) latest() (day int64) {
	for i := range f.places {
		if n := len(f.places[i].days); n > 0 {
			day = max(day, f.places[i].days[n-1].number)
		}
	}
	return day
}

// addPlace makes a place, and room for it.
func (f *profile) addPlace(in *oneSignIn) int {
	if len(f.places) >= placesMost {
		oldest := 0
		for i := range f.places {
			if f.places[i].last() < f.places[oldest].last() {
				oldest = i
			}
		}
		f.dropPlace(oldest)
		f.forget(1)
	}
	f.places = append(f.places, signInPlace{ip: in.ip, country: in.country, asn: in.asn, first: in.at})
	i := len(f.places) - 1
	f.changes = f.places[i].appendHead(f.changes)
	return i
}

func (f *profile) dropPlace(i int) {
	f.changes = state.AppendBytes(append(f.changes, entryPlaceGone), f.places[i].ip)
	f.places = slices.Delete(f.places, i, i+1)
}

// forget counts what was forgotten because there was too much.
func (f *profile) forget(n int) {
	f.cut += n
	f.changes = binary.AppendUvarint(append(f.changes, entryCut), uint64(f.cut))
}

// age takes away days that lie too far back, and places without days. Rows tell nothing of it: whoever reads them ages them, too.
func (f *profile) age() {
	latest := f.latest()
	for i := len(f.places) - 1; i >= 0; i-- {
		p := &f.places[i]
		p.days = slices.DeleteFunc(p.days, func(d signInDay) bool { return d.number <= latest-daysMost })
		for k := range p.days {
			if p.days[k].number < latest-1 {
				p.days[k].seen = nil
			}
		}
		if len(p.days) == 0 {
			f.dropPlace(i)
		}
	}
}

func (p *signInPlace) last() int64 {
	if n := len(p.days); n > 0 {
		return p.days[n-1].last
	}
	return p.first
}

// use notes a client or a device. It is written again when the day is another one.
func (f *profile) use(kind, name string, at int64) {
	if name == "" {
		return
	}
	day := at / daySeconds
	i := slices.IndexFunc(f.used, func(u used) bool { return u.kind == kind && u.name == name })
	if i < 0 {
		f.room(kind)
		f.used = append(f.used, used{kind: kind, name: name, first: at, day: day})
		i = len(f.used) - 1
	} else if u := &f.used[i]; day > u.day {
		u.day = day
	} else {
		return
	}
	f.changes = f.used[i].append(f.changes)
}

// room makes room for one more client or device.
func (f *profile) room(kind string) {
	n, oldest := 0, -1
	for i := range f.used {
		if f.used[i].kind != kind {
			continue
		}
		if n++; oldest < 0 || f.used[i].day < f.used[oldest].day {
			oldest = i
		}
	}
	if n < usedMost {
		return
	}
	u := f.used[oldest]
	f.changes = state.AppendBytes(append(f.changes, entryUsedGone, letterOf[u.kind]), u.name)
	f.used = slices.Delete(f.used, oldest, oldest+1)
	f.forget(1)
}

// bring notes a thing that came, and gives it as it is known now.
func (f *profile) bring(t incident.Thing) incident.Thing {
	i := slices.IndexFunc(f.things, func(x incident.Thing) bool { return sameThing(&x, &t) })
	if i < 0 {
		f.roomForThing(t.Kind)
		f.things = append(f.things, t)
		f.changes = appendThing(f.changes, &t)
		return t
	}
	x := &f.things[i]
	was := *x
	switch {
	case !x.Gone.IsZero() && t.Since.After(x.Gone): // it came again
		t.Name = x.Name
		*x = t
	case t.Since.Before(x.Since):
		x.Since, x.By, x.EventID, x.Session = t.Since, t.By, t.EventID, t.Session
	case t.Detail != "":
		x.Detail = t.Detail
	}
	if *x != was {
		f.changes = appendThing(f.changes, x)
	}
	return *x
}

// take notes that things went, and gives those.
func (f *profile) take(gone *incident.Thing) (all []incident.Thing) {
	for i := range f.things {
		x := &f.things[i]
		if !taken(x, gone) || gone.Gone.Before(x.Since) || !x.Gone.IsZero() && !gone.Gone.Equal(x.Gone) {
			continue
		}
		if left := rightsLeft(x, gone); left != "" {
			if x.Detail != left {
				x.Detail = left
				f.changes = appendThing(f.changes, x)
			}
			continue
		}
		if x.Gone.IsZero() {
			x.Gone = gone.Gone
			f.changes = appendThing(f.changes, x)
		}
		all = append(all, *x)
	}
	return all
}

// roomForThing makes room for one more of a kind: those that are gone leave first.
func (f *profile) roomForThing(kind string) {
	n, oldest := 0, -1
	for i := range f.things {
		x := &f.things[i]
		if x.Kind != kind {
			continue
		}
		if n++; oldest < 0 || olderThing(x, &f.things[oldest]) {
			oldest = i
		}
	}
	if n < f.most {
		return
	}
	f.changes = appendThingKey(append(f.changes, entryThingGone), &f.things[oldest])
	f.things = slices.Delete(f.things, oldest, oldest+1)
	f.forget(1)
}

func olderThing(a, b *incident.Thing) bool {
	if a.Gone.IsZero() != b.Gone.IsZero() {
		return !a.Gone.IsZero()
	}
	return a.Since.Before(b.Since)
}

// sameThing reports whether two things are one.
func sameThing(a, b *incident.Thing) bool {
	switch {
	case a.Kind != b.Kind || a.Of != b.Of:
		return false
	case a.Kind == incident.Delegate: // the id is the folder, or of a whole mailbox the rights
		return strings.EqualFold(a.Name, b.Name) && a.ID == b.ID && onFolder(a) == onFolder(b)
	case a.ID != "" && a.ID == b.ID:
		return true
	}
	return strings.EqualFold(a.Name, b.Name) && (a.ID == "" || b.ID == "" || a.Kind == incident.InboxRule)
}

// taken reports whether a thing is one of those that went.
func taken(x, gone *incident.Thing) bool {
	switch {
	case x.Kind != gone.Kind || gone.Of != "" && x.Of != gone.Of:
		return false
	case gone.Name == "" && gone.ID == "": // a mailbox has one forwarding; a tenant's has an id
		return x.Kind == incident.Forwarding && x.ID == ""
	case x.Kind == incident.Delegate && gone.ID == "":
		return strings.EqualFold(x.Name, gone.Name) && !onFolder(x)
	case x.Kind == incident.Delegate:
		return strings.EqualFold(x.Name, gone.Name) && x.ID == gone.ID && onFolder(x)
	case gone.ID != "" && (x.ID == gone.ID || x.Name != "" && strings.HasSuffix(gone.ID, `\`+x.Name)):
		return true
	}
	return gone.Name != "" && strings.EqualFold(x.Name, gone.Name) && (x.ID == "" || gone.ID == "" || x.Kind == incident.InboxRule)
}

// onFolder reports whether a delegate has rights on a folder; otherwise they are on the whole mailbox.
func onFolder(t *incident.Thing) bool { return strings.Contains(t.Detail, " on ") }

// rightsLeft are the rights on a mailbox that a delegate keeps when some are taken away.
func rightsLeft(x, gone *incident.Thing) string {
	if x.Kind != incident.Delegate || gone.ID != "" || gone.Detail == "" {
		return ""
	}
	away := strings.Split(gone.Detail, ", ")
	return strings.Join(slices.DeleteFunc(strings.Split(x.Detail, ", "), func(right string) bool { return slices.Contains(away, right) }), ", ")
}

// tell is the profile as others read it.
func (f *profile) tell(p *person) *incident.Profile {
	f.age()
	out := &incident.Profile{Schema: incident.ProfileSchema, Tenant: p.tenant, Account: p.account, Cut: f.cut, Things: []incident.Thing{}}
	out.SignIns.Places = []incident.Place{}
	for i := range f.places {
		out.SignIns.Places = append(out.SignIns.Places, f.places[i].tell())
	}
	slices.SortStableFunc(out.SignIns.Places, func(a, b incident.Place) int { return b.Last.Compare(a.Last) })
	for _, one := range out.SignIns.Places {
		out.SignIns.Succeeded, out.SignIns.Failed = out.SignIns.Succeeded+one.Succeeded, out.SignIns.Failed+one.Failed
	}
	out.Things = append(out.Things, f.things...)
	for _, u := range f.used {
		out.Things = append(out.Things, incident.Thing{Kind: u.kind, Name: u.name, Since: utc(u.first), Seen: incident.SeenEvent})
	}
	return out
}

func (p *signInPlace) tell() incident.Place {
	one := incident.Place{IP: p.ip, Country: p.country, ASN: p.asn, First: utc(p.first), Last: utc(p.last())}
	for _, d := range p.days {
		one.Succeeded, one.Failed = one.Succeeded+d.ok, one.Failed+d.bad
		one.Days = append(one.Days, incident.Day{Date: utc(d.number * daySeconds).Format(time.DateOnly), Succeeded: d.ok, Failed: d.bad})
	}
	return one
}

func utc(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }
