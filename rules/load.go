package rules

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/cond"
	"noroshi/internal/diag"
	"noroshi/internal/event"
	"noroshi/internal/list"
	"noroshi/internal/strictyaml"
	"noroshi/rules/library"
)

// Options say which rules to read, and how strictly.
type Options struct {
	Paths   []string // files, and folders read with all that lies below them
	Library bool     // the shipped rules too
	Beside  bool     // without Library: the rules will stand beside the shipped ones, whose ids are taken
	Named   bool     // also the rules that these name with of, from their folders and the library
	Alone   bool     // of Named: from their folders alone
	// Story says that the lines of accounts' stories are read too; see Line.
	Story bool
	// Untested leaves out the tests of shipped rules, where nobody runs them: they have been run before we ship them.
	Untested bool
	Lists    list.Set  // what conditions may look things up in
	Now      time.Time // for the expiry of exceptions; zero: none has expired
	Tuning   Tuning    // what the configuration says of them
	Strict   bool      // demand what `check` demands: tests, unexpired exceptions, of shipped rules also guide, class and summary
}

// Load reads rules. Every problem of every file is reported at once; the set holds the rules that have no error. Rules of the
// library come first, then the others by file.
func Load(o Options) (*Set, []diag.Problem) {
	s := &Set{Scope: &cond.Scope{Layout: event.NewLayout(), ListNames: listNames(o.Lists), Unknown: whenAlone, Records: recorded}, Lists: o.Lists, compiling: &sync.Mutex{}}
	cond.Prepare(s.Scope.Layout)
	l := newLoader(o, s)
	l.home = homeOf(o)
	if l.home.path != "" {
		l.remediation() // whoever writes steps is told of mistakes in all of them
	}
	if o.Library {
		l.folder(l.home.in, ".", l.home.name, true)
		l.shipped = len(l.uses)
	}
	if o.Story {
		l.story()
	}
	if o.Beside && !o.Library && l.home.in == library.Files {
		l.reserve()
	}
	for _, p := range o.Paths {
		l.path(p)
	}
	l.taken = maps.Clone(l.ids)
	l.named()
	l.tune()
	l.follow()
	l.lists()
	s.remedies = l.remedies
	diag.Sort(l.problems)
	return s, l.problems
}

type loader struct {
	options  Options
	set      *Set
	remedies map[string]Remedy   // the steps that rules may name; nil: nobody has asked for them
	ids      map[string]string   // by rule id: where it stands
	files    map[string]struct{} // what has been read, by its real path
	problems []diag.Problem
	uses     []cond.ListUse    // what the rules read so far look up in lists
	shipped  int               // how many of these are the library's
	at       place             // of the file at hand
	base     string            // its name there
	home     home              // of the shipped rules
	wishes   []wish            // what the rules read so far name
	wanted   map[string]bool   // while rules are read that are there to be named: those that are
	links    []link            // the alerts that they look at
	broken   map[string]string // what is wrong in rules that are there to be named, by id
	taken    map[string]string // as ids, before the rules are read that are named
	samples  map[place]*samples
	wants    reflect.Type // what tests want; nil: alerts
	unnamed  bool         // there is something of which nobody can tell which rules it was to hold
}

func newLoader(o Options, s *Set) *loader {
	l := &loader{options: o, set: s, home: shippedHome, ids: map[string]string{}, files: map[string]struct{}{}, broken: map[string]string{}}
	s.Scope.Lists = l.list
	return l
}

// The bounds of what is said of one file.
const (
	maxProblems = 200
	maxMessage  = 500     // characters
	maxSource   = 4 << 10 // bytes of a line
)

func (l *loader) failed(file string, err error) {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	l.unnamed = true
	l.problems = append(l.problems, diag.Problem{File: file, Code: "read", Level: diag.Error, Message: "cannot be read: " + err.Error()})
}

func (l *loader) noRule(folder, message string) {
	l.unnamed = true
	l.problems = append(l.problems, diag.Problem{File: folder, Code: "empty", Level: diag.Error, Message: message})
}

// path reads a file, or a folder with all that lies below it.
func (l *loader) path(p string) {
	info, err := os.Stat(p)
	switch {
	case err != nil:
		l.failed(p, err)
	case info.IsDir():
		before := len(l.problems)
		if l.folder(os.DirFS(p), ".", p, l.home.holds(p)) == 0 && len(l.problems) == before {
			l.noRule(p, "no rule in this folder; rules are files named *.yaml or *.yml")
		}
	case !info.Mode().IsRegular():
		l.failed(p, errors.New("it is not a plain file"))
	case !l.again(p):
		l.file(os.DirFS(filepath.Dir(p)), filepath.Base(p), p, l.home.holds(p))
	}
}

// again reports whether a file has been read before: whoever names a folder and a file in it means the file once.
func (l *loader) again(p string) bool {
	real, err := realPath(p)
	if err != nil {
		return false
	}
	_, read := l.files[real]
	l.files[real] = struct{}{}
	return read
}

// folder reads the rule files of a folder and counts them.
func (l *loader) folder(in fs.FS, at, name string, shipped bool) (n int) {
	entries, err := fs.ReadDir(in, at)
	if err != nil {
		l.failed(name, err)
		return 0
	}
	for _, e := range entries {
		file := path.Join(at, e.Name())
		switch ext := path.Ext(e.Name()); {
		case strings.HasPrefix(e.Name(), ".") || shipped && noRule(e.Name()):
		case e.IsDir():
			of := l.folder(in, file, inside(name, e.Name()), shipped)
			if of == 0 && (ext == ".yaml" || ext == ".yml") { // a rule may have been there
				l.noRule(inside(name, e.Name()), "a folder that is named like a rule and holds none; rules are files named *.yaml or *.yml")
			}
			n += of
		case ext == ".yaml" || ext == ".yml":
			n++
			l.inFolder(in, file, inside(name, e.Name()), shipped)
		}
	}
	return n
}

// inside is the name of what a folder holds; the folder of a file that is named without one has no name.
func inside(folder, name string) string {
	if folder == "" || strings.HasSuffix(folder, "/") || strings.HasSuffix(folder, string(filepath.Separator)) {
		return folder + name
	}
	return folder + "/" + name
}

// inFolder reads a file that a folder holds. Pipes and devices there are refused: they could keep the reader forever.
func (l *loader) inFolder(in fs.FS, file, name string, shipped bool) {
	info, err := fs.Stat(in, file)
	switch {
	case err != nil:
		l.failed(name, err)
	case !info.Mode().IsRegular():
		l.failed(name, errors.New("it is not a plain file"))
	case in == library.Files || !l.again(name):
		l.file(in, file, name, shipped)
	}
}

func (l *loader) file(in fs.FS, file, name string, shipped bool) {
	f, err := in.Open(file)
	if err != nil {
		l.failed(name, err)
		return
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, strictyaml.MaxSize+1))
	switch {
	case err != nil:
		l.failed(name, err)
	case len(data) > strictyaml.MaxSize:
		l.problems = append(l.problems, diag.Problem{File: name, Line: 1, Column: 1, Code: "size", Level: diag.Error, Message: fmt.Sprintf("the file has more than %d bytes", strictyaml.MaxSize)})
	default:
		l.at, l.base = place{in, path.Dir(file)}, path.Base(file)
		l.read(name, data, shipped)
	}
}

// read reads one rule file.
func (l *loader) read(name string, data []byte, shipped bool) {
	d := strictyaml.Parse(name, data)
	d.Others = otherKeys
	l.unnamed = l.unnamed || d.Root == nil
	if d.Root != nil {
		before := len(l.uses)
		r := l.rule(d, data, shipped)
		l.unnamed = l.unnamed || r.ID == "" || member(d.Root, "title") == nil // it may have been cut in the middle of its id
		r.at, r.base = l.at, l.base
		r.Names = namedBy(d)
		r.Named = l.wanted != nil
		l.listsOfTests(d, r, l.uses[before:])
		if _, taken := l.ids[r.ID]; !taken && idPattern.MatchString(r.ID) {
			l.ids[r.ID] = fmt.Sprintf("%s:%d", name, r.Line) // also of a broken rule: its double is told at once
		}
		if d.Errors() == 0 {
			l.set.Rules = append(l.set.Rules, r)
			l.note(d, r)
		}
		if r.State == Off {
			l.uses = l.uses[:before] // it looks nothing up
		}
		if l.at.in != library.Files {
			l.wishing(d, r)
		}
		l.breaks(d, r)
	}
	if l.wanted == nil {
		l.take(d)
	}
}

// take adds the problems of a file, the first of many, each of a length that can be read.
func (l *loader) take(d *strictyaml.Doc) {
	l.trapped(d)
	ps := d.Problems
	diag.Sort(ps)
	if n := len(ps) - maxProblems; n > 0 {
		next := ps[maxProblems]
		next.Code, next.Level, next.Suggestion = "many", diag.Error, ""
		next.Message = fmt.Sprintf("%d more problems of this file are not shown", n)
		ps = append(ps[:maxProblems:maxProblems], next)
	}
	for i := range ps {
		if m := []rune(ps[i].Message); len(m) > maxMessage {
			ps[i].Message = string(m[:maxMessage]) + "…"
		}
		if len(ps[i].Source) > maxSource {
			ps[i].Source = strings.ToValidUTF8(ps[i].Source[:maxSource], "")
			if ps[i].Column > utf8.RuneCountInString(ps[i].Source) {
				ps[i].Source = "" // no excerpt reaches so far
			}
		}
	}
	l.problems = append(l.problems, ps...)
}

func oneOfEach(d *strictyaml.Doc, n *yaml.Node, code string, all []string) (out []string) {
	for _, c := range d.Items(n) {
		v := d.OneOf(c, code, all...)
		if slices.Contains(out, v) {
			d.At(c, code, fmt.Sprintf("%q stands here twice", v))
		}
		out = append(out, v)
	}
	return out
}

func (l *loader) template(d *strictyaml.Doc, n *yaml.Node, scope *cond.Scope) *cond.Template {
	text := d.Text(n)
	if text == "" {
		return nil
	}
	cutText(d, n)
	if len(text) > cond.MaxSource {
		d.At(n, "size", fmt.Sprintf("the text has %d bytes; at most %d are read", len(text), cond.MaxSource))
		return nil
	}
	t, ms := cond.CompileTemplate(text, scope)
	l.mistakes(d, n, ms)
	if t != nil {
		l.uses = append(l.uses, t.Uses()...)
	}
	return t
}

func (l *loader) condition(d *strictyaml.Doc, n *yaml.Node) *cond.Program {
	d.Expect(n, strictyaml.Form{Type: strictyaml.TypeText, As: "a condition"})
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" && n.Tag != "!!timestamp" {
		p := d.At(n, "type", "expected a condition such as event.action == \"New-InboxRule\", got "+d.Kind(n))
		if comment(n, d.Line(n.Line)) != "" {
			l.cutCondition(d, n, p)
		}
		return nil
	}
	text := d.Text(n)
	if text == "" || l.swallowed(d, n) {
		return nil
	}
	p, ms := cond.Compile(text, l.set.Scope)
	l.mistakes(d, n, ms)
	if p != nil {
		l.uses = append(l.uses, p.Uses()...)
		l.cutExpression(d, n)
	}
	return p
}
