// Package file appends alerts to a file, one JSON object a line.
package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/strictyaml"
	"noroshi/sinks"
)

// Config says where the file lies and how it is kept.
type Config struct {
	Path   string
	NoSync bool  // do not wait for the disk
	Max    int64 // bytes from which the file is put aside; 0: never
	Keep   int   // files put aside that are kept, as path.1, the newest, to path.Keep
}

// Read reads the sink's part of the configuration; relative paths start at folder.
func Read(d *strictyaml.Doc, n *yaml.Node, folder string) Config {
	c := Config{Max: 100 << 20, Keep: 10}
	d.Fields(n, map[string]func(*yaml.Node){
		"path": func(n *yaml.Node) {
			if c.Path = d.Text(n); c.Path != "" && !filepath.IsAbs(c.Path) {
				c.Path = filepath.Join(folder, c.Path)
			}
			if err := plain(c.Path); err != nil {
				d.At(n, "value", err.Error())
			}
		},
		"fsync":   func(n *yaml.Node) { c.NoSync = !d.Bool(n) },
		"max_mib": func(n *yaml.Node) { c.Max = int64(d.Int(n, 0, 1<<20)) << 20 },
		"keep":    func(n *yaml.Node) { c.Keep = d.Int(n, 0, 10_000) },
	})
	if c.Path == "" {
		d.At(n, "missing", "a file sink needs the key path")
	}
	return c
}

// Sink appends to one file. It opens it with the first alert.
type Sink struct {
	Config
	file *os.File
	size int64
}

// New checks the configuration: the folder must be there.
func New(c Config) (*Sink, error) {
	info, err := os.Stat(filepath.Dir(c.Path))
	var at *fs.PathError
	switch { // the place in the configuration tells which folder
	case errors.As(err, &at):
		return nil, fmt.Errorf("the folder of the file cannot be used: %w", at.Err)
	case err != nil:
		return nil, fmt.Errorf("the folder of the file cannot be used: %w", err)
	case !info.IsDir():
		return nil, errors.New("the folder of the file is a file itself")
	}
	if err := plain(c.Path); err != nil {
		return nil, fmt.Errorf("the file cannot be used: %w", err)
	}
	return &Sink{Config: c}, nil
}

// Writes are the paths of the file and of those that are put aside.
func (s *Sink) Writes() []string {
	all := []string{s.Path}
	for n := 1; n <= s.Keep && s.Max > 0; n++ {
		all = append(all, aside(s.Path, n))
	}
	return all
}

func aside(path string, n int) string { return fmt.Sprintf("%s.%d", path, n) }

// plain refuses what is there and is no plain file: a pipe would block, and from a device nothing comes back.
func plain(path string) error {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return errKind
	}
	return nil // a file that is not there is made, and other errors are told when it is opened
}

var errKind = errors.New("it is not a plain file")

// Batch implements sinks.Sink.
func (*Sink) Batch() sinks.Batch { return sinks.Batch{Messages: 500} }

// Send implements sinks.Sink. When it returns nil the alerts are on disk, unless NoSync.
func (s *Sink) Send(_ context.Context, messages []sinks.Message) error {
	var b []byte
	for _, m := range messages {
		b = append(append(b, m.Body...), '\n')
	}
	if err := s.open(int64(len(b))); err != nil {
		return err
	}
	n, err := s.file.Write(b)
	if err == nil && !s.NoSync {
		err = s.file.Sync()
	}
	if err != nil {
		s.forget()
		return fmt.Errorf("write alerts: %w", err)
	}
	s.size += int64(n)
	return nil
}

// forget closes a file that could not be written, so that the next try finds what is whole.
func (s *Sink) forget() {
	_ = s.file.Close() // the write's error is the one to tell
	s.file = nil
}

// open makes room for so many bytes.
func (s *Sink) open(more int64) error {
	if s.file == nil {
		f, err := os.OpenFile(s.Path, os.O_RDWR|os.O_CREATE|os.O_APPEND|syscall.O_NONBLOCK, 0o600)
		if err != nil {
			return fmt.Errorf("open alert file: %w", err)
		}
		info, err := f.Stat()
		if err == nil && !info.Mode().IsRegular() { // it has taken the file's place
			err = errKind
		}
		if err == nil {
			s.size, err = whole(f)
		}
		if err != nil {
			_ = f.Close() // the first error is the one to tell
			return fmt.Errorf("repair alert file: %w", err)
		}
		s.file = f
	}
	if s.Max > 0 && s.size > 0 && s.size+more > s.Max {
		return s.rotate()
	}
	return nil
}

// whole cuts off a last line without its end: what a crash left of an alert that will come again.
func whole(f *os.File) (size int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	end := info.Size()
	buf := make([]byte, 64<<10)
	for end > 0 {
		from := max(0, end-int64(len(buf)))
		part := buf[:end-from]
		if _, err := f.ReadAt(part, from); err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if i := bytes.LastIndexByte(part, '\n'); i >= 0 {
			end = from + int64(i) + 1
			break
		}
		end = from
	}
	if end == info.Size() {
		return end, nil
	}
	return end, f.Truncate(end)
}

// rotate puts the file aside and begins a new one.
func (s *Sink) rotate() error {
	if err := s.file.Close(); err != nil {
		return fmt.Errorf("close alert file: %w", err)
	}
	s.file = nil
	if s.Keep == 0 {
		if err := os.Remove(s.Path); err != nil {
			return fmt.Errorf("rotate alert file: %w", err)
		}
		return s.open(0)
	}
	if err := os.Remove(aside(s.Path, s.Keep)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("rotate alert file: %w", err)
	}
	for n := s.Keep - 1; n >= 0; n-- {
		from := s.Path
		if n > 0 {
			from = aside(s.Path, n)
		}
		if err := os.Rename(from, aside(s.Path, n+1)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("rotate alert file: %w", err)
		}
	}
	return s.open(0)
}

// Probe implements sinks.Prober: it opens the file, or where there is none makes and removes one beside it.
func (s *Sink) Probe(context.Context) (ends time.Time, err error) {
	f, err := os.OpenFile(s.Path, os.O_WRONLY|os.O_APPEND, 0)
	if errors.Is(err, fs.ErrNotExist) {
		if f, err = os.CreateTemp(filepath.Dir(s.Path), ".noroshi-probe-*"); err == nil {
			defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
		}
	}
	if err != nil {
		return ends, fmt.Errorf("open file: %w", err)
	}
	return ends, f.Close()
}
