package cond

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"

	"noroshi/internal/cond/index"
	"noroshi/internal/event"
)

// expression is a regular expression. Most texts hold nothing of what every match holds: they are not walked through.
type expression struct {
	re    *regexp.Regexp
	needs *index.Table // what one of is in every match; nil: nothing is known
}

// expressionOf is the expression of a constant, or nil.
func expressionOf(n ast.Node) *expression {
	pattern, isConstant := n.(*ast.StringNode)
	if !isConstant {
		return nil
	}
	re, err := regexp.Compile(pattern.Value)
	if err != nil {
		return nil
	}
	x := &expression{re: re}
	if tree, err := syntax.Parse(pattern.Value, syntax.Perl); err == nil {
		if needed := neededIn(tree); shortest(needed) >= leastNeeded {
			var w index.Witness
			for _, text := range needed {
				w = append(w, index.Atom{Op: index.Contains, Text: text})
			}
			x.needs = index.Build(map[int32]index.Witness{0: w}, nil)[0]
		}
	}
	return x
}

// leastNeeded is how long what matches need must be at least: shorter texts are in most texts.
const leastNeeded = 3

func (x *expression) holds(text string, _ *event.Event) bool {
	if x.needs != nil && !x.needs.Any(text) {
		return false
	}
	return x.re.MatchString(text)
}

// neededIn are texts one of which is in every match; none where that is not known.
func neededIn(re *syntax.Regexp) (best []string) {
	switch re.Op {
	case syntax.OpLiteral:
		if text := string(re.Rune); re.Flags&syntax.FoldCase == 0 && !strings.ContainsRune(text, utf8.RuneError) {
			return []string{text}
		}
	case syntax.OpCapture, syntax.OpPlus:
		return neededIn(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return neededIn(re.Sub[0])
		}
	case syntax.OpConcat:
		for _, part := range re.Sub {
			if needed := neededIn(part); shortest(needed) > shortest(best) {
				best = needed
			}
		}
	case syntax.OpAlternate:
		for _, part := range re.Sub {
			needed := neededIn(part)
			if needed == nil {
				return nil
			}
			best = append(best, needed...)
		}
	}
	return best
}

// shortest is how many bytes the shortest text has.
func shortest(all []string) (n int) {
	for i, text := range all {
		if i == 0 || len(text) < n {
			n = len(text)
		}
	}
	return n
}
