package cond

import (
	"strings"
	"testing"

	"noroshi/internal/event"
)

// TestAdmits: which datasets events can have that satisfy a condition.
func TestAdmits(t *testing.T) {
	all := []string{"defender.email_events", "entra.audit", "entra.signin", "ual.exchange_admin"}
	for _, c := range []struct{ when, want string }{
		{`event.dataset == "entra.signin"`, "entra.signin"},
		{`event.dataset == "entra.signin" && source.ip == "192.0.2.1"`, "entra.signin"},
		{`event.dataset in ["entra.signin", "entra.audit"]`, "entra.audit entra.signin"},
		{`event.dataset startsWith "entra." && event.dataset != "entra.audit"`, "entra.signin"},
		{`event.dataset == "entra.signin" || event.dataset == "entra.audit"`, "entra.audit entra.signin"},
		{`event.dataset == "entra.signin" || source.ip == "192.0.2.1"`, strings.Join(all, " ")},
		{`!(event.dataset == "entra.signin" || source.ip == "192.0.2.1")`, "defender.email_events entra.audit ual.exchange_admin"},
		{`!(event.dataset == "entra.signin" && source.ip == "192.0.2.1")`, strings.Join(all, " ")},
		{`icontains(event.dataset, "EXCHANGE")`, strings.Join(all, " ")}, // another form of the field
		{`event.action == "Send"`, strings.Join(all, " ")},
	} {
		p, mistakes := Compile(c.when, scope(nil))
		if len(mistakes) > 0 {
			t.Fatal(c.when, mistakes)
		}
		if got := strings.Join(p.Admits(event.Dataset, all), " "); got != c.want {
			t.Errorf("%s: %s; want %s", c.when, got, c.want)
		}
	}
}
