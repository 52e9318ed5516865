package eventhubstest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"
	"github.com/google/go-cmp/cmp"

	"noroshi/internal/eventhubstest"
)

const hub = "audit"

var (
	quick    = azeventhubs.RetryOptions{RetryDelay: time.Millisecond, MaxRetryDelay: 20 * time.Millisecond, MaxRetries: 50}
	earliest = azeventhubs.StartPosition{Earliest: to.Ptr(true)}
)

// soon bounds what must not hang.
func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func producer(t testing.TB, s *eventhubstest.Server) *azeventhubs.ProducerClient {
	t.Helper()
	p, err := azeventhubs.NewProducerClientFromConnectionString(s.ConnectionString(hub), "", &azeventhubs.ProducerClientOptions{RetryOptions: quick})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close(context.Background()) })
	return p
}

func consumer(t testing.TB, s *eventhubstest.Server) *azeventhubs.ConsumerClient {
	t.Helper()
	c, err := azeventhubs.NewConsumerClientFromConnectionString(s.ConnectionString(""), hub, azeventhubs.DefaultConsumerGroup, &azeventhubs.ConsumerClientOptions{RetryOptions: quick})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

func open(t testing.TB, c *azeventhubs.ConsumerClient, partition string, o azeventhubs.PartitionClientOptions) *azeventhubs.PartitionClient {
	t.Helper()
	pc, err := c.NewPartitionClient(partition, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close(context.Background()) })
	return pc
}

// receive takes exactly n events.
func receive(t testing.TB, pc *azeventhubs.PartitionClient, n int) (all []*azeventhubs.ReceivedEventData) {
	t.Helper()
	for len(all) < n {
		evs, err := pc.ReceiveEvents(soon(t), n-len(all), nil)
		if err != nil {
			t.Fatalf("after %d of %d events: %v", len(all), n, err)
		}
		all = append(all, evs...)
	}
	return all
}

func send(t testing.TB, p *azeventhubs.ProducerClient, o azeventhubs.EventDataBatchOptions, events ...*azeventhubs.EventData) {
	t.Helper()
	b, err := p.NewEventDataBatch(soon(t), &o)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if err := b.AddEventData(e, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.SendEventDataBatch(soon(t), b, nil); err != nil {
		t.Fatal(err)
	}
}

func text(s string) *azeventhubs.EventData { return &azeventhubs.EventData{Body: []byte(s)} }

// fill appends n events whose bodies count from 0.
func fill(t testing.TB, s *eventhubstest.Server, partition string, n int) {
	t.Helper()
	all := make([]eventhubstest.Event, n)
	for i := range all {
		all[i].Body = fmt.Append(nil, i)
	}
	if _, err := s.Append(hub, partition, all...); err != nil {
		t.Fatal(err)
	}
}

func bodies(evs []*azeventhubs.ReceivedEventData) (all []string) {
	for _, e := range evs {
		all = append(all, string(e.Body))
	}
	return all
}

func TestProducedEventsAreConsumed(t *testing.T) {
	s := eventhubstest.Start(t, eventhubstest.Config{})
	p := producer(t, s)
	send(t, p, azeventhubs.EventDataBatchOptions{PartitionID: to.Ptr("1")},
		&azeventhubs.EventData{Body: []byte("a"), Properties: map[string]any{"kind": "sign-in", "n": int64(7)}, MessageID: to.Ptr("m1"), ContentType: to.Ptr("application/json")},
		text("b"))
	send(t, p, azeventhubs.EventDataBatchOptions{PartitionID: to.Ptr("1")}, text("c"))
	evs := receive(t, open(t, consumer(t, s), "1", azeventhubs.PartitionClientOptions{StartPosition: earliest}), 3)
	if diff := cmp.Diff([]string{"a", "b", "c"}, bodies(evs)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]any{"kind": "sign-in", "n": int64(7)}, evs[0].Properties); diff != "" {
		t.Error(diff)
	}
	if evs[0].MessageID == nil || *evs[0].MessageID != "m1" || evs[0].ContentType == nil || *evs[0].ContentType != "application/json" {
		t.Errorf("message id %v, content type %v", evs[0].MessageID, evs[0].ContentType)
	}
	for i, e := range evs {
		if e.SequenceNumber != int64(i) || e.Offset == "" || e.EnqueuedTime == nil {
			t.Errorf("event %d: sequence number %d, offset %q, enqueued %v", i, e.SequenceNumber, e.Offset, e.EnqueuedTime)
		}
	}
	if st := s.Stats(); st.Stored != 3 || st.Delivered != 3 || st.Sends != 2 || st.Readers != 1 {
		t.Errorf("%+v", st)
	}
}

func TestEqualPartitionKeysMeet(t *testing.T) {
	s := eventhubstest.Start(t, eventhubstest.Config{})
	p := producer(t, s)
	for range 3 {
		send(t, p, azeventhubs.EventDataBatchOptions{PartitionKey: to.Ptr("taro@contoso.example")}, text("x"))
	}
	c := consumer(t, s)
	full := 0
	for _, id := range []string{"0", "1", "2", "3"} {
		props, err := c.GetPartitionProperties(soon(t), id, nil)
		if err != nil {
			t.Fatal(err)
		}
		if props.IsEmpty {
			continue
		}
		full++
		for _, e := range receive(t, open(t, c, id, azeventhubs.PartitionClientOptions{StartPosition: earliest}), 3) {
			if e.PartitionKey == nil || *e.PartitionKey != "taro@contoso.example" {
				t.Errorf("partition key %v", e.PartitionKey)
			}
		}
	}
	if full != 1 {
		t.Errorf("%d partitions have events", full)
	}
}

func TestSendsWithoutKeyGoAround(t *testing.T) {
	s := eventhubstest.Start(t, eventhubstest.Config{Hubs: []eventhubstest.Hub{{Partitions: 2}}})
	p := producer(t, s)
	for range 4 {
		send(t, p, azeventhubs.EventDataBatchOptions{}, text("x"))
	}
	c := consumer(t, s)
	for _, id := range []string{"0", "1"} {
		props, err := c.GetPartitionProperties(soon(t), id, nil)
		if err != nil || props.LastEnqueuedSequenceNumber != 1 {
			t.Errorf("partition %s: %+v %v", id, props, err)
		}
	}
}

func TestProperties(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := eventhubstest.Start(t, eventhubstest.Config{
		Hubs: []eventhubstest.Hub{{Name: hub, Partitions: 3}, {Name: "other", Partitions: 1}},
		Now:  func() time.Time { return time.Now().Truncate(time.Millisecond) },
	})
	c := consumer(t, s)
	got, err := c.GetEventHubProperties(soon(t), nil)
	if err != nil || got.Name != hub || !cmp.Equal(got.PartitionIDs, []string{"0", "1", "2"}) {
		t.Errorf("%+v %v", got, err)
	}
	check := func(want azeventhubs.PartitionProperties) {
		t.Helper()
		got, err := c.GetPartitionProperties(soon(t), "2", nil)
		if err != nil {
			t.Fatal(err)
		}
		got.LastEnqueuedOn = got.LastEnqueuedOn.UTC()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	want := azeventhubs.PartitionProperties{EventHubName: hub, PartitionID: "2", IsEmpty: true, LastEnqueuedSequenceNumber: -1, LastEnqueuedOffset: "-1", LastEnqueuedOn: time.UnixMilli(0).UTC()}
	check(want)
	if _, err := s.Append(hub, "2", eventhubstest.Event{Body: []byte("a")}, eventhubstest.Event{Body: []byte("b"), Enqueued: at}); err != nil {
		t.Fatal(err)
	}
	want.IsEmpty, want.LastEnqueuedSequenceNumber, want.LastEnqueuedOn = false, 1, at
	want.LastEnqueuedOffset = receive(t, open(t, c, "2", azeventhubs.PartitionClientOptions{StartPosition: earliest}), 2)[1].Offset
	check(want)
	if n, err := s.Truncate(hub, "2", 2); n != 2 || err != nil {
		t.Errorf("%d events truncated, %v", n, err)
	}
	want.IsEmpty, want.BeginningSequenceNumber = true, 2
	check(want)
}

func TestStartPositions(t *testing.T) {
	base := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	s := eventhubstest.Start(t, eventhubstest.Config{})
	for i := range 10 {
		if _, err := s.Append(hub, "0", eventhubstest.Event{Body: fmt.Append(nil, i), Enqueued: base.Add(time.Duration(i) * time.Minute)}); err != nil {
			t.Fatal(err)
		}
	}
	c := consumer(t, s)
	fifth := receive(t, open(t, c, "0", azeventhubs.PartitionClientOptions{StartPosition: earliest}), 6)[5].Offset
	number := func(n int64) *int64 { return &n }
	for _, row := range []struct {
		name string
		at   azeventhubs.StartPosition
		want int64
	}{
		{"the earliest", earliest, 0},
		{"behind a sequence number", azeventhubs.StartPosition{SequenceNumber: number(3)}, 4},
		{"at a sequence number", azeventhubs.StartPosition{SequenceNumber: number(3), Inclusive: true}, 3},
		{"before the first", azeventhubs.StartPosition{SequenceNumber: number(-1)}, 0},
		{"behind an offset", azeventhubs.StartPosition{Offset: &fifth}, 6},
		{"at an offset", azeventhubs.StartPosition{Offset: &fifth, Inclusive: true}, 5},
		{"behind a time", azeventhubs.StartPosition{EnqueuedTime: to.Ptr(base.Add(7 * time.Minute))}, 8},
		{"at a time", azeventhubs.StartPosition{EnqueuedTime: to.Ptr(base.Add(7 * time.Minute)), Inclusive: true}, 7},
	} {
		t.Run(row.name, func(t *testing.T) {
			evs := receive(t, open(t, c, "0", azeventhubs.PartitionClientOptions{StartPosition: row.at}), 1)
			if evs[0].SequenceNumber != row.want {
				t.Errorf("got %d, want %d", evs[0].SequenceNumber, row.want)
			}
		})
	}
}

// The position "latest" is where the log ends when the link opens, which is at the first receive.
func TestLatestIsWhatComes(t *testing.T) {
	s := eventhubstest.Start(t, eventhubstest.Config{})
	fill(t, s, "0", 5)
	pc := open(t, consumer(t, s), "0", azeventhubs.PartitionClientOptions{})
	got := make(chan []*azeventhubs.ReceivedEventData)
	go func() {
		evs, err := pc.ReceiveEvents(soon(t), 1, nil)
		if err != nil {
			t.Error(err)
		}
		got <- evs
	}()
	for tick := time.NewTicker(time.Millisecond); s.Stats().Readers == 0; <-tick.C {
	}
	fill(t, s, "0", 1)
	if evs := <-got; len(evs) != 1 || evs[0].SequenceNumber != 5 {
		t.Errorf("%v", evs)
	}
}

// A reader whose position lies ahead, as after the hub was made anew, gets nothing that its filter leaves out.
func TestAPositionAhead(t *testing.T) {
	s := eventhubstest.Start(t, eventhubstest.Config{})
	fill(t, s, "0", 3)
	ahead := int64(5)
	pc := open(t, consumer(t, s), "0", azeventhubs.PartitionClientOptions{StartPosition: azeventhubs.StartPosition{SequenceNumber: &ahead}})
	short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if evs, err := pc.ReceiveEvents(short, 1, nil); len(evs) > 0 || err == nil {
		t.Errorf("received are %q, %v", bodies(evs), err)
	}
	fill(t, s, "0", 5)
	if got := receive(t, pc, 2); got[0].SequenceNumber != 6 {
		t.Errorf("the first is %d", got[0].SequenceNumber)
	}
}
