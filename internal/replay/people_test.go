package replay

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"noroshi/detector"
	"noroshi/rules"
)

// TestPeople holds the whole library against what people do: in a story's last week nothing is told of the
// innocent above low, and each thief is told.
func TestPeople(t *testing.T) {
	stories, ps := rules.Load(rules.Options{Paths: []string{"testdata/people.yaml"}})
	if len(ps) > 0 {
		t.Fatal(ps[0].Format())
	}
	set, compiled := libraryRules(t)
	story := stories.Rules[0]
	with, err := NewProver(stories, story, detector.Options{}).with(&rules.Test{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range story.Tests {
		test := &story.Tests[i]
		t.Run(test.Name, func(t *testing.T) {
			records, err := with.builder.records(test)
			if err != nil {
				t.Fatal(err)
			}
			last := with.worker.Reader()
			if err := last.ReadAlone(records[len(records)-1], time.Time{}); err != nil {
				t.Fatal(err)
			}
			since := last.Time().Add(-7 * 24 * time.Hour)
			grave := []string{}
			for _, a := range alertsOf(t, compiled, bytes.Join(records, []byte("\n"))) {
				if told(set, &a) && a.Time.After(since) && slices.Index(rules.Severities, a.Severity) > slices.Index(rules.Severities, "low") {
					grave = append(grave, a.Severity+" "+a.Rule.ID)
				}
			}
			thief := strings.HasPrefix(test.Name, "thief")
			found := slices.ContainsFunc(grave, func(s string) bool { return strings.HasPrefix(s, "high") || strings.HasPrefix(s, "critical") })
			if thief && !found || !thief && len(grave) > 0 {
				t.Errorf("told above low: %v", grave)
			}
		})
	}
}
