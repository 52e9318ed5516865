package sinks

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The lengths from which on a value is looked for inside words, a part of it before the mark of a cut, and a number anywhere.
const (
	leastPart   = 6
	leastCut    = 3
	leastNumber = 4
)

// cutMark stands where a text was cut.
const cutMark = "…"

// hider replaces values in texts, in any case of letters and in each form in which an alert writes them. Short ones count as whole words
// alone; of the values that begin at one place the longest counts.
type hider struct {
	find  *regexp.Regexp
	forms []string          // the longest first
	with  map[string]string // by form, in small letters
}

// hiderOf makes a hider of values and what stands for them; nil: there is nothing to hide.
func hiderOf(values map[string]string) *hider {
	h := &hider{with: map[string]string{}}
	for v, with := range values {
		if strings.TrimSpace(v) == "" || v == "0" {
			continue
		}
		for _, form := range formsOf(v) {
			h.with[strings.ToLower(form)] = with
			h.forms = append(h.forms, form)
		}
	}
	if len(h.forms) == 0 {
		return nil
	}
	slices.SortFunc(h.forms, func(a, b string) int { return len(b) - len(a) })
	h.forms = slices.Compact(h.forms)
	all := make([]string, len(h.forms))
	for i, form := range h.forms {
		all[i] = regexp.QuoteMeta(form)
	}
	h.find = regexp.MustCompile("(?i)" + strings.Join(all, "|"))
	return h
}

// quotes doubles quotes as PowerShell's texts write them.
var quotes = strings.NewReplacer("'", "''", "\u2018", "\u2018\u2018", "\u2019", "\u2019\u2019", "\u201a", "\u201a\u201a", "\u201b", "\u201b\u201b")

// formsOf are a value, and how commands, filters in them, JSON and addresses write it, each once.
func formsOf(v string) (all []string) {
	text, _ := json.Marshal(v) // a text can always be written
	inner := string(text[1 : len(text)-1])
	plain := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(inner)
	once, query := quotes.Replace(v), strings.ReplaceAll(url.QueryEscape(v), "+", "%20")
	for _, form := range []string{v, once, quotes.Replace(strings.ReplaceAll(v, "'", "''")), quotes.Replace(once), inner, plain,
		url.PathEscape(v), url.QueryEscape(v), query, strings.ReplaceAll(query, "%27", "'")} {
		if !slices.Contains(all, form) {
			all = append(all, form)
		}
	}
	return all
}

// text is a text without the values.
func (h *hider) text(s string) string {
	var b strings.Builder
	from, at := 0, 0
	for at < len(s) {
		m := h.find.FindStringIndex(s[at:])
		if m == nil {
			break
		}
		begin, end := at+m[0], h.end(s, at+m[0], at+m[1])
		if end < 0 {
			_, size := utf8.DecodeRuneInString(s[begin:])
			at = begin + size
			continue
		}
		b.WriteString(s[from:begin] + h.instead(s[begin:end]))
		from, at = end, end
	}
	return b.String() + h.tail(s[from:])
}

// end is where the value ends that begins at a place, of which one is known; -1 where it is but a part of a word.
func (h *hider) end(s string, begin, known int) int {
	whole := func(end int) bool {
		return end-begin >= leastPart || !inWord(s, begin) && !inWord(s, end)
	}
	if whole(known) {
		return known
	}
	for _, form := range h.forms { // shorter ones
		if end := begin + len(form); end < known && strings.EqualFold(s[begin:end], form) && whole(end) {
			return end
		}
	}
	return -1
}

func (h *hider) instead(value string) string {
	if with, ok := h.with[strings.ToLower(value)]; ok {
		return with
	}
	return leftOut // letters that are the same in another case alone
}

// tail is the end of a text without the beginning of a value that was cut there.
func (h *hider) tail(s string) string {
	text, cut := strings.CutSuffix(s, cutMark)
	if !cut {
		return s
	}
	begin, value := len(text), ""
	for _, form := range h.forms {
		for n := min(len(form)-1, len(text)); n >= leastCut && len(text)-n < begin; n-- {
			if at := len(text) - n; strings.EqualFold(text[at:], form[:n]) && (n >= leastPart || !inWord(text, at)) {
				begin, value = at, form
			}
		}
	}
	if value == "" {
		return s
	}
	return text[:begin] + h.instead(value) + cutMark
}

// number is a number, 0 where it is one of the values.
func (h *hider) number(n json.Number) json.Number {
	if _, is := h.with[n.String()]; is && len(n) >= leastNumber {
		return "0"
	}
	return n
}

// inWord reports whether a place in a text lies inside a word.
func inWord(s string, at int) bool {
	before, _ := utf8.DecodeLastRuneInString(s[:at])
	after, _ := utf8.DecodeRuneInString(s[at:])
	part := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	return at > 0 && at < len(s) && part(before) && part(after)
}
