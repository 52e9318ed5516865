package bus

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func start(t *testing.T, dir string, size int64) (*Embedded, *Bus) {
	t.Helper()
	e, err := StartEmbedded(EmbeddedOptions{Dir: dir, Prefix: "test.", Partitions: 4, Cap: size, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	b, err := Connect(e.Config())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	if err := b.Ensure(t.Context(), e.TopicSettings()); err != nil {
		t.Fatal(err)
	}
	return e, b
}

func write(t *testing.T, b *Bus, records ...Record) {
	t.Helper()
	w, err := b.Writer()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Write(t.Context(), records); err != nil {
		t.Fatal(err)
	}
}

func values(t *testing.T, b *Bus, topic Topic) (all []string) {
	t.Helper()
	if err := b.All(t.Context(), topic, func(r Record) error {
		all = append(all, string(r.Value))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestTheCredentialIsNeededAndPrivate(t *testing.T) {
	dir := t.TempDir()
	e, _ := start(t, dir, 1<<30)
	info, err := os.Stat(filepath.Join(dir, "broker.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("broker.json: %v, %v", info, err)
	}
	wrong := e.Config()
	wrong.Password = "guess"
	none := e.Config()
	none.Mechanism = ""
	for name, c := range map[string]Config{"a wrong password": wrong, "no password": none} {
		b, err := Connect(c)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		if err := b.Await(ctx); err == nil {
			t.Errorf("%s is let in", name)
		}
		cancel()
		b.Close()
	}
	c, err := FromData(dir, slog.New(slog.DiscardHandler))
	if err != nil || c.Password != e.Config().Password || !strings.HasPrefix(c.Brokers[0], "127.0.0.1:") {
		t.Errorf("our own commands get %v, %v", c.Brokers, err)
	}
}

func TestOneProcessAData(t *testing.T) {
	dir := t.TempDir()
	start(t, dir, 1<<30)
	_, err := StartEmbedded(EmbeddedOptions{Dir: dir, Partitions: 4, Cap: 1 << 30, Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("process %d", os.Getpid())) {
		t.Errorf("a second broker says %v", err)
	}
	if _, err := FromData(t.TempDir(), nil); !errors.Is(err, ErrNotRunning) {
		t.Errorf("an empty folder says %v", err)
	}
}

// TestALookAtTheDataLeavesTheLockAlone: a command after a kill does not write itself down as the holder.
func TestALookAtTheDataLeavesTheLockAlone(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"broker.json": "{}", "lock": "77\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := FromData(dir, nil); !errors.Is(err, ErrNotRunning) {
		t.Errorf("after a kill: %v", err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "lock")); err != nil || string(b) != "77\n" {
		t.Errorf("the lock holds %q, %v", b, err)
	}
}

func TestARecordKeepsItsBytesAndHeaders(t *testing.T) {
	_, b := start(t, t.TempDir(), 1<<30)
	write(t, b, Record{Topic: Events, Key: []byte("k"), Value: []byte(`{"a": 1}`), Headers: []Header{{Key: "dataset", Value: []byte("ual.x")}}})
	found := 0
	if err := b.All(t.Context(), Events, func(r Record) error {
		found++
		if string(r.Value) != `{"a": 1}` || string(r.Key) != "k" || r.Header("dataset") != "ual.x" || r.Timestamp.IsZero() {
			t.Errorf("got %+v", r)
		}
		return nil
	}); err != nil || found != 1 {
		t.Errorf("%d records, %v", found, err)
	}
}

func TestTheLastRecordsOfEachPartition(t *testing.T) {
	_, b := start(t, t.TempDir(), 1<<30)
	for i := range 9 {
		write(t, b, Record{Topic: Events, Key: []byte("k"), Value: []byte(fmt.Sprint(i))})
	}
	var got []string
	if err := b.Last(t.Context(), Events, 2, func(r Record) error {
		got = append(got, string(r.Value))
		return nil
	}); err != nil || fmt.Sprint(got) != "[7 8]" {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestARecordThatKafkaWillNeverTakeIsNamed(t *testing.T) {
	_, b := start(t, t.TempDir(), 1<<30)
	w, err := b.Writer()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	var large *TooLarge
	all := []Record{{Topic: Events, Value: []byte("{}")}, {Topic: Events, Value: make([]byte, maxMessage+1)}, {Topic: Events, Value: []byte("{}")}, {Topic: Events, Value: make([]byte, maxMessage+2)}}
	err = w.Write(t.Context(), all)
	if !errors.As(err, &large) || !slices.Equal(large.Records, []int{1, 3}) {
		t.Errorf("got %v", err)
	}
	stored := 0
	if err := b.All(t.Context(), Events, func(Record) error { stored++; return nil }); err != nil || stored != 2 {
		t.Errorf("%d are stored, %v", stored, err)
	}
}

func TestWhatIsNotCommittedComesAgain(t *testing.T) {
	_, b := start(t, t.TempDir(), 1<<30)
	for i := range 10 {
		write(t, b, Record{Topic: Events, Key: []byte("one account"), Value: []byte(fmt.Sprint(i))})
	}
	take := func(n int) (got []string) {
		r, err := b.Reader(Member{Topic: Events, Group: "g", Instance: "i"})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for len(got) < n {
			all, err := r.Poll(t.Context(), n-len(got))
			if err != nil {
				t.Fatal(err)
			}
			for _, rec := range all {
				got = append(got, string(rec.Value))
			}
			if len(got) <= 4 {
				if err := r.Commit(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		return got
	}
	if got := take(4); fmt.Sprint(got) != "[0 1 2 3]" {
		t.Fatalf("got %v", got)
	}
	if got := take(6); fmt.Sprint(got) != "[4 5 6 7 8 9]" {
		t.Fatalf("got %v", got)
	}
}

// TestKilledBrokerKeepsWhatItAcknowledged: a child process is killed while it writes.
func TestKilledBrokerKeepsWhatItAcknowledged(t *testing.T) {
	if dir := os.Getenv("NOROSHI_BUS_CHILD"); dir != "" {
		_, b := start(t, dir, 1<<30)
		w, err := b.Writer()
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; ; i++ {
			if err := w.Write(t.Context(), []Record{{Topic: Events, Key: []byte(fmt.Sprint(i % 7)), Value: []byte(os.Getenv("NOROSHI_BUS_ROUND") + "/" + fmt.Sprint(i))}}); err != nil {
				t.Fatal(err)
			}
			fmt.Println("acknowledged", i)
		}
	}
	dir := t.TempDir()
	lasts := map[int]int{}
	for round := range 3 {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestKilledBrokerKeepsWhatItAcknowledged$")
		cmd.Env = append(os.Environ(), "NOROSHI_BUS_CHILD="+dir, fmt.Sprintf("NOROSHI_BUS_ROUND=%d", round))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		n := 0
		for n < 500 {
			if _, err := fmt.Fscanf(out, "acknowledged %d\n", &n); err != nil {
				t.Fatal(err)
			}
		}
		lasts[round] = n
		_ = cmd.Process.Kill() // the test is about this
		_ = cmd.Wait()
	}
	_, b := start(t, dir, 1<<30)
	have := map[string]bool{}
	for _, v := range values(t, b, Events) {
		have[v] = true
	}
	for round, last := range lasts {
		for i := range last + 1 {
			if !have[fmt.Sprintf("%d/%d", round, i)] {
				t.Errorf("%d of round %d was acknowledged and is gone", i, round)
			}
		}
	}
}

// TestAFullLogStopsTheSourceAndLosesNothing: the detector is stopped while three times the cap is fed.
func TestAFullLogStopsTheSourceAndLosesNothing(t *testing.T) {
	size, total := int64(1<<30), int64(3<<30)
	if os.Getenv("CI") == "" {
		size, total = 64<<20, 192<<20 // the whole of it where time does not matter
	}
	e, b := start(t, t.TempDir(), size)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	kept := make(chan error, 1)
	go func() { kept <- e.Keep(ctx, b, map[Topic][]string{Events: {"detector"}}, 20*time.Millisecond) }()

	const length = 256 << 10
	n := int(total / length)
	var fed atomic.Int64
	done := make(chan error, 1)
	go func() { done <- feed(ctx, e, b, n, length, &fed) }()
	for e.Holder() == "" { // nobody reads: the gate must close
		select {
		case err := <-done:
			t.Fatalf("all was fed into a log that nobody reads: %v", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	if h := e.Holder(); h != "detector on test.events" {
		t.Errorf("the holder is %q", h)
	}
	if bytes := fed.Load() * length; bytes > 2*size {
		t.Errorf("%d bytes were fed before the gate closed at %d", bytes, size)
	}
	r, err := b.Reader(Member{Topic: Events, Group: "detector", Instance: "d"})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	seen := make([]bool, n)
	for left := n; left > 0; {
		all, err := r.Poll(ctx, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range all {
			i := binary.BigEndian.Uint64(rec.Value)
			if sum(rec.Value[8:]) != i*0x9e3779b97f4a7c15>>32 || len(rec.Value) != length {
				t.Fatalf("record %d has changed", i)
			}
			if !seen[i] {
				seen[i] = true
				left--
			}
		}
		if err := r.Commit(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	stop()
	if err := <-kept; err != nil {
		t.Fatal(err)
	}
}

// feed writes records that carry their number and what their bytes add up to.
func feed(ctx context.Context, e *Embedded, b *Bus, n, length int, fed *atomic.Int64) error {
	w, err := b.Writer()
	if err != nil {
		return err
	}
	defer w.Close()
	r := rand.NewChaCha8([32]byte{})
	for i := 0; i < n; i += 8 {
		if err := e.WaitRoom(ctx); err != nil {
			return err
		}
		var batch []Record
		for j := i; j < min(i+8, n); j++ {
			v := make([]byte, length)
			_, _ = r.Read(v) // it never fails
			binary.BigEndian.PutUint64(v, uint64(j))
			want := uint64(j) * 0x9e3779b97f4a7c15 >> 32
			binary.BigEndian.PutUint64(v[8:], want-sum(v[16:]))
			batch = append(batch, Record{Topic: Events, Key: []byte(fmt.Sprint(j)), Value: v})
		}
		if err := w.Write(ctx, batch); err != nil {
			return err
		}
		fed.Add(int64(len(batch)))
	}
	return nil
}

// sum adds the words of b up.
func sum(b []byte) (s uint64) {
	for ; len(b) >= 8; b = b[8:] {
		s += binary.BigEndian.Uint64(b)
	}
	return s
}

// TestClosingCommitsNothing: a reader that ends in the middle of its work leaves it to the next.
func TestClosingCommitsNothing(t *testing.T) {
	_, b := start(t, t.TempDir(), 1<<30)
	write(t, b, Record{Topic: Events, Key: []byte("k"), Value: []byte("0")}, Record{Topic: Events, Key: []byte("k"), Value: []byte("1")})
	for _, instance := range []string{"a", "a", "b"} {
		r, err := b.Reader(Member{Topic: Events, Group: "g", Instance: instance})
		if err != nil {
			t.Fatal(err)
		}
		all, err := r.Poll(t.Context(), 10)
		if err != nil || len(all) == 0 || string(all[0].Value) != "0" {
			t.Errorf("reader %s begins with %v, %v", instance, all, err)
		}
		r.Close()
	}
}

// Old records go, new ones stay.
func TestOldRecordsExpire(t *testing.T) {
	_, b := start(t, t.TempDir(), 1<<30)
	key := []byte("k")
	write(t, b, Record{Topic: DeadLetters, Key: key, Value: []byte("old")})
	var at time.Time
	if err := b.All(t.Context(), DeadLetters, func(r Record) error { at = r.Timestamp; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := b.expire(t.Context(), DeadLetters, at); err != nil || len(values(t, b, DeadLetters)) != 1 {
		t.Fatalf("a record of this moment is gone, %v", err)
	}
	for time.Now().UnixMilli() <= at.UnixMilli() {
		time.Sleep(time.Millisecond)
	}
	write(t, b, Record{Topic: DeadLetters, Key: key, Value: []byte("new")})
	if err := b.expire(t.Context(), DeadLetters, at.Add(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if got := values(t, b, DeadLetters); len(got) != 1 || got[0] != "new" {
		t.Errorf("left are %q", got)
	}
}

// The topic of positions stays bounded, and holds the newest of each key, also while positions are written.
func TestPositionsStayBounded(t *testing.T) {
	e, b := start(t, t.TempDir(), 1<<30)
	w, err := b.Writer()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	position := func(key string, n int) Record {
		return Record{Topic: Checkpoints, Key: []byte(key), Value: append(fmt.Append(nil, n, " "), make([]byte, 4<<10)...)}
	}
	if err := w.Write(t.Context(), []Record{position("quiet", 7), position("gone", 1), {Topic: Checkpoints, Key: []byte("gone")}}); err != nil {
		t.Fatal(err)
	}
	last := 0
	at := bounds{least: positionBytes}
	for round := range 3 {
		written := make(chan error, 1)
		begun := make(chan struct{})
		go func() {
			for i := range 2000 {
				if i == 1900 {
					close(begun)
				}
				last++
				if err := w.Write(t.Context(), []Record{position("busy", last)}); err != nil {
					written <- err
					return
				}
			}
			written <- nil
		}()
		<-begun
		if err := e.bound(t.Context(), b, Checkpoints, &at); err != nil {
			t.Fatal(err)
		}
		if err := <-written; err != nil {
			t.Fatal(err)
		}
		got, err := b.Positions(t.Context())
		if err != nil || len(got) != 2 || !strings.HasPrefix(string(got["quiet"]), "7 ") || !strings.HasPrefix(string(got["busy"]), fmt.Sprint(last, " ")) {
			t.Fatalf("round %d: %d keys, quiet %.9s, busy %.9s, want %d, %v", round, len(got), got["quiet"], got["busy"], last, err)
		}
		size, err := b.size(t.Context(), Checkpoints)
		if err != nil || size > positionBytes {
			t.Errorf("round %d: %d bytes, %v", round, size, err)
		}
	}
	files, err := filepath.Glob(filepath.Join(e.disk.dir, "partitions", "test.checkpoints-0", "*.dat"))
	if err != nil || len(files) > 6 {
		t.Errorf("%d files, %v", len(files), err)
	}
}

// A transaction that has its end in one partition has it in all, also where the machine stopped between them.
func TestATransactionEndsInAllPartitions(t *testing.T) {
	dir := t.TempDir()
	b, end := embedded(t, dir, slog.New(slog.DiscardHandler))
	hub := CheckpointsOf("hub")
	if err := b.EnsureCheckpoints(t.Context(), hub, 1); err != nil {
		t.Fatal(err)
	}
	tx, err := b.Transactor(t.Context(), hub, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		if err := tx.Stage(t.Context(), []Record{{Topic: Alerts, Key: []byte("k"), Value: fmt.Append(nil, i)}}, Record{Key: []byte("position"), Value: fmt.Append(nil, i)}); err != nil {
			t.Fatal(err)
		}
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	tx.Close(t.Context())
	end()
	harm(t, dir, func(raw []byte, all stretch) []byte { return raw[:all[len(all)-1].at] }) // the mark of the second
	log := &lines{}
	b, _ = embedded(t, dir, log.logger())
	if got := values(t, b, Alerts); fmt.Sprint(got) != "[0 1]" {
		t.Errorf("seen are %q: %s", got, log)
	}
	write(t, b, Record{Topic: Alerts, Key: []byte("k"), Value: []byte("new")})
	if got := values(t, b, Alerts); fmt.Sprint(got) != "[0 1 new]" {
		t.Errorf("afterwards seen are %q", got)
	}
}
