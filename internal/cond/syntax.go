package cond

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/expr-lang/expr/file"
)

// unreadable says in plain words why the parser refuses a source. Nothing of the parser's own sentence is passed on.
func unreadable(source string, err error) Mistake {
	var e *file.Error
	if !errors.As(err, &e) {
		return Mistake{Code: "syntax", Message: "the condition cannot be read"}
	}
	text := uncommented(source)
	at := min(max(e.From, 0), len(text))
	if strings.Contains(e.Message, "maximum allowed nodes") {
		return Mistake{Code: "nodes", Message: fmt.Sprintf("the condition has more than %d parts", MaxNodes)}
	}
	if m, found := unfinished(text); found {
		return m
	}
	if m, found := borrowed(text, at); found {
		return m
	}
	m := Mistake{At: at, Code: "syntax", Message: said[plainReason(e.Message)]}
	if m.Message == "" {
		m.Message = unexpected(text, at)
	}
	return m
}

// said are the parser's reasons in plain words, by a part of its sentence.
var said = map[string]string{
	"escape":       "an escape in this text is not one of \\n, \\t, \\\", \\\\, \\u0041; write the text in backticks, where a backslash is itself",
	"bad number":   "this is not a number",
	"invalid":      "this is not a number",
	"too large":    "this number is too large",
	"at least":     "an argument is missing; any, all, none, one and count take a list and a condition",
	"wrap":         "a condition about # stands in any, all, none, one or count",
	"unclosed com": "this comment is not closed",
	"too large st": "this text is too long",
}

// plainReason is the key of said that a sentence of the parser holds, or "" if there is none.
func plainReason(sentence string) string {
	for _, part := range []string{"escape", "bad number", "too large st", "too large", "at least", "wrap", "unclosed com"} {
		if strings.Contains(sentence, part) {
			return part
		}
	}
	if strings.HasPrefix(sentence, "invalid ") && strings.Contains(sentence, "literal") {
		return "invalid"
	}
	return ""
}

// unexpected says what stands where the parser stopped.
func unexpected(text []rune, at int) string {
	for at < len(text) && unicode.IsSpace(text[at]) {
		at++
	}
	if at >= len(text) {
		return "the condition ends too early"
	}
	word := wordAt(text, at)
	if r := []rune(word)[0]; r == '"' || r == '\'' || r == '`' {
		return "a text stands here, and before it && or || or a comparison is missing"
	}
	return fmt.Sprintf("%s is not expected here", strings.TrimSpace(quotedWord(word)))
}

func quotedWord(word string) string {
	if strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fmt.Sprintf("%+q", word)
	}
	return word
}

// wordAt is the name, number or operator that begins at a place.
func wordAt(text []rune, at int) string {
	part := inWord
	if inSign(text[at]) {
		part = inSign
	}
	end := at
	for end < len(text) && part(text[end]) {
		end++
	}
	return string(text[at:max(end, at+1)])
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '$' }

// unfinished finds a quote or a bracket that is not closed, or a bracket that closes nothing.
func unfinished(text []rune) (Mistake, bool) {
	type open struct {
		bracket rune
		at      int
	}
	var all []open
	pairs := map[rune]rune{')': '(', ']': '[', '}': '{'}
	for i := 0; i < len(text); i++ {
		switch r := text[i]; r {
		case '"', '\'', '`':
			end := closing(text, i)
			if end < 0 {
				return Mistake{At: i, Code: "syntax", Message: "this quote is not closed"}, true
			}
			i = end
		case '(', '[', '{':
			all = append(all, open{r, i})
		case ')', ']', '}':
			if len(all) == 0 {
				return Mistake{At: i, Code: "syntax", Message: "this bracket closes nothing"}, true
			}
			if last := all[len(all)-1]; last.bracket != pairs[r] {
				return Mistake{At: i, Code: "syntax", Message: fmt.Sprintf("%c closes %c", r, last.bracket)}, true
			}
			all = all[:len(all)-1]
		}
	}
	if len(all) > 0 {
		return Mistake{At: all[len(all)-1].at, Code: "syntax", Message: "this bracket is not closed"}, true
	}
	return Mistake{}, false
}

// closing is where the text that begins at a quote ends, -1 where it does not.
func closing(text []rune, at int) int {
	quote := text[at]
	for i := at + 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && quote != '`':
			i++
		case text[i] == quote:
			return i
		case text[i] == '\n' && quote != '`':
			return -1
		}
	}
	return -1
}

// signs are operators of other languages and what conditions have for them.
var signs = map[string]string{
	"===": "==", "!==": "!=", "<>": "!=", "=~": "matches", "!~": "not matches",
	"=>": ">=", "=<": "<=", "=": "==", "~": "matches", "&": "&&", "|": "||",
}

func inSign(r rune) bool { return strings.ContainsRune("=!<>~&|", r) }

// words are operators of other languages, lower case.
var words = map[string]string{
	"and": "and", "or": "or", "not": "not", "in": "in", "is": "==", "eq": "==", "equals": "==", "ne": "!=", "like": "contains", "contains": "contains", "has": "contains",
	"startswith": "startsWith", "starts_with": "startsWith", "beginswith": "startsWith", "endswith": "endsWith", "ends_with": "endsWith", "matches": "matches", "regex": "matches",
	"re": "matches", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "if": "&&", "then": "&&",
}

// nothing is how other languages ask whether there is a value.
var nothing = regexp.MustCompile(`(?i)^\s+(not\s+)?(null|nil|none|empty)\b`)

// borrowed finds an operator of another language where the parser stopped, or just before.
func borrowed(text []rune, at int) (Mistake, bool) {
	for at < len(text) && unicode.IsSpace(text[at]) {
		at++
	}
	if at >= len(text) {
		return Mistake{}, false
	}
	told := func(at int, theirs, ours string) (Mistake, bool) {
		return Mistake{At: at, Code: "syntax", Message: "no operator " + theirs, Suggestion: ours}, true
	}
	if word := wordAt(text, at); inWord(text[at]) {
		switch ours := words[strings.ToLower(word)]; {
		case functions[word].usage != "":
			return Mistake{At: at, Code: "syntax", Message: word + " is a function: " + functions[word].usage}, true
		case ours == "":
			return Mistake{}, false
		case ours == "==" && nothing.MatchString(string(text[at+len(word):])):
			return Mistake{At: at, Code: "syntax", Message: "no operator " + word + "; " + noNothing}, true
		case ours != word:
			return told(at, word, ours)
		case strings.HasPrefix(string(text[at+len(ours):]), "("):
			return Mistake{At: at, Code: "syntax", Message: word + " stands between two texts, as in user.name " + word + ` "x"`}, true
		}
		return Mistake{}, false
	}
	switch text[at] {
	case '“', '”', '‘', '’', '„', '«', '»':
		return Mistake{At: at, Code: "syntax", Message: `texts stand in straight quotes: "x"`}, true
	case ',':
		return Mistake{At: at, Code: "syntax", Message: `a comma is not expected here; a list is written ["a", "b"]`}, true
	case '#':
		return Mistake{At: at, Code: "syntax", Message: "# is a list's element inside any, all, none, one and count; a comment begins with //"}, true
	case '/':
		return Mistake{At: at, Code: "syntax", Message: `a regular expression is a text in quotes: matches "…"`}, true
	}
	from, end := at, at
	for from > 0 && inSign(text[from-1]) {
		from--
	}
	for end < len(text) && inSign(text[end]) {
		end++
	}
	if sign := string(text[from:end]); signs[sign] != "" {
		return told(from, sign, signs[sign])
	}
	return Mistake{}, false
}
