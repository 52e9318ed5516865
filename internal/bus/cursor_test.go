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
	o, err := b.options()
	if err != nil {
		t.Fatal(err)
	}
	c, err := kgo.NewClient(append(o, kgo.ProducerBatchCompression(kgo.GzipCompression()), kgo.ProducerBatchMaxBytes(2*maxBatch), kgo.BrokerMaxWriteBytes(3*maxBatch), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, size := range []int{1, maxBatch + 1, 2, maxBatch + 2} {
		if err := c.ProduceSync(t.Context(), &kgo.Record{Topic: b.name(Events), Value: make([]byte, size)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
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
