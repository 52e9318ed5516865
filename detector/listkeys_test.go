package detector

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestElementsThatAreNoKeysAreCounted: of a list in `by` a hundred elements are keys, and the others are counted.
func TestElementsThatAreNoKeysAreCounted(t *testing.T) {
	w := ruleSet(t, "id: lst\ntitle: A\nseverity: low\nwhen: inbox_rule.op == \"create\"\nby: [inbox_rule.sends_to]\nrepeat: 1h\n").Worker()
	var to []string
	for i := range 150 {
		to = append(to, fmt.Sprintf("u%03d@example.com", i))
	}
	rec := fmt.Sprintf(`{"CreationTime":"2026-01-02T03:04:05","Id":"a","Operation":"New-InboxRule","RecordType":1,"OrganizationId":"t-1","UserType":0,"UserId":"taro@contoso.example","Parameters":[{"Name":"Name","Value":"x"},{"Name":"ForwardTo","Value":"%s"}]}`, strings.Join(to, ";"))
	if err := w.ReadAlone([]byte(rec), time.Time{}); err != nil {
		t.Fatal(err)
	}
	keys := 0
	EachHit(w.Match(nil), func([]byte) { keys++ })
	if keys != 100 || w.Overflow[0] != 50 {
		t.Errorf("%d keys, %d counted, want 100 and 50", keys, w.Overflow[0])
	}
}
