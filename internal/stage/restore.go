package stage

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"

	"noroshi/internal/bus"
	"noroshi/internal/state"
)

// restored is what became of the rows of a partition's memory.
type restored struct {
	keys       int
	unreadable [][]byte
	err        error // of the first that could not be read
	unknown    [][]byte
	lost       [][]byte // they do not belong to the place
}

// restore makes a part of the rows of a partition's memory.
func (s *Session) restore(ctx context.Context, partition int32, stored bus.Stored) (p *part, found restored) {
	p = &part{Part: s.Open(partition)}
	p.log.Begin(stored.Owner())
	p.log.Earlier(stored.By)
	p.log.Load(stored.Rows, func(key, memory []byte, err error) {
		if err == nil && ctx.Err() == nil {
			err = p.Load(key, memory)
		}
		switch {
		case err == nil:
			found.keys++
		case errors.Is(err, ErrUnknown):
			found.unknown = append(found.unknown, key)
		default:
			found.unreadable = append(found.unreadable, key)
			if found.err == nil {
				found.err = err
			}
		}
	})
	s.lasting(p, partition, stored.Old, &found)
	return p, found
}

// lasting takes away the rows of memory that does not belong to the place. What lasts of it is written again.
func (s *Session) lasting(p *part, partition int32, old map[string][]byte, found *restored) {
	for key := range old {
		p.stray = append(p.stray, bus.Record{Partition: partition, Key: []byte(key)})
	}
	var log state.Changelog
	log.Load(old, func(key, memory []byte, err error) {
		if err != nil || s.Lasts == nil || !s.Lasts(key) || p.Load(key, memory) != nil {
			found.lost = append(found.lost, bytes.Clone(key))
			return
		}
		found.keys++
		p.log.Put(key, memory, state.Whole)
	})
}

// tell counts and logs what became of a partition's memory.
func (s *Session) tell(partition int32, stored bus.Stored, found *restored) {
	c, at := s.Counts, slog.Int("partition", int(partition))
	c.Taken.Add(1)
	c.Restored.Add(int64(found.keys))
	c.Unknown.Add(int64(len(found.unknown)))
	c.Unreadable.Add(int64(len(found.unreadable)))
	c.Stale.Add(int64(stored.Stale))
	topic := slog.String("topic", string(s.Step.State))
	switch {
	case stored.Lost != "":
		c.Lost.Add(1)
		s.Log.Error("memory does not belong to the place from which records are read; it begins anew", topic, at, slog.String("because", string(stored.Lost)),
			slog.Int("keys", len(found.lost)), slog.Any("rules", s.names(found.lost)), slog.String("means", meansLost))
	case stored.New && stored.Known:
		s.Log.Warn("no memory is stored of a partition that was read before: rules that remember begin anew there", topic, at)
	}
	if n := len(found.unreadable); n > 0 {
		s.Log.Error("memory cannot be read; these keys begin anew", topic, at, slog.Int("keys", n), slog.Any("rules", s.names(found.unreadable)),
			slog.Any("err", found.err))
	}
	if n := len(found.unknown); n > 0 {
		s.Log.Warn("memory of rules that are gone, or that look at something else now, is dropped; these begin anew", at, slog.Int("keys", n))
	}
	s.Log.Debug("memory read", at, slog.Int("keys", found.keys))
}

// meansLost tells what is to be expected.
const meansLost = "windows and counts begin empty: what was under way is not found; no absence or silence is decided on what is missing"

// mostNames bounds a line of the log.
const mostNames = 20

// names are those whose memory keys have, in order.
func (s *Session) names(keys [][]byte) (all []string) {
	if s.Name == nil {
		return nil
	}
	for _, key := range keys {
		if name := s.Name(key); name != "" {
			if i, have := slices.BinarySearch(all, name); !have {
				all = slices.Insert(all, i, name)
			}
		}
	}
	if more := len(all) - mostNames; more > 0 {
		all = append(all[:mostNames:mostNames], "…")
	}
	return all
}
