package house

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// mostWords is how many words a sentence of the documentation has. A longer one is two.
const mostWords = 25

// longSentences are how many longer sentences a page may have, by its path below docs. The numbers only fall: whoever shortens
// a page lowers its number. A page that is not here may have ten.
var longSentences = map[string]int{
	"README.md": 0, "troubleshooting.md": 0, "reference/configuration.md": 0, "start/first-export.md": 0, "start/first-rule.md": 0, "start/first-webhook.md": 0, "start/account-taken-over.md": 0, "incidents.md": 0,
	"rules.md": 8, "operating.md": 46,
}

const longElsewhere = 10

var (
	codeBlock = regexp.MustCompile("(?ms)^```.*?^```$")
	indented  = regexp.MustCompile("(?m)^    .*$")
	codeSpan  = regexp.MustCompile("`[^`]*`")
	linked    = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	ends      = regexp.MustCompile(`[.?!:;]\)?(\s|$)|\n\s*\n|\n[*|#]|\n[0-9]+\. |\|`)
)

// lengthy are the sentences of a page that have too many words. A colon and a semicolon end one, too: what stands behind them can be read
// by itself. A piece of code is a word.
func lengthy(page string) (all []string) {
	text := indented.ReplaceAllString(codeBlock.ReplaceAllString(page, "\n\n"), "\n\n")
	text = linked.ReplaceAllString(codeSpan.ReplaceAllString(text, "code"), "$1")
	for _, s := range ends.Split(text, -1) {
		if words := strings.Fields(s); len(words) > mostWords {
			all = append(all, strings.Join(words, " "))
		}
	}
	return all
}

// TestSentencesAreShort: pages have no more long sentences than they had.
func TestSentencesAreShort(t *testing.T) {
	var pages []string
	for _, pattern := range []string{"../../README.md", "../../docs/*.md", "../../docs/*/*.md"} {
		some, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, some...)
	}
	total := 0
	for _, p := range pages {
		name := filepath.ToSlash(strings.TrimPrefix(strings.TrimPrefix(p, "../../"), "docs/"))
		if strings.HasPrefix(name, "library/") || strings.HasPrefix(name, "ja/") {
			continue // made from rules; without blanks between words
		}
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		most, is := longSentences[name]
		if !is {
			most = longElsewhere
		}
		found := lengthy(string(b))
		total += len(found)
		slices.SortFunc(found, func(a, b string) int { return len(b) - len(a) })
		switch {
		case len(found) > most:
			t.Errorf("%s has %d sentences of more than %d words, at most %d are allowed; the longest: %s", p, len(found), mostWords, most, found[0])
		case is && len(found) < most-5:
			t.Errorf("%s has %d long sentences: lower its number in longSentences, %d", p, len(found), most)
		}
	}
	t.Logf("%d long sentences", total)
}

// TestLengthy: what is a long sentence.
func TestLengthy(t *testing.T) {
	words := strings.Repeat("word ", mostWords)
	for text, want := range map[string]int{
		words: 0, words + "more": 1, words + "more. " + words + "more.": 2, words + ". " + words: 0, words + "`a b`": 1, words[5:] + "`a b c d`": 0,
		"```\n" + words + "more\n```": 0, "    " + words + "more": 0, words + "[" + words + "](x)": 1, words + "\n* " + words: 0, words + ": " + words: 0,
		"| " + words + "| " + words + "|": 0,
	} {
		if got := len(lengthy(text)); got != want {
			t.Errorf("%q has %d, want %d", text, got, want)
		}
	}
}
