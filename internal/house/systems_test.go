package house

import (
	"os"
	"strings"
	"testing"
)

// TestOtherSystemsAreBuilt: what is pushed builds for the systems on which replay and decode are promised, its tests too.
func TestOtherSystemsAreBuilt(t *testing.T) {
	b, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	_, lint, _ := strings.Cut(string(b), "\nlint:")
	lint, _, _ = strings.Cut(lint, "\n\n")
	for _, system := range []string{"windows", "darwin"} {
		for _, want := range []string{"GOOS=" + system + " CGO_ENABLED=0 $(GO) build ./...", "GOOS=" + system + " $(GO) vet ./..."} {
			if !strings.Contains(lint, want) {
				t.Errorf("make lint does not run %s", want)
			}
		}
	}
}
