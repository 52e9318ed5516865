package app

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// imprint is how files were at a time. The zero value is like none.
type imprint [sha256.Size]byte

// imprintOf looks at files, and at the files of rules in folders, and gives when the newest of them was written. What a look at names,
// sizes and times would miss a deep one finds, because it reads what is small.
func imprintOf(paths []string, deep bool) (seen imprint, newest time.Time) {
	p := &printing{hash: sha256.New(), deep: deep}
	for _, path := range paths {
		p.path(path, 0)
	}
	p.hash.Sum(seen[:0])
	return seen, p.newest
}

// The bounds of a look at files.
const (
	deepMost   = 1 << 20 // bytes of a file whose content is looked at
	foldersMax = 50
)

type printing struct {
	hash   hash.Hash
	deep   bool
	newest time.Time
}

// path looks at what a path leads to: a folder may be a link that is set to another one in one step, as Kubernetes does it.
func (p *printing) path(path string, depth int) {
	info, err := os.Stat(path)
	p.text(path)
	if err != nil {
		p.text("absent")
		return
	}
	p.number(int64(info.Mode()))
	if !info.IsDir() {
		p.file(path, info)
		return
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		p.text("closed")
	}
	for _, e := range entries {
		name := e.Name()
		ext := filepath.Ext(name)
		if !strings.HasPrefix(name, ".") && (e.IsDir() && depth < foldersMax || ext == ".yaml" || ext == ".yml") {
			p.path(filepath.Join(path, name), depth+1)
		}
	}
}

func (p *printing) file(path string, info os.FileInfo) {
	p.number(info.Size())
	p.number(info.ModTime().UnixNano())
	if at := info.ModTime(); at.After(p.newest) {
		p.newest = at
	}
	if !p.deep || !info.Mode().IsRegular() || info.Size() > deepMost {
		return
	}
	f, err := os.Open(path)
	if err != nil {
		p.text("closed")
		return
	}
	defer f.Close()
	if _, err := io.Copy(p.hash, io.LimitReader(f, deepMost)); err != nil {
		p.text("unreadable")
	}
}

func (p *printing) text(s string) {
	p.number(int64(len(s)))
	_, _ = io.WriteString(p.hash, s) // a hash takes all
}

func (p *printing) number(n int64) {
	_, _ = p.hash.Write(binary.BigEndian.AppendUint64(nil, uint64(n)))
}
