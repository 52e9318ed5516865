package config

import (
	"testing"
	"time"

	"noroshi/internal/event"
)

func TestLatenessIsRead(t *testing.T) {
	c, problems := read(t, "lateness:\n  entra.signin: {wait: 5m}\n  ual.*: {wait: 2h, keep: 2d}\n")
	if problems != "" {
		t.Fatal(problems)
	}
	if got := c.Lateness.Of("entra.signin"); got != (event.Late{Wait: 5 * time.Minute, Keep: 2 * time.Hour}) {
		t.Errorf("sign-ins are %v late", got)
	}
	if got := c.Lateness.Of("ual.exchange_admin"); got != (event.Late{Wait: 2 * time.Hour, Keep: 48 * time.Hour}) {
		t.Errorf("the audit log is %v late", got)
	}
}

func TestLatenessThatCannotBe(t *testing.T) {
	for text, want := range map[string]string{
		"lateness:\n  SigninLogs: {wait: 5m}\n": `noroshi.yaml:2:3: lateness: no dataset "SigninLogs"; did you mean "entra.signin"? [value]`,
		"lateness:\n  okta.*: {wait: 5m}\n":     `noroshi.yaml:2:3: lateness: no dataset is of the family "okta.*"; families are entra.*, ual.*, defender.*, graph.* and exchange.* [value]`,
		"lateness:\n  whsec_Zm9v: {wait: 5m}\n": `noroshi.yaml:2:3: lateness: no such dataset; expected a value of the field event.dataset, such as entra.signin, or a family such as ual.* [value]`,
		"lateness:\n  ual.*: {wait: 8d}\n":      `noroshi.yaml:2:17: lateness: expected at most 7d, got 8d [value]`,
		"lateness:\n  ual.*: {wait: soon}\n":    `noroshi.yaml:2:17: lateness: expected a duration such as 250ms, 10s, 5m, 2h or 1d, got text [value]`,
		"lateness:\n  ual.*: {wait: 5}\n":       `noroshi.yaml:2:17: lateness: expected a duration such as 250ms, 10s, 5m, 2h or 1d, got a number, which has no unit; did you mean 5s, 5m or 5h? [value]`,
		"lateness:\n  ual.*: {wait: 1234567}\n": `noroshi.yaml:2:17: lateness: expected a duration such as 250ms, 10s, 5m, 2h or 1d, got a number, which has no unit [value]`,
		"lateness:\n  ual.*: {wait: -5m}\n":     `noroshi.yaml:2:17: lateness: expected a duration such as 250ms, 10s, 5m, 2h or 1d, got a time below zero [value]`,
		"lateness:\n  ual.*: {keep: 0s}\n":      `noroshi.yaml:2:10: warning: lateness: keep, 0s, is shorter than wait, 1h0m0s: an event may come in time and find its neighbours forgotten [value]`,
		"lateness:\n  ual.*: {wait: 0s}\n":      `noroshi.yaml:2:17: warning: lateness: with no time at all, each event that comes after a later one is late [value]`,
		"lateness:\n  ual.*: {late: 5m}\n":      `noroshi.yaml:2:11: lateness: no key "late" here; known are keep, wait`,
		"lateness: 5m\n":                        `noroshi.yaml:1:11: lateness: expected`,
	} {
		if _, got := read(t, text); len(got) < len(want) || got[:len(want)] != want {
			t.Errorf("%q: %s; want %s", text, got, want)
		}
	}
}
