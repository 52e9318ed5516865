package detector

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"noroshi/internal/decode"
	"noroshi/internal/event"
	"noroshi/rules"
)

// The oracle evaluates every rule on every record, over nested maps that encoding/json makes, by walking the condition. It
// shares the field table with the engine, and neither projector, layout, index, native conditions, expr nor laziness.

// naive is a record as encoding/json reads it.
type naive struct {
	m     map[string]any
	shape event.Shape
	row   *naive // of an audit record the row that it lay in
}

// tablesOfRows are Defender's tables, and columns by which a row without an envelope or Type is of one.
var tablesOfRows = []struct {
	name    string
	columns []string
}{
	{"CloudAppEvents", []string{"RawEventData"}}, {"EmailEvents", []string{"NetworkMessageId", "EmailDirection"}}, {"EmailPostDeliveryEvents", []string{"NetworkMessageId", "ActionTrigger"}},
	{"UrlClickEvents", []string{"IsClickedThrough"}}, {"AlertEvidence", []string{"AlertId", "EvidenceRole"}}, {"AlertInfo", []string{"AlertId", "DetectionSource"}},
	{"IdentityLogonEvents", []string{"LogonType", "Application"}}, {"IdentityQueryEvents", []string{"?"}}, {"IdentityDirectoryEvents", []string{"?"}},
}

// categoriesOfTables are those of Entra's tables in Log Analytics that the maker makes rows of.
var categoriesOfTables = map[string]string{"AuditLogs": "AuditLogs", "AADProvisioningLogs": "ProvisioningLogs", "MicrosoftGraphActivityLogs": "MicrosoftGraphActivityLogs"}

func newNaive(rec []byte) (n naive, ok bool) {
	d := json.NewDecoder(strings.NewReader(string(rec)))
	d.UseNumber()
	if d.Decode(&n.m) != nil || n.m == nil {
		return n, false
	}
	n.shape = shapeOf(n.m)
	if n.shape == event.Other {
		if table := tableOfRow(n.m); table != "" {
			n.m, n.shape = map[string]any{"category": hunting + table, "properties": n.m}, event.Defender
		}
	}
	if n.shape != event.Defender {
		return n, true
	}
	n.m["properties"] = opened(n.m["properties"])
	inner, _ := opened(at(n.m, "properties.RawEventData", 0)).(map[string]any)
	if n.m["category"] == hunting+"CloudAppEvents" && shapeOf(inner) == event.UAL {
		row := n
		return naive{m: inner, shape: event.UAL, row: &row}, true
	}
	return n, true
}

const hunting = "AdvancedHunting-"

func shapeOf(m map[string]any) event.Shape {
	_, operation := m["Operation"].(string)
	has := func(name string) bool { return member(m, name) != nil }
	category, envelope := member(m, "category").(string)
	_, properties := opened(member(m, "properties")).(map[string]any)
	table, _ := m["Type"].(string)
	_, status := member(m, "Status").(string)
	_, happened := member(m, "Event").(string)
	switch {
	case operation && (m["CreationTime"] != nil || m["RecordType"] != nil):
		return event.UAL
	case envelope && properties && strings.HasPrefix(category, hunting):
		return event.Defender
	case envelope && properties:
		return event.Entra
	case categoriesOfTables[table] != "", has("activityDateTime") && has("activityDisplayName"), has("createdDateTime") && (has("userPrincipalName") || has("appDisplayName") || has("conditionalAccessStatus")):
		return event.Graph
	case has("SenderAddress") && has("RecipientAddress") && status || has("MessageTraceId") && happened:
		return event.Trace
	}
	return event.Other
}

// tableOfRow is the table of a row of Defender's without its envelope.
func tableOfRow(m map[string]any) string {
	if m["Timestamp"] == nil && m["TimeGenerated"] == nil {
		return ""
	}
	for _, t := range tablesOfRows {
		if m["Type"] == t.name {
			return t.name
		}
	}
	for _, t := range tablesOfRows {
		if !slices.ContainsFunc(t.columns, func(c string) bool { return m[c] == nil }) {
			return t.name
		}
	}
	return ""
}

// opened is what an object or a list in text stands for; other values stay.
func opened(v any) any {
	s, ok := v.(string)
	if t := strings.TrimLeft(s, " \n\r\t"); !ok || t == "" || t[0] != '{' && t[0] != '[' {
		return v
	}
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	var inner any
	if !json.Valid([]byte(s)) || d.Decode(&inner) != nil {
		return v
	}
	return inner
}

// at is the value of a path. On the way lies one text at most that stands for what is inside it. Names of members of other
// records than audits may be spelt in upper or lower case.
func (n naive) at(path string) any {
	texts := 1
	if n.shape == event.Defender {
		texts = 0
	}
	name := path
	if i := strings.IndexAny(path, ".["); i >= 0 {
		name = path[:i]
	}
	m := n.m
	if n.shape != event.UAL {
		m = map[string]any{name: member(m, name)}
	}
	return at(m, path, texts)
}

// member is a member of a record, however its name is spelt.
func member(m map[string]any, name string) any {
	for spelt, v := range m {
		if strings.EqualFold(spelt, name) && v != nil {
			return v
		}
	}
	return nil
}

// at, too, with so many texts on the way; see event.Field.Paths.
func at(v any, path string, texts int) any {
	if _, ok := v.(string); ok && texts > 0 {
		v, texts = opened(v), 0
	}
	name, rest := path, ""
	if i := strings.IndexAny(path, ".["); i >= 0 {
		name, rest = path[:i], path[i:]
	}
	m, _ := v.(map[string]any)
	v = m[name]
	switch {
	case rest == "":
		return v
	case strings.HasPrefix(rest, "."):
		return at(v, rest[1:], texts)
	case strings.HasPrefix(rest, "[*]."):
		if _, ok := v.(string); ok && texts > 0 {
			v, texts = opened(v), 0
		}
		list, _ := v.([]any)
		for _, x := range list {
			if got := at(x, rest[4:], texts); got != nil {
				return got
			}
		}
		return nil
	}
	if texts > 0 {
		v = opened(v)
	}
	i := strings.LastIndexByte(rest, ']')
	return entry(v, rest[1:i], strings.TrimPrefix(rest[i+1:], "."))
}

// entry is a member of the entry of a Name/Value list. The first entry of the name that has the member counts.
func entry(v any, name, member string) any {
	list, _ := v.([]any)
	for _, x := range list {
		m, _ := x.(map[string]any)
		for _, key := range []string{"Name", "key", "displayName"} {
			if n, _ := m[key].(string); n == name && n != "" {
				if member != "" && m[member] != nil {
					return m[member]
				}
				for _, value := range []string{"Value", "value"} {
					if member == "" && m[value] != nil {
						return m[value]
					}
				}
			}
		}
	}
	return nil
}

func plainText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// text is a field's canonical text.
func (n naive) text(name string) (s string, has bool) {
	l := event.NewLayout()
	slot, ok := l.Slot(name)
	if !ok {
		panic(name)
	}
	d := l.Def(slot)
	for _, p := range d.Paths(n.shape) {
		v := n.at(p)
		has = has || v != nil
		if s == "" {
			s = plainText(v)
		}
	}
	if s == "" && n.row != nil && slices.Contains([]string{"organization.id", "source.geo.country_iso_code", "source.geo.city_name"}, name) {
		s, _ = n.row.text(name)
		return s, has || s != ""
	}
	if s == "" || n.shape == event.Trace || strings.HasPrefix(name, "alert.") {
		s = n.implied(name, s)
	}
	if slices.Contains(decode.Names(), name) { // what is worked out is there if it is not empty
		has = s != ""
	}
	if s == "" {
		return "", has
	}
	switch d.Form() {
	case event.LowerCase:
		s = strings.ToLower(s)
	case event.Operation:
		s = strings.ReplaceAll(strings.TrimRight(strings.TrimLeft(s, " "), ". "), "–", "-")
	case event.Country:
		if s = strings.ToUpper(s); len(s) != 2 {
			s = ""
		}
	case event.Truth:
		if t := strings.ToLower(s); t == "true" || t == "false" {
			s = t
		}
	case event.Address:
		s, _ = decode.Address(s)
	}
	return s, has
}

// implied is what records of a family need not say.
func (n naive) implied(name, s string) string {
	switch {
	case name == "event.provider" && s == "":
		return map[event.Shape]string{event.Entra: "Entra", event.Graph: "Entra", event.Defender: "Defender XDR", event.Trace: "Exchange"}[n.shape]
	case name == "event.code" && n.shape == event.Graph:
		return categoriesOfTables[fmt.Sprint(n.m["Type"])]
	case name == "event.action" && n.shape == event.Trace:
		return "MessageTrace"
	case name == "event.action" && n.shape == event.Graph:
		return map[any]string{"AADProvisioningLogs": "Provisioning activity", "MicrosoftGraphActivityLogs": "Microsoft Graph Activity"}[n.m["Type"]]
	case name == "event.action" && n.shape == event.Defender:
		if table := strings.TrimPrefix(n.m["category"].(string), hunting); table != "DeviceEvents" {
			return table
		}
		return "Publish" // the envelope's, of tables that are not read
	case strings.HasPrefix(name, "alert."): // those of Microsoft's alerts alone
		f, _ := event.Lookup(name)
		if action, _ := n.text("event.action"); !slices.Contains(f.Actions, action) {
			return ""
		}
	}
	return s
}

// condition is a condition as a tree.
type condition struct {
	op    string // and, or, not, has, true, ==, in, startsWith, endsWith, contains, >
	field string
	fold  bool
	texts []string
	kids  []condition
}

// source is the condition as an author writes it.
func (c condition) source() string {
	switch c.op {
	case "and", "or":
		return "(" + c.kids[0].source() + map[string]string{"and": " && ", "or": " || "}[c.op] + c.kids[1].source() + ")"
	case "not":
		return "!(" + c.kids[0].source() + ")"
	case "has":
		return "has(" + c.field + ")"
	case "true":
		return c.field
	case ">":
		return c.field + " > " + c.texts[0]
	case "in":
		f := c.field
		if c.fold {
			f = "lower(" + f + ")"
		}
		return f + " in [" + strings.Join(quoted(c.texts), ", ") + "]"
	}
	if c.fold {
		return map[string]string{"==": "iequals", "startsWith": "istarts", "endsWith": "iends", "contains": "icontains"}[c.op] + "(" + c.field + ", " + strconv.Quote(c.texts[0]) + ")"
	}
	return c.field + " " + c.op + " " + strconv.Quote(c.texts[0])
}

func quoted(all []string) (out []string) {
	for _, s := range all {
		out = append(out, strconv.Quote(s))
	}
	return out
}

// flat is a field's name as the layout has it.
func flat(field string) string {
	if name, ok := strings.CutPrefix(field, `raw["`); ok {
		return "raw." + strings.TrimSuffix(name, `"]`)
	}
	return strings.NewReplacer(`["`, "[", `"]`, "]").Replace(field)
}

func (c condition) holds(n naive) bool {
	switch c.op {
	case "and":
		return c.kids[0].holds(n) && c.kids[1].holds(n)
	case "or":
		return c.kids[0].holds(n) || c.kids[1].holds(n)
	case "not":
		return !c.kids[0].holds(n)
	}
	s, has := n.text(flat(c.field))
	switch c.op {
	case "has":
		return has
	case "true":
		return s == "true"
	case ">":
		v, _ := strconv.ParseFloat(s, 64)
		w, _ := strconv.ParseFloat(c.texts[0], 64)
		return v > w
	}
	if c.fold {
		s = strings.ToLower(s)
	}
	for _, t := range c.texts {
		if c.fold && c.op != "in" {
			t = strings.ToLower(t)
		}
		switch c.op {
		case "==", "in":
			if s == t {
				return true
			}
		case "startsWith":
			if strings.HasPrefix(s, t) {
				return true
			}
		case "endsWith":
			if strings.HasSuffix(s, t) {
				return true
			}
		case "contains":
			if strings.Contains(s, t) {
				return true
			}
		}
	}
	return false
}

// load makes a detector of conditions.
func load(t testing.TB, all []condition, sample [][]byte) *Set {
	t.Helper()
	dir := t.TempDir()
	for i, c := range all {
		text := fmt.Sprintf("id: rule-%d\ntitle: Rule\nseverity: low\nwhen: %s\n", i, "'"+strings.ReplaceAll(c.source(), "'", "''")+"'")
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%05d.yaml", i)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rs, ps := rules.Load(rules.Options{Paths: []string{dir}})
	if len(ps) > 0 {
		t.Fatal(ps[0].Format())
	}
	return New(rs, Options{Sample: sample})
}

// differ compares engine and oracle on one record and counts the pairs that hold.
func differ(t *testing.T, w *Worker, all []condition, rec []byte) (held int) {
	t.Helper()
	n, ok := newNaive(rec)
	err := w.ReadAlone(rec, time.Unix(0, 0))
	if ok != (err == nil) {
		t.Fatalf("%s: encoding/json says %v, the reader %v", rec, ok, err)
	}
	if !ok {
		return 0
	}
	hits := w.Hits()
	for i, c := range all {
		got, want := slices.Contains(hits, int32(i)), c.holds(n)
		if got != want {
			t.Fatalf("engine says %v, oracle %v: %s\n%s", got, want, c.source(), rec)
		}
		if want {
			held++
		}
	}
	return held
}

// TestOracle compares more than 100,000 pairs of rule and record, with and without a sample.
func TestOracle(t *testing.T) {
	m := maker{rand.New(rand.NewPCG(1, 2))}
	pairs, held := 0, 0
	for round := range 6 {
		var all []condition
		for range 200 {
			all = append(all, m.condition(3))
		}
		var sample [][]byte
		if round%2 == 0 {
			for range 100 {
				sample = append(sample, m.record())
			}
		}
		w := load(t, all, sample).Worker()
		for range 100 {
			held += differ(t, w, all, m.record())
			pairs += len(all)
		}
	}
	t.Logf("%d pairs of rule and record, %d hold, 0 differences", pairs, held)
	if pairs < 100_000 || held < pairs/100 {
		t.Errorf("%d of %d pairs hold: too few to prove anything", held, pairs)
	}
}

// FuzzOracle compares conditions and records made from the fuzzer's seeds.
func FuzzOracle(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, a, b uint64) {
		m := maker{rand.New(rand.NewPCG(a, b))}
		var all []condition
		for range 20 {
			all = append(all, m.condition(4))
		}
		w := load(t, all, [][]byte{m.record()}).Worker()
		for range 10 {
			differ(t, w, all, m.record())
		}
	})
}
