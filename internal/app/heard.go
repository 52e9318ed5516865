package app

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Overdue says whether an instance has left out reports, as one does that was killed.
func (s *Status) Overdue(now time.Time) bool { return !s.Ended && now.Sub(s.At) > 2*reportEvery }

// NoneRuns notes that no instance is running, because somebody else has what only a running one can have: those that have not ended were
// killed.
func NoneRuns(all []Status) {
	for i := range all {
		all[i].Killed = !all[i].Ended
	}
}

// NoteKilled notes the instances of this machine whose process is gone without a last word. Another machine may have the same name: so only
// those that have left out reports are looked for.
func NoteKilled(all []Status, now time.Time) {
	host, err := os.Hostname()
	if err != nil {
		return
	}
	for i := range all {
		s := &all[i]
		if pid, ours := strings.CutPrefix(s.Instance, host+"/"); ours && s.Overdue(now) {
			s.Killed = gone(pid)
		}
	}
}

// gone reports whether there is no process of a number, as far as the system tells.
func gone(number string) bool {
	pid, err := strconv.Atoi(number)
	if err != nil || pid <= 0 {
		return false
	}
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	err = p.Signal(syscall.Signal(0))
	return errors.Is(err, os.ErrProcessDone) || errors.Is(err, syscall.ESRCH)
}
