// Package list holds the lists that conditions look things up in.
package list

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v4"
	"golang.org/x/net/idna"

	"noroshi/internal/diag"
	"noroshi/internal/strictyaml"
)

// The bounds of a list.
const (
	MaxEntries  = 200_000
	MaxFile     = 16 << 20 // bytes
	Accepted    = "accepted_domains"
	directory   = "directory"
	maxLine     = 1 << 10 // bytes of an entry
	maxProblems = 100     // of one list; more are counted
)

// List is one list. It is immutable.
type List struct {
	name     string
	texts    map[string]struct{} // lower case
	suffixes []string            // of accepted domains: ".example.com" for *.example.com
	nets     []netip.Prefix
	ids      map[string]string // of the directory: alias or object id to user principal name
}

// Has reports whether the list holds a text, case aside; of accepted domains whether one covers it.
func (l *List) Has(text string) bool {
	text = strings.ToLower(text)
	if l.name == Accepted {
		text = ascii(text)
		for _, s := range l.suffixes {
			if strings.HasSuffix(text, s) && len(text) > len(s) {
				return true
			}
		}
	}
	_, ok := l.texts[text]
	return ok
}

// HasAddress reports whether one of the list's networks or addresses holds the address.
func (l *List) HasAddress(a netip.Addr) bool {
	for _, n := range l.nets {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// Texts are the list's entries, lower case, sorted.
func (l *List) Texts() []string {
	all := make([]string, 0, len(l.texts))
	for t := range l.texts {
		all = append(all, t)
	}
	for _, s := range l.suffixes {
		all = append(all, "*"+s)
	}
	slices.Sort(all)
	return all
}

// Resolve is the user principal name of an alias or object id.
func (l *List) Resolve(name string) (upn string, ok bool) {
	upn, ok = l.ids[strings.ToLower(name)]
	return upn, ok
}

func ascii(domain string) string {
	if a, err := idna.Lookup.ToASCII(domain); err == nil {
		return a
	}
	return domain
}

// Set is the lists of a configuration, by name.
type Set map[string]*List

// Names are the names of the lists, sorted.
func (s Set) Names() (all []string) {
	for n := range s {
		all = append(all, n)
	}
	slices.Sort(all)
	return all
}

// Read reads the `lists:` of a configuration: name to entries, or to {file: path}, relative to the configuration's folder.
// What is wrong in the configuration goes to the document, what is wrong in files is returned.
func Read(d *strictyaml.Doc, n *yaml.Node, folder string) (Set, []diag.Problem) {
	s := Set{}
	var problems []diag.Problem
	if n.Kind != yaml.MappingNode {
		d.At(n, "type", "here stands "+strictyaml.Kind(n)+"; wanted are names of lists")
		return s, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, v := n.Content[i].Value, n.Content[i+1]
		l := &List{name: name, texts: map[string]struct{}{}, ids: map[string]string{}}
		s[name] = l
		if v.Kind == yaml.SequenceNode {
			for _, c := range v.Content {
				if text := d.Text(c); text != "" {
					if m := l.add(text); m != "" {
						d.At(c, "list", m)
					}
				}
			}
			continue
		}
		path := ""
		d.Fields(v, map[string]func(*yaml.Node){"file": func(n *yaml.Node) { path = d.Text(n) }})
		if path == "" {
			continue
		}
		if !filepath.IsAbs(path) {
			path = filepath.Join(folder, path)
		}
		ps, err := l.file(path)
		if err != nil {
			d.At(v, "list", err.Error())
		}
		problems = append(problems, ps...)
	}
	return s, problems
}

// add takes an entry; the answer is what is wrong with it, or "".
func (l *List) add(entry string) string {
	if len(l.texts)+len(l.ids)+len(l.nets) >= MaxEntries {
		return fmt.Sprintf("more than %d entries", MaxEntries)
	}
	text := strings.ToLower(strings.TrimSpace(entry))
	if l.name == Accepted {
		return l.domain(text)
	}
	if strings.Contains(text, "/") && (strings.Count(text, ".") == 3 || strings.Contains(text, ":")) {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return fmt.Sprintf("%q is no network", entry)
		}
		l.nets = append(l.nets, p.Masked())
	} else if a, err := netip.ParseAddr(text); err == nil {
		l.nets = append(l.nets, netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()))
	}
	l.texts[text] = struct{}{}
	return ""
}

func (l *List) domain(text string) string {
	sub := strings.HasPrefix(text, "*.")
	d := ascii(strings.TrimPrefix(text, "*."))
	if d == "" || strings.ContainsAny(d, "@/ *") || !strings.Contains(d, ".") || strings.Trim(d, ".") != d {
		return fmt.Sprintf("%q is no domain; write example.com, or *.example.com for its sub-domains", text)
	}
	if sub {
		l.suffixes = append(l.suffixes, "."+d)
	} else {
		l.texts[d] = struct{}{}
	}
	return ""
}

// file reads a list's file: an entry a line, # begins a comment; the directory is a CSV file.
func (l *List) file(path string) ([]diag.Problem, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open list: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read list: %w", err)
	}
	if len(data) > MaxFile {
		return nil, fmt.Errorf("read list: %s has more than %d bytes", path, MaxFile)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	var ps []diag.Problem
	problem := func(line int, source, message string) {
		if len(ps) < maxProblems {
			ps = append(ps, diag.Problem{File: path, Line: line, Column: 1, Code: "list", Level: diag.Error, Message: message, Source: source})
		}
	}
	if l.name == directory {
		l.directory(data, problem)
	} else {
		l.lines(data, problem)
	}
	return ps, nil
}

func (l *List) lines(data []byte, problem func(line int, source, message string)) {
	in := bufio.NewScanner(bytes.NewReader(data))
	in.Buffer(nil, MaxFile+1)
	for line := 1; in.Scan(); line++ {
		text := in.Text()
		entry, _, _ := strings.Cut(text, "#")
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		switch {
		case !utf8.ValidString(text):
			problem(line, "", "this is not UTF-8")
		case len(entry) > maxLine:
			problem(line, "", fmt.Sprintf("the entry has %d bytes; at most %d are read", len(entry), maxLine))
		default:
			if m := l.add(entry); m != "" {
				problem(line, text, m)
			}
		}
	}
}

// columns are the directory's, in the order of the record.
var columns = []string{"alias", "upn", "object id"}

func (l *List) directory(data []byte, problem func(line int, source, message string)) {
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord = -1
	r.TrimLeadingSpace = true
	for first := true; ; first = false {
		rec, err := r.Read()
		if err == io.EOF {
			return
		}
		line, _ := r.FieldPos(0)
		if err != nil {
			problem(max(line, 1), "", err.Error())
			return
		}
		if first && header(rec) {
			continue
		}
		if len(rec) < 2 || !strings.Contains(rec[1], "@") {
			problem(line, strings.Join(rec, ","), "wanted are "+strings.Join(columns, ", ")+"; the second is a user principal name")
			continue
		}
		upn := strings.ToLower(strings.TrimSpace(rec[1]))
		for i, id := range rec[:min(len(rec), 3)] {
			if id = strings.ToLower(strings.TrimSpace(id)); id != "" && i != 1 {
				l.ids[id] = upn
			}
		}
	}
}

func header(rec []string) bool {
	return len(rec) >= 2 && strings.EqualFold(strings.TrimSpace(rec[1]), "upn")
}
