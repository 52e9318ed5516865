package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"noroshi/internal/bus"
	"noroshi/internal/kafkatest"
	"noroshi/internal/o365test"
)

// TestKilledAgainAndAgainEachBlobIsStoredOnce: noroshi run is killed again and again while it reads an audit log whose every tenth answer is a
// fault; in the end each record lies on the topic once. The long form also has two instances that share an Apache Kafka.
func TestKilledAgainAndAgainEachBlobIsStoredOnce(t *testing.T) {
	t.Run("embedded", func(t *testing.T) {
		r := newReaders(t, "kafka: {sync: false}", 1)
		data := filepath.Join(r.dir, "data")
		r.all[0].args = append(r.all[0].args, "--data", data)
		r.stored = func() map[string][]string { return stored(t, data) }
		r.kill()
		before, began := count(r.stored()), time.Now()
		r.rest(func() int { return before + recordsSince(data, began) })
	})
	if os.Getenv("NOROSHI_SOAK") == "" {
		return
	}
	t.Run("Apache Kafka", func(t *testing.T) {
		broker := kafkatest.Apache(t)
		r := newReaders(t, fmt.Sprintf("kafka: {brokers: [%q], partitions: 4}", broker.Address), 2)
		b, err := bus.Connect(broker.Config("noroshi.", 4))
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		r.stored = func() map[string][]string { return eventsOn(t, b) }
		r.kill()
		r.rest(func() int { return count(r.stored()) })
	})
}

// readers are instances that read one audit log.
type readers struct {
	t      *testing.T
	dir    string
	log    *o365test.Server
	random *rand.Rand
	all    []*process
	stored func() map[string][]string // ids of events
	added  int                        // blobs
	killed int
	ended  int // by a signal, as a person does
}

// recordsEach is how many records a blob of the audit log has.
const recordsEach = 25

func newReaders(t *testing.T, kafka string, instances int) *readers {
	t.Helper()
	c := o365test.Config{PageSize: 20, Every: 10, Quota: -1}
	if os.Getenv("NOROSHI_SOAK") == "" { // the others make all wait for seconds
		c.Faults = slices.DeleteFunc(slices.Clone(o365test.AllFaults), func(f o365test.Fault) bool { return f == o365test.Throttled403 || f == o365test.Throttled429 })
	}
	r := &readers{t: t, dir: t.TempDir(), log: o365test.Start(t, c), random: rand.New(rand.NewPCG(16, 16))}
	writeFiles(t, r.dir, map[string]string{"ca.pem": string(r.log.CertificatePEM()), "secret": o365test.Secret, "noroshi.yaml": kafka + fmt.Sprintf(`
sources: [{o365: {name: audit, tenant: %[1]s, endpoint: "%[2]s", ca_file: ca.pem, poll: 10s, quota: 100000, start: "%[3]s",
  credential: {kind: client_secret, tenant: %[1]s, client: %[4]s, secret: "${file:secret}"}}}]
`, r.log.Tenant(), r.log.Addr(), time.Now().Add(-5*time.Hour).UTC().Format(time.RFC3339), o365test.Client)})
	for i := range instances {
		p := &process{args: []string{"run", "--config", filepath.Join(r.dir, "noroshi.yaml")}, said: filepath.Join(r.dir, fmt.Sprint("stderr-", i))}
		t.Cleanup(func() {
			if p.cmd != nil {
				_ = p.cmd.Process.Kill() // it may have ended
			}
		})
		r.all = append(r.all, p)
	}
	return r
}

// add adds blobs; some of them come late.
func (r *readers) add(n int) {
	contents := []string{o365test.AzureActiveDirectory, o365test.Exchange, o365test.SharePoint, o365test.General}
	for range n {
		var records []string
		for i := range recordsEach {
			records = append(records, strings.ReplaceAll(audited(r.added%4, int64(r.added*recordsEach+i)), `"t-1"`, strconv.Quote(r.log.Tenant())))
		}
		r.log.Add(o365test.Blob{Content: contents[r.added%4], Created: time.Now().Add(-time.Duration(r.added%4) * time.Hour), Body: []byte("[" + strings.Join(records, ",") + "]")})
		r.added++
	}
}

// kill kills one of the instances while it reads, and starts it again, many times. Of several, some are ended in order.
func (r *readers) kill() {
	kills, blobs := 3, 48
	if os.Getenv("NOROSHI_SOAK") != "" {
		kills, blobs = 25, 2000
	}
	for ; r.killed < kills; r.killed++ {
		r.add(blobs / kills)
		for _, p := range r.all {
			if p.cmd == nil {
				p.start(r.t)
			}
		}
		read := r.log.Stats().Blobs + r.random.IntN(blobs/kills)
		comesTo(r.t, r.all[0], "it reads blobs", 10*time.Millisecond, func() bool { return r.log.Stats().Blobs > read })
		time.Sleep(time.Duration(r.random.IntN(100)) * time.Millisecond)
		p := r.all[r.random.IntN(len(r.all))]
		p.kill(r.t)
		p.cmd = nil
		if o := r.all[r.random.IntN(len(r.all))]; o.cmd != nil && o.runs() && r.random.IntN(4) == 0 {
			o.end(r.t)
			o.cmd = nil
			r.ended++
		}
	}
}

// runs reports whether an instance has said that it runs: one that is ended before that is interrupted.
func (p *process) runs() bool { return strings.Contains(p.text(), "msg=running") }

// rest waits until all records are stored, as one of the counts says, and looks whether each is there once.
func (r *readers) rest(have func() int) {
	r.t.Helper()
	for _, p := range r.all {
		if p.cmd == nil {
			p.start(r.t)
		}
	}
	want := r.added * recordsEach
	comesTo(r.t, r.all[0], "the rest is stored", time.Second, func() bool { return have() >= want })
	for _, p := range r.all {
		comesTo(r.t, p, "it runs", 20*time.Millisecond, p.runs)
		p.end(r.t)
	}
	got, times, wrong := r.stored(), map[string]int{}, 0
	for id := range slices.Values(slices.Concat(slices.Collect(maps.Values(got))...)) {
		times[id]++
	}
	for n := range want {
		id := fmt.Sprintf("%d/%d", n/recordsEach%4, n)
		if times[id] != 1 && wrong < 5 {
			wrong++
			r.t.Errorf("%s is stored %d times", id, times[id])
		}
	}
	n := r.log.Stats()
	r.t.Logf("%d kills, %d ends; %d records in %d blobs, %d stored; %d requests, %d faults", r.killed, r.ended, want, r.added, count(got), n.Requests, n.Faults)
	if count(got) != want {
		r.t.Errorf("%d of %d records are stored\n%s", count(got), want, r.all[0].text())
	}
}

func count(all map[string][]string) (n int) {
	for _, ids := range all {
		n += len(ids)
	}
	return n
}

// comesTo looks now and then whether something holds, and ends the test where it does not come to that.
func comesTo(t *testing.T, p *process, what string, pause time.Duration, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Minute); !holds(); time.Sleep(pause) {
		if time.Now().After(deadline) {
			t.Fatalf("it does not come to it that %s\n%s", what, p.text())
		}
	}
}

// recordsSince is how many records a run has stored that began after a time; what killed ones said last does not count. It is 0 before there
// is such a run.
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
	return 0
}
