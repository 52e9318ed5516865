package event

import (
	"strings"
	"testing"
)

func TestLowerIsThatOfTheStandardLibrary(t *testing.T) {
	for c := range 256 {
		for _, pad := range []string{"", "abc", "abcdefgh", "0123456789/@[`{"} {
			s := pad + string([]byte{byte(c)}) + pad
			if IsLower(s) != (strings.ToLower(s) == s && c < 128) {
				t.Errorf("%q: plain says %v", s, IsLower(s))
			}
			if Lower(s) != strings.ToLower(s) {
				t.Errorf("%q: got %q", s, Lower(s))
			}
		}
	}
}
