package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"noroshi/internal/app"
	"noroshi/internal/diag"
)

// watching shows some looks, and ends with the last of them as Ctrl-C does.
func watchingStatus(t *testing.T, size func() (int, int), looks ...func() ([]app.Status, error)) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out bytes.Buffer
	n := 0
	l := &live{s: Streams{Out: &out, Err: &out, Now: func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }, Secrets: &diag.Secrets{}}, every: time.Millisecond, size: size,
		read: func(ctx context.Context) ([]app.Status, error) {
			if n == len(looks) {
				cancel()
				return nil, ctx.Err()
			}
			n++
			return looks[n-1]()
		},
		print: func(s Streams, all []app.Status) error {
			for _, one := range all {
				fmt.Fprintf(s.Out, "%s\n  %s\n", one.Instance, strings.Repeat("狼煙 ", 12))
			}
			return nil
		}}
	if err := l.run(ctx); err != nil {
		t.Errorf("Ctrl-C is told as a fault: %v", err)
	}
	return out.String()
}

func TestTheStatusIsShownAgainAndAgain(t *testing.T) {
	some := func() ([]app.Status, error) { return []app.Status{{Instance: "a/1"}, {Instance: "b/2"}}, nil }
	fault := func() ([]app.Status, error) { return nil, errors.New("broker\x1b[31m gone") }
	none := func() ([]app.Status, error) { return nil, nil }

	piped := watchingStatus(t, nil, some, fault, none)
	wide := strings.Repeat("狼煙 ", 12)
	want := "a/1\n  " + wide + "\nb/2\n  " + wide + "\nthe status cannot be read, and is tried again: broker\\u{1b}[31m gone\nno instance has told its status within the hour\n"
	if piped != want {
		t.Errorf("through a pipe comes %q, want %q", piped, want)
	}

	got := watchingStatus(t, func() (int, int) { return 30, 4 }, some, none)
	if !strings.HasPrefix(got, ownScreen+fromTheTop+"a/1"+clearLine+"\r\n") || !strings.HasSuffix(got, backAgain) {
		t.Errorf("the screen is %q", got)
	}
	for _, want := range []string{"  狼煙 狼煙 狼煙 狼煙 狼煙 狼…" + clearLine, "b/2" + clearLine, "1 line more below; 2026-01-02…" + clearLine + clearBelow, "no instance has told its stat…" + clearLine} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in %q", want, got)
		}
	}
	if strings.Count(got, ownScreen) != 1 || strings.Count(got, fromTheTop) != 2 {
		t.Errorf("the screen is %q", got)
	}
}
