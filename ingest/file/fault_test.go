//go:build unix

package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// sick is a disk on which operations fail.
type sick struct {
	system
	fail     func(op, path string) error
	readable *int64 // bytes of each file; nil: all
}

type sickFile struct {
	handle
	disk *sick
	path string
}

func (d *sick) open(path string) (handle, error) {
	if err := d.fail("open", path); err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	h, err := d.system.open(path)
	if err != nil {
		return nil, err
	}
	return &sickFile{h, d, path}, nil
}

func (d *sick) stat(path string) (stat, error) {
	if err := d.fail("stat", path); err != nil {
		return stat{}, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	return d.system.stat(path)
}

func (d *sick) names(folder string) ([]string, error) {
	if err := d.fail("names", folder); err != nil {
		return nil, &fs.PathError{Op: "open", Path: folder, Err: err}
	}
	return d.system.names(folder)
}

func (f *sickFile) ReadAt(b []byte, from int64) (int, error) {
	if err := f.disk.fail("read", f.path); err != nil {
		return 0, &fs.PathError{Op: "read", Path: f.path, Err: err}
	}
	if most := f.disk.readable; most != nil && from+int64(len(b)) > *most {
		n, _ := f.handle.ReadAt(b[:max(0, *most-from)], from)
		return n, &fs.PathError{Op: "read", Path: f.path, Err: syscall.EIO}
	}
	return f.handle.ReadAt(b, from)
}

// TestAFileThatCannotBeReadIsTriedAgain: with growing pauses, told once and then each minute, while all others are read. Nothing of it
// is lost.
func TestAFileThatCannotBeReadIsTriedAgain(t *testing.T) {
	for _, errno := range []error{syscall.EIO, syscall.EAGAIN, syscall.ESTALE, fs.ErrPermission} {
		for _, op := range []string{"open", "read", "stat", "names"} {
			for _, name := range []string{"bad.log", "bad.gz"} {
				t.Run(fmt.Sprintf("%v %s %s", errno, op, name), func(t *testing.T) { sickness(t, errno, op, name) })
			}
		}
	}
}

func sickness(t *testing.T, errno error, op, name string) {
	f, d := newFolder(t), newDesk(t)
	f.must(os.Mkdir(f.path("in"), 0o700))
	s := source(t, true, f.path("good.log"), f.path("in/*"))
	bad, tries, ill := f.path("in/"+name), 0, false
	s.disk = &sick{fail: func(o, path string) error {
		if ill && o == op && (path == bad || op == "names") {
			tries++
			return errno
		}
		return nil
	}}
	kind := "log"
	if name == "bad.gz" {
		kind = "gz"
	}
	f.put("in/"+name, encode(kind, numbered(0, 5)))
	round(t, s, d)
	ill = true
	f.put("in/"+name, encode(kind, numbered(0, 10)))
	for _, h := range s.files {
		s.release(h) // as when it is opened anew
	}
	for i := 10; i < 1210; i++ { // five minutes
		f.add("good.log", lined(i, i+1))
		round(t, s, d)
	}
	if len(d.records) != 1205 && op != "names" { // what a folder holds that cannot be listed is still known
		t.Errorf("%d records", len(d.records))
	}
	if tries < 5 || tries > 40 {
		t.Errorf("%d tries in five minutes", tries)
	}
	warnings := strings.Count(s.log.String(), "files cannot be read")
	if warnings < 4 || warnings > 6 {
		t.Errorf("%d warnings: %s", warnings, s.log.String())
	}
	if c := s.counts.Snapshot(); c.Failing != 1 || c.Fault == "" {
		t.Errorf("counts are %+v", c)
	}
	ill = false
	s.now = s.now.Add(time.Minute)
	later(t, s, d)
	once(t, d, 0, 1210)
	if c := s.counts.Snapshot(); c.Failing != 0 || !strings.Contains(s.log.String(), "is read again") {
		t.Errorf("counts are %+v; %s", c, s.log.String())
	}
}

// TestBeforeDamagedBytesAllIsDelivered: what lies in a compressed file before bytes that cannot be read does not wait for those.
func TestBeforeDamagedBytesAllIsDelivered(t *testing.T) {
	f, d := newFolder(t), newDesk(t)
	const n = 50_000
	f.put("a.gz", encode("gz", numbered(0, n)))
	s := source(t, true, f.path("a.gz"))
	readable := int64(70 << 10) // of some 110 KiB
	s.disk = &sick{fail: func(string, string) error { return nil }, readable: &readable}
	round(t, s, d)
	if got := len(d.records); got < n/2 || got >= n {
		t.Errorf("%d records are delivered", got)
	}
	readable = 1 << 40
	s.now = s.now.Add(time.Minute)
	later(t, s, d)
	once(t, d, 0, n)
}

// TestWithoutFollowingItWaitsForWhatCannotBeRead and then ends.
func TestWithoutFollowingItWaitsForWhatCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, d := newFolder(t), newDesk(t)
		f.add("a", lined(0, 3))
		s := source(t, false, f.path("a"))
		s.config.Now = time.Now
		tries, began := 0, time.Now()
		s.disk = &sick{fail: func(o, _ string) error {
			if o != "read" {
				return nil
			}
			if tries++; tries < 9 {
				return syscall.EIO
			}
			return nil
		}}
		if err := s.Run(t.Context(), d.stored, d.deliver); err != nil {
			t.Fatal(err)
		}
		once(t, d, 0, 3)
		if took := time.Since(began); took < 3*time.Minute || took > 5*time.Minute { // 1, 2, 4, 8, 16, 32, 60, 60 s
			t.Errorf("after %v", took)
		}
	})
}

// TestWhatIsNoFileIsTold: where it is named, each minute; where a pattern matches it, once, and not at all of a folder.
func TestWhatIsNoFileIsTold(t *testing.T) {
	f, d := newFolder(t), newDesk(t)
	f.must(syscall.Mkfifo(f.path("pipe"), 0o600))
	f.must(os.Mkdir(f.path("folder"), 0o700))
	f.add("a", lined(0, 1))
	s := source(t, true, f.path("*"))
	round(t, s, d)
	round(t, s, d)
	if strings.Count(s.log.String(), "\n") != 1 || !strings.Contains(s.log.String(), "path="+f.path("pipe")+" is=\"a pipe\"") {
		t.Error(s.log.String())
	}
	if c := s.Counts().Snapshot(); c.NotFiles != 1 || c.NotFile != f.path("pipe")+": a pipe" || c.Failing != 0 {
		t.Errorf("%+v", c)
	}
	f.must(os.Remove(f.path("pipe")))
	round(t, s, d)
	if c := s.Counts().Snapshot(); c.NotFiles != 0 || c.NotFile != "" {
		t.Errorf("it is gone, and %+v", c)
	}
	f.must(syscall.Mkfifo(f.path("pipe"), 0o600))
	s = source(t, true, f.path("pipe"), f.path("folder"), f.path("not there"))
	round(t, s, d)
	if !strings.Contains(s.log.String(), "files=2") || !strings.Contains(s.log.String(), errKind.Error()) {
		t.Error(s.log.String())
	}
}

// TestTooFewDescriptors: what can be opened is read, the rest waits for nothing but its turn.
func TestTooFewDescriptors(t *testing.T) {
	f, d := newFolder(t), newDesk(t)
	s := source(t, true, f.path("*.log"))
	open := 0
	s.disk = &few{most: 5, open_: &open}
	for i := range 40 {
		f.add(fmt.Sprintf("%d.log", i), lined(10*i, 10*i+5))
	}
	round(t, s, d)
	for i := range 40 {
		f.add(fmt.Sprintf("%d.log", i), lined(10*i+5, 10*i+10))
	}
	round(t, s, d)
	once(t, d, 0, 400)
	if s.held.Len() > 5 || len(s.faults) > 0 {
		t.Errorf("%d open, faults %v", s.held.Len(), s.faults)
	}
}

// few is a disk of which only so many files can be open.
type few struct {
	system
	most  int
	open_ *int
}

type fewFile struct {
	handle
	open_ *int
}

func (d *few) open(path string) (handle, error) {
	if *d.open_ >= d.most {
		return nil, &fs.PathError{Op: "open", Path: path, Err: syscall.EMFILE}
	}
	h, err := d.system.open(path)
	if err == nil {
		*d.open_++
	}
	return fewFile{h, d.open_}, err
}

func (f fewFile) Close() error {
	*f.open_--
	return f.handle.Close()
}

// TestManyFiles: ten thousand, with few descriptors.
func TestManyFiles(t *testing.T) {
	many := 10_000
	if testing.Short() {
		many = 1000
	}
	var had syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &had); err != nil {
		t.Fatal(err)
	}
	limit := had
	limit.Cur = 128
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &had); err != nil {
			t.Fatal(err)
		}
	}()
	f, d := newFolder(t), newDesk(t)
	for i := range many {
		f.add(fmt.Sprintf("%05d.log", i), lined(2*i, 2*i+1))
	}
	s := source(t, true, f.path("*.log"))
	round(t, s, d)
	for i := range many {
		if i%2 == 0 {
			f.rename(fmt.Sprintf("%05d.log", i), fmt.Sprintf("%05d.log.1", i))
		}
		f.add(fmt.Sprintf("%05d.log", i), lined(2*i+1, 2*i+2))
	}
	round(t, s, d)
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if len(open) > 64 || s.held.Len() > 32 {
		t.Errorf("%d descriptors, %d of files", len(open), s.held.Len())
	}
	s.close()
	s = source(t, true, f.path("*.log"))
	round(t, s, d)
	once(t, d, 0, 2*many)
	if n := s.counts.Snapshot().Cut; n > 0 {
		t.Errorf("%d cuts: %.300s", n, s.log.String())
	}
	s.now = time.Now().Add(time.Hour) // nothing has changed for long
	round(t, s, d)
	began := time.Now()
	round(t, s, d)
	t.Logf("a look at %d files takes %v", many, time.Since(began))
}
