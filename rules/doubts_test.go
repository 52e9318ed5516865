package rules

import (
	"strings"
	"testing"
)

// TestWhatHardlyMeansWhatItSays: such rules load, and check warns of them with what would be right.
func TestWhatHardlyMeansWhatItSays(t *testing.T) {
	const absent = "kind: absence\nwhen: event.action == \"Send\"\n"
	const many = "kind: threshold\nwithin: 1h\nwhen: auth.result == \"wrong_credential\"\n"
	const steps = "  - {id: two, when: auth.result == \"success\"}\n"
	for text, want := range map[string]string{
		absent + `without: {after: 30m, when: 'event.dataset in ["entra.signin", "entra.audit"]'}` + "\nneeds: [entra.signin]\n":              "needs lacks entra.audit",
		absent + `without: {after: 30m, when: 'event.dataset in ["entra.signin", "entra.audit"]'}` + "\nneeds: [entra.audit, entra.signin]\n": "",
		absent + "without: {after: 30m, when: auth.result == \"success\"}\nneeds: [entra.signin]\n":                                           "",
		many + "distinct: {of: account, least: 5}\n":                                                                                                                                "`by: [source.ip]`",
		many + "by: [source.ip]\ndistinct: {of: source.ip, least: 5}\n":                                                                                                             "`by: [account]`",
		many + "by: [account, source.ip]\ndistinct: {of: account, least: 5}\n":                                                                                                      "`by: [source.ip]`",
		many + "by: [app.id]\ndistinct: {of: app.id, least: 5}\n":                                                                                                                   "`by: [source.ip]`",
		many + "by: [source.ip]\ndistinct: {of: account, least: 5}\n":                                                                                                               "",
		many + "by: []\ndistinct: {of: account, least: 5}\n":                                                                                                                        "",
		many + "by: [grant.rights]\ndistinct: {of: grant.rights, least: 5}\n":                                                                                                       "",
		"kind: correlation\nof: [class:access]\nwithin: 1h\ndistinct: {of: account, least: 2}\n":                                                                                    "`by: [source.ip]`",
		"kind: correlation\nof: [class:access]\nwithin: 1h\ndistinct: {of: rule, least: 2}\n":                                                                                       "",
		"kind: sequence\nwithin: 1h\nsteps:\n  - {id: one, when: auth.result == \"wrong_credential\", distinct: {of: account, least: 3}}\n" + steps:                                 "`by: [source.ip]`",
		"kind: sequence\nwithin: 1h\nby: [account]\nsteps:\n  - {id: one, by: [user.name], when: auth.result == \"wrong_credential\", distinct: {of: account, least: 3}}\n" + steps: "",
		"kind: baseline\nbucket: 1h\nratio: 5\nfloor: 10\nhistory: 7d\nwhen: auth.result == \"success\"\ndistinct: {of: account}\n":                                                 "`by: [source.ip]`",
		"kind: silence\nlonger: 2h\nratio: 5\nhistory: 1h\n":                                                                                                                        "history is shorter than longer",
		"kind: silence\nlonger: 2h\nhistory: 7d\n":                                                                                                                                  "history changes nothing without ratio",
		"kind: silence\nlonger: 2h\nratio: 5\n":                                                                                                                                     "",
		"when: \"true\"\n":                                                                                                                                                          "holds for every event",
	} {
		text = "id: a\ntitle: A\nseverity: low\n" + text
		set, ps := Load(Options{Paths: []string{put(t, map[string]string{"r.yaml": text})}, Now: now, Library: true})
		told := strings.ReplaceAll(formatted(ps), "\"", "`")
		if set.Find("a") == nil || (want == "") != (len(ps) == 0) || !strings.Contains(told, want) {
			t.Errorf("%s\nwant %q, got\n%s", text, want, told)
		}
	}
}

// TestNumbersHaveBounds: a number out of them is told with them.
func TestNumbersHaveBounds(t *testing.T) {
	for number, want := range map[string]string{
		"1e15": "expected a number above 0 and at most 1000000000000, got 1e15", "0": "above 0", "-3": "above 0", ".nan": "expected a number, got .nan", ".inf": "expected a number, got .inf", "-.inf": "expected a number, got -.inf",
		"1e400": "expected a number, got \"1e400\"", "x": "expected a number, got \"x\"", "1e12": "", "0.5": "",
	} {
		text := "id: a\ntitle: A\nseverity: low\nkind: threshold\nwithin: 1h\nwhen: auth.result == \"success\"\nsum: {of: mailbox.items, least: " + number + "}\n"
		_, ps := Load(Options{Paths: []string{put(t, map[string]string{"r.yaml": text})}, Now: now})
		if told := formatted(ps); (want == "") != (len(ps) == 0) || !strings.Contains(told, want) {
			t.Errorf("%s: want %q, got\n%s", number, want, told)
		}
	}
}
