package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// rememberingRules are rules of the kinds that remember and run live, with and without the account in their key. Alerts that others look at
// may move to an earlier time as long as events come out of order, so these others look at a whole day.
var rememberingRules = map[string]string{
	"guessing": `kind: threshold
when: auth.result == "wrong_credential"
within: 10m
count: 4`,
	"addresses": `kind: threshold
when: auth.result == "wrong_credential"
within: 2h
distinct: {of: source.ip, least: 6}`,
	"guessed": `kind: sequence
within: 1h
steps:
  - {id: guess, when: auth.result == "wrong_credential", count: 3}
  - {id: in, when: auth.result == "success"}`,
	"new-address": `kind: first_seen
when: auth.result == "success"
value: [source.ip]
within: 30d
learn: 1h`,
	"both": `kind: correlation
of: [guessing, guessed, new-address]
distinct: {of: rule, least: 2}
within: 2h`,
	"spray": `kind: threshold
when: auth.result == "wrong_credential"
by: [source.ip]
within: 10m
distinct: {of: account, least: 4}`,
	"anybody": `kind: threshold
when: auth.result == "wrong_credential"
by: []
within: 1h
count: 100`,
	"broken-in": `kind: sequence
by: [source.ip]
within: 10m
steps:
  - {id: guess, when: auth.result == "wrong_credential", count: 5}
  - {id: in, when: auth.result == "success"}`,
	"widely": `kind: correlation
of: [spray, guessing]
by: [source.ip]
distinct: {of: rule, least: 2}
within: 1d`,
	"everywhere": `kind: correlation
of: [spray, widely]
by: []
count: 5
within: 1d`,
	"hourly": `when: auth.result == "success"
repeat: 1h`,
}

// remembers writes the rules.
func remembers(t *testing.T, dir string) {
	t.Helper()
	writeRules(t, dir, rememberingRules)
}

// writeRules writes rules into the folder rules.
func writeRules(t *testing.T, dir string, rules map[string]string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, "rules"), 0o700); err != nil {
		t.Fatal(err)
	}
	for id, text := range rules {
		text = fmt.Sprintf("id: %s\ntitle: A rule that remembers\nseverity: low\n%s\n", id, text)
		if err := os.WriteFile(filepath.Join(dir, "rules", id+".yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

const memoryUsers = 24

// signInsBegan is when the first sign-in was. What a hub brings must not be much older: it would come too late for its neighbours.
var signInsBegan = time.Now().UTC().Truncate(time.Hour).Add(-20 * time.Hour)

// signInOf is a record of one of some users. Each tries wrong passwords for a while, then comes in; now and then from an address of its own.
func signInOf(i int, random *rand.Rand) string {
	at := signInsBegan.Add(time.Duration(i) * 4 * time.Second).Format(time.RFC3339)
	code, ip := 50126, 1+random.IntN(8)
	if random.IntN(4) == 0 {
		code = 0
	}
	if random.IntN(30) == 0 {
		ip = 10 + random.IntN(200)
	}
	return fmt.Sprintf(`{"time":"%[1]s","category":"SignInLogs","tenantId":"t-1","properties":{"id":"s-%[2]d","createdDateTime":"%[1]s","userPrincipalName":"user%[3]d@contoso.example","userId":"u-%[3]d","ipAddress":"203.0.113.%[4]d","status":{"errorCode":%[5]d},"appId":"a-1","appDisplayName":"Mail","isInteractive":true}}`,
		at, i, i%memoryUsers, ip, code)
}

// told counts alerts by id and revision, whichever sink they come to.
type told struct {
	mu  sync.Mutex
	got map[string]map[int]int
	by  map[string]string // by id: the rule
}

func (r *told) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	var page struct{ Data toldAlert }
	if err == nil {
		err = json.Unmarshal(body, &page)
	}
	if err != nil || page.Data.ID == "" { // a killed process breaks off in the middle of a request
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	r.add(page.Data)
	w.WriteHeader(http.StatusNoContent)
}

type toldAlert struct {
	ID       string
	Revision int
	Rule     struct{ ID string }
}

func (r *told) add(a toldAlert) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.got == nil {
		r.got, r.by = map[string]map[int]int{}, map[string]string{}
	}
	r.by[a.ID] = a.Rule.ID
	if r.got[a.ID] == nil {
		r.got[a.ID] = map[int]int{}
	}
	r.got[a.ID][a.Revision]++
}

func (r *told) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.got)
}

// compare compares what was told with what a replay finds, and gives how much was told more than once.
func (r *told) compare(t *testing.T, want map[string]string) (repeats int) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	missing, foreign := map[string]int{}, map[string]int{}
	for id, rule := range want {
		if r.got[id] == nil {
			missing[rule]++
		}
	}
	for id, revisions := range r.got {
		if _, ok := want[id]; !ok {
			foreign[r.by[id]]++
		}
		for _, n := range revisions {
			repeats += n - 1
		}
	}
	if len(missing)+len(foreign) > 0 {
		t.Errorf("of %d alerts these are missing: %v; these were told, and no replay gives them: %v", len(want), missing, foreign)
	}
	return repeats
}

// rememberedBy are the alerts that a replay gives with the shipped rules and those of a folder, and their rules.
func rememberedBy(t *testing.T, rules, log string) map[string]string {
	t.Helper()
	out, err := noroshi("replay", "--json", "--rules", rules, log).Output()
	if err != nil {
		t.Fatal(err)
	}
	ids, perRule := map[string]string{}, map[string]int{}
	for line := range bytes.Lines(out) {
		var a struct {
			ID   string
			Rule struct{ ID string }
		}
		if err := json.Unmarshal(line, &a); err != nil {
			t.Fatal(err)
		}
		ids[a.ID] = a.Rule.ID
		perRule[a.Rule.ID]++
	}
	if len(perRule) < len(rememberingRules) || len(ids) < 100 {
		t.Fatalf("the replay gives %v: too few to prove anything", perRule)
	}
	return ids
}

// kills is how often a process is killed: a few times, or as often as NOROSHI_KILLS says.
func kills(usual int) int {
	if n, err := strconv.Atoi(os.Getenv("NOROSHI_KILLS")); err == nil {
		return n
	}
	return usual
}

// often is how often something is done: a few times, or many times in a soak.
func often(usual, soak int) int {
	if os.Getenv("NOROSHI_SOAK") != "" {
		return soak
	}
	return usual
}

// TestKilledAgainAndAgainRulesRemember: noroshi run is killed while records are written. In the end the alerts of rules that remember are
// those that a replay of the same records gives, and what was told twice has the same id.
func TestKilledAgainAndAgainRulesRemember(t *testing.T) {
	n := kills(5)
	r := &told{}
	srv := httptest.NewServer(r)
	defer srv.Close()
	dir := t.TempDir()
	remembers(t, dir)
	log := filepath.Join(dir, "signins.ndjson")
	writeFiles(t, dir, map[string]string{"signins.ndjson": "", "secret": secret, "noroshi.yaml": fmt.Sprintf(`sources: [{file: {paths: [signins.ndjson], poll: 10ms}}]
rules: [rules]
sinks: [{name: hook, webhook: {url: "%s", secrets: ["${file:secret}"], allow_private: true, allow_http: true}}]
`, srv.URL)})
	f, err := os.OpenFile(log, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := &process{args: []string{"run", "--config", filepath.Join(dir, "noroshi.yaml"), "--data", filepath.Join(dir, "data")},
		said: filepath.Join(dir, "stderr")}
	random, records := rand.New(rand.NewPCG(5, 5)), 0
	for range n {
		p.start(t)
		until := time.Now().Add(time.Duration(300+random.IntN(900)) * time.Millisecond)
		for time.Now().Before(until) || records < 400 {
			for range 20 {
				if _, err := f.WriteString(signInOf(records, random) + "\n"); err != nil {
					t.Fatal(err)
				}
				records++
			}
			time.Sleep(10 * time.Millisecond)
		}
		p.kill(t)
	}
	want := rememberedBy(t, filepath.Join(dir, "rules"), log)
	p.start(t)
	for deadline := time.Now().Add(time.Minute); (r.count() < len(want) || !strings.Contains(p.text(), "msg=running")) && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	p.end(t)
	repeats := r.compare(t, want)
	t.Logf("%d kills, %d records, %d alerts of %v, 0 missing, %d deliveries came again", n, records, len(want),
		slices.Sorted(maps.Keys(rememberingRules)), repeats)
	if t.Failed() {
		t.Log(p.text())
	}
}

// process is noroshi as it is started again and again.
type process struct {
	args        []string
	environment []string // beside that of the test
	said        string   // where its messages go
	cmd         *exec.Cmd
}

func (p *process) start(t *testing.T) {
	t.Helper()
	p.cmd = noroshi(p.args...)
	said, err := os.Create(p.said)
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	p.cmd.Stderr, p.cmd.Env = said, append(p.cmd.Env, p.environment...)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
}

func (p *process) text() string {
	b, _ := os.ReadFile(p.said)
	return string(b)
}

// kill kills the process, which must have been alive.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if p.die(t); p.cmd.ProcessState.Exited() {
		t.Fatalf("it has ended by itself: %v\n%s", p.cmd.ProcessState, p.text())
	}
}

// die kills the process, which may have ended.
func (p *process) die(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatalf("it has ended by itself: %v\n%s", err, p.text())
	}
	_ = p.cmd.Wait() // it was killed
}

// end ends the process as a person does.
func (p *process) end(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("the last run ends with %v\n%s", err, p.text())
	}
}
