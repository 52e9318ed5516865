package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// lines is a log that a test reads.
type lines struct {
	mu  sync.Mutex
	all strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

func (l *lines) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// embedded starts a broker that is ended by the test.
func embedded(t *testing.T, dir string, log *slog.Logger) (b *Bus, end func()) {
	t.Helper()
	e, err := StartEmbedded(EmbeddedOptions{Dir: dir, Prefix: "test.", Partitions: 1, Cap: 1 << 30, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	if b, err = Connect(e.Config()); err == nil {
		err = b.Ensure(t.Context(), e.TopicSettings())
	}
	if err != nil {
		t.Fatal(err)
	}
	end = sync.OnceFunc(func() { b.Close(); e.Close() })
	t.Cleanup(end)
	return b, end
}

// batches writes single batches with the values 0 to n-1.
func batches(t *testing.T, b *Bus, n int) {
	t.Helper()
	w, err := b.Writer()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for i := range n {
		if err := w.Write(t.Context(), []Record{{Topic: Alerts, Key: []byte("k"), Value: fmt.Append(nil, i)}}); err != nil {
			t.Fatal(err)
		}
	}
}

// readTo is what a group gets until it has seen the last, and the gaps that it is told.
func readTo(t *testing.T, b *Bus, last string) (got []string, gaps []Gap) {
	t.Helper()
	r, err := b.Reader(Member{Topic: Alerts, Group: "sink", Instance: "sink", Missed: func(_ context.Context, g Gap) error {
		gaps = append(gaps, g)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !slices.Contains(got, last) {
		all, err := r.Poll(ctx, 100)
		if err != nil {
			t.Fatalf("after %q: %v", got, err)
		}
		for _, rec := range all {
			got = append(got, string(rec.Value))
		}
		if err := r.Commit(ctx); err != nil {
			t.Fatal(err)
		}
	}
	return got, gaps
}

func segment(dir string) string {
	return filepath.Join(dir, "kafka", "partitions", "test.alerts-0", "0.dat")
}

// harm changes the segment of the alerts; the places of its batches are given.
func harm(t *testing.T, dir string, do func(raw []byte, all stretch) []byte) {
	t.Helper()
	raw, err := os.ReadFile(segment(dir))
	if err != nil {
		t.Fatal(err)
	}
	s := scan(raw, 0, 0, dense)
	if len(s.sound) != 1 || s.tail != 0 {
		t.Fatalf("the segment is not in order before the test: %d stretches, %d bytes more", len(s.sound), s.tail)
	}
	if err := os.WriteFile(segment(dir), do(raw, s.sound[0]), 0o600); err != nil {
		t.Fatal(err)
	}
}

func flip(at func(stretch) int) func([]byte, stretch) []byte {
	return func(raw []byte, all stretch) []byte {
		raw[at(all)] ^= 0x10
		return raw
	}
}

// What is damaged is told with what is missing, and nothing else is missing.
func TestDamageIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		do      func(raw []byte, all stretch) []byte
		missing []string
	}{
		"a bit of a record":         {flip(func(s stretch) int { return s[4].at + batchHead + 5 }), []string{"4"}},
		"a bit of the first batch":  {flip(func(s stretch) int { return s[0].at + batchHead + 5 }), []string{"0"}},
		"a bit of the last batch":   {flip(func(s stretch) int { return s[9].at + batchHead + 5 }), []string{"9"}},
		"a bit of the place":        {flip(func(s stretch) int { return s[4].at + 7 }), []string{"4"}},
		"a high bit of the place":   {flip(func(s stretch) int { return s[4].at + 2 }), []string{"4"}},
		"a bit of the length":       {flip(func(s stretch) int { return s[4].at + 11 }), []string{"4"}},
		"a high bit of the length":  {flip(func(s stretch) int { return s[4].at + 8 }), []string{"4"}},
		"a bit of the magic":        {flip(func(s stretch) int { return s[4].at + 16 }), []string{"4"}},
		"a hole of zeros":           {func(raw []byte, s stretch) []byte { clear(raw[s[3].at : s[5].at+20]); return raw }, []string{"3", "4", "5"}},
		"a piece cut out":           {func(raw []byte, s stretch) []byte { return append(raw[:s[2].at:s[2].at], raw[s[4].at:]...) }, []string{"2", "3"}},
		"all of it":                 {func(raw []byte, _ stretch) []byte { clear(raw); return raw }, []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}},
		"an end that was not whole": {func(raw []byte, s stretch) []byte { return append(raw, raw[s[3].at:s[3].at+65]...) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			b, end := embedded(t, dir, slog.New(slog.DiscardHandler))
			batches(t, b, 10)
			end()
			harm(t, dir, c.do)
			log := &lines{}
			b, end = embedded(t, dir, log.logger())
			if told := strings.Contains(log.String(), "records of the log are damaged"); told != (len(c.missing) > 0) {
				t.Errorf("told is %v: %s", told, log)
			}
			write(t, b, Record{Topic: Alerts, Key: []byte("k"), Value: []byte("new")})
			end()
			b, _ = embedded(t, dir, log.logger()) // the broker is content with what was mended
			got, gaps := readTo(t, b, "new")
			var want []string
			for i := range 10 {
				if v := fmt.Sprint(i); !slices.Contains(c.missing, v) {
					want = append(want, v)
				}
			}
			if want = append(want, "new"); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
			missed := int64(0)
			for _, g := range gaps {
				if missed += g.Len(); !g.Damaged || g.Group != "sink" {
					t.Errorf("told is %+v", g)
				}
			}
			if name != "all of it" && missed != int64(len(c.missing)) || missed == 0 && len(c.missing) > 0 {
				t.Errorf("told are %d missing records, want %d: %+v", missed, len(c.missing), gaps)
			}
			if n := strings.Count(log.String(), "records of the log are damaged"); n > 1 {
				t.Errorf("told %d times", n)
			}
		})
	}
}

// What is damaged while it is read is passed over and told.
func TestDamageWhileReading(t *testing.T) {
	for name, c := range map[string]struct {
		at      func(s stretch) int
		missing string
	}{
		"a record":   {func(s stretch) int { return s[4].at + batchHead + 5 }, "4"},
		"the length": {func(s stretch) int { return s[4].at + 11 }, "4"},
		"the place":  {func(s stretch) int { return s[4].at + 7 }, "4"},
		"the last":   {func(s stretch) int { return s[9].at + batchHead + 5 }, "9"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			b, _ := embedded(t, dir, slog.New(slog.DiscardHandler))
			r, err := b.Reader(Member{Topic: Alerts, Group: "sink", Instance: "sink"}) // the group begins at the start
			if err != nil {
				t.Fatal(err)
			}
			write(t, b, Record{Topic: Alerts, Key: []byte("k"), Value: []byte("first")})
			if _, err := r.Poll(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			if err := r.Commit(t.Context()); err != nil {
				t.Fatal(err)
			}
			r.Close()
			batches(t, b, 10)
			harm(t, dir, flip(func(s stretch) int { return c.at(s[1:]) }))
			go func() {
				time.Sleep(time.Second)
				write(t, b, Record{Topic: Alerts, Key: []byte("k"), Value: []byte("new")})
			}()
			got, gaps := readTo(t, b, "new")
			if len(gaps) != 1 || gaps[0].Len() != 1 || !gaps[0].Damaged || len(got) != 10 || slices.Contains(got, c.missing) {
				t.Errorf("got %q, told %+v", got, gaps)
			}
		})
	}
}

// Positions behind bytes that are not whole count.
func TestPositionsBehindATornOne(t *testing.T) {
	dir := t.TempDir()
	b, end := embedded(t, dir, slog.New(slog.DiscardHandler))
	batches(t, b, 10)
	readTo(t, b, "9")
	end()
	path := filepath.Join(dir, "kafka", "groups.log")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append([]byte{9, 0, 0, 0, 1, 2, 3}, raw...), 0o600); err != nil {
		t.Fatal(err)
	}
	b, _ = embedded(t, dir, slog.New(slog.DiscardHandler))
	write(t, b, Record{Topic: Alerts, Key: []byte("k"), Value: []byte("new")})
	if got, _ := readTo(t, b, "new"); !slices.Equal(got, []string{"new"}) {
		t.Errorf("got %q", got)
	}
}

// A disk that cannot be written is named, and what cannot be brought to it stops every position.
func TestAFaultOfTheDisk(t *testing.T) {
	dir := t.TempDir()
	b, _ := embedded(t, dir, slog.New(slog.DiscardHandler))
	broken := errors.New("it is broken")
	b.config.disk.mu.Lock()
	b.config.disk.broken = broken
	b.config.disk.mu.Unlock()
	w, err := b.Writer()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Write(t.Context(), []Record{{Topic: Checkpoints, Key: []byte("k"), Value: []byte("1")}}); !errors.Is(err, broken) {
		t.Errorf("a position is stored all the same: %v", err)
	}
}
