package format_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"noroshi/internal/alert"
	"noroshi/sinks"
	"noroshi/sinks/format"
	"noroshi/sinks/sinktest"
)

// redacted is an alert that holds its account everywhere, as a destination gets it.
func redacted(t *testing.T, r *sinks.Redaction, change func(a *alert.Alert)) sinks.Message {
	t.Helper()
	a := sinktest.Alert(1)
	a.Summary = "TARO1@contoso.example (i:0#.f|membership|taro1@contoso.example) from 203.0.113.7, not 1203.0.113.71"
	a.Evidence[0].Facts = json.RawMessage(`{"taro1@contoso.example":{"x":["Taro1@Contoso.example"]},"inbox_rule.name":"請求書","mail.deleted":true}`)
	if change != nil {
		change(a)
	}
	m := sinktest.Of(a)
	m.Tenant = a.Tenant
	if err := r.Apply(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestWhatIsRedactedIsNowhere: the member is empty, and its value is in no text of any format.
func TestWhatIsRedactedIsNowhere(t *testing.T) {
	key := func() (string, error) { return "a key of some length", nil }
	for name, r := range map[string]*sinks.Redaction{
		"left out": {Leave: []string{"account", "source.ip", "inbox_rule.name", "mail.deleted"}},
		"hashed":   {Leave: []string{"mail.deleted"}, Hash: []string{"account", "source.ip", "inbox_rule.name"}, Key: key},
	} {
		m := redacted(t, r, nil)
		for _, f := range []format.Format{format.Noroshi, format.ECS, format.OCSF, format.CEF} {
			b, err := f.Append(nil, &m)
			if err != nil {
				t.Fatal(err)
			}
			low := strings.ToLower(string(b)) + m.Account
			for _, secret := range []string{"taro1@contoso.example", "203.0.113.7", "請求書", "mail.deleted"} {
				if strings.Contains(low, secret) {
					t.Errorf("%s, %s: %s is in\n%s", name, f, secret, b)
				}
			}
		}
		var a alert.Alert
		if err := json.Unmarshal(m.Body, &a); err != nil || a.ID != m.ID || a.Severity != "high" || a.Rule.ID != m.Rule || a.Window.Count != 2 || a.Actor.ID != "u-1" || a.DedupKey != "" {
			t.Errorf("%s: %v, %s", name, err, m.Body)
		}
		if (a.Account == "") != (name == "left out") || name == "hashed" && (!strings.HasPrefix(a.Account, "hash:") || a.Actor.Name != a.Account || m.Account != a.Account || strings.Count(a.Summary, a.Account) != 2) {
			t.Errorf("%s: %s", name, m.Body)
		}
	}
}

// TestWhatIsRedactedKeepsItsKind: lists stay lists and numbers numbers, so that every destination can read the alert.
func TestWhatIsRedactedKeepsItsKind(t *testing.T) {
	all := []string{"tenant", "account", "actor", "target", "summary", "group", "evidence.facts", "evidence.id", "source", "sessions", "indicators", "respond", "rule.title", "enrichment", "modifiers", "linked"}
	m := redacted(t, &sinks.Redaction{Leave: all}, nil)
	var a alert.Alert
	if err := json.Unmarshal(m.Body, &a); err != nil {
		t.Fatalf("%v\n%s", err, m.Body)
	}
	if a.Source.ASN != 0 || a.Actor.Name != "" || len(a.Sessions) != 0 || a.Rule.Title != "" || a.Tenant != "" || len(a.Evidence) != 1 || len(a.Respond) != 0 {
		t.Errorf("%s", m.Body)
	}
}

// TestShortValuesCountAsWords: a country is no part of a word.
func TestShortValuesCountAsWords(t *testing.T) {
	m := redacted(t, &sinks.Redaction{Leave: []string{"source.country"}}, func(a *alert.Alert) { a.Summary = "NL: ONLY nl." })
	if !strings.Contains(string(m.Body), `"summary":"[left out]: ONLY [left out]."`) {
		t.Errorf("%s", m.Body)
	}
}

// TestRedactionFailsClosed: what cannot be redacted is not sent.
func TestRedactionFailsClosed(t *testing.T) {
	m := sinks.Message{Body: []byte("no JSON")}
	if err := (&sinks.Redaction{Leave: []string{"account"}}).Apply(&m); !errors.As(err, new(*sinks.Refused)) {
		t.Error(err)
	}
	m = sinktest.Message(1)
	before := slices.Clone(m.Body)
	none := func() (string, error) { return "", errors.New("gone") }
	if err := (&sinks.Redaction{Hash: []string{"account"}, Key: none}).Apply(&m); !errors.As(err, new(*sinks.Fault)) || string(m.Body) != string(before) {
		t.Error(err)
	}
}

// TestFormsOfWhatIsRedacted: a value is hidden also as commands and addresses write it, behind another value's beginning, where a text
// was cut in the middle of it, and as a number.
func TestFormsOfWhatIsRedacted(t *testing.T) {
	r := &sinks.Redaction{Leave: []string{"account", "target", "source.country", "source.as.number"}}
	m := redacted(t, r, func(a *alert.Alert) {
		a.Account, a.Target, a.Source.Country, a.Source.ASN = "pat.o'brien@contoso.example", `CONTOSO\night "shift"`, "xp", 64500
		a.Summary = "the contoso\\night \"shift\" of Axpat.o'brien@contoso.example, whom pat.o'brien@con…"
		a.Respond = []alert.Remedy{{Text: "Look at https://portal.example.com/users/pat.o%27brien%40contoso.example.", Command: "Get-Mailbox -Filter 'Name -eq ''pat.o''''brien@contoso.example''' -Identity 'pat.o''brien@contoso.example'"}}
		a.Evidence[0].Facts = json.RawMessage(`{"source.as.number":64500,"other":{"n":64500},"raw":"{\"Name\":\"CONTOSO\\\\night \\\"shift\\\"\"}"}`)
	})
	for _, secret := range []string{"brien", "pat.", "night", "shift", "64500"} {
		if strings.Contains(strings.ToLower(string(m.Body)), secret) {
			t.Errorf("%s is in\n%s", secret, m.Body)
		}
	}
}

// TestADrillStaysMarked also where the destination is not to know tenants: theirs is nobody's.
func TestADrillStaysMarked(t *testing.T) {
	for _, r := range []*sinks.Redaction{{Leave: []string{"tenant"}}, {Hash: []string{"tenant"}, Key: func() (string, error) { return "a key of some length", nil }}} {
		m := redacted(t, r, func(a *alert.Alert) { a.Tenant = alert.DrillTenant })
		if !m.Drill() || !strings.Contains(string(m.Body), `"drill":true`) || !strings.Contains(string(m.Body), `"tenant":"noroshi-drill"`) {
			t.Errorf("%s\n%s", m.Tenant, m.Body)
		}
	}
}
