package decode

import (
	"testing"
	"time"

	"noroshi/internal/event"
)

// read decodes one record with all fields planned.
func read(t *testing.T, rec string) *Reader {
	t.Helper()
	l := event.NewLayout()
	for _, f := range event.Fields() {
		l.Slot(f.Name)
	}
	r := NewPlan(l, Options{}).Reader()
	if err := r.ReadAlone([]byte(rec), time.Time{}); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestADesktopRuleHidesItsActionInText(t *testing.T) {
	r := read(t, `{"CreationTime":"2026-01-02T03:04:05","Id":"1","Operation":"UpdateInboxRules","RecordType":2,"UserId":"Taro@contoso.example","UserType":0,"MailboxOwnerUPN":"taro@contoso.example",
"OperationProperties":[{"Name":"RuleOperation","Value":"AddMailboxRule"},{"Name":"RuleName","Value":"x"},{"Name":"RuleState","Value":"Enabled, ExitAfterExecution"},{"Name":"RuleActions","Value":"[{\"ActionType\":\"Forward\",\"Recipients\":[\"Drop@mail.example.net\"]}]"}]}`)
	for field, want := range map[string]string{"inbox_rule.op": "create", "inbox_rule.name": "x", "inbox_rule.stops": "true", "account": "taro@contoso.example", "event.dataset": "ual.exchange_item", "event.time": "2026-01-02T03:04:05.000Z", "inbox_rule.body_known": "true"} {
		if got := r.field(field); got != want {
			t.Errorf("%s is %q, want %q", field, got, want)
		}
	}
	if got := r.fieldList("inbox_rule.sends_to"); len(got) != 1 || got[0] != "drop@mail.example.net" {
		t.Errorf("sends to %v", got)
	}
}
