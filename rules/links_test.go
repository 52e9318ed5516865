package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"noroshi/rules/kind"
)

// looking is a kind that looks at alerts of other rules, and nothing else.
type looking struct{ kind.Match }

func (looking) Name() string { return "looking" }

func (looking) Keys() []kind.Key { return []kind.Key{{Name: "of", Type: kind.Texts, Doc: "Rules."}} }

func (k looking) New(v *kind.Values) *kind.Rule { return &kind.Rule{Kind: k, Of: v.Texts("of")} }

// TestReferencesLeadSomewhere: rules that look at alerts name what there is, in no circle, and not too deep.
func TestReferencesLeadSomewhere(t *testing.T) {
	before := kind.All
	kind.All = append(slices.Clone(before), looking{})
	t.Cleanup(func() { kind.All = before })
	rows := []struct {
		name string
		of   map[string]string // by rule
		want []string
	}{
		{"what there is", map[string]string{"a": "plain, guide:S3, class:access", "b": "a", "c": "b"}, nil},
		{"no such rule", map[string]string{"a": "plan"}, []string{`a.yaml:5:6: no rule plan is loaded; did you mean "plain"? [of]`}},
		{"no such item", map[string]string{"a": "guide:S33"}, []string{`a.yaml:5:6: no item "S33" of the guide; known are S1,`}},
		{"no such class", map[string]string{"a": "class:acess"}, []string{`did you mean "class:access"? [of]`}},
		{"a class alone", map[string]string{"a": "access"}, []string{`a.yaml:5:6: no rule access; did you mean "class:access"? [of]`}},
		{"an item alone", map[string]string{"a": "S3"}, []string{`a.yaml:5:6: no rule S3; did you mean "guide:S3"? [of]`}},
		{"another family", map[string]string{"a": "tag:x"}, []string{`a.yaml:5:6: "tag:x" names nothing; expected the id of a rule, guide:S3 or class:access [of]`}},
		{"itself", map[string]string{"a": "plain, a"}, []string{`a.yaml:5:13: a rule cannot look at its own alerts [of]`}},
		{"a circle", map[string]string{"a": "b", "b": "c", "c": "plain, a"}, []string{`a.yaml:5:6: these rules look at each other's alerts in a circle: a → b → c → a [of]`,
			`b.yaml:5:6: these rules look at each other's alerts in a circle: b → c → a → b [of]`, `c.yaml:5:13: these rules look at each other's alerts in a circle: c → a → b → c [of]`}},
		{"too deep", map[string]string{"a": "plain", "b": "a", "c": "b", "d": "c"}, []string{`d.yaml:5:6: the references of this rule are 4 deep by way of c; at most 3 are read [of]`}},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			files := map[string]string{"plain.yaml": fmt.Sprintf(good, "plain") + "guide: [S3]\nclass: access\n"}
			for id, of := range r.of {
				files[id+".yaml"] = "id: " + id + "\ntitle: A rule\nseverity: low\nkind: looking\nof: [" + of + "]\n"
			}
			set, ps := Load(Options{Paths: []string{put(t, files)}})
			if len(ps) != len(r.want) || len(set.Rules) != len(files)-len(r.want) {
				t.Fatalf("%d rules, %d problems\n%s", len(set.Rules), len(ps), formatted(ps))
			}
			for i, want := range r.want {
				if got := ps[i].Format(); !strings.Contains(got, want) {
					t.Errorf("got %s, want %s", got, want)
				}
			}
		})
	}
}

// TestShippedRulesCanBeNamed: rules that will stand beside the shipped ones name them.
func TestShippedRulesCanBeNamed(t *testing.T) {
	before := kind.All
	kind.All = append(slices.Clone(before), looking{})
	t.Cleanup(func() { kind.All = before })
	dir := put(t, map[string]string{"a.yaml": "id: a\ntitle: A rule\nseverity: low\nkind: looking\nof: [inbox-rule-hides-mail]\n"})
	if _, ps := Load(Options{Paths: []string{dir}, Beside: true}); len(ps) > 0 {
		t.Error(formatted(ps))
	}
	if _, ps := Load(Options{Paths: []string{dir}}); len(ps) != 1 {
		t.Error(formatted(ps))
	}
}

// TestReferencesWithoutAlerts: rules that give no alerts to others are told, and do not stop the rule that names them.
func TestReferencesWithoutAlerts(t *testing.T) {
	dir := put(t, map[string]string{
		"shy.yaml": fmt.Sprintf(good, "shy") + "state: shadow\nclass: access\n", "none.yaml": fmt.Sprintf(good,
			"none") + "state: \"off\"\n", "part.yaml": fmt.Sprintf(good, "part") + "state: building\nguide: [S1]\n",
		"a.yaml": "id: a\ntitle: A rule\nseverity: low\nkind: correlation\nof: [shy, none, part, class:access, guide:S1, guide:S5]\nwithin: 1d\ncount: 2\n",
	})
	set, ps := Load(Options{Paths: []string{dir}})
	want := []string{"a.yaml:5:6: warning: the rule shy is in shadow", "a.yaml:5:11: warning: the rule none is off",
		"a.yaml:5:23: warning: no rule that is loaded is taken in by class:access", "a.yaml:5:47: warning: no rule that is loaded is taken in by guide:S5"}
	if len(ps) != len(want) || set.Find("a") == nil {
		t.Fatal(formatted(ps))
	}
	for i := range want {
		if !strings.Contains(ps[i].Format(), want[i]) {
			t.Errorf("got %s, want %s", ps[i].Format(), want[i])
		}
	}
}

// TestWhatAReferenceTakesIn: an id any rule, an item of the guide and a class those that look at events alone.
func TestWhatAReferenceTakesIn(t *testing.T) {
	dir := put(t, map[string]string{
		"plain.yaml": fmt.Sprintf(good, "plain") + "guide: [S1, S3]\nclass: access\n",
		"above.yaml": "id: above\ntitle: A rule\nseverity: low\nkind: correlation\nclass: access\nguide: [S1]\nof: [plain]\nwithin: 1d\ncount: 2\n",
		"steps.yaml": "id: steps\ntitle: A rule\nseverity: low\nkind: sequence\nclass: access\nwithin: 1d\nsteps: [{id: one, of: [above]}, {id: two, when: event.action == \"x\"}]\n",
	})
	set, ps := Load(Options{Paths: []string{dir}})
	if len(ps) > 0 {
		t.Fatal(formatted(ps))
	}
	for reference, want := range map[string]string{"plain": "plain", "above": "above", "steps": "steps", "class:access": "plain",
		"guide:S1": "plain", "guide:S3": "plain", "guide:S2": "", "class:hiding": "", "access": "", "x:plain": ""} {
		var got []string
		for _, r := range set.Rules {
			if r.Answers(reference) {
				got = append(got, r.ID)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s takes in %v, want %s", reference, got, want)
		}
	}
	var ids []string
	for _, r := range set.Looking(set.Find("steps")).Rules {
		ids = append(ids, r.ID)
	}
	if strings.Join(ids, " ") != "above plain steps" {
		t.Errorf("steps is tested with %v", ids)
	}
}
