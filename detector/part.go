package detector

import (
	"encoding/json"
	"hash/maphash"
	"maps"
	"slices"
	"strconv"

	"noroshi/internal/alert"
	"noroshi/internal/event"
	"noroshi/internal/state"
	"noroshi/rules/kind"
)

// part is what an entry that counted adds to an alert.
type part struct {
	alike    uint64               // a hash of all lists
	hashes   [kindsOfLists]uint64 // of each list; 0: it is empty
	evidence []uint64             // a hash of each piece
	id       string               // of an alert; "": an event
	lists    *[kindsOfLists]list
	shown    *alert.Shown // of an alert; nil: it is read again where it is needed
}

// list are texts.
type list struct {
	texts []string
	names []string // of databases: what they told
}

// The lists of a part.
const (
	ofAccounts = iota
	ofDestinations
	ofSessions
	ofApps
	ofNetworks
	ofEnrichment
	kindsOfLists
)

// fewCounted is how many entries are read anew for each alert; of more it is kept what they add.
const fewCounted = alert.MaxEvidence

// part is what the i-th entry that counted adds, nil where it cannot be read.
func (m *Memory) part(r *rule, f *state.Finding, i int) *part {
	e := f.Counted[i].Entry
	if p, ok := e.Made().(*part); ok {
		return p
	}
	p := m.read(r, e)
	if p != nil && len(f.Counted) > fewCounted {
		p.shown = nil
		e.Make(p)
	}
	return p
}

// read makes a part of an entry. Its texts share the entry's memory.
func (m *Memory) read(r *rule, e *state.Entry) *part {
	var h kind.Hit
	if h.UnpackHeld(e.Packed) != nil {
		return nil
	}
	m.show.stand(r, &h)
	p := &part{lists: &[kindsOfLists]list{}}
	p.set(ofAccounts, []string{m.show.ev.Text(event.Account)})
	if h.Told == nil {
		m.readEvent(p, &h)
		return p
	}
	p.id, p.shown = h.ID, &alert.Shown{}
	if json.Unmarshal(h.Told.Shown, p.shown) != nil {
		p.shown = &alert.Shown{}
	}
	p.set(ofDestinations, p.shown.Indicators.Destinations)
	p.set(ofSessions, p.shown.Sessions)
	p.set(ofApps, p.shown.Indicators.Apps)
	p.set(ofNetworks, p.shown.Indicators.Networks)
	for _, what := range slices.Sorted(maps.Keys(p.shown.Enrichment)) {
		p.tell(what, p.shown.Enrichment[what])
	}
	for i := range p.shown.Evidence {
		one := &p.shown.Evidence[i]
		step := one.Step
		if len(r.Kind.Steps) > 0 {
			step = "" // it becomes that of this rule
		}
		p.evidence = append(p.evidence, evidenceHash(one.Time.UnixNano(), one.ID, one.Action, step))
	}
	return p
}

// readEvent reads the event at hand.
func (m *Memory) readEvent(p *part, h *kind.Hit) {
	ev := m.show.ev
	p.set(ofDestinations, slices.Concat(ev.List(event.ForwardTo), ev.List(event.SendsTo)))
	p.set(ofSessions, []string{ev.Text(event.Session)})
	p.set(ofApps, []string{ev.Text(event.AppID)})
	p.set(ofNetworks, []string{ev.Text(event.SourceIP)})
	for _, e := range enrichments {
		if slot, ok := m.set.scope.Layout.Find(e.field); ok && ev.Text(slot) != "" {
			p.tell(e.what, ev.Text(slot))
		}
	}
	p.evidence = []uint64{evidenceHash(h.Time.UnixNano(), h.ID, h.Action, "")}
	p.alike++ // never as an alert: events have other bounds
}

// set makes a list.
func (p *part) set(i int, texts []string) {
	if texts = slices.DeleteFunc(slices.Clone(texts), func(t string) bool { return t == "" }); len(texts) > 0 {
		p.lists[i].texts, p.hashes[i] = texts, hashOfTexts(strconv.Itoa(i), texts...)
		p.alike += p.hashes[i]
	}
}

// tell adds a database that told something.
func (p *part) tell(what, database string) {
	l := &p.lists[ofEnrichment]
	l.names, l.texts = append(l.names, what), append(l.texts, database)
	p.hashes[ofEnrichment] = hashOfTexts(strconv.FormatUint(p.hashes[ofEnrichment], 16), what, database)
	p.alike += p.hashes[ofEnrichment]
}

var seed = maphash.MakeSeed()

// hashOfTexts is a hash of some texts, never 0.
func hashOfTexts(kind string, texts ...string) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	for _, t := range append([]string{kind}, texts...) {
		_, _ = h.WriteString(strconv.Itoa(len(t)))
		_ = h.WriteByte(0)
		_, _ = h.WriteString(t)
	}
	return max(1, h.Sum64())
}

// evidenceHash is a hash of what tells pieces of evidence apart.
func evidenceHash(at int64, id, action, step string) uint64 {
	return hashOfTexts(strconv.FormatInt(at, 10), id, action, step)
}
