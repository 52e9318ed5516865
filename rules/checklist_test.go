package rules

import (
	"strings"
	"testing"
	"time"

	"noroshi/internal/incident"
)

// holder is an incident that holds one of everything, each with a name that a stranger chose.
func holder(name string) *incident.Incident {
	i := &incident.Incident{Account: name}
	since := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, one := range []struct {
		to   *[]incident.Thing
		kind string
		of   string
	}{{&i.InboxRules, incident.InboxRule, name}, {&i.Forwarding, incident.Forwarding, name}, {&i.Forwarding, incident.Forwarding, incident.OfTenant}, {&i.Roles, incident.Role, name},
		{&i.Consents, incident.Consent, name}, {&i.Apps, incident.Application, ""}, {&i.Delegates, incident.Delegate, name}, {&i.MFAChanges, incident.Method, name},
		{&i.Devices, incident.Device, ""}, {&i.Audit, incident.AuditSwitch, incident.OfTenant}, {&i.Audit, incident.AuditSwitch, name}} {
		*one.to = append(*one.to, incident.Thing{Kind: one.kind, Name: name, ID: name, Of: one.of, Since: since, During: true})
	}
	return i
}

// read is a command as PowerShell reads it: what stands outside of single quotes, and the texts inside. PowerShell takes ' and the
// typographic ‘ ’ ‚ ‛ for the same sign, and two of them inside a text for one (PowerShell language specification, 2.3.5.2).
func read(command string) (code string, texts []string) {
	var out, text strings.Builder
	inside := false
	all := []rune(command)
	for k := 0; k < len(all); k++ {
		quote := strings.ContainsRune("'‘’‚‛", all[k])
		switch {
		case !inside && quote:
			inside = true
			text.Reset()
		case inside && quote && k+1 < len(all) && strings.ContainsRune("'‘’‚‛", all[k+1]):
			k++
			text.WriteRune(all[k])
		case inside && quote:
			inside = false
			texts = append(texts, text.String())
			out.WriteString("'…'")
		case inside:
			text.WriteRune(all[k])
		default:
			out.WriteRune(all[k])
		}
	}
	if inside {
		out.WriteString(" a text that does not end")
	}
	return out.String(), texts
}

// TestNoNameBecomesACommand: whatever the account, a rule, a role or an application is called, each command of a checklist is the same but
// for what stands in single quotes, and there stands the name, and in the quotes of a filter as the filter writes it.
func TestNoNameBecomesACommand(t *testing.T) {
	steps, scope, ps := Remediation()
	if len(ps) > 0 {
		t.Fatal(formatted(ps))
	}
	c := incident.NewChecklist(steps, scope)
	const plain = "PLAIN"
	want := c.Steps(holder(plain), incident.English)
	if len(want) < 20 {
		t.Fatalf("%d steps", len(want))
	}
	for _, name := range []string{"o'brien@contoso.example", "'; Remove-Mailbox eve; '", "’; Remove-Mailbox eve; ‘", "‚‛'’", "''", "x’’’", "“x” „y“ \"z\"", "`$(Remove-Mailbox eve)`n", "$(Remove-Mailbox eve)",
		"@{a=1}", "#x", "x\n; Remove-Mailbox eve", "x\r\nRemove-Mailbox eve", "' -or 1 -eq 1 -or '", "日本'語", "--%", "|&;<>"} {
		shown := strings.Map(func(r rune) rune {
			if r == '\n' || r == '\r' {
				return '\uFFFD'
			}
			return r
		}, name)
		got := c.Steps(holder(name), incident.English)
		if len(got) != len(want) {
			t.Fatalf("%q: %d steps, with a plain name %d", name, len(got), len(want))
		}
		for k := range got {
			code, texts := read(got[k].Command)
			plainCode, plainTexts := read(want[k].Command)
			if code != plainCode || len(texts) != len(plainTexts) {
				t.Errorf("%s with %q: PowerShell reads %s, and not %s", got[k].ID, name, code, plainCode)
				continue
			}
			for n, text := range plainTexts {
				filter := strings.ReplaceAll(text, "'"+plain+"'", "'"+strings.ReplaceAll(shown, "'", "''")+"'")
				if wanted := strings.ReplaceAll(filter, plain, shown); texts[n] != wanted {
					t.Errorf("%s with %q: the text is %q, expected %q", got[k].ID, name, texts[n], wanted)
				}
			}
		}
	}
}

// TestChecklistsAreInTheGuidesOrder: preserve, contain, by sign, prevent; what is gone is done, what was there before calls for nothing, and
// steps of steps are the same again.
func TestChecklistsAreInTheGuidesOrder(t *testing.T) {
	steps, scope, _ := Remediation()
	c := incident.NewChecklist(steps, scope)
	i := holder("taro@contoso.example")
	i.Delegates[0].During = false
	i.InboxRules[0].Gone = time.Date(2026, 1, 2, 4, 0, 0, 0, time.UTC)
	i.Containment = []incident.Demand{{ID: incident.Password}, {ID: incident.Sessions, Done: i.InboxRules[0].Gone}}
	i.Remediation = []incident.Step{{ID: "review-sent-mail", Text: "as the alert said", Command: "Get-X"}, {ID: "of-my-own", Command: "Get-Y", Link: "https://evil.example/"}}
	i.Remediation = c.Steps(i, incident.English)
	again := c.Steps(i, incident.English)
	phase := 0
	by := map[string]incident.Step{}
	for k, s := range again {
		at := 0
		for at = range incident.Phases {
			if incident.Phases[at] == s.Phase {
				break
			}
		}
		if at < phase {
			t.Errorf("%s is of the phase %s", s.ID, s.Phase)
		}
		phase = at
		by[s.ID] = s
		if s.ID != i.Remediation[k].ID || s.Command != i.Remediation[k].Command || s.Done != i.Remediation[k].Done {
			t.Errorf("step %d was %s and is %s", k, i.Remediation[k].ID, s.ID)
		}
	}
	if len(again) != len(i.Remediation) {
		t.Errorf("%d steps were %d", len(again), len(i.Remediation))
	}
	if _, ok := by["remove-delegate"]; ok {
		t.Error("a delegate who was there before is to be removed")
	}
	if s := by["disable-inbox-rule"]; !s.Done || !s.Known {
		t.Errorf("the rule is gone: %+v", s)
	}
	if s := by["reset-password"]; s.Done || !s.Needed || !s.Known {
		t.Errorf("the password is the old one: %+v", s)
	}
	if s := by["revoke-sessions"]; !s.Done || s.Connect == "" || s.Link == "" {
		t.Errorf("the sessions are over: %+v", s)
	}
	if s := by["remove-transport-rule"]; !s.Tenant || !strings.Contains(s.Command, "taro@contoso.example") {
		t.Errorf("a rule of the tenant: %+v", s)
	}
	if s := by["review-sent-mail"]; s.Text != "as the alert said" || s.Command != "Get-X" || s.Phase != incident.BySign {
		t.Errorf("a step of an alert: %+v", s)
	}
	if s := by["of-my-own"]; s.Command != "Get-Y" || s.Link != "" {
		t.Errorf("a step of another library: %+v", s)
	}
	for _, s := range steps {
		if s.Local == nil || s.Connect == "" || s.Link == "" {
			t.Errorf("%s lacks its text in Japanese, what connects or the portal", s.ID)
		}
	}
}

// TestAStepThatNamesNothingGivesWay: of what an alert has brought without the name of the rule nothing is left where another step names it.
func TestAStepThatNamesNothingGivesWay(t *testing.T) {
	steps, scope, _ := Remediation()
	c := incident.NewChecklist(steps, scope)
	commands := func(i *incident.Incident) (all []string) {
		for _, s := range c.Steps(i, incident.English) {
			if s.ID == "disable-inbox-rule" {
				all = append(all, s.Command)
			}
		}
		return all
	}
	none := &incident.Incident{Account: "taro@contoso.example", Remediation: []incident.Step{{ID: "disable-inbox-rule",
		Command: "Get-InboxRule -Mailbox 'taro@contoso.example' -IncludeHidden | Format-List Name,Description,Enabled,Identity; " +
			"Disable-InboxRule -Mailbox 'taro@contoso.example' -Identity 'RULE'"}}}
	if got := commands(none); len(got) != 1 || !strings.Contains(got[0], "'RULE'") {
		t.Errorf("without a name: %q", got)
	}
	none.InboxRules = []incident.Thing{{Kind: incident.InboxRule, Name: "..", During: true}}
	if got := commands(none); len(got) != 1 || !strings.Contains(got[0], "'..'") {
		t.Errorf("with a name: %q", got)
	}
}
