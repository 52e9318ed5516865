package detector

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"noroshi/internal/alert"
	"noroshi/rules"
)

// TestAKeyThatGoesIsToldAsItself: what has not been told of a key that goes for want of room is told under that key.
func TestAKeyThatGoesIsToldAsItself(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "rule.yaml"), []byte(fmt.Sprintf(counting, "Rule", "low", "Send", "1h", 2)), 0o600); err != nil {
		t.Fatal(err)
	}
	rs, _ := rules.Load(rules.Options{Paths: []string{dir}})
	set := New(rs, Options{})
	w, m := set.Worker(), set.Memory(MemoryOptions{Keys: 1})
	var told []string
	take := func(a *alert.Alert) { told = append(told, a.Account+" "+a.Evidence[0].ID) }
	for i, account := range []string{"a", "a", "b", "b"} {
		rec := fmt.Sprintf(`{"CreationTime":"2026-01-02T03:04:%02d","Id":"%s-%d","Operation":"Send","RecordType":2,"OrganizationId":"t-1","UserType":0,"UserId":"%s@contoso.example"}`, i, account, i, account)
		if err := w.ReadAlone([]byte(rec), time.Time{}); err != nil {
			t.Fatal(err)
		}
		EachHit(w.Match(nil), func(packed []byte) {
			if err := m.Apply(packed, take); err != nil {
				t.Fatal(err)
			}
		})
	}
	m.End(time.Date(2026, 1, 2, 5, 0, 0, 0, time.UTC), take)
	if want := "[a@contoso.example a-0 b@contoso.example b-2]"; fmt.Sprint(told) != want {
		t.Errorf("got %v, want %v", told, want)
	}
}
