package cli

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noroshi/internal/app"
)

// The status says what waits, since when and for which source, and what is wrong with how far sources have come.
func TestTheStatusTellsWhatWaits(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return at.Add(-d) }
	var out bytes.Buffer
	table := statusTable{out: &out, of: &app.Status{At: at, Started: ago(time.Hour),
		Waits: []app.WaitSum{
			{Tenant: "t-1", Datasets: []string{"entra.signin"}, Since: ago(54 * time.Minute), Source: "signins/3"},
			{Tenant: "t-1", Datasets: []string{"a", "b", "c", "d"}, Since: ago(54 * time.Minute), Source: "signins/3"},
			{Since: ago(54 * time.Minute), Source: "files@old"},
			{Since: ago(9000 * time.Hour), Source: "files@read"},
			{Source: "signins/4"},
		}, Waiting: 7,
		Needs:      []app.NeedSum{{Rule: "no-mail", Tenant: "t-1", Events: 2, Datasets: []string{"a", "b"}, Since: ago(54 * time.Minute)}},
		NeedsTotal: 2,
		Clocks: []app.ClockSum{
			{Source: "files@gone", Progress: ago(9 * time.Hour), Ticked: ago(9 * time.Hour), Retired: ago(time.Hour)},
			{Source: "files@old", Progress: ago(2 * time.Hour), Ticked: ago(2 * time.Hour), Holds: 1},
			{Source: "files@read", Progress: ago(9000 * time.Hour), Ticked: ago(time.Second), Holds: 1},
			{Source: "signins/2", Progress: ago(time.Minute), Ticked: ago(time.Second)},
			{Source: "signins/3", Progress: ago(54 * time.Minute), Ticked: ago(time.Second), Holds: 2},
			{Source: "signins/4", Ticked: ago(time.Second)},
			{Source: "signins/5"},
			{Source: "signins/6", Holds: 1},
		},
		Sources: []app.SourceSum{{Name: "signins", Kind: "stream"}, {Name: "audit", Kind: "stream"}},
		Late:    []app.LateSum{{Dataset: "entra.signin", Mean: 5 * time.Hour, Wait: 15 * time.Minute}, {Dataset: "ual.exchange_admin", Mean: 9000 * time.Hour, Wait: 2 * time.Hour}},
		Ahead:   3 * 3600, Refused: 2, Unread: 1,
	}}
	table.clocks()
	want := `  waiting: rules on entra.signin of tenant t-1 since 2026-01-02T02:10:05Z for signins/3
  waiting: rules on a, b and 2 more of tenant t-1 since 2026-01-02T02:10:05Z for signins/3
  waiting: rules on all events without a tenant since 2026-01-02T02:10:05Z for files@old
  waiting: rules on all events without a tenant for the first word of signins/4
  waiting: 2 more clocks
  waiting: rule no-mail has 2 events of tenant t-1 undecided since 2026-01-02T02:10:05Z, until a, b shows something later; after a day they are dropped
  waiting: events of 1 more rule
  source files@old: it has told nothing since 2026-01-02T01:04:05Z (2h0m0s); if it is gone for good: noroshi sources retire files@old
  source files@read: it has come to 2024-12-23T03:04:05Z; at the ends of files time passes from their latest event on
  source signins/3: it is read up to 2026-01-02T02:10:05Z (54m0s behind)
  source signins/4: it has not told how far it has come
  source signins/6: nobody has read it yet; if it is gone for good: noroshi sources retire signins/6
  source audit: it has never told how far it has come; what waits for its datasets does not know of it
  late: events of entra.signin come 5h0m0s after they happened on average, but decisions wait 15m0s for them; set lateness: {entra.signin: {wait: …}} in the configuration
  old: events of ual.exchange_admin were 375d0h old on average when they came, as in an export; rules that remember find less in them than noroshi replay
  clocks differ: that of an instance which reads sources is ahead by 3h0m0s; set the machines by a time server
  too many sources, tenants or datasets: 2 times one was left out; nothing is decided late for it
  1 tick of a version that this instance does not know; update it
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}
