package feed

import "context"

// Stream is a stream outside, such as an event hub. Its methods are called from several goroutines.
type Stream interface {
	// Name names the stream in topics, transactions, groups and logs. Two streams must not share one.
	Name() string
	// Dense says that each sequence number is a message's, so that one left out is a message lost.
	Dense() bool
	// Partitions is how many there are, numbered from 0.
	Partitions(ctx context.Context) (int, error)
	// Open begins behind a position; nil stands for where a first start begins. The error is, or wraps, ErrDenied where
	// trying again is of no use before somebody has changed something.
	Open(ctx context.Context, partition int32, after *Position) (Cursor, error)
	// State looks at a partition. It is called every half minute, and where sequence numbers are left out.
	State(ctx context.Context, partition int32) (State, error)
}

// Keeper is a stream that remembers rows beside its positions. It is opened by OpenWith in the place of Open, with the rows that are stored
// in the partition's topic of positions, and may keep the map.
type Keeper interface {
	OpenWith(ctx context.Context, partition int32, after *Position, rows map[string][]byte) (Cursor, error)
}

// Chooser is a stream that may have partitions of which nothing is to be read, such as content types that are not configured. They are not
// opened and not counted, and nobody waits for them; it is told that nothing of them waits, for they may have been read before.
type Chooser interface {
	Reads(partition int32) bool
}

// Troubled is a stream that knows of trouble before it gives up: Trouble is why it gives nothing now, nil where it may.
type Troubled interface {
	Trouble() error
}

// Varied is a stream whose partitions hold records of different kinds: what one of them has shown says nothing of the others.
type Varied interface{ Varied() }

// Cursor reads one partition. It belongs to one goroutine.
type Cursor interface {
	// Next waits for a message, then gives all that is there, within MaxMessages and about MaxBytes. The error is, or wraps,
	// ErrLost where another reader has taken the partition.
	Next(ctx context.Context) ([]Message, error)
	// Close ends the cursor.
	Close(ctx context.Context)
}
