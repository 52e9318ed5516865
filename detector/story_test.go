package detector_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noroshi/detector"
	"noroshi/internal/alert"
	"noroshi/internal/diag"
	"noroshi/internal/incident"
	"noroshi/internal/state"
	"noroshi/rules"
)

// stories are the lines of stories and one rule that marks.
func stories(t testing.TB) *detector.Set {
	t.Helper()
	rs, ps := rules.Load(rules.Options{Library: true, Story: true, Untested: true})
	if diag.Errors(ps) > 0 {
		t.Fatal(ps)
	}
	rs.Rules = slices.DeleteFunc(rs.Rules, func(r *rules.Rule) bool { return r.ID != "risky-sign-in-succeeded" })
	return detector.New(rs, detector.Options{})
}

// keeper is a memory with its rows, as a stage stores them.
type keeper struct {
	memory     *detector.Memory
	worker     *detector.Worker
	rows       map[string][]byte
	longest    int // bytes of the longest row that was added
	written    int
	activities []string
	profiles   map[string]*incident.Profile
}

func keep(set *detector.Set, rows map[string][]byte) *keeper {
	k := &keeper{rows: rows, worker: set.Worker(), profiles: map[string]*incident.Profile{}}
	k.worker.Packing = detector.Local
	k.memory = set.Memory(detector.MemoryOptions{Stage: detector.First, Live: true, Stored: true, Story: &detector.Story{
		Activity: func(a *incident.Activity) {
			k.activities = append(k.activities, fmt.Sprint(a.Account, " ", a.Line, " ", a.Entry.EventID, " ", a.Entry.Count))
		},
		Profile: func(p *incident.Profile) { k.profiles[p.Account] = p },
	}})
	k.worker.Marked = k.memory.Marked
	return k
}

func (k *keeper) take(t testing.TB, record string) {
	t.Helper()
	if err := k.worker.ReadAlone([]byte(record), time.Time{}); err != nil {
		t.Fatal(err)
	}
	detector.EachHit(k.worker.Match(nil), func(packed []byte) {
		if err := k.memory.Apply(packed, func(*alert.Alert) {}); err != nil {
			t.Fatal(err)
		}
	})
}

// store takes over what has changed.
func (k *keeper) store() {
	k.memory.Changes(func(r detector.Row) {
		switch r.Form {
		case state.Gone:
			delete(k.rows, string(r.Key))
		case state.Added:
			k.rows[string(r.Key)] = append(k.rows[string(r.Key)], r.Value...)
			k.longest, k.written = max(k.longest, len(r.Value)), k.written+1
		default:
			k.rows[string(r.Key)] = bytes.Clone(r.Value)
		}
	})
}

// whole are all rows as they are written anew.
func (k *keeper) whole() map[string]string {
	all := map[string]string{}
	k.memory.Rows(func(r detector.Row) {
		if detector.StoryKey(r.Key) {
			all[string(r.Key)] = string(r.Value)
		}
	})
	return all
}

func signInOf(id, session, ip, risk string, at time.Duration, code int) string {
	when := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC).Add(at).Format(time.RFC3339)
	return fmt.Sprintf(`{"time":"%s","category":"SignInLogs","tenantId":"t","properties":{"id":"%s","createdDateTime":"%s","userPrincipalName":"taro@contoso.example","userId":"u",`+
		`"ipAddress":"%s","sessionId":"%s","isInteractive":true,"riskLevelDuringSignIn":"%s","deviceDetail":{"displayName":"PC-1","browser":"Edge 143","operatingSystem":"Windows10"},"status":{"errorCode":%d}}}`,
		when, id, when, ip, session, risk, code)
}

// aMonth are sign-ins of a month, some of them more often than they count, with one that marks the account.
func aMonth() (all []string) {
	for day := range 40 {
		at := time.Duration(day) * 24 * time.Hour
		for n := range 3 { // the same session within ten minutes
			all = append(all, signInOf(fmt.Sprint("in-", day, "-", n), fmt.Sprint("s-", day), "198.51.100.7", "none", at+time.Duration(n)*time.Minute, 0))
		}
		all = append(all, signInOf(fmt.Sprint("bad-", day), "", fmt.Sprint("203.0.113.", day), "none", at+time.Hour, 50126))
	}
	return append(all, signInOf("risky", "s-evil", "192.0.2.66", "high", 40*24*time.Hour, 0), signInOf("next", "s-evil", "192.0.2.66", "none", 40*24*time.Hour+time.Hour, 0))
}

// TestWhatIsKeptOfAccountsOutlivesTheProcess: at whatever record a memory ends, one that is made of its rows goes on as if nothing had
// happened, also where the last records come again.
func TestWhatIsKeptOfAccountsOutlivesTheProcess(t *testing.T) {
	set := stories(t)
	records := aMonth()
	whole := keep(set, map[string][]byte{})
	for i, r := range records {
		whole.take(t, r)
		if whole.store(); i == len(records)-3 && whole.longest > 100 { // from here on the account is marked
			t.Errorf("the longest row has %d bytes", whole.longest)
		}
	}
	p := whole.profiles["taro@contoso.example"]
	if p == nil {
		t.Fatal("no profile is told")
	}
	if p.SignIns.Succeeded != 31 || p.SignIns.Failed != 29 || len(p.SignIns.Places) != 31 {
		t.Errorf("sign-ins of 30 days: %d, failed %d, from %d places; want 31, 29 and 31", p.SignIns.Succeeded, p.SignIns.Failed, len(p.SignIns.Places))
	}
	for _, cut := range []int{1, 2, 50, 120, len(records) - 1} {
		before := keep(set, map[string][]byte{})
		for _, r := range records[:cut] {
			before.take(t, r)
			before.store()
		}
		behind := keep(set, before.rows)
		for key, value := range before.rows {
			if err := behind.memory.Load(detector.Row{Key: []byte(key), Value: value}); err != nil {
				t.Fatal(err)
			}
		}
		for _, r := range records[max(0, cut-5):] { // the last come again
			behind.take(t, r)
			behind.store()
		}
		if diff := cmp.Diff(whole.whole(), behind.whole()); diff != "" {
			t.Fatalf("after %d records (-whole +cut):\n%s", cut, diff)
		}
	}
}

// TestAnOrdinaryEventWritesNoRow: a sign-in of a session that has been counted, and mail that is read and sent by somebody who is not
// marked.
func TestAnOrdinaryEventWritesNoRow(t *testing.T) {
	k := keep(stories(t), map[string][]byte{})
	k.take(t, signInOf("in-1", "s-1", "198.51.100.7", "none", 0, 0))
	k.store()
	n := k.written
	k.take(t, signInOf("in-2", "s-1", "198.51.100.7", "none", time.Minute, 0))
	k.take(t, `{"CreationTime":"2026-01-02T03:05:00","Id":"m","Operation":"MailItemsAccessed","RecordType":50,"OrganizationId":"t","ResultStatus":"Succeeded","UserId":"taro@contoso.example"}`)
	k.store()
	if k.written != n || len(k.activities) > 0 {
		t.Errorf("%d rows were written, and %v was told", k.written-n, k.activities)
	}
	if got := slices.Sorted(maps.Keys(k.profiles)); len(got) > 0 {
		t.Errorf("profiles of %v were told", got)
	}
}

// TestAMarkComesFromWhereTheRuleLooks: a rule whose memory lies elsewhere tells the account's own memory, and what the account does from
// then on is told.
func TestAMarkComesFromWhereTheRuleLooks(t *testing.T) {
	rs, ps := rules.Load(rules.Options{Library: true, Story: true, Untested: true})
	if diag.Errors(ps) > 0 {
		t.Fatal(ps)
	}
	rs.Rules = slices.DeleteFunc(rs.Rules, func(r *rules.Rule) bool { return r.ID != "sign-in-after-password-spray" })
	set := detector.New(rs, detector.Options{})
	var sent []detector.Aside
	second := set.Memory(detector.MemoryOptions{Stage: detector.Second, Live: true, Story: &detector.Story{Aside: func(a *detector.Aside) bool { sent = append(sent, *a); return true }}})
	w := set.Worker()
	w.Packing = detector.Local
	feed := func(record string) {
		if err := w.ReadAlone([]byte(record), time.Time{}); err != nil {
			t.Fatal(err)
		}
		detector.EachHit(w.Match(nil), func(packed []byte) {
			if err := second.Apply(packed, func(*alert.Alert) {}); err != nil {
				t.Fatal(err)
			}
		})
	}
	for n := range 30 {
		feed(strings.ReplaceAll(signInOf(fmt.Sprint("f-", n), "", "203.0.113.9", "none", time.Duration(n)*time.Second, 50126), "taro@", fmt.Sprintf("user%d@", n)))
	}
	feed(signInOf("in", "s-9", "203.0.113.9", "none", time.Minute, 0))
	if len(sent) != 1 || sent[0].Activity.Account != "taro@contoso.example" || sent[0].Mark.IsZero() {
		t.Fatalf("sent on: %+v, want one mark of taro", sent)
	}
	k := keep(stories(t), map[string][]byte{})
	mail := `{"CreationTime":"2026-01-02T03:0%[1]d:00","Id":"m-%[1]d","Operation":"Send","RecordType":2,"OrganizationId":"t","ResultStatus":"Succeeded","UserId":"taro@contoso.example"}`
	k.take(t, fmt.Sprintf(mail, 2))
	k.memory.TakeAside(&sent[0])
	k.take(t, fmt.Sprintf(mail, 3))
	if want := []string{"taro@contoso.example sent-mail m-3 0"}; !slices.Equal(k.activities, want) {
		t.Errorf("told %q, want %q", k.activities, want)
	}
}

// TestAProfileIsToldWithEachAlert: also where the alert marks nobody, at most once a minute; what waits for its turn is told when there is
// time.
func TestAProfileIsToldWithEachAlert(t *testing.T) {
	rs, ps := rules.Load(rules.Options{Library: true, Story: true, Untested: true})
	if diag.Errors(ps) > 0 {
		t.Fatal(ps)
	}
	rs.Rules = slices.DeleteFunc(rs.Rules, func(r *rules.Rule) bool { return r.ID != "risky-sign-in-succeeded" })
	for _, r := range rs.Rules {
		r.Class = "privilege"
	}
	k := keep(detector.New(rs, detector.Options{}), map[string][]byte{})
	wall := time.Date(2026, 1, 3, 6, 0, 0, 0, time.UTC)
	for _, step := range []struct {
		id, risk     string
		at           time.Duration
		told, behind int // sign-ins in the profile that was told last, at once and when there was time
	}{
		{"a", "none", 0, 0, 0},
		{"b", "high", time.Hour, 1, 2},
		{"c", "none", 2 * time.Hour, 2, 2},
		{"d", "high", 26 * time.Hour, 3, 4},
		{"e", "high", 26*time.Hour + time.Second, 4, 5},
	} {
		k.take(t, signInOf(step.id, "s-"+step.id, "198.51.100.7", step.risk, step.at, 0))
		if got := k.counted(); got != step.told {
			t.Errorf("after %s the profile has %d sign-ins, want %d", step.id, got, step.told)
		}
		wall = wall.Add(2 * time.Minute)
		k.memory.TellStories(wall)
		if got := k.counted(); got != step.behind {
			t.Errorf("after %s, when there was time, the profile has %d sign-ins, want %d", step.id, got, step.behind)
		}
	}
}

// counted are the sign-ins of the profile that was told last.
func (k *keeper) counted() int {
	if p := k.profiles["taro@contoso.example"]; p != nil {
		return p.SignIns.Succeeded
	}
	return 0
}
