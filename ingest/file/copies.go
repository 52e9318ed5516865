package file

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"

	"noroshi/ingest"
)

// match is how far a file holds the records that others have delivered.
type match struct {
	at         position // behind the most of them
	head, tail []byte
	found      bool
	records    int // of the file, as many as were looked at
	sum        uint32
}

// match goes over the records of a file, to where one of the positions has them.
func (s *Source) match(ctx context.Context, g *file, h handle, k kind, those []position) (m match, err error) {
	most := 0
	for _, p := range those {
		most = max(most, p.Records)
	}
	same := func(at *position) bool {
		m.records, m.sum = at.Records, at.Sum
		return slices.ContainsFunc(those, func(p position) bool {
			return p.Records == at.Records && p.Sum == at.Sum && p.First == at.First
		})
	}
	if k == inLines {
		_, err = s.survey(g, h, func(r *lines) bool {
			if same(&r.at) {
				m.at, m.head, m.tail, m.found = r.at, bytes.Clone(r.head), bytes.Clone(r.tail), true
			}
			return r.at.Records < most
		}).run(ctx)
	} else {
		var p *pass
		if p, err = s.newPass(g, h, position{}); err != nil {
			return m, err
		}
		p.after = func(at *position) bool {
			if same(at) {
				m.at, m.found = position{Kind: asWhole, Records: at.Records, Sum: at.Sum, First: at.First}, true
			}
			return at.Records < most
		}
		if _, err = p.run(ctx); err == nil && p.last != nil {
			err = p.give(p.last)
		}
	}
	return m, ignore(err)
}

// opening is the hash of a file's first record; "" until it has one.
func (s *Source) opening(ctx context.Context, g *file, h handle, k kind) (first string, err error) {
	if k == asWhole {
		p, err := s.newPass(g, h, position{})
		if err != nil {
			return "", err
		}
		p.after = func(at *position) bool {
			first = at.First
			return false
		}
		if _, err = p.run(ctx); err == nil && p.last != nil {
			err = p.give(p.last)
		}
		return first, ignore(err)
	}
	for _, end := range []int64{min(peek, g.stat.size), g.stat.size} {
		r := s.survey(g, h, func(r *lines) bool {
			first = r.at.First
			return first == ""
		})
		r.end = end
		if _, err := r.run(ctx); first != "" || ignore(err) != nil {
			return first, ignore(err)
		}
	}
	return "", nil
}

// ignore is an error but those that say that all, or enough, has been seen.
func ignore(err error) error {
	var broken *breaks
	if errors.Is(err, errEnough) || errors.As(err, &broken) {
		return nil
	}
	return err
}

// recognise looks whether a new file is a copy of what has been delivered. Such a copy is read on behind that. It waits for one that
// may still be being made.
func (s *Source) recognise(ctx context.Context, g *file, h handle, e ending) (wait bool, err error) {
	first, err := s.opening(ctx, g, h, g.at.Kind)
	if err != nil || first == "" {
		g.fresh = g.stat.size < longest
		return false, err
	}
	those := s.alike(g, first)
	var live *file
	for _, f := range s.first[first] {
		if f != g && f.at.First == first && g.at.Kind == inLines && f.live() && (live == nil || f.at.Records > live.at.Records) {
			live = f
		}
	}
	switch {
	case len(those) == 0:
		g.fresh = false
		return false, nil
	case live != nil:
		g.fresh, g.at.Of = false, live.id.key()
		return false, nil
	}
	m, err := s.match(ctx, g, h, g.at.Kind, those)
	if err != nil {
		return false, err
	}
	short := slices.ContainsFunc(those, func(p position) bool { return p.Records > m.records })
	if short && !e.settled {
		return true, nil
	}
	g.fresh = false
	if short && !m.found && g.at.Kind == asWhole && s.begun(ctx, g, first, m) {
		m.found, m.at = true, position{Kind: asWhole, Records: m.records, Sum: m.sum, First: first}
	}
	if !m.found {
		return false, nil
	}
	return false, s.store(ctx, g, ingest.Batch{}, m.at, m.head, m.tail)
}

// alike are the positions of other files that begin with a record.
func (s *Source) alike(g *file, first string) (all []position) {
	for _, f := range s.first[first] {
		if f != g && f.at.First == first && f.at.Records > 0 {
			all = append(all, f.at)
		}
	}
	return all
}

// begun reports whether another file begins with the records of a match.
func (s *Source) begun(ctx context.Context, g *file, first string, m match) bool {
	for _, f := range s.first[first] {
		if f == g || f.at.First != first || f.away {
			continue
		}
		h, err := s.hold(f)
		if err != nil {
			continue
		}
		if own, err := s.match(ctx, f, h, f.at.Kind, []position{{Records: m.records, Sum: m.sum, First: first}}); err == nil && own.found {
			return true
		}
	}
	return false
}

// live reports whether a file holds what has been read of it, and grows by lines.
func (f *file) live() bool { return f.at.Kind == inLines && !f.away && f.attended == f.stat }

// echo goes with a copy of a file that is still there: what both have is that file's to deliver.
func (s *Source) echo(ctx context.Context, g *file, h handle, e ending) (wait bool, err error) {
	id, _ := parseKey(g.at.Of)
	f := s.files[id]
	if f == nil || !f.live() {
		if f != nil && s.waits(f.name()) {
			return true, nil
		}
		return false, s.leaveEcho(ctx, g, h, f)
	}
	from, err := s.hold(f)
	if err != nil {
		return true, nil
	}
	now, err := from.stat()
	if err != nil {
		return true, nil
	}
	limit := min(g.stat.size, now.size)
	end, err := common(h, from, g.at.Offset, limit)
	if err != nil {
		return false, err
	}
	if same, err := f.intact(from); err != nil || !same {
		return true, nil // the next turn will see what has become of it
	}
	if err := s.follow(ctx, g, h, min(end, f.at.Offset)); err != nil {
		return false, err
	}
	switch {
	case end == g.stat.size:
		return true, nil
	case end == now.size && !e.settled:
		return true, nil
	}
	g.at.Of = ""
	return false, nil
}

// follow moves a copy's position over what its original has delivered.
func (s *Source) follow(ctx context.Context, g *file, h handle, end int64) error {
	r := s.lines(g, h, ending{})
	r.end, r.after = end, func(*lines) bool { return true }
	if _, err := r.run(ctx); err != nil {
		return err
	}
	if r.at == g.at && g.at.Head != "" {
		return nil
	}
	return s.store(ctx, g, ingest.Batch{}, r.at, r.head, r.tail)
}

// leaveEcho reads a copy on whose original is not there any more.
func (s *Source) leaveEcho(ctx context.Context, g *file, h handle, f *file) error {
	g.at.Of = ""
	if f == nil || f.at.First == "" {
		return nil
	}
	m, err := s.match(ctx, g, h, inLines, []position{f.at})
	if err != nil || !m.found {
		return err
	}
	return s.store(ctx, g, ingest.Batch{}, m.at, m.head, m.tail)
}

// common is where two files begin to differ, from a place on where they have not yet.
func common(a, b io.ReaderAt, from, end int64) (int64, error) {
	for from < end {
		n := int(min(end-from, 1<<20))
		x, err := piece(a, from, n)
		if err != nil {
			return from, err
		}
		y, err := piece(b, from, n)
		if err != nil {
			return from, err
		}
		n = min(len(x), len(y))
		if n == 0 {
			break
		}
		for i := range n {
			if x[i] != y[i] {
				return from + int64(i), nil
			}
		}
		from += int64(n)
	}
	return from, nil
}

// cut begins a file anew that no longer holds what has been read of it. What was added in between may be in a copy, as rotation by
// copying leaves it; else nobody knows.
func (s *Source) cut(ctx context.Context, f *file) error {
	s.rooms = map[string][]entry{} // the copy may have come in this turn
	found, err := s.inherit(ctx, f)
	if err != nil {
		return err
	}
	if !found && !f.at.Dead && (f.at.Kind == inLines || !f.at.Done) {
		s.lose("a file was cut or rewritten; what was written to it since it was read is not known", f)
	}
	f.begin()
	return s.store(ctx, f, ingest.Batch{}, f.at, nil, nil)
}

// inherit finds the copy that holds what was read of a file which does not any more, and reads on there.
func (s *Source) inherit(ctx context.Context, f *file) (found bool, err error) {
	for _, g := range s.first[f.at.First] {
		if g != f && g.at.First == f.at.First && g.at.Records >= f.at.Records {
			return true, nil // it was read on there before
		}
	}
	f.passing = true
	defer func() { f.passing = false }()
	for _, g := range s.heirs(f) {
		if f.at.First == "" {
			break
		}
		found, err = s.adopt(ctx, g, f)
		var u undelivered
		if errors.As(err, &u) || ctx.Err() != nil {
			return false, err
		}
		if found {
			s.config.Log.Info("a file was rotated by copying", slog.String("file", f.path), slog.String("copy", g.name()))
			break
		}
		if s.files[g.id] != g {
			s.release(g)
		}
	}
	for _, g := range s.files {
		if g.at.Of == f.id.key() {
			g.at.Of = ""
		}
	}
	return found, nil
}

// heirs are files that may be copies of one: those that are known to be, new ones, and those in its folder with names like its own.
func (s *Source) heirs(f *file) (all []*file) {
	for _, g := range s.listed {
		if !g.passing && (g.fresh || g.at.Of == f.id.key()) {
			all = append(all, g)
		}
	}
	was := f.at.Real
	if was == "" {
		was = f.at.Path
	}
	folder := filepath.Dir(was)
	stem, _, _ := strings.Cut(strings.TrimLeft(filepath.Base(was), "."), ".")
	for _, e := range s.room(folder) {
		g := s.files[e.stat.id]
		if !strings.Contains(e.name, stem) || slices.Contains(all, g) || g != nil && (g.passing || g.attended == e.stat) {
			continue
		}
		if g == nil {
			g = &file{id: e.stat.id, path: f.at.Path, fresh: true}
		}
		if g.turn != s.turns {
			g.real, g.stray = filepath.Join(folder, e.name), true
			g.observe(e.stat, s.now)
		}
		all = append(all, g)
	}
	return all
}

// adopt reads on in a copy where its original was left, if it is one.
func (s *Source) adopt(ctx context.Context, g, f *file) (bool, error) {
	h, err := s.hold(g)
	if err != nil {
		return false, err
	}
	if !g.fresh && g.at.Of != f.id.key() {
		if same, err := g.intact(h); err != nil || same {
			return false, err
		}
	}
	k, err := decide(h, g.stat.size, ending{settled: true})
	if err != nil || k == undecided {
		return false, err
	}
	m, err := s.match(ctx, g, h, k, s.alike(g, f.at.First))
	if err != nil || !m.found || m.at.Records < f.at.Records {
		return false, err
	}
	if !g.fresh && g.at.First != "" { // what it held before may be in one more copy
		if _, err := s.inherit(ctx, g); err != nil {
			return false, err
		}
	}
	g.fresh, g.away = false, false
	s.files[g.id] = g
	if err := s.store(ctx, g, ingest.Batch{}, m.at, m.head, m.tail); err != nil {
		return false, err
	}
	if g.stray {
		return true, s.visit(ctx, g)
	}
	return true, nil
}
