package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"noroshi/internal/o365test"
)

// TestKilledAgainAndAgainEachBlobIsStoredOnce: noroshi run is killed again and again while it reads an audit log whose every tenth answer is a
// fault; in the end each record lies on the topic once.
func TestKilledAgainAndAgainEachBlobIsStoredOnce(t *testing.T) {
	kills, blobs := 4, 80
	if os.Getenv("NOROSHI_SOAK") != "" {
		kills, blobs = 25, 2000
	}
	const each = 25
	log := o365test.Start(t, o365test.Config{PageSize: 20, Every: 10, Quota: -1,
		Faults: []o365test.Fault{o365test.Internal, o365test.CutAnswer, o365test.Cut, o365test.ShortAnswer, o365test.Empty, o365test.Page, o365test.Expired, o365test.Repeats}})
	dir := t.TempDir()
	data, conf := filepath.Join(dir, "data"), filepath.Join(dir, "noroshi.yaml")
	writeFiles(t, dir, map[string]string{"ca.pem": string(log.CertificatePEM()), "secret": o365test.Secret, "noroshi.yaml": fmt.Sprintf(`kafka: {sync: false}
sources: [{o365: {name: audit, tenant: %[1]s, endpoint: "%[2]s", ca_file: ca.pem, poll: 10s, quota: 100000, start: "%[3]s",
  credential: {kind: client_secret, tenant: %[1]s, client: %[4]s, secret: "${file:secret}"}}}]
`, log.Tenant(), log.Addr(), time.Now().Add(-5*time.Hour).UTC().Format(time.RFC3339), o365test.Client)})
	added := 0
	add := func(n int) {
		for range n {
			var records []string
			for i := range each {
				records = append(records, strings.ReplaceAll(audited(added%4, int64(added*each+i)), `"t-1"`, strconv.Quote(log.Tenant())))
			}
			age := time.Duration(added%4) * time.Hour // some come late
			log.Add(o365test.Blob{Content: []string{o365test.AzureActiveDirectory, o365test.Exchange, o365test.SharePoint, o365test.General}[added%4],
				Created: time.Now().Add(-age), Body: []byte("[" + strings.Join(records, ",") + "]")})
			added++
		}
	}
	random := rand.New(rand.NewPCG(16, 16))
	for range kills {
		add(blobs / kills)
		c := started(t, conf, data, dir)
		asked := log.Stats().Requests + random.IntN(60) // it is at work then
		eventually(t, "it asks the API", func() bool { return log.Stats().Requests > asked || c.ProcessState != nil })
		time.Sleep(time.Duration(random.IntN(300)) * time.Millisecond)
		if err := c.Process.Kill(); err != nil {
			t.Fatalf("it has ended by itself: %v\n%s", err, stderrOf(dir))
		}
		_ = c.Wait() // it was killed
	}
	want, have := added*each, 0
	for _, ids := range stored(t, data) {
		have += len(ids)
	}
	c := started(t, conf, data, dir)
	eventually(t, "the rest is stored", func() bool {
		out, err := noroshi("status", "--json", "--data", data).Output()
		var now struct{ Records int }
		return err == nil && json.Unmarshal(out[bytes.LastIndexByte(bytes.TrimSpace(out), '\n')+1:], &now) == nil && have+now.Records >= want
	})
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Fatalf("a run ends with %v\n%s", err, stderrOf(dir))
	}
	got := stored(t, data)
	have = 0
	times := map[string]int{}
	for _, ids := range got {
		have += len(ids)
		for _, id := range ids {
			times[id]++
		}
	}
	wrong := 0
	for n := range want {
		id := fmt.Sprintf("%d/%d", n/each%4, n)
		if times[id] != 1 && wrong < 5 {
			wrong++
			t.Errorf("%s is stored %d times", id, times[id])
		}
	}
	n := log.Stats()
	t.Logf("%d kills; %d records in %d blobs, %d stored; %d requests, %d faults", kills, want, added, have, n.Requests, n.Faults)
	if have != want {
		t.Errorf("%d of %d records are stored\n%s", have, want, stderrOf(dir))
	}
}

// eventually waits until something holds, and ends the test where it does not.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it does not come to it that %s", what)
		}
	}
}

// started starts a run, which writes what it says into a folder.
func started(t *testing.T, conf, data, dir string) *exec.Cmd {
	t.Helper()
	c := noroshi("run", "--config", conf, "--data", data)
	stderr, err := os.Create(filepath.Join(dir, "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close()
	c.Stderr = stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

func stderrOf(dir string) string {
	b, _ := os.ReadFile(filepath.Join(dir, "stderr"))
	return string(b)
}
