package detector

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"noroshi/internal/incident"
	"noroshi/internal/state"
)

// What is kept of an account is entries one behind the other, each a letter and what it says; what comes later takes the place of what an
// earlier one has said of the same thing.
const (
	entryPlace     = 'p' // address, country, network, first
	entryDay       = 'd' // address, day, succeeded, failed, last, hashes
	entryNext      = 'n' // the same of the place that was read last: days behind the day before, succeeded, failed, second of the day, hashes
	entryPlaceGone = 'P' // address
	entryUsed      = 'u' // kind, name, first, last day
	entryUsedGone  = 'U' // kind, name
	entryThing     = 't' // see appendThing
	entryThingGone = 'T' // kind, name, id, of
	entryCut       = 'c' // number
	entryMark      = 'm' // from, until, told
	entryContext   = 'b' // JSON of the activity, hour, told, hashes
)

func (p *signInPlace) appendHead(to []byte) []byte {
	to = state.AppendBytes(state.AppendBytes(append(to, entryPlace), p.ip), p.country)
	return binary.AppendVarint(binary.AppendUvarint(to, uint64(p.asn)), p.first)
}

func appendDay(to []byte, ip string, d *signInDay) []byte {
	to = binary.AppendVarint(state.AppendBytes(append(to, entryDay), ip), d.number)
	to = binary.AppendUvarint(binary.AppendUvarint(to, uint64(d.ok)), uint64(d.bad))
	return appendHashes(binary.AppendVarint(to, d.last), d.seen)
}

func appendHashes(to []byte, all []uint64) []byte {
	to = binary.AppendUvarint(to, uint64(len(all)))
	for _, h := range all {
		to = binary.BigEndian.AppendUint64(to, h)
	}
	return to
}

func readHashes(f *state.Fields) (all []uint64) {
	for n := min(f.Many(), seenMost); n > 0; n-- {
		all = append(all, f.Word())
	}
	return all
}

func (u *used) append(to []byte) []byte {
	to = state.AppendBytes(append(to, entryUsed, letterOf[u.kind]), u.name)
	return binary.AppendVarint(binary.AppendVarint(to, u.first), u.day)
}

func appendThingKey(to []byte, t *incident.Thing) []byte {
	for _, text := range [...]string{t.Kind, t.Name, t.ID, t.Of} {
		to = state.AppendBytes(to, text)
	}
	return to
}

func appendThing(to []byte, t *incident.Thing) []byte {
	to = appendThingKey(append(to, entryThing), t)
	for _, text := range [...]string{t.Detail, t.By, t.EventID, t.Session, t.Seen} {
		to = state.AppendBytes(to, text)
	}
	for _, at := range [...]time.Time{t.Since, t.Gone, t.AsOf} {
		to = binary.AppendVarint(to, nanos(at))
	}
	return to
}

// nanos is a time as a number, 0 for none.
func nanos(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return state.Nanoseconds(at)
}

func timeOf(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// append packs the profile.
func (f *profile) append(to []byte) []byte {
	for i := range f.places {
		p := &f.places[i]
		to = p.appendHead(to)
		day := int64(0)
		for k := range p.days {
			d := &p.days[k]
			to = binary.AppendUvarint(append(to, entryNext), uint64(d.number-day))
			to = binary.AppendUvarint(binary.AppendUvarint(to, uint64(d.ok)), uint64(d.bad))
			to = appendHashes(binary.AppendVarint(to, d.last-d.number*daySeconds), d.seen)
			day = d.number
		}
	}
	for i := range f.used {
		to = f.used[i].append(to)
	}
	for i := range f.things {
		to = appendThing(to, &f.things[i])
	}
	if f.cut > 0 {
		to = binary.AppendUvarint(append(to, entryCut), uint64(f.cut))
	}
	return to
}

// load reads what append wrote, in the place of what the profile held.
func (f *profile) load(packed []byte) {
	f.places, f.used, f.things, f.cut, f.changes = f.places[:0], f.used[:0], f.things[:0], 0, f.changes[:0]
	for in := state.Read(packed); in.Len() > 0; {
		if !f.read(in, in.Byte()) {
			return
		}
	}
}

// read reads an entry of the profile; false for another entry, or one that cannot be read. Texts share the memory of what is read.
func (f *profile) read(in *state.Fields, letter byte) bool {
	switch letter {
	case entryPlace:
		p := signInPlace{ip: in.Text(), country: in.Text(), asn: int(in.Uint()), first: in.Int()}
		if i := f.placeOf(p.ip); i >= 0 {
			p.days = f.places[i].days
			f.places[i] = p
		} else {
			if n := len(f.places); n < cap(f.places) { // its room is used again
				p.days = f.places[: n+1 : n+1][n].days[:0]
			}
			f.places = append(f.places, p)
		}
	case entryNext:
		if len(f.places) == 0 {
			in.Fail()
			return false
		}
		p := &f.places[len(f.places)-1]
		d := signInDay{number: int64(in.Uint())}
		if n := len(p.days); n > 0 {
			d.number += p.days[n-1].number
		}
		d.ok, d.bad, d.last = int(in.Uint()), int(in.Uint()), in.Int()+d.number*daySeconds
		d.seen = readHashes(in)
		p.days = append(p.days, d)
	case entryDay:
		i := f.placeOf(in.Text())
		d := signInDay{number: in.Int(), ok: int(in.Uint()), bad: int(in.Uint()), last: in.Int(), seen: readHashes(in)}
		if i >= 0 {
			f.places[i].put(d)
		}
	case entryPlaceGone:
		if i := f.placeOf(in.Text()); i >= 0 {
			f.places = slices.Delete(f.places, i, i+1)
		}
	case entryUsed:
		u := used{kind: usedKind(in.Byte()), name: in.Text(), first: in.Int(), day: in.Int()}
		f.used = append(slices.DeleteFunc(f.used, u.like), u)
	case entryUsedGone:
		u := used{kind: usedKind(in.Byte()), name: in.Text()}
		f.used = slices.DeleteFunc(f.used, u.like)
	case entryThing:
		f.putThing(readThing(in))
	case entryThingGone:
		t := readThingKey(in)
		f.things = slices.DeleteFunc(f.things, func(x incident.Thing) bool { return keyedAlike(&x, &t) })
	case entryCut:
		f.cut = int(in.Uint())
	default:
		return false
	}
	return !in.Failed()
}

func (f *profile) placeOf(ip string) int {
	return slices.IndexFunc(f.places, func(p signInPlace) bool { return p.ip == ip })
}

func (p *signInPlace) put(d signInDay) {
	i, have := slices.BinarySearchFunc(p.days, d.number, func(x signInDay, n int64) int { return int(x.number - n) })
	if have {
		p.days[i] = d
		return
	}
	p.days = slices.Insert(p.days, i, d)
}

// letterOf are the kinds of what signed in, as rows have them.
var letterOf = map[string]byte{incident.Client: 'c', incident.UsedDevice: 'd'}

func usedKind(letter byte) string {
	if letter == letterOf[incident.Client] {
		return incident.Client
	}
	return incident.UsedDevice
}

func (u *used) like(x used) bool { return x.kind == u.kind && x.name == u.name }

func readThingKey(in *state.Fields) incident.Thing {
	return incident.Thing{Kind: in.Text(), Name: in.Text(), ID: in.Text(), Of: in.Text()}
}

func readThing(in *state.Fields) incident.Thing {
	t := readThingKey(in)
	t.Detail, t.By, t.EventID, t.Session, t.Seen = in.Text(), in.Text(), in.Text(), in.Text(), in.Text()
	t.Since, t.Gone, t.AsOf = timeOf(in.Int()), timeOf(in.Int()), timeOf(in.Int())
	return t
}

func keyedAlike(a, b *incident.Thing) bool {
	return a.Kind == b.Kind && a.Name == b.Name && a.ID == b.ID && a.Of == b.Of
}

func (f *profile) putThing(t incident.Thing) {
	i := slices.IndexFunc(f.things, func(x incident.Thing) bool { return keyedAlike(&x, &t) })
	if i >= 0 {
		f.things[i] = t
		return
	}
	f.things = append(f.things, t)
}

func appendMark(to []byte, p *person) []byte {
	return binary.AppendVarint(binary.AppendVarint(binary.AppendVarint(append(to, entryMark), p.from), p.until), p.told)
}

func (c *activity) append(to []byte) []byte {
	body, err := json.Marshal(c.Activity)
	if err != nil { // it holds texts, numbers and times
		return to
	}
	to = state.AppendBytes(append(to, entryContext), body)
	return appendHashes(binary.AppendUvarint(binary.AppendVarint(to, c.hour), uint64(c.told)), c.seen)
}

// appendPerson packs all that is kept of an account.
func (p *person) append(to []byte) []byte {
	to = append(to, p.packed...)
	if p.until > 0 || p.told > 0 {
		to = appendMark(to, p)
	}
	for _, c := range p.open {
		to = c.append(to)
	}
	return to
}

// load reads what append wrote, and entries behind it.
func (p *person) load(row []byte, f *profile) error {
	f.load(nil)
	for in := state.Read(row); in.Len() > 0; {
		switch letter := in.Byte(); letter {
		case entryMark:
			p.from, p.until, p.told = in.Int(), in.Int(), in.Int()
		case entryContext:
			var c activity
			if json.Unmarshal(in.Bytes(), &c.Activity) != nil {
				return errors.New("not an activity")
			}
			c.hour, c.told, c.seen = in.Int(), int(in.Uint()), readHashes(in)
			p.put(&c)
		default:
			if !f.read(in, letter) {
				return state.ErrRow
			}
		}
		if in.Failed() {
			return state.ErrRow
		}
	}
	if p.until == 0 {
		p.open = nil
	}
	p.packed = bytes.Clone(f.append(nil))
	return nil
}

// put puts an activity in the place of the same one.
func (p *person) put(c *activity) {
	p.open = slices.DeleteFunc(p.open, c.like)
	if len(p.open) >= contextMost {
		p.open = slices.Delete(p.open, 0, 1)
	}
	p.open = append(p.open, c)
}

// like reports whether another activity is the same one, with another number of repeats.
func (c *activity) like(o *activity) bool {
	return c.Line == o.Line && c.hour == o.hour && c.Entry.Session == o.Entry.Session && c.Entry.IP == o.Entry.IP && c.Entry.Text == o.Entry.Text
}

// keyPeople is how the key of a row begins that holds what is kept of an account. No id of a rule is so long, and clocks begin with a zero.
const keyPeople = "\xffstory"

func (w whose) rowKey() []byte {
	return state.AppendBytes(state.AppendBytes([]byte(keyPeople), w.tenant), w.account)
}

// StoryKey reports whether the key of a row is an account's, of what is kept for its story.
func StoryKey(key []byte) bool { return strings.HasPrefix(string(key), keyPeople) }
