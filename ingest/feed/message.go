package feed

import "time"

// Position is a place in a partition.
type Position struct {
	Sequence int64  `json:"seq"`
	Offset   string `json:"offset,omitempty"`
	// Enqueued is when the stream took the message, UTC. Of a stream whose messages do not come in this order it is up to when all messages
	// are stored; each says in Came when it was taken.
	Enqueued time.Time `json:"enqueued,omitzero"`
}

// Message is one message and where it lies.
type Message struct {
	Position
	Body []byte
	// Fault is why the message cannot be read, nil where it can; it has no body then.
	Fault error
	// Mark says that the number is no message's, but that of a mark between messages, such as of a transaction of Kafka's. Its
	// position is stored, so that nobody waits for it.
	Mark bool
	// Came is when the stream took the message, where Enqueued says something else.
	Came time.Time
	// Part is the part of the stream in which the message lies, such as a blob. Dead letters name it.
	Part string
	// Refused is why the body is no record, nil where it may hold some.
	Refused *Refusal
	// Lost says that records of the stream will never be read, and which; "" where that is not so.
	Lost string
	// Rows are stored with the position.
	Rows []Row
}

// Taken is when the stream took the message.
func (m *Message) Taken() time.Time {
	if m.Came.IsZero() {
		return m.Enqueued
	}
	return m.Came
}

// Refusal is why something is no record.
type Refusal struct{ Reason, Detail string }

// Row is what a stream remembers under a key. Without a value it is forgotten.
type Row struct {
	Key   string
	Value []byte
}

// State is what a partition holds: sequence numbers from First to Last; Last < First where it is empty.
type State struct {
	First, Last int64
	// Through is up to when it holds all that there will be; up to now where it is zero.
	Through time.Time
}
