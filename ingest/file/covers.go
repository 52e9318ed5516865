package file

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Covers reports whether a source of a pattern reads the file of a path, which need not be there yet, whatever links lead to it.
func Covers(pattern, path string) bool {
	pattern, path = absolute(pattern), absolute(path)
	is := resolved(path)
	for _, p := range []string{pattern, resolved(pattern)} {
		if matches(p, path) || matches(p, is) {
			return true
		}
	}
	there, err := os.Stat(path)
	folder, last := filepath.Split(pattern)
	for _, d := range folders(folder) {
		if matches(filepath.Join(resolved(d), last), is) {
			return true
		}
		names, _ := system{}.names(d) // where it cannot be read nothing is found
		for _, n := range names {
			if err != nil || !matches(last, n) {
				continue
			}
			if one, err := os.Stat(filepath.Join(d, n)); err == nil && os.SameFile(one, there) {
				return true
			}
		}
	}
	return false
}

// CoversInside reports whether a source of a pattern can read a file below a folder in which files have names like those given.
func CoversInside(pattern, folder string, names ...string) bool {
	pattern, folder = absolute(pattern), absolute(folder)
	if last := filepath.Base(pattern); !slices.ContainsFunc(names, func(name string) bool { return matches(last, name) }) {
		return false
	}
	for _, f := range []string{folder, resolved(folder)} {
		for _, p := range []string{pattern, resolved(pattern)} {
			if matches(first(p, f), f) {
				return true
			}
		}
		for _, d := range folders(filepath.Dir(pattern)) {
			if d = resolved(d); d == f || strings.HasPrefix(d, strings.TrimSuffix(f, sep)+sep) {
				return true
			}
		}
	}
	return false
}

const sep = string(filepath.Separator)

// first is a pattern without the names below those of a folder, "" where it has none below.
func first(pattern, folder string) string {
	n, parts := strings.Count(folder, sep)+1, strings.Split(pattern, sep)
	if len(parts) <= n {
		return ""
	}
	return strings.Join(parts[:n], sep)
}

// patterned reports whether a path is a pattern.
func patterned(path string) bool { return strings.ContainsAny(path, `*?[\`) }

func matches(pattern, path string) bool {
	if !patterned(pattern) {
		return pattern == path
	}
	ok, err := filepath.Match(pattern, path)
	return ok && err == nil
}

// folders are those that a pattern names now.
func folders(pattern string) []string {
	if pattern = filepath.Clean(pattern); !patterned(pattern) {
		return []string{pattern}
	}
	all, _ := filepath.Glob(pattern) // a bad pattern is told elsewhere
	return all
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return filepath.Clean(path)
}

// resolved is an absolute path without links, as far as it is there and no pattern.
func resolved(path string) string {
	for at, rest := path, ""; ; {
		if !patterned(at) {
			if is, err := filepath.EvalSymlinks(at); err == nil {
				return filepath.Join(is, rest)
			}
		}
		up := filepath.Dir(at)
		if up == at {
			return path
		}
		at, rest = up, filepath.Join(filepath.Base(at), rest)
	}
}
