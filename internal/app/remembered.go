package app

import (
	"bytes"
	"log/slog"

	"noroshi/detector"
	"noroshi/internal/clock"
	"noroshi/internal/state"
)

// remembered is what the rules keep of one partition, and what takes their hits elsewhere.
type remembered struct {
	session *session
	from    detector.Upstream
	of      detector.Stage
	rules   *ruling
	memory  *detector.Memory
	signals *detector.Signals
	follows detector.Clocks // nil: the clock stands
	crossed func(tenant string, crossings int) int64
	gone    [][]byte // keys of memory that no rule needs any more
	stories storyteller
	marked  func(tenant, account string) bool // see detector.Worker
}

// count notes how much is remembered.
func (m *remembered) count() { m.session.run.detected.keys.note(m.from, m.memory.Keys()) }

// begin begins with nothing, by the rules that the session has now.
func (m *remembered) begin(s *session, topic byte, partition int32, of detector.Stage) {
	m.session, m.from, m.of = s, detector.Upstream{Topic: topic, Partition: partition}, of
	m.rules = s.ruling.Load()
	m.stories.log = s.run.Log
	m.memory = m.rules.set.Memory(m.options())
	m.marked = m.memory.Marked
}

// options are those of a memory by the rules that there are now. Its alerts travel where other rules look at them that lie elsewhere.
func (m *remembered) options() detector.MemoryOptions {
	m.signals = m.rules.set.Signals(m.from, m.session.run.Config.Kafka.Partitions)
	return detector.MemoryOptions{Stage: m.of, Live: true, Stored: true, Lateness: m.rules.lateness, Send: m.signals.Take, Clocks: m.follows,
		Crossed: m.crossed, Story: m.stories.story(m.rules.set)}
}

// Renew implements stage.Part.
func (m *remembered) Renew() {
	rules := m.session.ruling.Load()
	if m.rules == rules {
		return
	}
	m.rules = rules
	options := m.options()
	memory, err := rules.set.Renew(m.memory, options, func(key []byte) { m.gone = append(m.gone, bytes.Clone(key)) })
	if err != nil {
		m.session.run.Log.Error("memory cannot be taken over; rules that remember begin anew", slog.Int("partition", int(m.from.Partition)), slog.Any("err", err))
		memory = rules.set.Memory(options)
	}
	m.memory = memory
	m.marked = memory.Marked
}

// drop gives the keys that no rule needs any more.
func (m *remembered) drop(each func(key, memory []byte, form state.Form)) {
	for _, key := range m.gone {
		each(key, nil, state.Gone)
	}
	m.gone = nil
}

// sweep goes on with a round of stage.Part.Sweep.
func (m *remembered) sweep(room int, each func(key, memory []byte)) (ended bool) {
	return m.memory.Sweep(room, func(r detector.Row) { each(r.Key, r.Value) })
}

// lasts reports whether the memory of a key is true wherever records are read from: what ticks have said is.
func lasts(key []byte) bool {
	_, place := upstreamOf(key)
	return clock.Own(key) && !place
}

// ruleOf is the rule whose memory a key has, "" where it is no rule's.
func ruleOf(key []byte) string {
	k, err := detector.ReadRowKey(key)
	if err != nil || clock.Own(key) || detector.StoryKey(key) {
		return ""
	}
	return k.Rule
}
