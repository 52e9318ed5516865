// Package sinktest is what every sink must hold.
package sinktest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"noroshi/internal/alert"
	"noroshi/sinks"
)

// Alert is an alert for tests; numbers make different ones, each of an account of its own.
func Alert(n int) *alert.Alert {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)
	account := fmt.Sprintf("taro%d@contoso.example", n)
	return &alert.Alert{Schema: alert.Schema, ID: fmt.Sprintf("alrt_%026d", n), Status: alert.Firing, Revision: 1,
		Rule:     alert.Rule{ID: "inbox-rule-hides-mail", Title: "An inbox rule hides mail", Guide: []string{"S3"}, Class: "hiding", Points: 30, Attack: []string{"T1564.008"}, Revision: "0123456789ab"},
		Severity: "high", Tenant: "11112222-3333-4444-5555-666677778888", Account: account, Actor: alert.Actor{Name: account, Kind: "user", ID: "u-1"}, Target: account,
		Summary: fmt.Sprintf(`The rule "請求書" moves mail to RSS Feeds %d`, n), Time: at, Window: alert.Window{First: at.Add(-time.Minute), Last: at, Count: 2},
		Group: map[string]string{"account": account}, DedupKey: "ddk_" + strings.Repeat("A", 26),
		Evidence: []alert.Evidence{{ID: "e-1", Time: at, Action: "New-InboxRule", Dataset: "ual.exchange_admin", SourceIP: "203.0.113.7", Facts: json.RawMessage(`{"inbox_rule.folder_class":"rss","inbox_rule.name":"請求書"}`)}},
		Source:   alert.Source{IP: "203.0.113.7", Country: "NL", ASN: 64500}, Sessions: []string{"s-1"}, Indicators: alert.Indicators{Destinations: []string{"drop@mail.example.net"}},
		Respond: []alert.Remedy{{ID: "revoke-sessions", Text: "Revoke the account's sessions.", Command: "Revoke-MgUserSignInSession -UserId '" + account + "'"},
			{ID: "disable-inbox-rule", Text: "Disable the rule.", Command: "Disable-InboxRule -Mailbox '" + account + "'"}, {ID: "reset-password", Text: "Reset the password."}},
		Times: alert.Times{Happened: at, Evaluated: at.Add(time.Second)}}
}

// Of is the message of an alert.
func Of(a *alert.Alert) sinks.Message {
	return sinks.Message{ID: a.ID, Revision: a.Revision, Status: string(a.Status), Time: a.Time, Rule: a.Rule.ID, Class: a.Rule.Class, Account: a.Account, Severity: a.Severity, Tenant: a.Tenant, Body: a.AppendJSON(nil)}
}

// Message is the message of Alert.
func Message(n int) sinks.Message { return Of(Alert(n)) }

// Hostile are alerts whose texts strangers chose, to break out of what a sink makes of them.
func Hostile() (all []sinks.Message) {
	for n, text := range []string{
		`a|b=c\d"e'f`, "one\r\ntwo\nthree\x00\x1b[31m", "\u202eevil\u2066\u200b\ufeff\U000e0041", "<!channel> @here @everyone <@U123> <https://evil.example|x>", "{{ .Secret }} {{template \"x\"}} ${env:HOME} %s %d",
		"=cmd|' /C calc'!A0", "+1-2@SUM(1)", "<script>alert(1)</script><img src=x>&amp;", `\`, `\\|`, `]`, "a]b\"c\\", "x act=fake dst=1.2.3.4", "CEF:0|x|y|z|1|n|10|", "[x](https://evil.example) *b* _i_ ~s~ `c`",
		"' OR 1=1 --", "../../etc/passwd", "\xff\xfe broken", strings.Repeat("長い", 1<<19/3), "", " ", "\t", "{\"create\":{}}\n{}", "\nX-Header: y\r\n\r\n", "日本語の名前 اسم",
	} {
		a := Alert(1000 + n)
		a.Summary = text
		text = text[:min(len(text), 300)]
		a.Account, a.Target, a.Actor.Name, a.Rule.Title = text, text, text, text
		a.Source.IP, a.Source.Country, a.Tenant, a.Sessions, a.Indicators.Destinations = text, text, text, []string{text}, []string{text}
		quoted := alert.AppendQuoted(nil, text)
		a.Evidence[0].Facts = json.RawMessage(fmt.Sprintf(`{"inbox_rule.name":%s,%s:"x"}`, quoted, alert.AppendQuoted(nil, "k"+text)))
		a.Evidence[0].Action, a.Evidence[0].SourceIP, a.Evidence[0].ID = text, text, text
		all = append(all, Of(a))
	}
	return all
}

// Run checks a sink: it delivers batches in order, each alert's JSON unchanged, and takes none at all. Received gives the
// bodies that have arrived.
func Run(t *testing.T, s sinks.Sink, received func() []string) {
	t.Helper()
	if n := s.Batch().Messages; n < 1 {
		t.Fatalf("a batch of %d", n)
	}
	if err := s.Send(context.Background(), nil); err != nil {
		t.Errorf("nothing to send: %v", err)
	}
	var want []string
	for n := range 7 {
		m := Message(n)
		want = append(want, string(m.Body))
		if err := s.Send(context.Background(), []sinks.Message{m}); err != nil {
			t.Fatal(err)
		}
	}
	if got := received(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
