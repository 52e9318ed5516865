package bus

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// shift is a flow that takes the only partition, does what it is given and ends.
type shift struct {
	b       *Bus
	exactly bool
}

// work does a record, writes a row that tells it, and gives what it has found stored. Without a record it takes the partition alone.
func (s shift) work(t *testing.T, record string) Stored {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	taken := make(chan Stored, 10)
	f, err := s.b.Flow(Step{Topic: Events, Group: "shift", State: DetectorState, Instance: "shift-0", Exactly: s.exactly,
		Take: func(_ context.Context, _ int32, stored Stored) error { taken <- stored; return nil }, Left: func([]int32) {}})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Quit(ctx)
	if record != "" {
		write(t, s.b, Record{Topic: Events, Key: []byte("k"), Value: []byte(record)})
	}
	for len(taken) == 0 || record != "" {
		within, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		all, err := f.Poll(within, 100)
		cancel()
		if err != nil && within.Err() == nil || ctx.Err() != nil {
			t.Fatal(err)
		}
		if len(all) == 0 {
			continue
		}
		last := all[len(all)-1].Value
		rows := []Record{{Partition: 0, Key: []byte("last"), Value: last}, {Partition: 0, Key: append([]byte("of "), last...), Value: last}}
		if stored, err := f.Commit(ctx, rows); err != nil || !stored {
			t.Fatalf("stored %v: %v", stored, err)
		}
		if string(last) == record {
			break
		}
	}
	return <-taken
}

// bothWays runs a test with and without transactions.
func bothWays(t *testing.T, do func(t *testing.T, exactly bool)) {
	for name, exactly := range map[string]bool{"exactly once": true, "at least once": false} {
		t.Run(name, func(t *testing.T) { t.Parallel(); do(t, exactly) })
	}
}

func stateDir(dir string) string {
	return filepath.Join(dir, "kafka", "partitions", "test."+string(DetectorState)+"-0")
}

// copied is a copy of a folder.
func copied(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// put puts another log in the place of the state.
func put(t *testing.T, dir, log string) {
	t.Helper()
	if err := os.RemoveAll(stateDir(dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(stateDir(dir), os.DirFS(log)); err != nil {
		t.Fatal(err)
	}
}

// moveTo stores a place as a tool or an earlier version does.
func moveTo(t *testing.T, b *Bus, to int64) {
	t.Helper()
	all := kadm.Offsets{}
	all.AddOffset(b.name(Events), 0, to, -1)
	if err := b.admin.CommitAllOffsets(t.Context(), b.config.Prefix+"shift", all); err != nil {
		t.Fatal(err)
	}
}

func placeOf(t *testing.T, b *Bus) int64 {
	t.Helper()
	all, err := b.admin.FetchOffsets(t.Context(), b.config.Prefix+"shift")
	if err != nil {
		t.Fatal(err)
	}
	o, _ := all.Lookup(b.name(Events), 0)
	return o.At
}

// earlierVersion does what a version does that keeps memory and compares nothing: a fence, rows, a place so much further on.
func earlierVersion(t *testing.T, b *Bus, further int64) {
	t.Helper()
	at, err := b.place(t.Context(), []Record{{Topic: DetectorState, Key: []byte(fenceRow)}})
	if err != nil {
		t.Fatal(err)
	}
	var rows []Record
	for i := range 20 {
		rows = append(rows, Record{Topic: DetectorState, Key: fmt.Append(nil, "earlier ", i), Value: []byte("row"),
			Headers: []Header{{Key: headerOwner, Value: fmt.Append(nil, at[0]+1)}}})
	}
	if _, err := b.place(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	moveTo(t, b, placeOf(t, b)+further)
}

// lastSegment changes the newest segment of the state.
func lastSegment(t *testing.T, dir string, do func(raw []byte) []byte) {
	t.Helper()
	p := &logPart{dir: stateDir(dir)}
	if err := p.list(); err != nil {
		t.Fatal(err)
	}
	path := p.file(p.bases[len(p.bases)-1], segmentExt)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, do(raw), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Memory that is older than the place from which the records are read counts for nothing, and that is told once.
func TestMemoryThatIsOlderThanThePlace(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, dir, before string)
		want  Loss
	}{
		"nothing is wrong": {func(*testing.T, string, string) {}, ""},
		"an old copy": {func(t *testing.T, dir, before string) {
			put(t, dir, before)
		}, LossOlder},
		"a file that is cut": {func(t *testing.T, dir, _ string) {
			lastSegment(t, dir, func(raw []byte) []byte { return raw[:bytes.LastIndex(raw, []byte("of new"))-120] })
		}, LossOlder},
		"a file that is cut within a row": {func(t *testing.T, dir, _ string) {
			lastSegment(t, dir, func(raw []byte) []byte { return raw[:bytes.LastIndex(raw, []byte("of new"))] })
		}, LossOlder},
		"a longer log of another place": {func(t *testing.T, dir, _ string) {
			other := t.TempDir()
			b, end := embedded(t, other, slog.New(slog.DiscardHandler))
			for i := range 5 {
				shift{b, false}.work(t, fmt.Sprint("other ", i))
			}
			end()
			put(t, dir, stateDir(other))
		}, LossOther},
		"an old copy, and then a version that compares nothing": {func(t *testing.T, dir, before string) {
			put(t, dir, before)
			b, end := embedded(t, dir, slog.New(slog.DiscardHandler))
			defer end()
			earlierVersion(t, b, 0)
		}, LossUnseen},
		"a version that keeps no memory went on": {func(t *testing.T, dir, _ string) {
			b, end := embedded(t, dir, slog.New(slog.DiscardHandler))
			defer end()
			write(t, b, Record{Topic: Events, Key: []byte("k"), Value: []byte("unseen")})
			moveTo(t, b, placeOf(t, b)+1)
		}, LossMoved},
		"damaged rows": {func(t *testing.T, dir, _ string) {
			lastSegment(t, dir, func(raw []byte) []byte { raw[bytes.Index(raw, []byte("of old"))] ^= 1; return raw })
		}, LossDamaged},
		"damaged rows at the beginning": {func(t *testing.T, dir, _ string) {
			lastSegment(t, dir, func(raw []byte) []byte {
				for _, key := range []string{fenceRow, "of old"} {
					raw[bytes.Index(raw, []byte(key))] ^= 1
				}
				return raw
			})
		}, LossDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			bothWays(t, func(t *testing.T, exactly bool) {
				dir := t.TempDir()
				b, end := embedded(t, dir, slog.New(slog.DiscardHandler))
				shift{b, exactly}.work(t, "old")
				end()
				before := copied(t, stateDir(dir))
				b, end = embedded(t, dir, slog.New(slog.DiscardHandler))
				if got := (shift{b, exactly}).work(t, "new"); got.Lost != "" || string(got.Rows["last"]) != "old" {
					t.Fatalf("before anything is spoiled: %q, lost %q", got.Rows, got.Lost)
				}
				end()
				c.spoil(t, dir, before)
				b, end = embedded(t, dir, slog.New(slog.DiscardHandler))
				first := shift{b, exactly}.work(t, "")
				second := shift{b, exactly}.work(t, "")
				end()
				b, end = embedded(t, dir, slog.New(slog.DiscardHandler))
				third := shift{b, exactly}.work(t, "newer")
				last := shift{b, exactly}.work(t, "")
				end()
				if first.Lost != c.want || second.Lost != "" || third.Lost != "" || last.Lost != "" {
					t.Errorf("told are %q, then %q, %q and %q; expected %q once", first.Lost, second.Lost, third.Lost, last.Lost, c.want)
				}
				want := map[bool]string{true: "new", false: ""}[c.want == ""]
				for i, s := range []Stored{first, second, third} {
					if string(s.Rows["last"]) != want {
						t.Errorf("take %d: rows %q, expected %q", i, s.Rows, want)
					}
				}
				if string(last.Rows["last"]) != "newer" {
					t.Errorf("behind it: rows %q", last.Rows)
				}
				if c.want != "" && len(first.Old) == 0 {
					t.Error("the rows that do not count are not given")
				}
			})
		})
	}
}

// A topic that was deleted and made anew holds nothing of what the commits speak of, or an old copy of it.
func TestATopicOfMemoryThatIsMadeAnew(t *testing.T) {
	bothWays(t, func(t *testing.T, exactly bool) {
		b, _ := embedded(t, t.TempDir(), slog.New(slog.DiscardHandler))
		MadeAnew(t, b, exactly)
	})
}

// MadeAnew deletes the topic of memory of a bus with one partition, and puts less, and more, of an old copy into a new one.
func MadeAnew(t *testing.T, b *Bus, exactly bool) {
	t.Helper()
	s := shift{b, exactly}
	s.work(t, "first")
	var old []Record
	for end := time.Now().Add(time.Minute); len(old) < 3 && time.Now().Before(end); { // what was committed is visible a little later
		old = nil
		if err := b.All(t.Context(), DetectorState, func(r Record) error { old = append(old, r); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	long := slices.Repeat(old, 20)
	for i, put := range [][]Record{nil, old, long} {
		s.work(t, fmt.Sprint("before ", i))
		s.work(t, fmt.Sprint("also before ", i))
		if err := b.Delete(t.Context(), DetectorState); err != nil {
			t.Fatal(err)
		}
		if err := b.Ensure(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if len(put) > 0 {
			if _, err := b.place(t.Context(), put); err != nil {
				t.Fatal(err)
			}
		}
		behind := fmt.Sprint("behind ", i)
		got := s.work(t, behind)
		want := []Loss{LossOlder, LossOlder, LossOther}[i]
		if got.Lost != want || !got.Known || got.New != (i == 0) || len(got.Rows) > 0 || len(got.Old) != min(i, 1)*2 {
			t.Errorf("after it was made anew: %+v", got)
		}
		if got := s.work(t, ""); got.Lost != "" || string(got.Rows["last"]) != behind {
			t.Errorf("later: %q, lost %q", got.Rows, got.Lost)
		}
	}
}

// A topic that is deleted and made anew has another id at once, whatever the client was told a moment ago.
func TestATopicThatIsMadeAnewHasAnotherID(t *testing.T) {
	b, _ := embedded(t, t.TempDir(), slog.New(slog.DiscardHandler))
	seen := map[string]bool{}
	for range 3 {
		id, err := b.topicID(t.Context(), DetectorState)
		if err != nil {
			t.Fatal(err)
		}
		if seen[id] {
			t.Errorf("the id is that of a topic that was deleted: %s", id)
		}
		seen[id] = true
		if err := b.Delete(t.Context(), DetectorState); err != nil {
			t.Fatal(err)
		}
		if err := b.Ensure(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
}

// Rows that a tool deletes are missing; those that were written again before are not.
func TestRowsThatWereDeleted(t *testing.T) {
	bothWays(t, func(t *testing.T, exactly bool) {
		b, _ := embedded(t, t.TempDir(), slog.New(slog.DiscardHandler))
		s := shift{b, exactly}
		for i := range 5 {
			s.work(t, fmt.Sprint(i))
		}
		if err := b.renew(t.Context(), DetectorState, 0); err != nil {
			t.Fatal(err)
		}
		if got := s.work(t, ""); got.Lost != "" || len(got.Rows) != 6 {
			t.Errorf("written again: lost %q, rows %q", got.Lost, got.Rows)
		}
		if got := s.work(t, "5"); got.Lost != "" || len(got.Rows) != 6 {
			t.Errorf("later: lost %q, rows %q", got.Lost, got.Rows)
		}
		start, _, err := b.Bounds(t.Context(), DetectorState, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.shorten(t.Context(), DetectorState, 0, start+3); err != nil {
			t.Fatal(err)
		}
		if got := s.work(t, ""); got.Lost != LossCut || len(got.Rows) > 0 || string(got.Old["last"]) != "5" {
			t.Errorf("deleted: lost %q, rows %q, old %q", got.Lost, got.Rows, got.Old)
		}
		if got := s.work(t, "6"); got.Lost != "" || len(got.Rows) > 0 {
			t.Errorf("again: lost %q, rows %q", got.Lost, got.Rows)
		}
		if got := s.work(t, ""); got.Lost != "" || string(got.Rows["last"]) != "6" {
			t.Errorf("behind it: lost %q, rows %q", got.Lost, got.Rows)
		}
	})
}

// What commits tell comes back, and what earlier and later versions tell is read as far as it is known.
func TestWhatACommitTellsOfMemory(t *testing.T) {
	for text, want := range map[string]bond{
		"":                           noBond,
		"noroshi-1":                  noBond,
		"noroshi.memory/1 ":          noBond,
		"noroshi.memory/1 x start=1": noBond,
		"noroshi.memory/1 57":        {end: 57, start: -1},
		"noroshi.memory/1 57 start=3 log=abc== mark=M":             {57, 3, "abc==", "M"},
		"noroshi.memory/1 57 tomorrow=9 start=3 log=abc== mark=M":  {57, 3, "abc==", "M"},
		"noroshi.memory/1 57 start=-3 log= mark= and nothing else": {end: 57, start: -1},
	} {
		got := readBond(text)
		if got != want {
			t.Errorf("%q gives %+v, expected %+v", text, got, want)
		}
		if again := readBond(got.String()); again != got {
			t.Errorf("%+v comes back as %+v", got, again)
		}
	}
}

// A place that somebody else has moved on, who keeps no memory, is not that of the memory. Where nobody has told yet what belongs to it, it
// is taken as it is, and from then on it is told.
func TestAPlaceThatWasMoved(t *testing.T) {
	bothWays(t, func(t *testing.T, exactly bool) {
		b, _ := embedded(t, t.TempDir(), slog.New(slog.DiscardHandler))
		s := shift{b, exactly}
		s.work(t, "1")
		moveTo(t, b, placeOf(t, b)) // as an earlier version commits
		if got := s.work(t, "2"); got.Lost != "" || string(got.Rows["last"]) != "1" {
			t.Errorf("of an earlier version: %q, lost %q", got.Rows, got.Lost)
		}
		if got := s.work(t, ""); got.Lost != "" || string(got.Rows["last"]) != "2" {
			t.Errorf("as it is: %q, lost %q", got.Rows, got.Lost)
		}
		moveTo(t, b, placeOf(t, b)-1) // back: the memory is not older
		if got := s.work(t, ""); got.Lost != "" || string(got.Rows["last"]) != "2" {
			t.Errorf("moved back: %q, lost %q", got.Rows, got.Lost)
		}
		s.work(t, "3")
		s.work(t, "")
		write(t, b, Record{Topic: Events, Key: []byte("k"), Value: []byte("unseen")})
		moveTo(t, b, placeOf(t, b)+1)
		if got := s.work(t, ""); got.Lost != LossMoved || len(got.Rows) > 0 || string(got.Old["last"]) != "3" {
			t.Errorf("moved on: %q, lost %q, old %q", got.Rows, got.Lost, got.Old)
		}
		if got := s.work(t, "4"); got.Lost != "" || len(got.Rows) > 0 {
			t.Errorf("again: %q, lost %q", got.Rows, got.Lost)
		}
		if got := s.work(t, ""); got.Lost != "" || string(got.Rows["last"]) != "4" {
			t.Errorf("behind it: %q, lost %q", got.Rows, got.Lost)
		}
	})
}

// Each kind of transactional ids that an instance uses is tried at the start, and the one that is refused is named.
func TestRefusedTransactionalIDs(t *testing.T) {
	e, b := start(t, t.TempDir(), 1<<30)
	e.cluster.ControlKey(int16(kmsg.InitProducerID), func(req kmsg.Request) (kmsg.Response, error, bool) {
		e.cluster.KeepControl()
		r := req.(*kmsg.InitProducerIDRequest)
		if r.TransactionalID == nil || !strings.HasPrefix(*r.TransactionalID, "test.signals-") {
			return nil, nil, false
		}
		answer := r.ResponseKind().(*kmsg.InitProducerIDResponse)
		answer.ErrorCode = kerr.TransactionalIDAuthorizationFailed.Code
		return answer, nil, true
	})
	if ok, err := b.Transactional(t.Context(), "ingest", "detector"); !ok || err != nil {
		t.Errorf("without signals: %v, %v", ok, err)
	}
	ok, err := b.Transactional(t.Context(), "detector", "signals")
	if ok || !TransactionsDenied(err) || !strings.Contains(err.Error(), "begin with test.signals-,") {
		t.Errorf("with signals: %v, %v", ok, err)
	}
}
