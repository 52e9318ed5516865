package event

import (
	"math"
	"testing"
)

// TestNumberOf: a number is what JSON writes as one and what is finite.
func TestNumberOf(t *testing.T) {
	for text, want := range map[string]float64{"0": 0, "-0.5": -0.5, "10": 10, "1e2": 100, "1E+2": 100, "1.5e-1": 0.15, "1.7e308": 1.7e308, "5e-400": 0} {
		if n, ok := NumberOf(text); !ok || n != want {
			t.Errorf("%s is %v, %t", text, n, ok)
		}
	}
	for _, text := range []string{"", "-", "inf", "Inf", "+Inf", "-infinity", "NaN", "nan", "0x1p10", "0x20", "1_000", "+5", "05", ".5", "5.", "1e", "1e+", "1e400", "-1e400",
		" 5", "5 ", "5,0", "true", "1.2.3"} {
		if n, ok := NumberOf(text); ok || n != 0 && !math.IsInf(n, 0) {
			t.Errorf("%q is %v, %t", text, n, ok)
		}
	}
}
