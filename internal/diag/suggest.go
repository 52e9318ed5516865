package diag

import "strings"

// Suggest names the candidate that a misspelt word most likely means, or "" if none is near: at most a third of the
// word's characters may have to change. Case alone is no distance.
func Suggest(word string, candidates []string) string {
	best, least := "", max(1, len([]rune(word))/3)+1
	w := fold(word)
	for _, c := range candidates {
		if d := Distance(w, fold(c), least); d < least {
			best, least = c, d
		}
	}
	return best
}

// Beginning names the only candidate that begins with a word, or with all but its last letter, or "" if there is none or several.
func Beginning(word string, candidates []string) string {
	for _, w := range [][]rune{[]rune(word), []rune(word)[:max(len([]rune(word))-1, 0)]} {
		found := ""
		for _, c := range candidates {
			switch {
			case len(w) < 4 || !strings.HasPrefix(c, string(w)):
			case found != "":
				return ""
			default:
				found = c
			}
		}
		if found != "" {
			return found
		}
	}
	return ""
}

func fold(s string) []rune {
	rs := []rune(s)
	for i, r := range rs {
		if 'A' <= r && r <= 'Z' {
			rs[i] = r + 'a' - 'A'
		}
	}
	return rs
}

// Distance is the optimal string alignment distance of a and b, or anything ≥ limit if it is not below limit.
func Distance(a, b []rune, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	before, last, now := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range a {
		now[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			now[j+1] = min(last[j+1]+1, now[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				now[j+1] = min(now[j+1], before[j-1]+1)
			}
		}
		before, last, now = last, now, before
	}
	return last[len(b)]
}

// Either is the question which of several names was meant; it is "" if there are no names.
func Either(all []string) string {
	var b strings.Builder
	for i, one := range all {
		switch {
		case i == 0:
			b.WriteString("; did you mean ")
		case i == len(all)-1:
			b.WriteString(" or ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(one)
	}
	if len(all) == 0 {
		return ""
	}
	return b.String() + "?"
}
