package cond

import (
	"strings"
	"testing"
)

// TestSignsInCommentsMeanNothing: a quote or a bracket in a comment neither opens nor closes anything, so the mistake that is told
// is the one that stands elsewhere, at its place.
func TestSignsInCommentsMeanNothing(t *testing.T) {
	deep := strings.Repeat("(", MaxNesting+1)
	for source, want := range map[string]struct {
		message string
		at      int
	}{
		"user.name == \"x\" // don't\n&& && true":                          {"&& is not expected here", 29},
		"/* it's */ user.name = \"x\"":                                     {"no operator =", 21},
		"// (\nuser.name == \"x\" && || true":                              {"|| is not expected here", 25},
		"// )]}\nuser.name == \"x\")":                                      {"this bracket closes nothing", 23},
		"user.name == \"x\" /* \"a */ AND app.id == \"y\"":                 {"no operator AND", 26},
		"user.name == \"http://x\" AND app.id == 'y'":                      {"no operator AND", 24},
		"/* it's " + deep + " */ user.name":                                {"a condition is true or false, user.name is text", 63},
		"// don't\n" + deep + "user.name" + strings.Repeat(")", len(deep)): {"more than 50 brackets are open here", 59},
	} {
		_, ms := Compile(source, scope(nil))
		if len(ms) != 1 || ms[0].Message != want.message || ms[0].At != want.at {
			t.Errorf("%s: got %+v", source, ms)
		}
	}
}
