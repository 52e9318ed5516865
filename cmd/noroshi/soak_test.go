package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// heapDir names the folder into which a child writes what its heap holds.
const heapDir = "NOROSHI_TEST_HEAP"

// The soak: so many records a second, for an hour or as long as NOROSHI_SOAK_FOR says. What the process takes is looked at in
// between, and the slope is that of the second half.
const (
	soakRate   = 3000
	soakFor    = time.Hour
	soakLook   = 30 * time.Second
	soakRotate = 5 * time.Minute
	soakUsers  = 5000
)

// TestSoak carries a steady stream of records from rotated files to a file of alerts. The memory that the process takes is the same
// in the end as in the middle, and no record is lost. The log is small, so that it is full by then: the index of what it holds grows
// until it is.
func TestSoak(t *testing.T) {
	if os.Getenv("NOROSHI_SOAK") == "" {
		t.Skip("it takes an hour; make soak runs it")
	}
	length, err := time.ParseDuration(os.Getenv("NOROSHI_SOAK_FOR"))
	if err != nil {
		length = soakFor
	}
	dir := os.Getenv("NOROSHI_SOAK_DIR")
	if dir == "" {
		dir = t.TempDir()
	}
	writeFiles(t, dir, map[string]string{"audit.ndjson": "", "noroshi.yaml": `kafka: {cap_mib: 64}
sources: [{file: {paths: [audit.ndjson]}}]
sinks: [{name: out, file: {path: alerts.ndjson, max_mib: 10, keep: 2}}]
`})
	c := noroshi("run", "--config", filepath.Join(dir, "noroshi.yaml"), "--data", filepath.Join(dir, "data"))
	c.Env = append(c.Env, heapDir+"="+dir)
	said, err := os.Create(filepath.Join(dir, "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	c.Stderr = said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Process.Kill() //nolint:errcheck // it has ended, or the test has failed
	written, looks := soak(t, c.Process.Pid, dir, length)
	read := soakEnd(t, dir, written)
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("run ends with %v", err)
	}
	mean, slope := line(looks[len(looks)/2:])
	t.Logf("%d records written, %d evaluated; second half: mean %.1f MiB, slope %+.3f MiB a minute", written, read, mean, slope)
	if half := slope * length.Minutes() / 2; half > mean/10 || read != written {
		t.Errorf("grew by %.1f MiB in the second half of the time; %d of %d records evaluated", half, read, written)
	}
}

// look is what the process took at a time.
type look struct {
	minute float64
	mib    float64 // resident
}

// soak writes records and looks at the process until the time is over.
func soak(t *testing.T, pid int, dir string, length time.Duration) (written int, looks []look) {
	began := time.Now()
	var f *os.File
	next, rotate := began.Add(soakLook), began
	for now := began; now.Sub(began) < length; now = time.Now() {
		if !now.Before(rotate) {
			f = rotated(t, f, dir)
			rotate = rotate.Add(soakRotate)
		}
		var b bytes.Buffer
		for due := int(now.Sub(began).Seconds() * soakRate); written < due; written++ {
			b.WriteString(soaked(written, now))
		}
		if _, err := f.Write(b.Bytes()); err != nil {
			t.Fatal(err)
		}
		if !now.Before(next) {
			next = next.Add(soakLook)
			looks = append(looks, look{now.Sub(began).Minutes(), resident(t, pid)})
			t.Logf("%5.1f min  %6.1f MiB  %d descriptors", looks[len(looks)-1].minute, looks[len(looks)-1].mib, descriptors(pid))
		}
		time.Sleep(10 * time.Millisecond)
	}
	return written, looks
}

// rotated begins a new file and deletes the one before the last.
func rotated(t *testing.T, f *os.File, dir string) *os.File {
	t.Helper()
	path := filepath.Join(dir, "audit.ndjson")
	if f != nil {
		_ = f.Close() // it is written
		if err := os.Rename(path, filepath.Join(dir, "audit.old")); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// soaked makes a record of now. One of 200 sets forwarding to a stranger.
func soaked(i int, now time.Time) string {
	op, to := "FileAccessed", ""
	if i%200 == 0 {
		op, to = "Set-Mailbox", fmt.Sprintf("drop%d@mail.example.net", i)
	}
	return fmt.Sprintf(`{"CreationTime":"%s","Id":"s-%d","Operation":"%s","RecordType":1,"OrganizationId":"t-1","ResultStatus":"True","UserType":0,"UserId":"user%d@contoso.example","Workload":"Exchange","ClientIP":"198.51.100.%d","Parameters":[{"Name":"ForwardingSmtpAddress","Value":"%s"}],"Padding":"%0400d"}`+"\n",
		now.UTC().Format("2006-01-02T15:04:05"), i, op, i*7919%soakUsers, i%250, to, i)
}

// soakEnd waits until all records are evaluated and says how many are.
func soakEnd(t *testing.T, dir string, want int) int {
	t.Helper()
	got := 0
	for deadline := time.Now().Add(2 * time.Minute); got != want && time.Now().Before(deadline); time.Sleep(time.Second) {
		out, err := noroshi("status", "--json", "--data", filepath.Join(dir, "data")).Output()
		if err != nil {
			t.Fatal(err)
		}
		var s struct{ Events int }
		if err := json.Unmarshal(bytes.SplitN(out, []byte("\n"), 2)[0], &s); err != nil {
			t.Fatal(err)
		}
		got = s.Events
	}
	return got
}

// resident is the memory that a process takes, in MiB.
func resident(t *testing.T, pid int) float64 {
	t.Helper()
	out, err := exec.Command("ps", "-o", "rss=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		t.Fatalf("noroshi has ended: %v", err)
	}
	kib, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	return float64(kib) / 1024
}

// descriptors is how many a process has open, 0 where the system does not say.
func descriptors(pid int) int {
	all, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return 0
	}
	return len(all)
}

// line is the mean of what the process took and how it grew, MiB and MiB a minute, by least squares.
func line(looks []look) (mean, slope float64) {
	var x, y, xx, xy, n float64
	for _, l := range looks {
		x, y, xx, xy, n = x+l.minute, y+l.mib, xx+l.minute*l.minute, xy+l.minute*l.mib, n+1
	}
	return y / n, (n*xy - x*y) / (n*xx - x*x)
}

// watchHeap writes into a folder what the Go runtime holds, and each five minutes a profile of the heap.
func watchHeap(dir string) {
	f, err := os.OpenFile(filepath.Join(dir, "heap.txt"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	for n := 1; ; n++ {
		time.Sleep(soakLook)
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		fmt.Fprintf(f, "%d goal %d alloc %d inuse %d idle %d released %d stacks %d other %d MiB, %d objects, %d goroutines\n", n, m.NextGC>>20,
			m.HeapAlloc>>20, m.HeapInuse>>20,
			m.HeapIdle>>20, m.HeapReleased>>20, m.StackInuse>>20, (m.OtherSys+m.GCSys+m.MSpanSys+m.MCacheSys+m.BuckHashSys)>>20, m.HeapObjects, runtime.NumGoroutine())
		if n%10 == 0 {
			var b bytes.Buffer
			if err := pprof.Lookup("heap").WriteTo(&b, 0); err == nil {
				_ = os.WriteFile(filepath.Join(dir, fmt.Sprintf("heap.%03d.pprof", n)), b.Bytes(), 0o600) // the next one is as good
			}
		}
	}
}
