package app

import (
	"slices"
	"time"
)

// watcher looks whether files have changed. It looks again and again, for what tells of changes tells nothing of a network's file systems,
// and not all of links; and it waits until nothing changes any more, for files are written in steps and come in numbers.
type watcher struct {
	files   []string
	read    looked // as they were read
	last    looked // as they were at the last look
	looks   int
	changed time.Time // when they were seen to change and have not been read since; zero: they have not
}

// looked are the imprints of one look. The deep one is from time to time.
type looked struct{ plain, deep imprint }

// A look at files comes each second; that at what they hold comes less often.
const (
	watchEvery = time.Second
	deepEvery  = 30 // looks
	// fresh is how coarse the times of files may be: what was written while files were read may have been missed.
	fresh = 20 * time.Millisecond
	// restWithin is how long files may change without a rest before somebody is told.
	restWithin = time.Minute
)

// took notes that files have been read, from a moment on.
func (w *watcher) took(files []string, from time.Time) {
	files = slices.Clone(files)
	slices.Sort(files)
	w.files, w.changed, w.looks = slices.Compact(files), time.Time{}, 0
	var newest time.Time
	w.read.plain, newest = imprintOf(w.files, false)
	w.read.deep, _ = imprintOf(w.files, true)
	if newest.After(from.Add(-fresh)) {
		w.read = looked{}
	}
	w.last = w.read
}

// due looks, and reports whether the files differ from those that were read and are at rest.
func (w *watcher) due(now time.Time) bool {
	was := w.last
	w.last.plain, _ = imprintOf(w.files, false)
	if w.looks++; w.looks%deepEvery == 0 || w.read.deep == (imprint{}) {
		w.last.deep, _ = imprintOf(w.files, true)
	}
	if w.last == w.read {
		w.changed = time.Time{}
		return false
	}
	if w.changed.IsZero() {
		w.changed = now
	}
	return w.last == was
}
