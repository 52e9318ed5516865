package cond

import (
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// alikeLeast is from how many letters on names are alike that differ by a letter.
const alikeLeast = 8

// similar reports whether a name could be taken for another one, or for one that a list holds. Addresses of the list are no names.
func (m *Machine) similar(name string, of any) bool {
	l, ok := of.(List)
	if !ok {
		other, _ := of.(string)
		return Similar(name, other) || lookAlike(name, other)
	}
	texts := m.mine(l).Texts()
	if len(texts) == 0 || name == "" {
		return false
	}
	all := m.named[&texts[0]]
	if all == nil {
		all = aliasesOf(texts)
		if m.named == nil {
			m.named = map[*string]*aliases{}
		}
		m.named[&texts[0]] = all
	}
	return all.have(name)
}

// lookAlike reports whether two names look or are read alike.
func lookAlike(a, b string) bool { return aliasesOf([]string{a}).have(b) }

// aliases are names as they look and as they are read.
type aliases struct {
	exact map[string]struct{}
	long  map[int][][]rune // those that a letter may be wrong in, by their lengths
}

func aliasesOf(names []string) *aliases {
	a := &aliases{map[string]struct{}{}, map[int][][]rune{}}
	for _, name := range names {
		if strings.Contains(name, "@") {
			continue
		}
		for _, form := range forms(name) {
			a.exact[form] = struct{}{}
		}
	}
	for _, form := range slices.Sorted(maps.Keys(a.exact)) {
		if r := []rune(form); len(r) >= alikeLeast {
			a.long[len(r)] = append(a.long[len(r)], r)
		}
	}
	return a
}

// have reports whether a name is one of them, or differs by two letters that have changed places, a letter more or a letter less.
func (a *aliases) have(name string) bool {
	for _, form := range forms(name) {
		if _, ok := a.exact[form]; ok {
			return true
		}
		r := []rune(form)
		if len(r) < alikeLeast {
			continue
		}
		for n := len(r) - 1; n <= len(r)+1; n++ {
			if slices.ContainsFunc(a.long[n], func(other []rune) bool { return slips(r, other) }) {
				return true
			}
		}
	}
	return false
}

// slips reports whether names differ by neighbours that have changed places, or by one letter that one of them lacks.
func slips(a, b []rune) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return slices.Equal(a[i:], b[i+1:])
	}
	return i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && slices.Equal(a[i+2:], b[i+2:])
}

// forms are a name as it looks and, where it has letters of another alphabet, as it is read: without case, accents, blanks and signs, the
// words in one order, letters that look alike as one of them. What stands in brackets behind the name is left out.
func forms(name string) (all []string) {
	if i := strings.IndexAny(name, "(<[|"); i > 0 {
		name = name[:i]
	}
	plain := norm.NFKC.String(name)
	for _, table := range []map[rune]string{looks, reads} {
		if form := formOf(plain, table); form != "" && !slices.Contains(all, form) {
			all = append(all, form)
		}
	}
	return all
}

func formOf(plain string, table map[rune]string) string {
	var b strings.Builder
	for _, r := range plain {
		writeForm(&b, r, table)
	}
	words := strings.Fields(oneShape.Replace(b.String()))
	slices.Sort(words)
	return strings.Join(words, "")
}

// writeForm writes a letter as a table has it: as it is, small, or without its accent.
func writeForm(b *strings.Builder, r rune, table map[rune]string) {
	if as, ok := table[r]; ok {
		b.WriteString(as)
		return
	}
	r = unicode.ToLower(r)
	as, ok := table[r]
	if !ok {
		r, _ = utf8.DecodeRuneInString(norm.NFD.String(string(r)))
		as, ok = table[r]
	}
	switch {
	case ok:
		b.WriteString(as)
	case unicode.Is(unicode.Mn, r):
	case unicode.IsLetter(r) || unicode.IsDigit(r):
		b.WriteRune(r)
	default:
		b.WriteByte(' ')
	}
}

// oneShape makes letters that look alike in Latin one of them.
var oneShape = strings.NewReplacer("rn", "m", "vv", "w", "i", "l", "1", "l", "0", "o", "3", "e", "5", "s")

// looks are letters of other alphabets by the Latin ones that they look like, large ones where these look otherwise.
var looks = map[rune]string{
	'Η': "h", 'Ν': "n", 'Μ': "m", 'Υ': "y", 'Ρ': "p", 'Σ': "e",
	'а': "a", 'в': "b", 'е': "e", 'ё': "e", 'з': "3", 'і': "i", 'ї': "i", 'ј': "j", 'к': "k", 'м': "m", 'н': "h", 'о': "o", 'р': "p", 'с': "c", 'т': "t", 'у': "y",
	'х': "x", 'ѕ': "s", 'һ': "h", 'ԁ': "d", 'ԛ': "q", 'ԝ': "w", 'ӏ': "l", 'ь': "b", 'г': "r", 'п': "n",
	'α': "a", 'β': "b", 'ε': "e", 'η': "n", 'ι': "i", 'κ': "k", 'μ': "u", 'ν': "v", 'ο': "o", 'ρ': "p", 'σ': "o", 'τ': "t", 'υ': "u", 'χ': "x", 'ω': "w", 'γ': "y", 'ζ': "z",
	'ı': "i", 'ɡ': "g", 'ɑ': "a", 'ø': "o", 'ł': "l", 'đ': "d", 'ß': "ss", 'æ': "ae", 'œ': "oe", '|': "l", '!': "l", '$': "s",
}

// reads are letters of other alphabets by the Latin ones that they are read as.
var reads = map[rune]string{
	'а': "a", 'б': "b", 'в': "v", 'г': "g", 'ґ': "g", 'д': "d", 'е': "e", 'ё': "e", 'є': "ye", 'ж': "zh", 'з': "z", 'и': "i", 'й': "y", 'і': "i", 'ї': "yi", 'к': "k", 'л': "l",
	'м': "m", 'н': "n", 'о': "o", 'п': "p", 'р': "r", 'с': "s", 'т': "t", 'у': "u", 'ф': "f", 'х': "kh", 'ц': "ts", 'ч': "ch", 'ш': "sh", 'щ': "shch", 'ъ': "", 'ы': "y", 'ь': "",
	'э': "e", 'ю': "yu", 'я': "ya",
	'α': "a", 'β': "v", 'γ': "g", 'δ': "d", 'ε': "e", 'ζ': "z", 'η': "i", 'θ': "th", 'ι': "i", 'κ': "k", 'λ': "l", 'μ': "m", 'ν': "n", 'ξ': "x", 'ο': "o", 'π': "p", 'ρ': "r",
	'σ': "s", 'ς': "s", 'τ': "t", 'υ': "y", 'φ': "f", 'χ': "ch", 'ψ': "ps", 'ω': "o",
	'ø': "o", 'ł': "l", 'đ': "d", 'ß': "ss", 'æ': "ae", 'œ': "oe", 'ı': "i", '|': "l", '!': "l", '$': "s",
}
