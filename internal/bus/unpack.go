package bus

import (
	"fmt"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"
)

// What batches are when they are unpacked. Compression may make a thousandth of a batch, so the bytes of a fetch bound nothing.
const (
	maxBatch = 64 << 20 // one of them
	maxFetch = 64 << 20 // of one fetch together, but for the last
)

// unpacker is the client's decompressor with a bound for all batches of a fetch: the client gives those before it, and fetches the
// others again.
type unpacker struct {
	kgo.Decompressor
	left    atomic.Int64
	refused atomic.Bool // a batch for those before it
}

func newUnpacker() (*unpacker, error) {
	c, err := kgo.NewClient(kgo.MaxDecompressBatchBytes(maxBatch)) // it connects to nothing, and is asked for its decompressor
	if err != nil {
		return nil, fmt.Errorf("make decompressor: %w", err)
	}
	defer c.Close()
	u := &unpacker{Decompressor: c.OptValue(kgo.WithDecompressor).(kgo.Decompressor)}
	u.again()
	return u, nil
}

// again begins another fetch.
func (u *unpacker) again() { u.left.Store(maxFetch) }

// Decompress implements kgo.Decompressor.
func (u *unpacker) Decompress(packed []byte, codec kgo.CompressionCodecType) ([]byte, error) {
	if u.left.Load() <= 0 {
		u.refused.Store(true)
		return nil, kgo.ErrMaxDecompress
	}
	all, err := u.Decompressor.Decompress(packed, codec)
	u.left.Add(-int64(len(all)))
	return all, err
}
