package bus

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A batch that a stranger's producer packed so that it would fill the memory is refused, and what lies before it is read.
func TestABatchThatUnpacksTooLargeIsDenied(t *testing.T) {
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
	for _, size := range []int{1, maxBatch + 1} {
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
	if got, err := from.Poll(ctx, 10); len(got) != 1 || err != nil {
		t.Errorf("before it are %d records, %v", len(got), err)
	}
	var d *Denied
	if got, err := from.Poll(ctx, 10); !errors.As(err, &d) {
		t.Errorf("it gives %d records, %v", len(got), err)
	}
}
