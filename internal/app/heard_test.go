package app

import (
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// An instance of this machine whose process is gone was killed, unless it has said that it ends. Of others nobody knows.
func TestWhoWasKilled(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the system does not tell")
	}
	short := exec.Command(os.Args[0], "-test.run", "^$")
	if err := short.Run(); err != nil {
		t.Fatal(err)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	here := func(pid int) string { return host + "/" + strconv.Itoa(pid) }
	now := time.Now()
	for name, c := range map[string]struct {
		one          Status
		killed, lack bool
	}{
		"gone":                      {Status{Instance: here(short.Process.Pid), At: now.Add(-12 * time.Second)}, true, true},
		"gone, and heard just now":  {Status{Instance: here(short.Process.Pid), At: now.Add(-2 * time.Second)}, false, false},
		"ended":                     {Status{Instance: here(short.Process.Pid), At: now.Add(-12 * time.Second), Ended: true}, false, true},
		"there":                     {Status{Instance: here(os.Getpid()), At: now.Add(-12 * time.Second)}, false, false},
		"on another machine":        {Status{Instance: "elsewhere/" + strconv.Itoa(short.Process.Pid), At: now.Add(-12 * time.Second)}, false, false},
		"named in a way of its own": {Status{Instance: host + "/x", At: now.Add(-12 * time.Second)}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			all := []Status{c.one}
			NoteKilled(all, now)
			if all[0].Killed != c.killed || (len(Lacking(all, now)) > 0) != c.lack {
				t.Errorf("killed: %t; lacking: %v", all[0].Killed, Lacking(all, now))
			}
			if NoneRuns(all); all[0].Killed == c.one.Ended {
				t.Errorf("where none can run, killed is %t", all[0].Killed)
			}
		})
	}
}
