package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
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
	kills, blobs := 3, 48
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
		asked := log.Stats().Requests + random.IntN(20) // it is at work then
		eventually(t, "it asks the API", c, func() bool { return log.Stats().Requests > asked })
		time.Sleep(time.Duration(random.IntN(300)) * time.Millisecond)
		if err := c.Process.Kill(); err != nil {
			t.Fatalf("it has ended by itself: %v\n%s", err, stderrOf(dir))
		}
		<-c.ended // it was killed
	}
	want, have := added*each, 0
	for _, ids := range stored(t, data) {
		have += len(ids)
	}
	began := time.Now()
	c := started(t, conf, data, dir)
	eventually(t, "the rest is stored", c, func() bool { return have+recordsSince(data, began) >= want })
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := <-c.ended; err != nil {
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

// recordsSince is how many records a run has stored that began after a time; what killed ones said last does not count. It is negative
// before there is such a run.
func recordsSince(data string, began time.Time) int {
	out, err := noroshi("status", "--json", "--data", data).Output()
	for line := range bytes.Lines(out) {
		var now struct {
			Records       int
			Started       time.Time
			Ended, Killed bool
		}
		if err == nil && json.Unmarshal(line, &now) == nil && !now.Ended && !now.Killed && now.Started.After(began) {
			return now.Records
		}
	}
	return math.MinInt32
}

// eventually waits until something holds of a run, and ends the test where it does not or the run ends before.
func eventually(t *testing.T, what string, c running, holds func() bool) {
	t.Helper()
	for deadline := time.After(5 * time.Minute); !holds(); {
		select {
		case err := <-c.ended:
			t.Fatalf("the run ends by itself: %v\n%s", err, stderrOf(filepath.Dir(c.Args[len(c.Args)-1])))
		case <-deadline:
			_ = c.Process.Kill() // the test fails
			t.Fatalf("it does not come to it that %s", what)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// running is a run whose end is told once.
type running struct {
	*exec.Cmd
	ended chan error
}

// started starts a run, which writes what it says into a folder.
func started(t *testing.T, conf, data, dir string) running {
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
	r := running{c, make(chan error, 1)}
	go func() { r.ended <- c.Wait() }()
	return r
}

func stderrOf(dir string) string {
	b, _ := os.ReadFile(filepath.Join(dir, "stderr"))
	return string(b)
}
