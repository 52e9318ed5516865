//go:build unix

package bus

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The source of the power cuts has so many records, in batches.
const (
	cutRecords = 3000
	cutBatch   = 20
	cutQuiet   = 20 * time.Second
)

// TestPowerCut takes the image of a disk while the process is held, as a power cut leaves it, and goes on from there: what a sink had
// not got before comes then.
func TestPowerCut(t *testing.T) {
	if dir := os.Getenv("NOROSHI_CUT"); dir != "" {
		carry(t, dir, os.Getenv("NOROSHI_CUT_WAY"))
		return
	}
	if testing.Short() {
		t.Skip("it takes long")
	}
	rounds := 2
	if os.Getenv("NOROSHI_SOAK") != "" {
		rounds = 10
	}
	for round := range rounds {
		t.Run(strconv.Itoa(round), func(t *testing.T) {
			way := []string{"positions", "transactions"}[round%2]
			if os.Getenv("NOROSHI_NOSYNC") != "" { // to see that the test would notice
				way += "-nosync"
			}
			got := map[string]bool{}
			first := newVolume(t)
			child, out := carrying(t, first.dir, way)
			for at := rand.IntN(cutRecords * 3 / 4); len(got) <= at && out.Scan(); {
				got[out.Text()] = true
			}
			if err := child.Process.Signal(syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			hasten(t, first.dir)
			second := first.image(t)
			_ = child.Process.Kill() // its disk is not used again
			for out.Scan() {         // what it had said before it was held
				got[out.Text()] = true
			}
			_ = child.Wait()
			before := len(got)
			child, out = carrying(t, second.dir, way)
			for out.Scan() {
				got[out.Text()] = true
			}
			if err := child.Wait(); err != nil {
				t.Fatal(err)
			}
			lost := 0
			for i := range cutRecords {
				if !got[fmt.Sprint("got ", i)] {
					lost++
				}
			}
			t.Logf("%s on %s: cut after %d records, %d lost", way, first.kind, before, lost)
			if lost > 0 {
				t.Errorf("%d records are lost", lost)
			}
		})
	}
}

func carrying(t *testing.T, dir, way string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestPowerCut$")
	cmd.Env = append(os.Environ(), "NOROSHI_CUT="+dir, "NOROSHI_CUT_WAY="+way)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd, bufio.NewScanner(out)
}

// carry is a source, a detector and a sink.
func carry(t *testing.T, dir, way string) {
	way, nosync := strings.CutSuffix(way, "-nosync")
	e, err := StartEmbedded(EmbeddedOptions{Dir: dir, Prefix: "test.", Partitions: 2, Cap: 1 << 30, NoSync: nosync, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	b, err := Connect(e.Config())
	if err == nil {
		defer b.Close()
		err = b.Ensure(t.Context(), e.TopicSettings())
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, done := context.WithCancel(t.Context())
	defer done()
	var wg sync.WaitGroup
	for name, do := range map[string]func(context.Context, *Bus) error{
		"source":   map[string]func(context.Context, *Bus) error{"positions": source, "transactions": exactSource}[way],
		"detector": detector,
		"sink": func(ctx context.Context, b *Bus) error {
			defer done()
			return sink(ctx, b)
		},
	} {
		wg.Go(func() {
			if err := do(ctx, b); err != nil && ctx.Err() == nil {
				t.Errorf("%s: %v", name, err)
				done()
			}
		})
	}
	wg.Wait()
}

func numbered(from int) (all []Record) {
	for i := from; i < min(from+cutBatch, cutRecords); i++ {
		all = append(all, Record{Topic: Events, Key: fmt.Append(nil, i%7), Value: fmt.Append(nil, i)})
	}
	return all
}

// source stores a position behind each batch.
func source(ctx context.Context, b *Bus) error {
	w, err := b.Writer()
	if err != nil {
		return err
	}
	defer w.Close()
	next := 0
	if err := b.All(ctx, Checkpoints, func(r Record) error {
		next, err = strconv.Atoi(string(r.Value))
		return err
	}); err != nil {
		return err
	}
	for next < cutRecords {
		if err := w.Write(ctx, numbered(next)); err != nil {
			return err
		}
		next += cutBatch
		if err := w.Write(ctx, []Record{{Topic: Checkpoints, Key: []byte("file"), Value: fmt.Append(nil, next)}}); err != nil {
			return err
		}
	}
	return nil
}

// exactSource puts batches and positions into transactions.
func exactSource(ctx context.Context, b *Bus) error {
	hub := CheckpointsOf("hub")
	if err := b.EnsureCheckpoints(ctx, hub, 1); err != nil {
		return err
	}
	tx, err := b.Transactor(ctx, hub, 0, false)
	if err != nil {
		return err
	}
	defer tx.Close(ctx)
	value, err := tx.Checkpoint(ctx)
	if err != nil {
		return err
	}
	next := 0
	if value != nil {
		if next, err = strconv.Atoi(string(value)); err != nil {
			return err
		}
	}
	for ; next < cutRecords; next += cutBatch {
		if err := tx.Stage(ctx, numbered(next), Record{Key: []byte("position"), Value: fmt.Append(nil, next+cutBatch)}); err != nil {
			return err
		}
		if err := tx.Commit(ctx); err != nil {
			return err
		}
	}
	return nil
}

// detector makes an alert of each event.
func detector(ctx context.Context, b *Bus) error {
	w, err := b.Writer()
	if err != nil {
		return err
	}
	defer w.Close()
	return each(ctx, b, Events, "detector", func(all []Record) error {
		out := make([]Record, 0, len(all))
		for _, r := range all {
			out = append(out, Record{Topic: Alerts, Key: r.Key, Value: r.Value})
		}
		return w.Write(ctx, out)
	})
}

// sink says what it has got, until it has got the last.
func sink(ctx context.Context, b *Bus) error {
	have := 0
	seen := map[string]bool{}
	end := errors.New("all are there")
	err := each(ctx, b, Alerts, "sink", func(all []Record) error {
		for _, r := range all {
			fmt.Printf("got %s\n", r.Value)
			if n, err := strconv.Atoi(string(r.Value)); err == nil && !seen[string(r.Value)] && n >= cutRecords-2*cutBatch {
				seen[string(r.Value)] = true
				have++
			}
		}
		if have == 2*cutBatch {
			return end
		}
		return nil
	})
	if errors.Is(err, end) {
		return nil
	}
	return err
}

func each(ctx context.Context, b *Bus, topic Topic, group string, do func([]Record) error) error {
	r, err := b.Reader(Member{Topic: topic, Group: group, Instance: group})
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		within, cancel := context.WithTimeout(ctx, cutQuiet)
		all, err := r.Poll(within, 100)
		cancel()
		if errors.Is(err, context.DeadlineExceeded) { // nothing more comes: something was lost
			return nil
		}
		if err != nil {
			return err
		}
		if err := do(all); err != nil {
			return err
		}
		if err := r.Commit(ctx); err != nil {
			return err
		}
	}
}

// hasten brings to the disk what a position stands in, and some of the rest: the worst that a system may do by itself.
func hasten(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(dir, "kafka"), func(path string, d fs.DirEntry, err error) error {
		position := strings.Contains(path, "groups.log") || strings.Contains(path, "checkpoints")
		if err != nil || d.IsDir() || !position && rand.IntN(3) > 0 {
			return err
		}
		return syncOne(path)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// volume is a disk of its own, where the test may make one; else a folder, whose image holds also what is not on the disk.
type volume struct {
	kind, file, dir string
}

func newVolume(t *testing.T) volume {
	t.Helper()
	v := volume{kind: "a disk", file: filepath.Join(t.TempDir(), "disk")}
	if os.Geteuid() == 0 && os.WriteFile(v.file, nil, 0o600) == nil && os.Truncate(v.file, 64<<20) == nil && exec.Command("mkfs.ext4", "-q", v.file).Run() == nil && v.mount(t) == nil {
		return v
	}
	return volume{kind: "a folder", dir: t.TempDir()}
}

func (v *volume) mount(t *testing.T) error {
	t.Helper()
	v.dir = t.TempDir()
	if err := exec.Command("mount", "-o", "loop", v.file, v.dir).Run(); err != nil {
		return err
	}
	t.Cleanup(func() {
		for range 50 {
			if exec.Command("umount", v.dir).Run() == nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Errorf("%s is still mounted", v.dir)
	})
	return nil
}

// image is the disk as it is now.
func (v volume) image(t *testing.T) volume {
	t.Helper()
	if v.file == "" {
		c := volume{kind: v.kind, dir: t.TempDir()}
		if err := os.CopyFS(c.dir, os.DirFS(v.dir)); err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := volume{kind: v.kind, file: v.file + ".image"}
	from, err := os.Open(v.file)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.Create(c.file)
	if err == nil {
		_, err = io.Copy(to, from)
	}
	if err == nil {
		err = to.Close()
	}
	if err == nil {
		err = c.mount(t)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// BenchmarkPosition is a batch of records and the position behind it, with the disk and without.
func BenchmarkPosition(b *testing.B) {
	for _, size := range []int{1, 50, 1000} {
		for name, noSync := range map[string]bool{"sync": false, "no sync": true} {
			b.Run(fmt.Sprintf("%d records/%s", size, name), func(b *testing.B) {
				e, err := StartEmbedded(EmbeddedOptions{Dir: b.TempDir(), Prefix: "test.", Partitions: 4, Cap: 1 << 30, NoSync: noSync, Log: slog.New(slog.DiscardHandler)})
				if err != nil {
					b.Fatal(err)
				}
				defer e.Close()
				hub, err := Connect(e.Config())
				if err == nil {
					defer hub.Close()
					err = hub.Ensure(b.Context(), e.TopicSettings())
				}
				if err != nil {
					b.Fatal(err)
				}
				w, err := hub.Writer()
				if err != nil {
					b.Fatal(err)
				}
				defer w.Close()
				all := make([]Record, size)
				for i := range all {
					all[i] = Record{Topic: Events, Key: fmt.Append(nil, i), Value: make([]byte, 1250)}
				}
				for b.Loop() {
					if err := w.Write(b.Context(), all); err != nil {
						b.Fatal(err)
					}
					if err := w.Write(b.Context(), []Record{{Topic: Checkpoints, Key: []byte("file"), Value: []byte("1")}}); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(size)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
			})
		}
	}
}

// A full disk is named, in the log and to whom writes; with room again it goes on, and nothing that was acknowledged is missing.
func TestAFullDisk(t *testing.T) {
	v := newVolume(t)
	if v.file == "" {
		t.Skip("the test may not mount a disk")
	}
	log := &lines{}
	b, end := embedded(t, v.dir, log.logger())
	w, err := b.Writer()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	ballast := filepath.Join(v.dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 40<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	var acknowledged []string
	value := make([]byte, 512<<10)
	for i := 0; ; i++ {
		one := fmt.Sprint("record ", i, " ")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		_, _ = rand.NewChaCha8([32]byte{byte(i)}).Read(value) // it never fails
		err := w.Write(ctx, []Record{{Topic: Alerts, Key: []byte("k"), Value: append([]byte(one), value...)}})
		cancel()
		if err != nil {
			if !strings.Contains(err.Error(), "the disk is full") {
				t.Errorf("writing says %v", err)
			}
			break
		}
		acknowledged = append(acknowledged, one)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	for begin := time.Now(); ; {
		err := w.Write(t.Context(), []Record{{Topic: Alerts, Key: []byte("k"), Value: []byte("after ")}})
		if err == nil {
			break
		}
		if time.Since(begin) > time.Minute {
			t.Fatalf("it does not go on: %v", err)
		}
	}
	acknowledged = append(acknowledged, "after ")
	for range 2 {
		have := strings.Join(values(t, b, Alerts), "")
		for _, one := range acknowledged {
			if !strings.Contains(have, one) {
				t.Errorf("%q is gone", one)
			}
		}
		end()
		b, end = embedded(t, v.dir, log.logger())
	}
	if strings.Contains(log.String(), "damaged") {
		t.Errorf("something is damaged: %s", log)
	}
}
