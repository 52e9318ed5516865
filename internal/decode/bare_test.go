package decode

import (
	"math/rand/v2"
	"testing"
)

// TestABareDestinationIsWrappedInNothing: what is made of letters, digits and what stands between them comes out as it does where all
// wrappings are looked for.
func TestABareDestinationIsWrappedInNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 2))
	parts := []string{"a", "B", "taro", "@", "example.com", "imcea", "IMCEASMTP-", "-", "_", ".", "7", "smtp", ":", "<", ">", " ", "+40", "'", "é", "\\", "(", ")", "cn="}
	bares := 0
	for range 50_000 {
		text := ""
		for range r.IntN(7) {
			text += parts[r.IntN(len(parts)-r.IntN(12))]
		}
		if bare(text) {
			bares++
		}
		if got, want := AddressOf(text), unwrappedWhole(text); got != want {
			t.Fatalf("%q gives %q, want %q", text, got, want)
		}
	}
	if bares < 5000 {
		t.Errorf("%d texts were bare", bares)
	}
}
