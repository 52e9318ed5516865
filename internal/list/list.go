// Package list holds the lists that conditions look things up in.
package list

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v4"
	"golang.org/x/net/idna"

	"noroshi/internal/diag"
	"noroshi/internal/strictyaml"
)

// The bounds of a list. An entry is a line, or a row of the directory.
const (
	MaxEntries  = 200_000
	MaxFile     = 16 << 20 // bytes
	Accepted    = "accepted_domains"
	Directory   = "directory"
	maxLine     = 1 << 10 // bytes of an entry
	maxProblems = 100     // of one file; the rest are counted
)

var tooMany = fmt.Sprintf("more than %d entries; the rest is not read", MaxEntries)

// List is one list. It is immutable once it is read.
type List struct {
	name     string
	in       string // the file that the entries stand in
	entries  int
	texts    map[string]place  // lower case
	suffixes map[string]place  // of accepted domains: example.com for *.example.com
	nets     []netip.Prefix    // sorted, none inside another, once seal has run
	sorted   []string          // what Texts gives, once seal has run
	ids      map[string]string // of the directory: alias or object id to user principal name
	own      map[string]*List  // of tenants, by their ids
}

// place is where an entry stands first in its file, and how it is written there, "" where that is its lower case.
type place struct {
	line, column int32
	written      string
}

// Entry is one entry of a list with its place.
type Entry struct {
	Text       string // lower case
	Written    string // as it stands there
	File       string
	Line       int
	Column     int
	Network    bool // it is a network or an address
	Subdomains bool // of accepted domains: it stands for sub-domains
}

// Known are the lists that rules which we ship may look things up in: a configuration that lacks one has an empty one.
var Known = []string{"admins", "approved_mail_apps", "break_glass", "migration_accounts", "vip", "vpn"}

// Empty is a list without entries.
func Empty(name string) *List {
	l := empty(name)
	l.seal()
	return l
}

func empty(name string) *List {
	return &List{name: name, texts: map[string]place{}, suffixes: map[string]place{}, ids: map[string]string{}}
}

// seal brings the entries into the form that they are looked up in.
func (l *List) seal() {
	l.nets = disjoint(l.nets)
	l.sorted = make([]string, 0, len(l.texts)+len(l.suffixes))
	for t := range l.texts {
		l.sorted = append(l.sorted, t)
	}
	for s := range l.suffixes {
		l.sorted = append(l.sorted, "*."+s)
	}
	slices.Sort(l.sorted)
}

// Has reports whether the list holds a text, case aside; of accepted domains whether one covers it.
func (l *List) Has(text string) bool {
	text = strings.ToLower(text)
	if l.name == Accepted {
		text = ascii(text)
		if l.covers(text) {
			return true
		}
	}
	_, ok := l.texts[text]
	return ok
}

// covers reports whether a domain lies below one of those written as *.example.com.
func (l *List) covers(domain string) bool {
	if len(l.suffixes) == 0 {
		return false
	}
	for i := 1; i < len(domain); i++ {
		if domain[i] != '.' {
			continue
		}
		if _, ok := l.suffixes[domain[i+1:]]; ok {
			return true
		}
	}
	return false
}

// HasAddress reports whether one of the list's networks or addresses holds the address.
func (l *List) HasAddress(a netip.Addr) bool { return within(l.nets, a) }

// Texts are the list's entries, lower case, sorted. They are the list's own: nobody may change them.
func (l *List) Texts() []string { return l.sorted }

// Entries gives the list's entries, those of tenants too.
func (l *List) Entries(each func(Entry)) {
	for _, own := range l.own {
		own.Entries(each)
	}
	give := func(e Entry, at place) {
		e.Written = cmp.Or(at.written, e.Text)
		e.File, e.Line, e.Column = l.in, int(at.line), int(at.column)
		each(e)
	}
	for text, at := range l.texts {
		_, found, _ := network(text)
		give(Entry{Text: text, Network: found}, at)
	}
	for domain, at := range l.suffixes {
		give(Entry{Text: "*." + domain, Subdomains: true}, at)
	}
}

// Resolve is the user principal name of an alias or object id, by the tenant's directory, and where it has none by the common one.
func (l *List) Resolve(tenant, name string) (upn string, ok bool) {
	name = strings.ToLower(name)
	if own := l.own[tenant]; own != nil {
		l = own
	}
	upn, ok = l.ids[name]
	return upn, ok
}

// Sum is a hash of all that the list says, wherever it stands.
func (l *List) Sum() []byte {
	h := sha256.New()
	for _, text := range l.sorted {
		fmt.Fprintf(h, "%q\n", text)
	}
	for _, name := range slices.Sorted(maps.Keys(l.ids)) {
		fmt.Fprintf(h, "%q is %q\n", name, l.ids[name])
	}
	for _, tenant := range l.Tenants() {
		fmt.Fprintf(h, "of %q %x\n", tenant, l.own[tenant].Sum())
	}
	return h.Sum(nil)
}

// Tenants are the ids of the tenants that have a list of their own, sorted. What the list's other methods tell is for all others.
func (l *List) Tenants() []string { return slices.Sorted(maps.Keys(l.own)) }

// Own is a tenant's list, nil where it has none.
func (l *List) Own(tenant string) *List { return l.own[tenant] }

// ascii is a domain in lower case as DNS has it, or the domain as it is where there is no such form.
func ascii(domain string) string {
	if isASCII(domain) {
		return domain
	}
	if a, err := idna.Lookup.ToASCII(domain); err == nil {
		return a
	}
	return domain
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
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
	return s, read(d, n, folder, func(l *List) { s[l.name] = l })
}

// ReadEntries reads lists whose entries all stand in the document; those of the directory are rows of its file.
func ReadEntries(d *strictyaml.Doc, n *yaml.Node) Set {
	s := Set{}
	if n.Kind != yaml.MappingNode {
		d.At(n, "type", "expected names of lists with their entries, such as {vip: [taro@contoso.example]}, got "+d.Kind(n))
		return s
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		l, v := empty(n.Content[i].Value), n.Content[i+1]
		switch {
		case v.Kind != yaml.SequenceNode:
			d.At(v, "type", "expected the entries of the list, such as [taro@contoso.example], got "+d.Kind(v))
			continue
		case l.name == Directory:
			l.rows(d, v)
		default:
			l.inline(d, v)
		}
		l.seal()
		s[l.name] = l
	}
	return s
}

// rows takes rows of the directory that stand in the document.
func (l *List) rows(d *strictyaml.Doc, n *yaml.Node) {
	for _, c := range n.Content {
		found := &findings{}
		if l.directory([]byte(d.Text(c)), found); len(found.all) > 0 {
			d.At(c, "list", found.all[0].Message)
		}
	}
}

// ReadTenant reads the `lists:` of a tenant, which stand in the place of the common ones of their names.
func (s Set) ReadTenant(d *strictyaml.Doc, n *yaml.Node, folder, tenant string) []diag.Problem {
	return read(d, n, folder, func(own *List) {
		l := s[own.name]
		if l == nil {
			l = empty(own.name)
			s[own.name] = l
		}
		if l.own == nil {
			l.own = map[string]*List{}
		}
		l.own[tenant] = own
	})
}

// read reads lists one after the other.
func read(d *strictyaml.Doc, n *yaml.Node, folder string, each func(*List)) (problems []diag.Problem) {
	is := d.Named(n, "names of lists", func(name, v *yaml.Node) {
		d.Expect(v, strictyaml.Form{Type: strictyaml.TypeMixed, As: "a list of texts, or `{file: PATH}`"})
		l := empty(name.Value)
		if v.Kind == yaml.SequenceNode {
			l.inline(d, v)
		} else {
			problems = append(problems, l.named(d, v, folder)...)
		}
		l.seal()
		each(l)
	})
	if !is {
		d.At(n, "type", "expected names of lists, got "+d.Kind(n))
	}
	return problems
}

// inline takes entries that stand in the configuration.
func (l *List) inline(d *strictyaml.Doc, n *yaml.Node) {
	if l.name == Directory {
		d.At(n, "list", "the directory is a CSV file; write directory: {file: people.csv}")
		return
	}
	l.in = d.Name
	for _, c := range n.Content {
		text := d.Text(c)
		if strings.TrimSpace(text) == "" {
			continue // it has been said
		}
		if m := l.add(text, place{line: int32(c.Line), column: int32(c.Column)}); m != "" {
			if d.Secrets != nil { // somebody may have put one here; the place tells enough
				m = strings.ReplaceAll(m, strconv.Quote(strings.ToLower(strings.TrimSpace(text))), "this")
			}
			d.At(c, "list", m)
		}
		if l.full() {
			return
		}
	}
}

// named takes the entries of the file that the configuration names.
func (l *List) named(d *strictyaml.Doc, n *yaml.Node, folder string) []diag.Problem {
	if n.Kind != yaml.MappingNode {
		d.At(n, "type", "expected a list such as [contoso.example], or {file: PATH}, got "+d.Kind(n))
		return nil
	}
	var at *yaml.Node
	path := ""
	d.Fields(n, map[string]func(*yaml.Node){"file": func(n *yaml.Node) { at, path = n, d.Text(n) }})
	if len(n.Content) == 0 {
		d.At(n, "missing", "a list needs entries, or the key file")
	}
	if strings.TrimSpace(path) == "" {
		return nil
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(folder, path)
	}
	d.Reads = append(d.Reads, path)
	ps, err := l.file(path)
	if err != nil {
		d.At(at, "list", err.Error())
	}
	return ps
}

func (l *List) full() bool { return l.entries > MaxEntries }

// add takes an entry; the answer is what is wrong with it, or "".
func (l *List) add(entry string, at place) string {
	text := strings.ToLower(strings.TrimSpace(entry))
	if written := strings.TrimSpace(entry); written != text {
		at.written = strings.Clone(written)
	}
	if l.entries++; l.full() {
		return tooMany
	}
	switch {
	case len(text) > maxLine:
		return fmt.Sprintf("the entry has %d bytes; at most %d are read", len(text), maxLine)
	case strings.ContainsFunc(text, unicode.IsControl):
		return "a control character has no place in an entry"
	case l.name == Accepted:
		return l.domain(text, at)
	}
	p, found, err := network(text)
	if err != nil {
		return fmt.Sprintf("%q is no network", text)
	}
	if found {
		l.nets = append(l.nets, p)
	}
	l.put(text, at)
	return ""
}

// put keeps a text and where it stands first.
func (l *List) put(text string, at place) {
	if _, have := l.texts[text]; !have {
		l.texts[text] = at
	}
}

func (l *List) domain(text string, at place) string {
	d := ascii(strings.TrimPrefix(text, "*."))
	odd := strings.ContainsFunc(d, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
	})
	if odd || !strings.Contains(d, ".") || strings.Trim(d, ".") != d || strings.Contains(d, "..") {
		return fmt.Sprintf("%q is no domain; write example.com, or *.example.com for its sub-domains", text)
	}
	if strings.HasPrefix(text, "*.") {
		l.suffixes[d] = at
	} else {
		l.put(d, at)
	}
	return ""
}
