package bus

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// disk is where the embedded broker keeps its log. The broker leaves it to the system when what it has written reaches the disk. No
// position may get there before what it speaks of: after a power cut that would be passed over. So everything that was written so
// far is brought to the disk before a position is stored, once for all that wait for it.
type disk struct {
	dir    string
	prefix string // of topics
	log    *slog.Logger
	off    bool // nothing is brought to the disk but at the end
	lost   []Gap

	mu      sync.Mutex
	waiting *round
	broken  error // what is not on the disk is not known any more
	fault   error // of the broker's last write, nil after one that went well

	flushing sync.Mutex
	folders  map[string]*folder
	newest   time.Time // change that was seen of any file
}

// round is one time of bringing all to the disk.
type round struct {
	done chan struct{}
	err  error
}

// folder is what of a folder is on the disk.
type folder struct {
	changed time.Time // the folder, zero: to be read again
	files   map[string]state
}

// state is how a file was when it was brought to the disk.
type state struct {
	size    int64
	changed time.Time
	sealed  bool // nothing is added any more
}

// syncs says whether anything is brought to the disk before the end.
func (d *disk) syncs() bool { return d != nil && !d.off }

// sync returns once all that was written before the call is on the disk.
func (d *disk) sync() error {
	if !d.syncs() {
		return nil
	}
	d.mu.Lock()
	if r := d.waiting; r != nil {
		d.mu.Unlock()
		<-r.done
		return r.err
	}
	r := &round{done: make(chan struct{})}
	d.waiting = r
	d.mu.Unlock()
	d.flushing.Lock()
	defer d.flushing.Unlock()
	d.mu.Lock()
	d.waiting, r.err = nil, d.broken // whoever comes from here on waits for the next round
	d.mu.Unlock()
	if r.err == nil {
		r.err = d.flush()
	}
	close(r.done)
	return r.err
}

// flush brings what has changed to the disk. Once that has failed, the system has given up what it could not write, and trying
// again would say that all is well. Where there are too many open files nothing is given up: then all is brought there the next time.
func (d *disk) flush() error {
	dirty, err := d.dirty()
	if err == nil {
		err = syncAll(dirty)
	}
	if err == nil {
		return nil
	}
	if short(err) {
		clear(d.folders)
		return fmt.Errorf("bring the log to the disk: %w", err)
	}
	err = fmt.Errorf("bring the log to the disk: %w; restart noroshi when the disk is in order", named(err))
	d.mu.Lock()
	defer d.mu.Unlock()
	d.broken = err
	return err
}

// dirty are the files and folders that have changed since they were brought to the disk.
func (d *disk) dirty() (all []string, err error) {
	parts := filepath.Join(d.dir, "partitions")
	dirs := []string{d.dir, parts}
	entries, err := os.ReadDir(parts)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		dirs = append(dirs, filepath.Join(parts, e.Name()))
	}
	for _, dir := range dirs {
		f := d.folders[dir]
		if f == nil {
			f = &folder{files: map[string]state{}}
			d.folders[dir] = f
		}
		more, err := f.dirty(dir, &d.newest)
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // a topic may be deleted meanwhile
			return nil, err
		}
		all = append(all, more...)
	}
	return all, nil
}

// settle is how long after its last change a folder may change again without another time. The time is that of the newest change of
// any file.
const settle = 100 * time.Millisecond

func (f *folder) dirty(dir string, newest *time.Time) (all []string, err error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	before := *newest
	if anew := f.changed.IsZero() || !info.ModTime().Equal(f.changed); anew {
		if err := f.read(dir); err != nil {
			return nil, err
		}
		all = append(all, dir)
		f.changed = info.ModTime()
		if before.Sub(f.changed) < settle {
			f.changed = time.Time{}
		}
	}
	for name, was := range f.files {
		if was.sealed {
			continue
		}
		info, err := os.Stat(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		now := state{size: info.Size(), changed: info.ModTime(), sealed: f.sealed(name)}
		if now.size != was.size || !now.changed.Equal(was.changed) {
			all = append(all, filepath.Join(dir, name))
		}
		f.files[name] = now
		if now.changed.After(*newest) {
			*newest = now.changed
		}
	}
	return all, nil
}

// read looks which files there are.
func (f *folder) read(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	there := map[string]state{}
	for _, e := range entries {
		if e.Type().IsRegular() && !strings.HasSuffix(e.Name(), ".tmp") {
			there[e.Name()] = f.files[e.Name()]
		}
	}
	f.files = there
	return nil
}

// sealed says whether a file is of a segment that has a successor.
func (f *folder) sealed(name string) bool {
	base, ok := baseOf(name)
	if !ok {
		return false
	}
	for other := range f.files {
		if b, ok := baseOf(other); ok && b > base {
			return true
		}
	}
	return false
}

// baseOf is the first offset of a segment, in the name of its file.
func baseOf(name string) (int64, bool) {
	ext := filepath.Ext(name)
	if ext != segmentExt && ext != indexExt {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSuffix(name, ext), 10, 64)
	return n, err == nil
}

// syncsAtOnce is how many files are brought to the disk side by side: the file system takes them in one.
const syncsAtOnce = 16

func syncAll(paths []string) error {
	var wg sync.WaitGroup
	errs := make([]error, len(paths))
	free := make(chan struct{}, syncsAtOnce)
	for i, path := range paths {
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			errs[i] = syncOne(path)
		})
	}
	wg.Wait()
	if worse := slices.DeleteFunc(slices.Clone(errs), func(err error) bool { return err == nil || short(err) }); len(worse) > 0 {
		return errors.Join(worse...)
	}
	return errors.Join(errs...)
}

// short reports whether a file could not be opened because too many are open.
func short(err error) bool { return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) }

func syncOne(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // deleted meanwhile, with what it held
	}
	if err != nil {
		return err
	}
	err = f.Sync()
	return errors.Join(err, f.Close())
}

// Logf implements kfake.Logger: of what the broker says, faults of the disk count.
func (d *disk) Logf(level kfake.LogLevel, _ string, args ...any) {
	if level > kfake.LogLevelWarn {
		return
	}
	for _, a := range args {
		var path *fs.PathError
		if err, ok := a.(error); ok && errors.As(err, &path) {
			d.failed(err)
		}
	}
}

// failed keeps a fault of the disk in mind.
func (d *disk) failed(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = named(err)
}

// explain adds the disk's fault to an answer of the broker's, which does not know it.
func (d *disk) explain(err error) error {
	if d == nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fault == nil {
		return err
	}
	return fmt.Errorf("%w (%w)", d.fault, err)
}

// well forgets the last fault after a write that went well.
func (d *disk) well() {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = nil
}

// faults are that of the last write, and that which ends the broker.
func (d *disk) faults() (last, end error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.fault, d.broken
}

// named says what a full disk is.
func named(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("the disk is full: %w", err)
	case errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("the disk quota is used up: %w", err)
	}
	return err
}
