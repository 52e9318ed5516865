package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"noroshi/internal/o365test"
)

// mostResident is what a run may take, in MiB, whatever blobs it reads.
const mostResident = 200

// TestSoakOfLargeBlobs: a run reads blobs of 100 MB of all content types at once, and one of 1 GB. It takes a bounded memory as a whole process;
// of the longest blob what lies behind 512 MiB is a dead letter.
func TestSoakOfLargeBlobs(t *testing.T) {
	if os.Getenv("NOROSHI_SOAK") == "" {
		t.Skip("it takes minutes; make soak runs it")
	}
	log := o365test.Start(t, o365test.Config{})
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{"ca.pem": string(log.CertificatePEM()), "secret": o365test.Secret, "noroshi.yaml": fmt.Sprintf(`kafka: {sync: false, cap_mib: 6000}
sources: [{o365: {name: audit, tenant: %[1]s, endpoint: "%[2]s", ca_file: ca.pem, poll: 10s, start: "%[3]s",
  credential: {kind: client_secret, tenant: %[1]s, client: %[4]s, secret: "${file:secret}"}}}]
`, log.Tenant(), log.Addr(), time.Now().Add(-time.Hour).UTC().Format(time.RFC3339), o365test.Client)})
	n, want := 0, 0
	for _, content := range []string{o365test.AzureActiveDirectory, o365test.Exchange, o365test.SharePoint, o365test.General} {
		for _, size := range []int{100e6, 100e6, map[bool]int{true: 1e9}[content == o365test.Exchange]} {
			first := n
			each := len(soakedBlob(log.Tenant(), n)) + 1
			n += size / each
			want += min(size, 512<<20) / each
			log.Add(o365test.Blob{Content: content, Created: time.Now().Add(-time.Minute), Write: func(to io.Writer) {
				separator := "["
				for i := range size / each {
					if _, err := io.WriteString(to, separator+soakedBlob(log.Tenant(), first+i)); err != nil {
						return
					}
					separator = ","
				}
				_, _ = io.WriteString(to, "]") // a reader that has gone needs no end
			}})
		}
	}
	began := time.Now()
	p := &process{args: []string{"run", "--config", filepath.Join(dir, "noroshi.yaml"), "--data", filepath.Join(dir, "data")}, said: filepath.Join(dir, "stderr")}
	p.startBuilt(t)
	defer p.cmd.Process.Kill() //nolint:errcheck // it has ended, or the test has failed
	read := 0
	comesTo(t, p, "all is read", time.Second, func() bool {
		read = recordsSince(filepath.Join(dir, "data"), began)
		return read >= want-100 && strings.Contains(p.text(), "a blob is not read to its end")
	})
	peak := peakOf(t, p.cmd.Process.Pid)
	p.end(t)
	t.Logf("%d records of %d in %v; at most %.0f MiB", read, want, time.Since(began).Round(time.Second), peak)
	if peak > mostResident {
		t.Errorf("it takes %.0f MiB, expected at most %d", peak, mostResident)
	}
}

// startBuilt starts the program itself: this binary has tests in it, which take memory of their own.
func (p *process) startBuilt(t *testing.T) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "noroshi")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	said, err := os.Create(p.said)
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	p.cmd = exec.Command(binary, p.args...)
	p.cmd.Stderr = said
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
}

// soakedBlob is a record of now.
func soakedBlob(tenant string, i int) string {
	return strings.TrimSuffix(strings.ReplaceAll(soaked(i*200+1, time.Now()), `"t-1"`, strconv.Quote(tenant)), "\n")
}

// peakOf is the most memory that a process has taken, in MiB.
func peakOf(t *testing.T, pid int) float64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skipf("this system does not say what a process has taken: %v", err)
	}
	for line := range strings.Lines(string(text)) {
		if kib, is := strings.CutPrefix(line, "VmHWM:"); is {
			n, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(kib), "kB")))
			if err != nil {
				t.Fatal(err)
			}
			return float64(n) / 1024
		}
	}
	t.Skip("this system does not say what a process has taken")
	return 0
}
