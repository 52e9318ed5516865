package cli

import (
	"context"
	"strings"
	"testing"

	"noroshi/ingest/feed"
	"noroshi/internal/app"
)

type named struct {
	feed.Stream
	name string
}

func (n named) Name() string { return n.name }

func (named) Close(context.Context) error { return nil }

// Two sources never share their positions, whatever they are called.
func TestNamesOfSources(t *testing.T) {
	names := map[string]bool{}
	r := &app.Run{}
	for _, one := range []struct {
		name string
		ok   bool
	}{{"contoso-audit", true}, {"contoso.audit_2", true}, {"contoso-audit", false}, {"監査", false}, {"a b", false}, {strings.Repeat("x", 181), false}} {
		if err := add(r, names, app.Feed{Stream: named{name: one.name}}); (err == nil) != one.ok {
			t.Errorf("%s: %v", one.name, err)
		}
	}
	if len(r.Feeds) != 2 {
		t.Errorf("%d sources", len(r.Feeds))
	}
}
