package replay

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"noroshi/detector"
	"noroshi/internal/alert"
	"noroshi/rules"
)

// exports are records of which every third sets forwarding to a stranger.
func exports(n int) (lines []string) {
	for i := range n {
		to := "hanako@contoso.example"
		if i%3 == 0 {
			to = "drop@mail.example.net"
		}
		lines = append(lines, fmt.Sprintf(`{"CreationTime":"2026-01-02T%02d:%02d:%02d","Id":"e-%d","Operation":"Set-Mailbox","RecordType":1,"OrganizationId":"t","UserType":0,"UserId":"user%d@contoso.example","Parameters":[{"Name":"ForwardingSmtpAddress","Value":"%s"}]}`, i/3600, i/60%60, i%60, i, i%7, to))
	}
	return lines
}

// replay gives the alerts' JSON.
func replay(t *testing.T, text string, change func(*Replay)) (alerts []string, stats Stats, bad []string) {
	t.Helper()
	set, ps := rules.Load(rules.Options{Library: true})
	if len(ps) > 0 {
		t.Fatal(ps[0].Format())
	}
	set.Rules = slices.DeleteFunc(set.Rules, func(r *rules.Rule) bool { return r.ID == "mailbox-forwarding-inside" }) // exports holds some
	r := Replay{Set: detector.New(set, detector.Options{}), Workers: 3, Alert: func(a *alert.Alert) error {
		alerts = append(alerts, string(a.AppendJSON(nil)))
		return nil
	}, Fault: func(f Fault) { bad = append(bad, fmt.Sprintf("%s:%d: %s: %s", f.Input, f.Line, f.Reason, f.Detail)) }}
	if change != nil {
		change(&r)
	}
	stats, err := r.Run(context.Background(), []Input{{Name: "in", From: strings.NewReader(text)}})
	if err != nil {
		t.Fatal(err)
	}
	return alerts, stats, bad
}

// TestExportsInAnyOrderGiveTheSame: shuffled, doubled, on one worker or many, the same bytes.
func TestExportsInAnyOrderGiveTheSame(t *testing.T) {
	lines := exports(9000)
	want, stats, _ := replay(t, strings.Join(lines, "\n"), nil)
	if len(want) != 3000 || stats.Events != 9000 || stats.ByRule["mailbox-forwarding-outside"] != 3000 {
		t.Fatalf("%d alerts, %+v", len(want), stats)
	}
	shuffled := append(append([]string{}, lines...), lines[:1000]...)
	rand.New(rand.NewPCG(5, 6)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	for workers := range 4 {
		got, stats, _ := replay(t, strings.Join(shuffled, "\n"), func(r *Replay) { r.Workers = workers })
		if stats.Duplicates != 1000 || strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%d workers: %d alerts, %+v", workers, len(got), stats)
		}
	}
}

// TestAsArrivedKeepsTheOrderOfTheInput.
func TestAsArrivedKeepsTheOrderOfTheInput(t *testing.T) {
	lines := exports(10)
	lines[0], lines[9] = lines[9], lines[0]
	got, _, _ := replay(t, strings.Join(lines, "\n"), func(r *Replay) { r.AsArrived = true })
	if len(got) != 4 || !strings.Contains(got[0], `"id":"e-9"`) || !strings.Contains(got[3], `"id":"e-0"`) {
		t.Errorf("got %v", got)
	}
}

func TestSinceUntilAndTheLastHours(t *testing.T) {
	text := strings.Join(exports(7200), "\n") // two hours
	at := time.Date(2026, 1, 2, 1, 0, 0, 0, time.UTC)
	for name, row := range map[string]struct {
		change func(*Replay)
		want   int
	}{
		"since": {func(r *Replay) { r.Since = at }, 1200}, "until": {func(r *Replay) { r.Until = at }, 1200}, "both": {func(r *Replay) { r.Since, r.Until = at, at.Add(time.Minute) }, 20},
		"the last half hour": {func(r *Replay) { r.Last = 30 * time.Minute }, 600},
	} {
		if got, _, _ := replay(t, text, row.change); len(got) != row.want {
			t.Errorf("%s: %d alerts, want %d", name, len(got), row.want)
		}
	}
}

// TestBadLinesStopNothing: each is named, in order, and all the others are read.
func TestBadLinesStopNothing(t *testing.T) {
	lines := exports(400)
	bads := []string{"null", "7", `"x"`, "[]x", `{"a":`, "{\"a\":\"\xff\"}", "{\"a\":\"\x00\"}", "\x00\x00", strings.Repeat("[", 1000), strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100), `{"Operation":"x"}`, "nonsense"}
	var all []string
	for i, l := range lines {
		all = append(all, l)
		if i < len(bads) {
			all = append(all, bads[i])
		}
	}
	got, stats, bad := replay(t, strings.Join(all, "\n"), nil)
	if len(got) != 134 || stats.Undecodable != len(bads) || stats.Records != stats.Events+stats.Duplicates+stats.Undecodable {
		t.Errorf("%d alerts, %+v", len(got), stats)
	}
	for i, b := range bad {
		if !strings.HasPrefix(b, fmt.Sprintf("in:%d: ", 2*i+2)) {
			t.Errorf("the %d. bad line is named %s", i+1, b)
		}
	}
}

// TestInputsThatCannotBeReadStopNoOther: what was read before the damage counts, and so do the inputs after it.
func TestInputsThatCannotBeReadStopNoOther(t *testing.T) {
	lines := exports(9000)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := io.WriteString(z, strings.Join(lines, "\n")); err != nil || z.Flush() != nil {
		t.Fatal("gzip")
	}
	packed.Truncate(packed.Len() - 40)
	for _, workers := range []int{1, 3} {
		r, alerts := shipped(t)
		r.Workers = workers
		stats, err := r.Run(t.Context(), []Input{
			{Name: "nosuch", Err: errors.New("nosuch does not exist")},
			{Name: "cut.gz", From: bytes.NewReader(packed.Bytes())},
			{Name: "whole", From: strings.NewReader(strings.Join(exports(9003)[9000:], "\n"))},
		})
		if want := "nosuch does not exist\ncut.gz is cut off after byte "; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%d workers: error %v, want %q", workers, err, want)
		}
		if stats.Events < 8900 || stats.Alerts != len(*alerts) || !strings.Contains(strings.Join(*alerts, ""), "e-9000") {
			t.Errorf("%d workers: %d alerts, %+v", workers, len(*alerts), stats)
		}
		if got := strings.Join(stats.Unread, " "); got != "nosuch cut.gz" {
			t.Errorf("%d workers: unread %s", workers, got)
		}
	}
}

// shipped replays with the rules we ship, and keeps the alerts' JSON.
func shipped(t *testing.T) (*Replay, *[]string) {
	t.Helper()
	set, ps := rules.Load(rules.Options{Library: true})
	if len(ps) > 0 {
		t.Fatal(ps[0].Format())
	}
	var alerts []string
	return &Replay{Set: detector.New(set, detector.Options{}), Workers: 3, Alert: func(a *alert.Alert) error {
		alerts = append(alerts, string(a.AppendJSON(nil)))
		return nil
	}}, &alerts
}

// TestAReplayEndsWhileItApplies: what is asked to end gives no further alert.
func TestAReplayEndsWhileItApplies(t *testing.T) {
	set, ps := rules.Load(rules.Options{Library: true})
	if len(ps) > 0 {
		t.Fatal(ps[0].Format())
	}
	ctx, cancel := context.WithCancel(t.Context())
	given := 0
	r := Replay{Set: detector.New(set, detector.Options{}), Workers: 2, Alert: func(*alert.Alert) error {
		given++
		cancel()
		return nil
	}}
	_, err := r.Run(ctx, []Input{{Name: "in", From: strings.NewReader(strings.Join(exports(900), "\n"))}})
	if !errors.Is(err, context.Canceled) || given != 1 {
		t.Errorf("%d alerts, %v", given, err)
	}
}
