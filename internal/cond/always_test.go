package cond

import (
	"strings"
	"testing"
)

// TestWhatHasOneAnswerIsTold: a condition that always or never holds is a warning, and what asks something is not.
func TestWhatHasOneAnswerIsTold(t *testing.T) {
	for source, want := range map[string]string{
		`true`: "this holds for every event", `false`: "this holds for no event",
		`user.name == "a" || true`:                               "with this the whole holds for every event",
		`user.name == "a" or (app.id == "b" or true)`:            "with this the whole holds for every event",
		`user.name == "a" && false`:                              "with this the whole holds for no event",
		`user.name == "a" && true`:                               "this changes nothing beside &&",
		`app.id != "a" || app.id != "b"`:                         "app.id is never both texts; join them by &&",
		`app.id != "a" || user.name == "c" || app.id != "b"`:     "app.id is never both texts",
		`app.id != "a" || app.id == "a"`:                         `app.id is "a" or it is not`,
		`app.id == "a" || app.id != "a"`:                         `app.id is "a" or it is not`,
		`app.id != "a" && app.id != "b"`:                         "",
		`app.id != "a" || app.id != "a"`:                         "",
		`app.id != "a" || user.name != "b"`:                      "",
		`app.id == "a" || app.id == "b"`:                         "",
		`app.id != "a" || app.id == "b"`:                         "",
		`(app.id != "a" && user.name == "c") || (app.id != "b")`: "",
		`auth.legacy == true`:                                    "",
		`user.name == "a" ? true : app.id == "b"`:                "",
	} {
		p, ms := Compile(source, scope(nil))
		told := ""
		for _, m := range ms {
			told += m.Message + "\n"
			if !m.Warning {
				t.Errorf("%s: %s is an error", source, m.Message)
			}
		}
		if p == nil || (want == "") != (len(ms) == 0) || !strings.Contains(told, want) || len(ms) > 1 {
			t.Errorf("%s: want %q, got %q", source, want, told)
		}
	}
}
