package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noroshi/ingest/feed"
	"noroshi/ingest/file"
	"noroshi/internal/app"
	"noroshi/sinks"
)

func TestTheTableOfStatus(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	n := func(n int64) *int64 { return &n }
	var out bytes.Buffer
	err := printStatus(Streams{Out: &out, Now: func() time.Time { return at.Add(10 * time.Second) }}, []app.Status{
		{Instance: "soc1/17", Roles: []app.Role{app.Ingest, app.Detect}, At: at, Started: at.Add(-time.Hour), Records: 120, Letters: 3, Events: 118, Duplicates: 2, Alerts: 2, Cut: 1, CutEvidence: 1, CutLists: 1, Overflows: 1, Missed: 4, TooLarge: 1, Problems: 1,
			RuleSet: app.RuleSetSum{Digest: "1a2b3c4d5e6f", Loaded: at.Add(-time.Hour), Failed: 2, Fault: "rules/a.yaml:3:7: no field \"Contry\" [field]",
				Since: at.Add(-time.Minute), Restart: []string{"kafka", "sinks"}, Others: []string{"soc2/9"}},
			Log: &app.LogSum{Used: 3 << 20, Limit: 1 << 30, Full: "sink-soc on noroshi.alerts"},
			Sources: []app.SourceSum{
				{Name: "files", Kind: "file", Records: 3, Last: at.Add(-7 * time.Minute), Fault: "/var/log/b.ndjson: permission denied", Since: at.Add(-time.Minute)},
				{Name: "contoso-audit", Kind: "stream", Records: 120, Last: at.Add(-time.Minute), Owned: 1, Lag: n(3)},
				{Name: "quiet", Kind: "stream", Records: 1, Last: at.Add(-10 * time.Minute), Owned: 1, Lag: n(0)},
				{Name: "dead", Kind: "stream", Fault: "connection refused", Since: at.Add(-time.Hour)},
				{Name: "elsewhere", Kind: "stream"},
			},
			Files: []file.Snapshot{{Files: 12, Open: 9, NotFiles: 2, NotFile: "/var/log/pipe: a pipe", Unfinished: 1,
				UnfinishedAt: "/var/log/a.ndjson:12", Failing: 1, First: "/var/log/b.ndjson", Fault: "permission denied", Cut: 1}},
			Rules: []app.RuleSum{
				{ID: "fires", State: "live", Evaluated: 10, Fired: 2, Excused: 1}, {ID: "quiet", State: "shadow", Evaluated: 5, Shadow: 4}, {ID: "fails", State: "live", Evaluated: 7, Failed: 7},
				{ID: "a", State: "live", Evaluated: 100}, {ID: "b", State: "live"},
			},
			Sinks: map[string]app.SinkSum{
				"archive": {Sent: 1, State: sinks.Delivering, Since: at.Add(-time.Hour), Waiting: n(0), Took: at.Add(-time.Second)},
				"soc":     {Faults: 3, State: sinks.Retrying, Since: at.Add(-time.Minute), Waiting: n(34), Oldest: at.Add(-35 * time.Second), Fault: "status 500", Next: at.Add(20 * time.Second)},
				"unknown": {State: sinks.Interrupted, Since: at.Add(-time.Minute)},
			},
			Partitions: []feed.Snapshot{
				{Source: "contoso-audit", Partition: 0, Owned: true, Messages: 12, Records: 120, Bytes: 4096, Sequence: 11, Looked: true, Last: 14, Enqueued: at.Add(-time.Minute), Committed: 7, Aborted: 1, Missed: 5,
					Restarts: map[string]int64{"stream": 2, "kafka": 1}, Letters: map[string]int64{"json": 3}, Delays: map[string]feed.Delay{"entra.signin": {Records: 2, Sum: 180_000, Longest: 120_000}, "ual.exchange_item": {Records: 3, Sum: 3 * 5_000_000_000, Longest: 6_000_000_000}}},
				{Source: "contoso-audit", Partition: 1, Sequence: -1, Last: -1},
			}},
		{Instance: "soc1/18", Roles: []app.Role{app.Ingest}, At: at.Add(-2 * time.Second), Started: at.Add(-time.Hour)},
		{Instance: "soc1/19", At: at.Add(-2 * time.Second), Started: at.Add(-time.Hour), Killed: true},
		{Instance: "soc2/9", At: at.Add(-time.Minute), Started: at.Add(-time.Hour)},
		{Instance: "soc2/8", At: at.Add(-time.Hour), Started: at.Add(-2 * time.Hour), Ended: true, Alerts: 2},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `soc1/17 (ingest, detect): running since 2026-01-02T02:04:05Z, as of 2026-01-02T03:04:05Z; 120 records, 118 events, 2 duplicates, 2 alerts, 3 dead letters
  rule set 1a2b3c4d5e6f, loaded 2026-01-02T02:04:05Z
  rules not loaded again since 2026-01-02T03:03:05Z; those of before stay: rules/a.yaml:3:7: no field "Contry" [field]
  restart needed for: kafka, sinks
  other rules than here for longer than a minute: soc2/9
  cut: 1 list in records longer than conditions look into
  cut: 1 alert or revision too long and told in part; evidence was left out of 1
  overflow: 1 recent record forgotten early; a repeat of one is evaluated again
  missed: 4 records of our log gone before they were read; each gap is an alert of the rule noroshi-log-gap
  too large: 1 record not taken by their topic; dead letters stand for them
  topics: 1 problem found; the log says which, and the way out
  log: 3.0 MiB of 1.0 GiB used; it is full, and sources wait for the reader sink-soc on noroshi.alerts
  SOURCE         STATE                               READ  LAG  LAST RECORD
  files          trouble since 2026-01-02T03:03:05Z  3     -    no record since 2026-01-02T02:57:05Z (7m0s)
  contoso-audit  reading                             120   3    2026-01-02T03:03:05Z
  quiet          reading                             1     0    no record since 2026-01-02T02:54:05Z (10m0s)
  dead           trouble since 2026-01-02T02:04:05Z  0     ?    no record since the start
  elsewhere      no partition                        0     ?    no record since the start
  source dead: connection refused
  files: 12 followed, 9 open, once cut, rewritten or deleted before all of it was read for certain; 2 matched paths are no file and not read, first /var/log/pipe: a pipe; 1 ends in an unfinished line, first /var/log/a.ndjson:12; 1 cannot be read, first /var/log/b.ndjson: permission denied
  SOURCE         PARTITION  OWNED  MESSAGES  RECORDS  BYTES  LAG  AGE   COMMITTED  ABORTED  RESTARTS          DEAD LETTERS  MISSED
  contoso-audit  0          yes    12        120      4096   3    1m0s  7          1        kafka:1,stream:2  json:3        5
  contoso-audit  1          no     0         0        0      -    -     0          0        0                 0             0
  DATASET            RECORDS  MEAN DELAY  LONGEST
  entra.signin       2        1m30s       2m0s
  ual.exchange_item  3        57d20h      69d10h
  RULE   STATE   EVALUATED  FIRED  SHADOW  BUILDING  EXCUSED  FAILED
  fires  live    10         2      0       0         1        0
  quiet  shadow  5          0      4       0         0        0
  fails  live    7          0      0       0         0        7
  2 more rules found nothing
  SINK     STATE        SINCE                 SENT  SUMMARISED  REFUSED  FILTERED  FAULTS  SKIPPED  WAITING  OLDEST  LAST SENT             NEXT TRY
  archive  delivering   2026-01-02T02:04:05Z  1     0           0        0         0       0        0        -       2026-01-02T03:04:04Z  -
  soc      retrying     2026-01-02T03:03:05Z  0     0           0        0         3       0        34       35s     -                     2026-01-02T03:04:25Z
  unknown  interrupted  2026-01-02T03:03:05Z  0     0           0        0         0       0        ?        -       -                     -
  sink soc, last error: status 500
soc1/18 (ingest): running since 2026-01-02T02:04:05Z, last heard 12s ago, 2026-01-02T03:04:03Z; 0 records, 0 events, 0 duplicates, 0 alerts, 0 dead letters
soc1/19: killed; last heard 12s ago, 2026-01-02T03:04:03Z; 0 records, 0 events, 0 duplicates, 0 alerts, 0 dead letters
soc2/9: silent since 2026-01-02T03:03:05Z; 0 records, 0 events, 0 duplicates, 0 alerts, 0 dead letters
soc2/8: ended 2026-01-02T02:04:05Z; 0 records, 0 events, 0 duplicates, 2 alerts, 0 dead letters
no running instance has the role deliver: alerts are not delivered
`
	if d := cmp.Diff(strings.Split(out.String(), "\n"), strings.Split(want, "\n")); d != "" {
		t.Errorf("got -, want +:\n%s", d)
	}
}
