package list

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"noroshi/internal/diag"
	"noroshi/internal/regular"
)

// findings collects what is wrong in one file, up to a bound; what lies beyond it is counted.
type findings struct {
	file string
	all  []diag.Problem
	more int
}

// at notes what is wrong at a byte of a line.
func (f *findings) at(line, offset int, source, message string) {
	if len(f.all) >= maxProblems {
		f.more++
		return
	}
	column := 1 + utf8.RuneCountInString(source[:min(offset, len(source))])
	if len(source) > maxLine || !utf8.ValidString(source) {
		source = "" // nothing that a terminal should show
	}
	f.all = append(f.all, diag.Problem{File: f.file, Line: line, Column: column, Code: "list", Level: diag.Error, Message: message, Source: source})
}

// problems are all that were noted; the last of many says how many more there are.
func (f *findings) problems() []diag.Problem {
	if f.more > 0 {
		last := &f.all[len(f.all)-1]
		last.Message += fmt.Sprintf("; %d more lines are broken", f.more)
	}
	return f.all
}

// file reads a list's file: an entry a line, # begins a comment; the directory is a CSV file.
func (l *List) file(path string) ([]diag.Problem, error) {
	data, err := content(path)
	if err != nil {
		return nil, err
	}
	l.in = path
	found := &findings{file: path}
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		found.at(1, 0, "", "the file is UTF-16; write it as UTF-8")
	case l.name == Directory:
		l.directory(bytes.TrimPrefix(data, []byte("\ufeff")), found)
	default:
		l.lines(bytes.TrimPrefix(data, []byte("\ufeff")), found)
	}
	return found.problems(), nil
}

// content is what a file of bounded size holds. Pipes and devices are refused: they could keep the reader forever.
func content(path string) ([]byte, error) {
	data, err := regular.Read(path, MaxFile)
	if err != nil {
		return nil, diag.Unopened(path, err)
	}
	return data, nil
}

func (l *List) lines(data []byte, found *findings) {
	in := bufio.NewScanner(bytes.NewReader(data))
	in.Buffer(nil, MaxFile+1)
	for line := 1; in.Scan() && !l.full(); line++ {
		text := in.Text()
		if !utf8.ValidString(text) {
			found.at(line, 0, text, "this is not UTF-8")
			continue
		}
		entry := uncommented(text)
		if entry == "" {
			continue
		}
		offset := strings.Index(text, entry)
		if m := l.add(entry, place{line: int32(line), column: int32(1 + utf8.RuneCountInString(text[:offset]))}); m != "" {
			found.at(line, offset, text, m)
		}
	}
}

// uncommented is a line without its comment. A comment begins with the line or after white space, since guests are named
// hana_example.com#EXT#@contoso.example.
func uncommented(line string) string {
	before := ' '
	for i, r := range line {
		if r == '#' && unicode.IsSpace(before) {
			line = line[:i]
			break
		}
		before = r
	}
	return strings.TrimSpace(line)
}

// columns are the directory's; without a first line that names them they stand in this order.
var columns = []string{"alias", "upn", "object id"}

func (l *List) directory(data []byte, found *findings) {
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord = -1
	r.TrimLeadingSpace = true
	order := []int{0, 1, 2}
	for first := true; !l.full(); first = false {
		rec, err := r.Read()
		if err == io.EOF {
			return
		}
		if err != nil {
			var broken *csv.ParseError
			if !errors.As(err, &broken) {
				found.at(1, 0, "", err.Error())
				return
			}
			found.at(broken.Line, max(broken.Column-1, 0), source(data, broken.Line), broken.Err.Error())
			continue
		}
		if first {
			if named, ok := header(rec); ok {
				order = named
				continue
			}
		}
		m := "this is not UTF-8"
		if utf8.ValidString(strings.Join(rec, "")) {
			m = l.person(cell(rec, order[0]), cell(rec, order[1]), cell(rec, order[2]))
		}
		if m != "" {
			line, _ := r.FieldPos(0)
			found.at(line, 0, source(data, line), m)
		}
	}
}

// source is a line of a file.
func source(data []byte, line int) string {
	n := 0
	for text := range bytes.Lines(data) {
		if n++; n == line {
			return strings.TrimRight(string(text), "\r\n")
		}
	}
	return ""
}

// person takes a row of the directory; the answer is what is wrong with it, or "".
func (l *List) person(alias, upn, object string) string {
	if l.entries++; l.full() {
		return tooMany
	}
	for _, s := range []string{alias, upn, object} {
		switch {
		case len(s) > maxLine:
			return fmt.Sprintf("the entry has %d bytes; at most %d are read", len(s), maxLine)
		case strings.ContainsFunc(s, unicode.IsControl):
			return "a control character has no place in an entry"
		}
	}
	if name, domain, ok := strings.Cut(upn, "@"); !ok || name == "" || domain == "" {
		return fmt.Sprintf("expected %s; %q is not a user principal name", strings.Join(columns, ", "), upn)
	}
	for _, id := range []string{alias, object} {
		if id == "" {
			continue
		}
		if other, taken := l.ids[id]; taken && other != upn {
			return fmt.Sprintf("%s is already the name of %s", id, other)
		}
		l.ids[id] = upn
	}
	return ""
}

func cell(rec []string, i int) string {
	if i < 0 || i >= len(rec) {
		return ""
	}
	return strings.ToLower(strings.TrimSpace(rec[i]))
}

// header reads a first line that names the columns: where each stands, -1 where it does not.
func header(rec []string) (order []int, ok bool) {
	for _, name := range columns {
		at := -1
		for i := range rec {
			if cell(rec, i) == name {
				at = i
				break
			}
		}
		order = append(order, at)
	}
	return order, order[1] >= 0
}
