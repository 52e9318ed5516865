package o365_test

import (
	"slices"
	"testing"

	"noroshi/ingest/o365"
	"noroshi/internal/o365test"
)

// A check reads the list of subscriptions, which the API zips.
func TestACheckReadsAZippedAnswer(t *testing.T) {
	s, err := o365.New(o365.Of(o365test.Start(t, o365test.Config{}), o365.Contents[1]).Quick())
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Check(t.Context())
	if err != nil || !slices.Equal(got.Off, o365.Contents[1:2]) {
		t.Errorf("got %+v, %v; expected that %s is off", got, err, o365.Contents[1])
	}
}
