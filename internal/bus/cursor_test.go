package bus

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A batch that a stranger's producer packed so that it would fill the memory is told, and what lies around it is read.
func TestABatchThatUnpacksTooLargeIsPassed(t *testing.T) {
	_, b := start(t, t.TempDir(), 1<<30)
	pack(t, b, 1, maxBatch+1, 2, maxBatch+2)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	from, err := b.Cursor(Events, 0, Place{})
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	var got []Record
	for len(got) < 4 {
		some, err := from.Poll(ctx, 10)
		if err != nil {
			t.Fatalf("behind %d records: %v", len(got), err)
		}
		got = append(got, some...)
	}
	for i, r := range got {
		if r.Offset != int64(i) || (r.Fault != nil) != (i%2 == 1) || len(r.Value) > 2 {
			t.Errorf("at %d are %d bytes, %v", r.Offset, len(r.Value), r.Fault)
		}
	}
}

// pack writes a batch of one record of each size, packed as small as it goes.
func pack(t *testing.T, b *Bus, sizes ...int) {
	t.Helper()
	o, err := b.options()
	if err != nil {
		t.Fatal(err)
	}
	c, err := kgo.NewClient(append(o, kgo.ProducerBatchCompression(kgo.ZstdCompression()), kgo.ProducerBatchMaxBytes(2*maxBatch), kgo.BrokerMaxWriteBytes(3*maxBatch), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, size := range sizes {
		if err := c.ProduceSync(t.Context(), &kgo.Record{Topic: b.name(Events), Value: make([]byte, size)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// Many batches that are small on the wire and large when they are unpacked come a few at a time, each once and in order.
func TestBatchesOfAFetchAreBoundedTogether(t *testing.T) {
	_, b := start(t, t.TempDir(), 1<<30)
	sizes := make([]int, 40)
	for i := range sizes {
		sizes[i] = 16<<20 + i
	}
	sizes[20] = maxBatch + 1
	pack(t, b, sizes...)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	from, err := b.Cursor(Events, 0, Place{})
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	most := 0
	for next := 0; next < len(sizes); {
		got, err := from.Poll(ctx, 100)
		if err != nil {
			t.Fatalf("behind %d records: %v", next, err)
		}
		bytes := 0
		for _, r := range got {
			if want := sizes[next]; r.Offset != int64(next) || r.Fault == nil && len(r.Value) != want || r.Fault != nil && next != 20 {
				t.Fatalf("at %d are %d bytes where %d are wanted, %v", r.Offset, len(r.Value), want, r.Fault)
			}
			bytes += len(r.Value)
			next++
		}
		most = max(most, bytes)
	}
	if most > maxFetch+maxBatch {
		t.Errorf("a fetch is of %d MiB", most>>20)
	}
}

// A batch that is refused for those before it is not passed by, though nothing of those is seen.
func TestABatchBehindWhatNobodySeesIsFetchedAgain(t *testing.T) {
	_, b := start(t, t.TempDir(), 1<<30)
	pack(t, b, 1, 2)
	from, err := b.Cursor(Events, 0, Place{})
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	from.unpack.left.Store(0)
	var got []Record
	for len(got) < 2 {
		some, err := from.Poll(ctx, 100)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, some...)
	}
	if len(got[0].Value) != 1 || len(got[1].Value) != 2 {
		t.Errorf("read are %+v", got)
	}
}
