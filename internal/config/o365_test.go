package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"noroshi/internal/diag"
	"noroshi/internal/event"
)

func readText(t *testing.T, text string, without ...string) (*Config, []diag.Problem) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "noroshi.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, ps := Read(path, nil, without...)
	return c, ps
}

const (
	someTenant  = "11112222-3333-4444-5555-666677778888"
	otherTenant = "22223333-3333-4444-5555-666677778888"
	someone     = "credential: {kind: managed_identity}"
)

// Each mistake in a source o365 is told at its place.
func TestMistakesInAuditLogSources(t *testing.T) {
	for text, want := range map[string]string{
		"tenant: " + someTenant + ", " + someone:                   "",
		"tenant: 11112222-3333-4444-5555-66667777888A, " + someone: "",
		someone:                               "3:12: sources[0]: an o365 source needs the key tenant",
		"tenant: " + someTenant:               "an o365 source needs the key credential",
		"tenant: contoso.example, " + someone: "3:21: sources[0]: expected a tenant id such as",
		"tenant: " + someTenant + ", content: [Audit.Exchange, Audit.Exchange], " + someone:                          "the content type Audit.Exchange stands here twice",
		"tenant: " + someTenant + ", content: [], " + someone:                                                        "expected at least one content type",
		"tenant: " + someTenant + ", content: [Audit.Exchang], " + someone:                                           "Audit.Exchange",
		"tenant: " + someTenant + ", cloud: gcc-high, " + someone:                                                    "gcc_high",
		"tenant: " + someTenant + ", cloud: gcc_high, credential: {kind: managed_identity, cloud: public}":           "the cloud gcc_high signs in at the cloud government",
		"tenant: " + someTenant + ", credential: {kind: default, tenant: " + otherTenant + "}":                       "the credential is of another tenant",
		"tenant: " + someTenant + ", poll: 1s, " + someone:                                                           "the time lies outside 10s to 1h",
		"tenant: " + someTenant + ", start: yesterday, " + someone:                                                   "expected latest, earliest or a time",
		"tenant: " + someTenant + ", start: latest, backfill: newest, " + someone:                                    "there is no past to be read",
		"tenant: " + someTenant + ", " + someone + "}}\n  - {o365: {name: b, tenant: " + someTenant + ", " + someone: "4:12: sources[1]: there is a source of this tenant already",
		"tenant: " + someTenant + ", " + someone + "}}\n  - {o365: {tenant: " + otherTenant + ", " + someone:         "",
		"tenant: " + someTenant + ", tenants: [], " + someone:                                                        `no key "tenants"`,
		"tenant: " + someTenant + ", quota: 10, " + someone:                                                          "60",
	} {
		_, ps := readText(t, "sources:\n  # a comment\n  - {o365: {"+text+"}}\n")
		said := ""
		for _, p := range ps {
			said += strings.TrimPrefix(p.Format(), filepath.Dir(p.File)) + "\n"
		}
		if want == "" && said != "" || want != "" && (len(ps) != 1 || !strings.Contains(said, want)) {
			t.Errorf("%s\ngot  %swant %s", text, said, want)
		}
	}
}

// Where the unified audit log comes through the API, decisions wait two hours for it, in every role; what is configured counts.
func TestDecisionsWaitForTheAuditLog(t *testing.T) {
	source := "sources: [{o365: {tenant: " + someTenant + ", " + someone + "}}]\n"
	for text, want := range map[string]time.Duration{
		source:                              2 * time.Hour,
		"sources: [{file: {paths: [a]}}]\n": time.Hour,
		source + "lateness: {ual.*: {wait: 30m}}\n":                       30 * time.Minute,
		source + "lateness: {\"*\": {wait: 3h}}\n":                        3 * time.Hour,
		source + "lateness: {ual.exchange_admin: {wait: 4h, keep: 1d}}\n": 4 * time.Hour,
		source + "lateness: {entra.signin: {wait: 4m}}\n":                 2 * time.Hour,
	} {
		for _, without := range [][]string{nil, {"sources"}} {
			c, ps := readText(t, text, without...)
			if got := c.Lateness.Of("ual.exchange_admin"); got.Wait != want || got.Keep != 24*time.Hour {
				t.Errorf("%s without %v: %v, %v", text, without, got, ps)
			}
		}
	}
	if (event.Lateness{}).Of("ual.exchange_admin").Wait != time.Hour {
		t.Error("the usual has changed")
	}
}
