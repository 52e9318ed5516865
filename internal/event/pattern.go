package event

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"unicode"
)

// Matches tells whether some text of the field can match a regular expression. It doubts where the field is an enumeration, or
// has no capital letters.
func (f *Field) Matches(re *regexp.Regexp) Doubt {
	switch {
	case re.MatchString(""):
		return Doubt{}
	case len(f.Values) > 0 && !f.Open && !slices.ContainsFunc(f.Values, re.MatchString):
		return Doubt{Why: oneOf(f.Values), Certain: true}
	case (f.Form == LowerCase || f.Form == Name || f.Form == Address) && len(f.Values) == 0:
		return MatchesLower(re)
	}
	return Doubt{}
}

// MatchesLower tells whether some text in lower case can match a regular expression.
func MatchesLower(re *regexp.Regexp) Doubt {
	tree, err := syntax.Parse(re.String(), syntax.Perl)
	if err == nil && needsCapital(tree) {
		return Doubt{Why: "lower case", Certain: true}
	}
	return Doubt{}
}

// needsCapital reports whether whatever matches holds a letter that lower case does not have.
func needsCapital(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpLiteral:
		return re.Flags&syntax.FoldCase == 0 && slices.ContainsFunc(re.Rune, isCapital)
	case syntax.OpCharClass:
		for i := 0; i+1 < len(re.Rune); i += 2 {
			for r := re.Rune[i]; r <= re.Rune[i+1]; r++ {
				if !isCapital(r) {
					return false
				}
			}
		}
		return len(re.Rune) > 0
	case syntax.OpConcat, syntax.OpCapture, syntax.OpPlus:
		return slices.ContainsFunc(re.Sub, needsCapital)
	case syntax.OpRepeat:
		return re.Min > 0 && needsCapital(re.Sub[0])
	case syntax.OpAlternate:
		return !slices.ContainsFunc(re.Sub, func(r *syntax.Regexp) bool { return !needsCapital(r) })
	}
	return false
}

// isCapital reports whether lower case turns a letter into another one.
func isCapital(r rune) bool { return unicode.ToLower(r) != r }
