package rules

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"noroshi/rules/library"
)

// home is a folder that holds the shipped rules, with the steps of remediation and the samples that they name.
type home struct {
	in   fs.FS
	name string // as problems name it
	path string // of a folder on disk: where it really is
}

// noRule reports whether a file at the top of the library holds something else than a rule.
func noRule(file string) bool {
	return file == remediationFile || file == storyFile || file == incidentsFile
}

// shippedHome are the rules in the program.
var shippedHome = home{in: library.Files, name: "library"}

// maxAbove is how many folders a rule of a library lies below its top: the one of its class.
const maxAbove = 1

// homeOf is where the shipped rules are read from: the library in the program, or the one that a path leads into, as the paths of those
// do who write shipped rules. It is told by the steps of remediation at its top.
func homeOf(o Options) home {
	if o.Library || !o.Named {
		return shippedHome
	}
	for _, p := range o.Paths {
		folder := p
		if info, err := os.Stat(p); err == nil && !info.IsDir() {
			folder = filepath.Dir(p)
		}
		for above := 0; above <= maxAbove; above++ {
			if info, err := os.Stat(filepath.Join(folder, remediationFile)); err == nil && info.Mode().IsRegular() {
				if real, err := realPath(folder); err == nil {
					return home{in: os.DirFS(folder), name: filepath.ToSlash(folder), path: real}
				}
			}
			folder = filepath.Join(folder, "..")
		}
	}
	return shippedHome
}

// holds reports whether a file or a folder is part of a library on disk.
func (h *home) holds(p string) bool {
	if h.path == "" {
		return false
	}
	real, err := realPath(p)
	return err == nil && (real == h.path || strings.HasPrefix(real, h.path+string(filepath.Separator)))
}

// realPath is a path without links, from the root.
func realPath(p string) (string, error) {
	real, err := filepath.EvalSymlinks(p)
	if err != nil {
		return "", err
	}
	return filepath.Abs(real)
}
