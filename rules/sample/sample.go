// Package sample makes the records of rules' tests out of base records.
package sample

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"noroshi/rules/library"
)

// Folder is where base records lie, beside rules too.
const Folder = "samples"

const extension = ".json"

// maxSize is how long a base record may be.
const maxSize = 1 << 20

var namePattern = regexp.MustCompile(`^[A-Za-z0-9]+([-_.][A-Za-z0-9]+)*$`)

// Names are the names of the base records in a folder of rules, sorted.
func Names(in fs.FS, folder string) (all []string) {
	files, err := fs.ReadDir(in, path.Join(folder, Folder))
	if err != nil {
		return nil
	}
	for _, f := range files {
		if name, ok := strings.CutSuffix(f.Name(), extension); ok && namePattern.MatchString(name) {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// Shipped are the names of the base records that we ship.
func Shipped() []string { return Names(library.Files, ".") }

// Read gives the base record of a name that Names has told.
func Read(in fs.FS, folder, name string) ([]byte, error) {
	file := path.Join(folder, Folder, name+extension)
	info, err := fs.Stat(in, file)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read sample %s: %w", name, err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a plain file", file)
	case info.Size() > maxSize:
		return nil, fmt.Errorf("%s has more than %d bytes", file, maxSize)
	}
	data, err := fs.ReadFile(in, file)
	if err != nil {
		return nil, fmt.Errorf("read sample %s: %w", name, err)
	}
	return data, nil
}

// Ours gives a base record that we ship.
func Ours(name string) ([]byte, error) { return Read(library.Files, ".", name) }
