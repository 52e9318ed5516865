package event

import (
	"math"
	"strconv"
)

// NumberOf is a text as a number. Only a decimal number as JSON writes it is one, and only a finite one: not inf, NaN, hexadecimal or
// 1e400.
// Source: RFC 8259, section 6.
func NumberOf(text string) (n float64, ok bool) {
	if !decimal(text) {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil
}

// AddNumbers is the sum of two numbers, the greatest or least finite one where it would be beyond.
func AddNumbers(a, b float64) float64 {
	return max(-math.MaxFloat64, min(math.MaxFloat64, a+b))
}

// decimal reports whether a text is a number as JSON writes it.
func decimal(t string) bool {
	if t != "" && t[0] == '-' {
		t = t[1:]
	}
	whole := leading(t)
	if whole == 0 || whole > 1 && t[0] == '0' {
		return false
	}
	t = t[whole:]
	if t != "" && t[0] == '.' {
		n := leading(t[1:])
		if n == 0 {
			return false
		}
		t = t[1+n:]
	}
	if t == "" || t[0] != 'e' && t[0] != 'E' {
		return t == ""
	}
	if t = t[1:]; t != "" && (t[0] == '+' || t[0] == '-') {
		t = t[1:]
	}
	return t != "" && leading(t) == len(t)
}

// leading is how many digits a text begins with.
func leading(t string) (n int) {
	for n < len(t) && t[n] >= '0' && t[n] <= '9' {
		n++
	}
	return n
}
