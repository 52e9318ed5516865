package decode

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"noroshi/internal/event"
)

// pairs are records of other products' tests and what those products make of them.
type pair struct {
	name     string
	record   string
	expected map[string]any
}

// shared is where real records lie, beside the repository.
const shared = "../../../shared/testdata"

// pairsOf reads the pairs below a folder.
func pairsOf(t *testing.T, pattern string) (all []pair) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(shared, pattern))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		in, err := os.Open(f)
		if err != nil {
			t.Fatal(err)
		}
		s := bufio.NewScanner(in)
		s.Buffer(nil, 16<<20)
		for s.Scan() {
			var one struct {
				Raw      string          `json:"input_raw"`
				Input    json.RawMessage `json:"input"`
				Expected map[string]any  `json:"expected"`
			}
			if err := json.Unmarshal(s.Bytes(), &one); err != nil {
				t.Fatalf("%s: %v", f, err)
			}
			rec := one.Raw
			if rec == "" {
				var in struct {
					Message string
					Event   struct{ Original string }
				}
				if err := json.Unmarshal(one.Input, &in); err != nil {
					t.Fatalf("%s: %v", f, err)
				}
				rec = in.Message + in.Event.Original
			}
			all = append(all, pair{filepath.Base(f), rec, one.Expected})
		}
		in.Close()
	}
	return all
}

// look is the text at a dotted path of what is expected, "" where nothing is.
func look(v any, path string) string {
	for step := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return ""
		}
		v = m[step]
	}
	switch v := v.(type) {
	case string:
		return v
	case []any:
		if len(v) > 0 {
			s, _ := v[0].(string)
			return s
		}
	}
	return ""
}

// aspect is a thing on which both should agree.
type aspect struct {
	name  string
	field string
	paths []string // in the expected output, the first that is there
}

var aspects = []aspect{
	{"time", "event.time", []string{"@timestamp"}},
	{"action", "event.action", []string{"event.action"}},
	{"user", "user.name", []string{"user.email", "user.name"}},
	{"address", "source.ip", []string{"source.ip", "client.ip"}},
	{"outcome", "event.outcome", []string{"event.outcome"}},
}

// difference is where others decide otherwise, and why we do not follow.
type difference struct {
	aspect string
	why    string
	is     func(r *Reader, got, want string) bool
}

var differences = []difference{
	{"action", "operations are canonical: no trailing dot, a hyphen for the en dash", func(_ *Reader, got, want string) bool { return operation(want) == got }},
	{"action", "sign-ins have the unified audit log's action on every road", func(r *Reader, _, want string) bool { return r.signIn() && want == "Sign-in activity" }},
	{"action", "we keep Microsoft's operation where Elastic has a word of its own", func(r *Reader, got, want string) bool {
		return strings.Count(want, "-") > 1 && strings.ToLower(want) == want && r.at("Operation") != want && got != ""
	}},
	{"user", "Elastic's user.name of sign-ins is the part before the at sign", func(_ *Reader, got, want string) bool { return strings.HasPrefix(got, strings.ToLower(want)+"@") }},
	{"user", "the test's author has masked what is expected and not the record", func(_ *Reader, _, want string) bool { return strings.HasPrefix(want, "ANONYMIZED") }},
	{"user", "an alert's account is the entity; its user is the service that wrote it", func(r *Reader, _, want string) bool {
		return r.acts("alert.name") && strings.EqualFold(r.field("account"), want)
	}},
	{"address", "loopback and the unspecified address are no client's", func(_ *Reader, got, want string) bool {
		ip, _ := Address(want)
		return got == "" && ip == ""
	}},
	{"outcome", "where the record does not say, others assume success", func(r *Reader, got, _ string) bool { return got == "" && r.at("ResultStatus") == "" }},
	{"action", "rows without ActionType are named by their table, and what became of a message is email.delivery.action", func(r *Reader, _, want string) bool {
		return want == r.field("email.delivery.action")
	}},
	{"action", "Elastic spells Defender's actions in lower case with hyphens", func(r *Reader, got, want string) bool {
		return r.Shape() == event.Defender && want == strings.ReplaceAll(strings.ToLower(got), " ", "-")
	}},
	{"user", "of Defender's rows others take the short or display name, we the principal name, else the object id; of an alert's evidence the account is the entity", func(r *Reader, _, want string) bool {
		return r.Shape() == event.Defender && (want == r.at("properties.AccountName") || want == r.at("properties.AccountDisplayName"))
	}},
	{"user", "of message trace others take the recipient, we the sender; the recipient is user.target.name", func(r *Reader, _, want string) bool {
		return r.Shape() == event.Trace && strings.EqualFold(want, r.field("user.target.name"))
	}},
	{"outcome", "others put a status or a reason where there is success, failure or nothing", func(r *Reader, got, want string) bool {
		return (r.Shape() == event.Defender || r.Shape() == event.Trace) && got != "" && want != "success" && want != "failure"
	}},
	{"time", "the record's own time goes before the envelope's", func(r *Reader, got, want string) bool {
		w, _ := Time(want)
		e, ok := Time(r.at("time"))
		return got != "" && ok && e.Sub(w).Abs() < time.Millisecond
	}},
}

func explained(name string, r *Reader, got, want string) string {
	for _, d := range differences {
		if d.aspect == name && d.is(r, got, want) {
			return d.why
		}
	}
	return ""
}

func TestAgreementWithOtherProducts(t *testing.T) {
	if _, err := os.Stat(shared); err != nil {
		t.Skip("real records are not beside this checkout; the comparison needs them")
	}
	apart := 0
	agree, all, why := map[string]int{}, map[string]int{}, map[string]int{}
	for _, pattern := range []string{"elastic-integrations*/o365-audit/*.ndjson", "elastic-integrations*/azure-auditlogs/*.ndjson", "elastic-integrations*/azure-signinlogs/*.ndjson",
		"elastic-integrations*/azure-identity_protection/*.ndjson", "elastic-integrations*/azure-provisioning/*.ndjson", "elastic-integrations*/m365_defender-event/*.ndjson", "elastic-integrations*/exchange-message-trace/*.ndjson",
		"sekoia-intake-formats/*.ndjson"} {
		for _, p := range pairsOf(t, pattern) {
			r := reader()
			if err := r.ReadAlone([]byte(p.record), time.Unix(0, 0)); err != nil || r.Shape() == event.Other || strings.HasPrefix(r.Dataset(), "azure.") {
				apart++ // no record of the families that are read so far
				continue
			}
			for _, a := range aspects {
				want := ""
				for _, path := range a.paths {
					if want = look(p.expected, path); want != "" {
						break
					}
				}
				if want == "" {
					continue
				}
				all[a.name]++
				got := r.field(a.field)
				reason := explained(a.name, r, got, want)
				switch {
				case same(a.name, got, want):
					agree[a.name]++
				case reason != "":
					agree[a.name]++
					why[a.name+": "+reason]++
				default:
					t.Logf("%s: %s %s: got %q, they say %q", p.name, r.field("event.action"), a.name, got, want)
				}
			}
		}
	}
	sum, total := 0, 0
	for _, a := range aspects {
		t.Logf("%-8s %d of %d agree", a.name, agree[a.name], all[a.name])
		sum, total = sum+agree[a.name], total+all[a.name]
	}
	for w, n := range why {
		t.Logf("%4d documented differences, %s", n, w)
	}
	t.Logf("%d records are of no family that is read", apart)
	t.Logf("%d of %d values agree, %.1f %%", sum, total, 100*float64(sum)/float64(total))
	if total < 1000 || sum*100 < 99*total {
		t.Error("agreement is below 99 %")
	}
}

// reader decodes with all fields planned.
func reader() *Reader {
	l := event.NewLayout()
	for _, f := range event.Fields() {
		l.Slot(f.Name)
	}
	return NewPlan(l, Options{}).Reader()
}

func same(name, got, want string) bool {
	if name == "time" {
		g, _ := Time(got)
		w, ok := Time(want)
		return ok && g.Sub(w).Abs() < time.Millisecond
	}
	return strings.EqualFold(got, want)
}
