package clock

import (
	"slices"
	"strings"
)

// Streams puts together what streams say that carry the same ticks, each as far as it has come. A source partition has come as far as the
// stream says that is furthest behind, and nobody knows how far while one of them has not spoken of it.
type Streams struct {
	// Refused counts what was left out because there was too much.
	Refused int64

	made    []int64 // the last tick, by stream
	heard   []bool
	sources map[string][]int64
}

// NewStreams makes Streams of so many, none of which has spoken.
func NewStreams(n int) *Streams {
	s := &Streams{made: make([]int64, n), heard: make([]bool, n), sources: map[string][]int64{}}
	for i := range s.made {
		s.made[i] = Unknown
	}
	return s
}

// Take takes a tick of a stream, and gives what all of them have said of the same source partitions. What these have shown may be told
// before all streams have come so far, for no clock passes their progress.
func (s *Streams) Take(stream int, t *Tick) *Tick {
	s.heard[stream] = true
	s.made[stream] = max(s.made[stream], t.Made)
	all := &Tick{Made: t.Made, Retired: t.Retired, Alike: t.Alike}
	for _, said := range t.Sources {
		by := s.sources[said.Name]
		if by == nil {
			if len(s.sources) >= maxSources {
				s.Refused++
				continue
			}
			by = make([]int64, len(s.heard))
			for i := range by {
				by[i] = Unknown
			}
			s.sources[strings.Clone(said.Name)] = by
		}
		by[stream] = max(by[stream], said.Progress)
		for _, at := range by {
			said.Progress = min(said.Progress, at)
		}
		all.Sources = append(all.Sources, said)
	}
	return all
}

// Made is when the last tick was made of the stream that is furthest behind; Unknown while one has not spoken.
func (s *Streams) Made() int64 { return slices.Min(s.made) }

// Silent is how many streams have not spoken yet.
func (s *Streams) Silent() (n int) {
	for _, heard := range s.heard {
		if !heard {
			n++
		}
	}
	return n
}
