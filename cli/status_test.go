package cli

import (
	"bytes"
	"testing"
	"time"

	"noroshi/ingest/feed"
	"noroshi/internal/app"
)

func TestTheTableOfStatus(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var out bytes.Buffer
	err := printStatus(Streams{Out: &out, Now: func() time.Time { return at.Add(10 * time.Second) }}, []app.Status{
		{Instance: "soc1/17", At: at, Started: at.Add(-time.Hour), Records: 120, Letters: 3, Events: 118, Duplicates: 2, Alerts: 1, Sinks: map[string]app.SinkSum{"soc": {Sent: 1}}, Partitions: []feed.Snapshot{
			{Source: "contoso-audit", Partition: 0, Owned: true, Messages: 12, Records: 120, Bytes: 4096, Sequence: 11, Looked: true, Last: 14, Enqueued: at.Add(-time.Minute), Committed: 7, Aborted: 1, Missed: 5,
				Restarts: map[string]int64{"stream": 2, "kafka": 1}, Letters: map[string]int64{"json": 3}, Delays: map[string]feed.Delay{"entra.signin": {Records: 2, Sum: 180_000, Longest: 120_000}, "ual.exchange_item": {Records: 3, Sum: 3 * 5_000_000_000, Longest: 6_000_000_000}}},
			{Source: "contoso-audit", Partition: 1, Sequence: -1, Last: -1},
		}},
		{Instance: "soc2/9", At: at.Add(-time.Minute), Started: at.Add(-time.Hour)},
		{Instance: "soc2/8", At: at.Add(-time.Hour), Started: at.Add(-2 * time.Hour), Ended: true, Alerts: 2},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `soc1/17: running since 2026-01-02T02:04:05Z; 120 records, 118 events, 2 duplicates, 1 alert, 3 dead letters
  SOURCE         PARTITION  OWNED  MESSAGES  RECORDS  BYTES  LAG  AGE    COMMITTED  ABORTED  RESTARTS          DEAD LETTERS  MISSED
  contoso-audit  0          yes    12        120      4096   3    1m10s  7          1        kafka:1,stream:2  json:3        5
  contoso-audit  1          no     0         0        0      -    -      0          0        0                 0             0
  sink soc: 1 sent, 0 refused, 0 faults
  DATASET            RECORDS  MEAN DELAY  LONGEST
  entra.signin       2        1m30s       2m0s
  ual.exchange_item  3        57d20h      69d10h
soc2/9: silent since 2026-01-02T03:03:05Z; 0 records, 0 events, 0 duplicates, 0 alerts, 0 dead letters
soc2/8: ended 2026-01-02T02:04:05Z; 0 records, 0 events, 0 duplicates, 2 alerts, 0 dead letters
`
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
}
