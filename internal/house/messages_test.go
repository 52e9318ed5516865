package house

import (
	"go/ast"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// message is one that an operator may read in the log at the level warning or error.
type message struct{ text, place string }

// carriers are our functions that write a message of their caller to the log, and which of their arguments it is.
var carriers = map[string]int{"Again": 0, "lose": 0, "until": 1, "tellProblems": 2, "tell": 2, "Tick": 1}

// passed are the places where a message is an expression, and what it can be; none where a carrier has it from
// its caller.
var passed = map[string][]string{
	"ingest/feed/feed.go failing":     {},
	"ingest/file/moved.go what":       {},
	"internal/app/reload.go message":  {},
	"internal/app/standing.go text":   {},
	"internal/bus/trouble.go message": {},
	"internal/bus/places.go what":     {"records were deleted by retention before they were read", "records are damaged on the disk and are passed over"},
}

// messages are all messages of the code, as far as they are constant.
func messages(t *testing.T) (all []message) {
	t.Helper()
	files, _ := sources(t)
	for _, s := range files {
		if s.test || slices.Contains(forTests[:4], s.room) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, is := n.(*ast.CallExpr)
			if !is {
				return true
			}
			for _, text := range carried(call) {
				all = append(all, message{text, s.path})
			}
			to, is := call.Fun.(*ast.SelectorExpr)
			if !is || !logs(to, call) {
				return true
			}
			arg := call.Args[0]
			if to.Sel.Name == "Log" {
				arg = call.Args[2]
			}
			texts := constants(arg)
			if len(texts) == 0 {
				place := s.path + " " + expression(s, arg)
				known, is := passed[place]
				if !is {
					t.Errorf("%s: the message of a log line is an expression: name the texts that it can be in passed, under %q", s.path, place)
				}
				texts = known
			}
			for _, text := range texts {
				all = append(all, message{text, s.path})
			}
			return true
		})
	}
	return all
}

// logger is the end of an expression that is a logger.
var logger = regexp.MustCompile(`(?i)(^|\.)log(ger)?$`)

// logs reports whether a call writes to the log at the level warning or error.
func logs(to *ast.SelectorExpr, call *ast.CallExpr) bool {
	name := ""
	switch x := to.X.(type) {
	case *ast.Ident:
		name = x.Name
	case *ast.SelectorExpr:
		name = x.Sel.Name
	}
	if !logger.MatchString(name) {
		return false
	}
	switch to.Sel.Name {
	case "Warn", "Error":
		return len(call.Args) > 0
	case "Log":
		return len(call.Args) > 2
	}
	return false
}

// carried are the constant messages that a call has a carrier write.
func carried(call *ast.CallExpr) []string {
	name := ""
	switch x := call.Fun.(type) {
	case *ast.Ident:
		name = x.Name
	case *ast.SelectorExpr:
		name = x.Sel.Name
	}
	at, is := carriers[name]
	if !is || len(call.Args) <= at {
		return nil
	}
	return constants(call.Args[at])
}

// constants are the constant beginnings of an expression.
func constants(e ast.Expr) []string {
	switch x := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(x.Value); x.Kind == token.STRING && err == nil {
			return []string{text}
		}
	case *ast.BinaryExpr:
		return constants(x.X)
	}
	return nil
}

// expression is the text of an expression.
func expression(s source, e ast.Expr) string {
	return s.text[int(e.Pos())-int(s.file.FileStart) : int(e.End())-int(s.file.FileStart)]
}

// TestEveryMessageIsExplained: docs/troubleshooting.md has each message that an operator can meet in the log at the level warning or
// error, and none that the code no longer says.
func TestEveryMessageIsExplained(t *testing.T) {
	page, err := os.ReadFile("../../docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	_, tables, _ := strings.Cut(string(page), "\n## Messages")
	told := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(tables, -1) {
		if told[m[1]] {
			t.Errorf("%q stands on the page twice", m[1])
		}
		told[m[1]] = true
	}
	said := map[string]bool{}
	for _, m := range messages(t) {
		text := strings.TrimSpace(m.text)
		said[text] = true
		if !told[text] {
			t.Errorf("%s says %q, and docs/troubleshooting.md does not: add a row there with what it means and what to do", m.place, text)
		}
	}
	for text := range told {
		if !said[text] {
			t.Errorf("docs/troubleshooting.md explains %q, which nothing says", text)
		}
	}
	if len(said) < 70 {
		t.Errorf("found %d messages", len(said))
	}
}
