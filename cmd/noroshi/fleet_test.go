//go:build unix

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"noroshi/internal/bus"
	"noroshi/internal/eventhubstest"
	"noroshi/internal/kafkatest"
)

// fleetRules are rules of the kinds that remember, with and without the account in their key. Their windows are short, for a test is.
// Alerts of keys without the account may move to an earlier time when records of other partitions come late, so that rules over these
// look at a whole day.
var fleetRules = map[string]string{
	"guessing":    "kind: threshold\nwhen: event.dataset == \"entra.signin\" && auth.result == \"wrong_credential\"\nwithin: 10s\ncount: 6\nrepeat: 1m",
	"addresses":   "kind: threshold\nwhen: event.dataset == \"entra.signin\" && auth.result == \"wrong_credential\"\nwithin: 1m\ndistinct: {of: source.ip, least: 12}\nrepeat: 1m",
	"guessed":     "kind: sequence\nwithin: 30s\nsteps:\n  - {id: guess, when: event.dataset == \"entra.signin\" && auth.result == \"wrong_credential\", count: 4}\n  - {id: in, when: event.dataset == \"entra.signin\" && auth.result == \"success\"}\nrepeat: 1m",
	"new-address": "kind: first_seen\nwhen: event.dataset == \"entra.signin\" && auth.result == \"success\"\nvalue: [source.ip]\nwithin: 30d\nlearn: 1m",
	"both":        "kind: correlation\nof: [guessing, guessed, new-address]\ndistinct: {of: rule, least: 2}\nwithin: 5m\nrepeat: 10m",
	"spray":       "kind: threshold\nwhen: event.dataset == \"entra.signin\" && auth.result == \"wrong_credential\"\nby: [source.ip]\nwithin: 3s\ndistinct: {of: account, least: 6}\nrepeat: 1m",
	"locked":      "kind: threshold\nwhen: event.dataset == \"entra.signin\" && auth.result == \"locked\"\nby: []\nwithin: 10s\ncount: 13\nrepeat: 1m",
	"broken-in":   "kind: sequence\nby: [source.ip]\nwithin: 5s\nsteps:\n  - {id: guess, when: event.dataset == \"entra.signin\" && auth.result == \"wrong_credential\", count: 5}\n  - {id: in, when: event.dataset == \"entra.signin\" && auth.result == \"success\"}\nrepeat: 1m",
	"widely":      "kind: correlation\nof: [spray, guessing]\nby: [source.ip]\ndistinct: {of: rule, least: 2}\nwithin: 1d\nrepeat: 7d",
	"everywhere":  "kind: correlation\nof: [spray, widely]\nby: []\ncount: 5\nwithin: 1d\nrepeat: 7d",
	// What is decided late: in each partition of the events, and of the signals.
	"unanswered": "kind: absence\nwhen: event.dataset == \"entra.signin\" && auth.result == \"wrong_credential\"\nwithout: {when: event.dataset == \"entra.signin\" && auth.result == \"success\", after: 40s}\nneeds: [entra.signin]\nrepeat: 1m",
	"fruitless":  "kind: absence\nwhen: event.dataset == \"entra.signin\" && auth.result == \"wrong_credential\"\nby: [source.ip]\nwithout: {when: event.dataset == \"entra.signin\" && auth.result == \"success\", after: 15s}\nneeds: [entra.signin]\nrepeat: 1m",
	"quiet":      "kind: silence\nwhen: event.dataset == \"entra.signin\" && auth.result == \"success\"\nby: [account]\nlonger: 1m",
	"still":      "kind: silence\nwhen: event.dataset == \"entra.signin\" && auth.result == \"success\"\nby: [source.ip]\nlonger: 20s",
	"in":         "when: event.dataset == \"entra.signin\" && auth.result == \"success\"\nrepeat: 1m",
}

// stream makes sign-ins into an event hub and into a file. Their time goes four times as fast as the clock on the wall, and is not later.
type stream struct {
	hub    *eventhubstest.Server
	log    *os.File
	random *rand.Rand
	began  time.Time
	base   time.Time // of the first record
	made   int
}

const (
	streamFaster = 4
	streamUsers  = 100
	streamRate   = 150              // records a second
	streamMost   = 45 * time.Minute // on the wall
	// streamPast is how far behind the last record clocks go in the end: alerts about alerts wait for all datasets, for an hour.
	streamPast = 80 * time.Minute
	hubs       = 4 // partitions
)

// lasting is the configuration of sources that are so much ahead of their own records.
const lasting = "lateness: {entra.signin: {wait: 1s, keep: 5h}}\n"

func newStream(t *testing.T, hub *eventhubstest.Server, path string) *stream {
	t.Helper()
	log, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() }) // it is read by then
	now := time.Now().UTC().Truncate(time.Second)
	return &stream{hub: hub, log: log, random: rand.New(rand.NewPCG(9, 9)), began: now, base: now.Add(-(streamFaster-1)*streamMost - streamPast)}
}

// run makes records until ctx ends.
func (s *stream) run(ctx context.Context) error {
	s.began = time.Now()
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		since := time.Since(s.began)
		for due := int(since.Seconds() * streamRate); s.made < due; {
			if err := s.add(time.Duration(s.made) * time.Second * streamFaster / streamRate); err != nil {
				return err
			}
		}
	}
}

// add makes the next record, so long after the first.
func (s *stream) add(after time.Duration) error {
	code, ip := "50126", 1+s.random.IntN(30)
	switch n := s.random.IntN(32); {
	case n < 7:
		code = "0"
	case n == 7:
		code = "50053"
	}
	if s.random.IntN(30) == 0 {
		ip = 100 + s.random.IntN(150)
	}
	user := s.random.IntN(streamUsers)
	record := s.signIn(s.base.Add(after), strconv.Itoa(s.made), user, ip, code)
	s.made++
	if _, err := s.log.WriteString(record + "\n"); err != nil {
		return err
	}
	return s.append(user, record, s.base.Add(after))
}

func (s *stream) append(user int, record string, at time.Time) error {
	_, err := s.hub.Append("audit", strconv.Itoa(user%hubs), eventhubstest.Event{Body: []byte(record), Enqueued: at})
	return err
}

func (s *stream) signIn(at time.Time, id string, user, ip int, code string) string {
	return fmt.Sprintf(`{"time":"%[1]s","category":"SignInLogs","tenantId":"t-1","properties":{"id":"s-%[2]s","createdDateTime":"%[1]s","userPrincipalName":"user%[3]d@contoso.example",`+
		`"userId":"u-%[3]d","ipAddress":"203.0.113.%[4]d","status":{"errorCode":%[5]s},"appId":"a-1","appDisplayName":"Mail","isInteractive":true}}`,
		at.Format("2006-01-02T15:04:05.000Z"), id, user, ip, code)
}

// beat makes records that no rule looks at, so that the clocks of all partitions pass the last window. They are in no file but one of the
// first, which close has written.
func (s *stream) beat(n int) error {
	for user := range streamUsers {
		record, at := s.heart(n, user)
		if err := s.append(user, record, at); err != nil {
			return err
		}
	}
	return nil
}

func (s *stream) heart(n, user int) (record string, at time.Time) {
	at = s.base.Add(time.Duration(s.made)*time.Second*streamFaster/streamRate + streamPast + time.Duration(n)*time.Second)
	return s.signIn(at, fmt.Sprintf("beat-%d-%d", n, user), user, 1, "50140"), at
}

// close ends the file, with a record behind all that is decided late.
func (s *stream) close() error {
	record, _ := s.heart(0, 0)
	_, err := s.log.WriteString(record + "\n")
	return err
}

// fleet is instances of noroshi run that share an Apache Kafka and an event hub.
type fleet struct {
	t      *testing.T
	dir    string
	config string
	bus    *bus.Bus
	random *rand.Rand
	all    []*process
	begun  int            // processes
	did    map[string]int // what was done, and how often
}

// newFleet has no instances yet. The topics of one begin with a prefix of its own.
func newFleet(t *testing.T, dir, prefix string, brokers []*kafkatest.Broker) *fleet {
	t.Helper()
	var addresses []string
	for _, b := range brokers {
		addresses = append(addresses, strconv.Quote(b.Address))
	}
	f := &fleet{t: t, dir: dir, config: filepath.Join(dir, prefix+"yaml"), random: rand.New(rand.NewPCG(3, 3)), did: map[string]int{}}
	writeFiles(t, dir, map[string]string{filepath.Base(f.config): fmt.Sprintf(`kafka: {brokers: [%s], partitions: 4, prefix: %s}
sources: [{eventhub: {name: audit, connection_string: '${file:cs}'}}]
rules: [rules]
`, strings.Join(addresses, ", "), prefix) + lasting})
	c := brokers[0].Config(prefix, 4)
	c.Brokers = nil
	for _, b := range brokers {
		c.Brokers = append(c.Brokers, b.Address)
	}
	var err error
	if f.bus, err = bus.Connect(c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.bus.Close)
	t.Cleanup(func() {
		for _, p := range f.all {
			_ = p.cmd.Process.Kill() // it may have ended
		}
	})
	return f
}

// join starts an instance more.
func (f *fleet) join() {
	f.t.Helper()
	p := &process{args: []string{"run", "--config", f.config}}
	f.start(p)
	f.all = append(f.all, p)
}

// start starts a process that was never started, or has ended.
func (f *fleet) start(p *process) {
	f.t.Helper()
	f.begun++
	p.said = fmt.Sprintf("%s-stderr-%d", f.config, f.begun)
	p.start(f.t)
}

// any is one of the instances.
func (f *fleet) any() *process { return f.all[f.random.IntN(len(f.all))] }

// kill kills an instance and starts it again a little later.
func (f *fleet) kill() {
	f.t.Helper()
	p := f.any()
	p.die(f.t)
	switch {
	case !p.cmd.ProcessState.Exited():
	case f.did["brokers killed"] > 0 && (strings.Contains(p.tail(), "deadline exceeded") || strings.Contains(p.tail(), "noroshi: reach Kafka: ")): // a start waits a minute for Kafka
		f.did["instances whose start gave up"]++
	default:
		f.t.Errorf("an instance has ended by itself: %v\n%s", p.cmd.ProcessState, p.tail())
	}
	f.did["instances killed"]++
	time.Sleep(time.Duration(f.random.IntN(700)) * time.Millisecond)
	f.start(p)
}

// leave ends an instance as a person does.
func (f *fleet) leave() {
	f.t.Helper()
	i := f.random.IntN(len(f.all))
	p := f.all[i]
	f.all = slices.Delete(f.all, i, i+1)
	f.finish(p)
	f.did["instances ended"]++
}

// finish ends a process as a person does. What it cannot finish in time, because its group or a broker takes longer, comes again to
// another one.
func (f *fleet) finish(p *process) {
	f.t.Helper()
	f.signal(p, syscall.SIGINT)
	err := p.cmd.Wait()
	switch {
	case err == nil:
	case strings.Contains(p.tail(), "not all that was under way could be finished"):
		f.did["instances that could not finish in time"]++
	case !strings.Contains(p.text(), "msg=running"): // it has nothing to finish yet
		f.did["instances ended while they started"]++
	default:
		f.t.Errorf("an instance ends with %v\n%s", err, p.tail())
	}
}

// hold stops an instance for longer than its session lasts; others take over, and then it goes on.
func (f *fleet) hold(long time.Duration) {
	f.t.Helper()
	p := f.any()
	f.signal(p, syscall.SIGSTOP)
	time.Sleep(long)
	f.signal(p, syscall.SIGCONT)
	f.did["instances held for "+long.String()]++
}

func (f *fleet) signal(p *process, s syscall.Signal) {
	f.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		f.t.Fatal(err)
	}
}

// between is a moment between two faults.
func (f *fleet) between() { time.Sleep(time.Duration(500+f.random.IntN(2500)) * time.Millisecond) }

// end ends all instances.
func (f *fleet) end() {
	f.t.Helper()
	for _, p := range f.all {
		f.finish(p)
	}
	f.all = nil
}

// tail is what a process has said last.
func (p *process) tail() string {
	text := p.text()
	return text[max(0, len(text)-4000):]
}

// told are the findings that readers of what is committed see on the topic of alerts.
func (f *fleet) told() (findings, error) {
	ctx, cancel := context.WithTimeout(f.t.Context(), time.Minute)
	defer cancel()
	all := findings{}
	err := f.bus.All(ctx, bus.Alerts, func(r bus.Record) error { return all.add(r.Value) })
	return all, err
}

// replay is what a replay of a file finds.
func (f *fleet) replay(path string) findings {
	f.t.Helper()
	out, err := noroshi("replay", "--json", "--config", f.config, path).Output()
	if err != nil {
		f.t.Fatal(err)
	}
	all, perRule := findings{}, map[string]int{}
	for line := range strings.Lines(string(out)) {
		if err := all.add([]byte(line)); err != nil {
			f.t.Fatal(err)
		}
	}
	for _, one := range all {
		perRule[one.rule]++
	}
	f.t.Logf("a replay finds %v", perRule)
	if len(perRule) < len(fleetRules) {
		f.t.Fatal("too little to prove anything")
	}
	return all
}

// agrees waits until what was told is what a replay finds, or for so long as nothing new is told.
func (f *fleet) agrees(want findings, s *stream) {
	f.t.Helper()
	var d *difference
	at := -1
	for n, deadline := 0, time.Now().Add(2*time.Minute); time.Now().Before(deadline); n++ {
		if err := s.beat(n); err != nil {
			f.t.Fatal(err)
		}
		got, err := f.told()
		if err != nil {
			f.t.Logf("look at what was told: %v", err)
			time.Sleep(time.Second)
			continue
		}
		if d = got.compare(want); d.none() {
			break
		}
		if d.revisions != at {
			at, deadline = d.revisions, time.Now().Add(2*time.Minute)
		}
		time.Sleep(time.Second)
	}
	last := slices.Clone(f.all)
	f.end()
	got, err := f.told() // what comes twice may have come later
	if err != nil {
		f.t.Fatal(err)
	}
	d = got.compare(want)
	f.t.Logf("%v; %d records, %d alerts of %d revisions; %v", f.did, s.made, len(want), d.revisions, d)
	if d.none() {
		return
	}
	f.t.Errorf("what was told differs from what a replay finds: %v\n%s", d, d.example)
	for _, p := range last {
		f.t.Log(p.tail())
	}
}
