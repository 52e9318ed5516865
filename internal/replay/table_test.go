package replay

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"noroshi/ingest"
	"noroshi/internal/decode"
	"noroshi/internal/event"
)

// TestRealTablesBecomeEvents: every row of tables that Log Analytics has exported is an event of a family that is read, with a
// time, an action and an account.
func TestRealTablesBecomeEvents(t *testing.T) {
	files, err := filepath.Glob("../../../shared/testdata/sentinel-training-lab/*.csv")
	if err != nil || len(files) == 0 {
		t.Skip("real tables are not beside this checkout; the count needs them")
	}
	r := decode.NewPlan(event.NewLayout(), decode.Options{}).Reader()
	for _, file := range files {
		rows, events, outcomes, accounts := 0, 0, 0, 0
		for _, rec := range recordsIn(t, file) {
			rows++
			if err := r.ReadAlone(rec, time.Time{}); err != nil {
				t.Errorf("%s: %v: %.300s", filepath.Base(file), err, rec)
				continue
			}
			id := r.Identity()
			if r.Shape() == event.Other || id.Action == "" {
				t.Errorf("%s: %+v: %.300s", filepath.Base(file), id, rec)
				continue
			}
			events++
			if id.Account != "" {
				accounts++
			}
			if r.Event.Text(event.Outcome) != "" {
				outcomes++
			}
		}
		t.Logf("%s: %d rows, %d events, with outcome %d, account %d", filepath.Base(file), rows, events, outcomes, accounts)
		if accounts < rows {
			t.Errorf("%s: %d of %d rows have an account", filepath.Base(file), accounts, rows)
		}
	}
}

// recordsIn are all that a file holds.
func recordsIn(t *testing.T, file string) (all [][]byte) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in, err := ingest.Open(file, f)
	if err != nil {
		t.Fatal(err)
	}
	for {
		var b ingest.Block
		more, err := in.Next(&b)
		if err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		if !more {
			return all
		}
		for _, bad := range b.Bad {
			t.Errorf("%s:%d: %s", file, bad.Line, bad.Detail)
		}
		for i := range b.Records {
			all = append(all, b.Bytes(i))
		}
	}
}
