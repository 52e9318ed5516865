package detector

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noroshi/internal/alert"
	"noroshi/internal/diag"
	"noroshi/internal/event"
	"noroshi/rules"
)

// said are the texts that a rule may show, in many spellings: fields and members of one place, entries of lists, odd names.
var said = []string{"raw.Folder.Path", "mailbox.folder", "raw.Folder", "raw.Item", "raw.Item.Subject", "email.subject", "raw.Deep", "raw.Deep.Er", "raw.Deep.Er.Still", `raw["Deep.Er"]`, `raw["@odata.type"]`, "raw.Parameters",
	"raw.ModifiedProperties", "raw.ClientIP", "source.ip", "raw.UserAgent", "user_agent.original", "raw.properties", "raw.properties.id", "raw.properties.location", "raw.location", "raw.location.city", "source.geo.city_name", "raw.deviceDetail",
	"raw.deviceDetail.displayName", "device.name", "raw.targetResources", "raw.additionalDetails", "raw.RawEventData", "raw.properties.RawEventData", "raw.Id", "event.id", "raw.Operation", "inbox_rule.name", "inbox_rule.moves_to", "user.target.name",
	`param["Identity"]`, `param["Mailbox"]`, `param["ForwardTo"]`, `param["Odd Name"]`, `param["a.b"]`, `param["Name"]`, `param["MoveToFolder"]`, `change["DisplayName"].new`, `change["DisplayName"].old`, `change["a.b"].old`}

// marks are members by which a record's kind is known, or in which another record is looked for.
var marks = []string{"Operation", "CreationTime", "RecordType", "auditLogRecordType", "AuditData", "category", "properties", "createdDateTime", "activityDateTime", "activityDisplayName", "riskLevel", "riskState", "Type", "userPrincipalName",
	"appDisplayName", "ipAddress", "status", "resultType", "conditionalAccessStatus", "isInteractive", "MessageTraceId", "SenderAddress", "RecipientAddress", "Event", "severity", "title", "evidence", "alerts", "Timestamp", "TimeGenerated", "RawEventData",
	"NetworkMessageId", "AlertId", "ActionType", "message", "event", "_raw", "_source", "data", "AdditionalProperties", "targetResources", "initiatedBy", "Parameters", "location", "Data", "OrganizationId", "UserId"}

// odd is a record of marks whose values may be anything, JSON in text above all.
func (m maker) odd() []byte {
	var members []string
	for range 2 + m.IntN(8) {
		value := m.value()
		switch m.IntN(6) {
		case 0:
			value = quotedJSON(m.of(`["New-InboxRule"]`, `{"id":"1","x":"2"}`, "[]", `{"original":"{}"}`, `[{"x":"1"}]`))
		case 1:
			value = quotedJSON(string(m.record()))
		case 2:
			value = m.of(`{"id":"1","x":"2"}`, `[{"x":"1"}]`, string(m.record()))
		case 3:
			value = quotedJSON(m.of("2026-01-02T03:04:05Z", "AuditLogs", "SignInLogs", "AdvancedHunting-CloudAppEvents", "SigninLogs", "CloudAppEvents", "Set-Mailbox"))
		}
		members = append(members, quotedJSON(m.spelt(m.of(marks...)))+":"+value)
	}
	return []byte("{" + strings.Join(members, ",") + "}")
}

// otherwise is a name of the open families in another spelling; fields have one.
func (m maker) otherwise(name string) string {
	family, rest, open := strings.Cut(name, ".")
	if i := strings.IndexByte(name, '['); i >= 0 && i < len(family) {
		family, rest, open = name[:i], name[i:], true
	} else {
		rest = "." + rest
	}
	if !open || family != "raw" && family != "param" && family != "change" {
		return name
	}
	end := ""
	if at := strings.LastIndexByte(rest, ']'); family == "change" && at >= 0 {
		rest, end = rest[:at+1], rest[at+1:]
	}
	return family + m.spelt(rest) + end
}

// file is a rule of which every part speaks of the record.
func (m maker) file(id string) string {
	text := func() string {
		if m.IntN(3) == 0 {
			return m.otherwise(event.Member("raw", m.of(marks...)) + m.of("", ".x", ".id", ".x.y"))
		}
		return m.otherwise(m.of(said...))
	}
	c := m.condition(2).source()
	if m.IntN(2) == 0 {
		c = fmt.Sprintf("(%s) || has(%s) || %s != %q", c, text(), text(), m.of(vocabulary...))
	}
	rule := fmt.Sprintf("id: %s\ntitle: Rule\nseverity: low\nwhen: |\n  %s\nsummary: '{{ %s }} of {{ %s }}'\n", id, c, text(), text())
	if m.IntN(3) == 0 {
		rule += fmt.Sprintf("unless:\n  - because: It is known\n    owner: mail\n    when: |\n      %s == %q\n", text(), m.of(vocabulary...))
	}
	if m.IntN(3) == 0 {
		rule += "by: [account, " + m.of("source.ip", "user.target.name", "mailbox.folder") + "]\n"
	}
	if m.IntN(4) == 0 {
		rule += "respond: [disable-inbox-rule, remove-forwarding]\n"
	}
	return rule
}

// alertsOf are the alerts of the rules in a folder on records, as JSON, by rule.
func alertsOf(t *testing.T, dir string, library bool, records [][]byte) map[string][]string {
	t.Helper()
	rs, ps := rules.Load(rules.Options{Paths: []string{dir}, Library: library})
	for _, p := range ps {
		if p.Level == diag.Error {
			t.Fatal(p.Format())
		}
	}
	all := map[string][]string{}
	for _, r := range rs.Rules {
		all[r.ID] = []string{}
	}
	s := New(rs, Options{})
	w, m := s.Worker(), s.Memory(MemoryOptions{})
	for _, rec := range records {
		if err := w.ReadAlone(rec, time.Unix(1_700_000_000, 0)); err != nil {
			all["errors"] = append(all["errors"], fmt.Sprintf("%s: %v", rec, err))
			continue
		}
		EachHit(w.Match(nil), func(packed []byte) {
			_ = m.Apply(packed, func(a *alert.Alert) {
				b, err := json.Marshal(a)
				if err != nil {
					t.Fatal(err)
				}
				all[a.Rule.ID] = append(all[a.Rule.ID], string(b))
			})
		})
	}
	return all
}

// TestNoRuleChangesWhatAnotherSees: a rule's alerts, to the last byte, are the same in every set of rules, in whatever order the
// files come. Of some rules sets are drawn; every two of them that share a rule are a pair.
func TestNoRuleChangesWhatAnotherSees(t *testing.T) {
	const drawn, perSet = 8, 24
	want := 20_000
	if testing.Short() {
		want = 1_000
	}
	m := maker{rand.New(rand.NewPCG(3, 4))}
	dir := t.TempDir()
	pairs, fired := 0, 0
	for pairs < want {
		var texts []string
		for i := range drawn {
			texts = append(texts, m.file(fmt.Sprintf("rule-%d", i)))
		}
		var records [][]byte
		for range 8 {
			records = append(records, m.record(), m.odd())
		}
		first, before := map[string][]string{}, []map[string][]string{}
		for range perSet {
			clear := m.draw(t, dir, texts)
			these := alertsOf(t, dir, m.IntN(8) == 0, records)
			for id, alerts := range these {
				if _, ok := first[id]; !ok {
					first[id] = alerts
					fired += len(alerts)
				}
				if d := cmp.Diff(first[id], alerts); d != "" {
					t.Fatalf("other rules change what %s sees: %s\n%s\n%s", id, d, texts, records)
				}
			}
			for _, others := range before {
				for id := range these {
					if _, shared := others[id]; shared {
						pairs++
						break
					}
				}
			}
			before = append(before, these)
			clear()
		}
	}
	t.Logf("%d pairs of rule sets, %d alerts, 0 differences", pairs, fired)
	if fired < want/100 {
		t.Error("too few alerts to prove anything")
	}
}

// draw writes some of the rules into a folder, in any order, and gives what takes them away again.
func (m maker) draw(t *testing.T, dir string, texts []string) func() {
	t.Helper()
	var files []string
	for _, i := range m.Perm(len(texts))[:1+m.IntN(len(texts))] {
		file := filepath.Join(dir, fmt.Sprintf("%d-%d.yaml", m.IntN(100), i))
		if err := os.WriteFile(file, []byte(texts[i]), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return func() {
		for _, f := range files {
			os.Remove(f)
		}
	}
}
