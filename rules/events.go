package rules

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"reflect"
	"slices"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/alert"
	"noroshi/internal/diag"
	"noroshi/internal/event"
	"noroshi/internal/strictyaml"
	"noroshi/rules/library"
	"noroshi/rules/sample"
)

// place is where a rule file lies, for what lies beside it.
type place struct {
	in     fs.FS
	folder string
}

// entryKeys are the keys of an entry of events that is no whole record.
var entryKeys = []string{"like", "record", "at", "times", "every", "id", "set", "each", "unset"}

// isEntry tells an entry from a record: it has one of the keys that say what to begin with, or it has no other keys than an entry.
func isEntry(n *yaml.Node) bool {
	all := len(n.Content) > 0
	for i := 0; i+1 < len(n.Content); i += 2 {
		switch k := n.Content[i].Value; {
		case k == "like" || k == "record":
			return true
		case !slices.Contains(entryKeys, k):
			all = false
		}
	}
	return all
}

// event reads an entry of a test's events.
func (l *loader) event(d *strictyaml.Doc, n *yaml.Node) Event {
	e := Event{Times: 1, Every: time.Second, Line: n.Line}
	if n.Kind != yaml.MappingNode || !isEntry(n) {
		e.Base, e.Whole = whole(d, n), true
		return e
	}
	given := map[string]*yaml.Node{}
	keys := map[string]func(*yaml.Node){
		"like":   func(n *yaml.Node) { e.Base, e.Sample = l.sample(d, n), path.Join(sample.Folder, n.Value+".json") },
		"record": func(n *yaml.Node) { e.Base, e.Whole = whole(d, n), true },
		"at":     func(n *yaml.Node) { e.At = span(d, n) },
		"times":  func(n *yaml.Node) { e.Times = d.Int(n, 1, maxTimes) },
		"every":  func(n *yaml.Node) { e.Every = pause(d, n) },
		"id":     func(n *yaml.Node) { e.ID = d.Text(n) },
		"set":    func(*yaml.Node) {},
		"each":   func(n *yaml.Node) { numbered(d, n) },
		"unset":  func(*yaml.Node) {},
	}
	for name, read := range keys {
		keys[name] = func(n *yaml.Node) {
			given[name] = n
			read(n)
		}
	}
	d.Fields(n, keys)
	switch {
	case given["like"] == nil && given["record"] == nil:
		d.At(n, "missing", "an event needs the key like, which names a sample, or record")
		return e
	case given["like"] != nil && given["record"] != nil:
		d.At(given["record"], "tests", "an event has like or record, not both")
		return e
	case given["every"] != nil && given["times"] == nil:
		d.At(given["every"], "tests", "every needs times beside it, which says how often")
	case given["each"] != nil && given["times"] == nil:
		d.At(given["each"], "tests", "each needs times beside it, which says how often")
	}
	e.edits, e.each = edits(d, e.Base, given)
	return e
}

// numbered checks that values differ from repeat to repeat.
func numbered(d *strictyaml.Doc, n *yaml.Node) {
	for i := 0; i+1 < len(n.Content) && n.Kind == yaml.MappingNode; i += 2 {
		if v := n.Content[i+1]; !strings.Contains(string(nodeOf(d, v).Append(nil)), number) {
			d.At(v, "tests", "expected {n} in the value, which stands for the number of the repeat; what is the same in all belongs under set")
		}
	}
}

// pause is the time between an entry's records.
func pause(d *strictyaml.Doc, n *yaml.Node) time.Duration {
	v := span(d, n)
	if v == nil {
		return time.Second
	}
	if *v < 0 {
		d.At(n, "value", "expected 0s or more, got "+strictyaml.Kind(n))
	}
	return *v
}

// whole is a record that stands in the test as the source would write it: a mapping, or JSON in text.
func whole(d *strictyaml.Doc, n *yaml.Node) []byte {
	if n.Kind != yaml.MappingNode {
		return recordText(d, n)
	}
	return nodeOf(d, n).Append(nil)
}

// sample is the base record of a name: one beside the rule, else one of ours.
func (l *loader) sample(d *strictyaml.Doc, n *yaml.Node) []byte {
	name := d.Text(n)
	if name == "" {
		return nil
	}
	for _, p := range []place{l.at, {l.home.in, "."}, {library.Files, "."}} {
		if p.in == nil {
			continue
		}
		beside := l.samplesIn(p)
		if !slices.Contains(beside.names, name) {
			continue
		}
		one := beside.base(p, name)
		if one.err != nil {
			d.At(n, "sample", fmt.Sprintf("the sample %s cannot be used: %v", path.Join(sample.Folder, name+".json"), one.err))
		}
		return one.data
	}
	names := slices.Concat(sample.Names(l.home.in, "."), sample.Shipped())
	if l.at.in != nil {
		names = append(sample.Names(l.at.in, l.at.folder), names...)
	}
	p := d.At(n, "sample", fmt.Sprintf("no sample %q", name))
	if p.Suggestion = closest(name, names); p.Suggestion == "" {
		p.Message += "; noroshi sample lists those that are shipped, and a folder samples beside the rule holds others"
	}
	return nil
}

// samples are the base records of a folder of rules. Rules have many tests with the same ones, which are read once.
type samples struct {
	names []string
	read  map[string]base
}

// base is a base record, or why it cannot be had.
type base struct {
	data []byte
	err  error
}

func (l *loader) samplesIn(p place) *samples {
	s := l.samples[p]
	if s == nil {
		if l.samples == nil {
			l.samples = map[place]*samples{}
		}
		s = &samples{names: sample.Names(p.in, p.folder), read: map[string]base{}}
		l.samples[p] = s
	}
	return s
}

func (s *samples) base(p place, name string) base {
	one, ok := s.read[name]
	if !ok {
		if one.data, one.err = sample.Read(p.in, p.folder, name); one.err == nil {
			one.err = object(one.data)
		}
		s.read[name] = one
	}
	return one
}

// object reports why a text is no object of JSON.
func object(data []byte) error {
	switch n, err := sample.Parse(data); {
	case err != nil:
		return err
	case n.Kind != sample.Object:
		return fmt.Errorf("it is no JSON object")
	}
	return nil
}

// closest is the name that was probably meant.
func closest(name string, all []string) string {
	if near := diag.Suggest(name, all); near != "" {
		return near
	}
	return diag.Beginning(name, all)
}

// edits are what an entry changes, tried on its base record; the first of them have numbers.
func edits(d *strictyaml.Doc, base []byte, given map[string]*yaml.Node) (all []edit, each int) {
	if given["each"] == nil && given["set"] == nil && given["unset"] == nil {
		return nil, 0
	}
	n, err := sample.Parse(base)
	if err != nil {
		n = nil // what is wrong with it has been said
	}
	try := func(at *yaml.Node, text string, value *sample.Node) {
		p, wrong := sample.ParsePath(text)
		switch {
		case wrong != nil || n == nil:
		case value == nil:
			wrong = p.Unset(n)
		default:
			newMember(d, at, p, n)
			wrong = p.Set(n, value)
		}
		if wrong != nil {
			astray(d, at, wrong)
			return
		}
		all = append(all, edit{p, value})
	}
	put := func(n *yaml.Node) {
		if n != nil && n.Kind != yaml.MappingNode {
			d.At(n, "type", "expected paths with values, such as {properties.ipAddress: 203.0.113.7}, got "+strictyaml.Kind(n))
			return
		}
		for i := 0; n != nil && i+1 < len(n.Content); i += 2 {
			try(n.Content[i], n.Content[i].Value, nodeOf(d, n.Content[i+1]))
		}
	}
	put(given["each"])
	each = len(all)
	put(given["set"])
	if unset := given["unset"]; unset != nil {
		for _, c := range d.Items(unset) {
			if text := d.Text(c); text != "" {
				try(c, text, nil)
			}
		}
	}
	return all, each
}

// maxNear is how many names are told that could have been meant.
const maxNear = 12

// astray tells of a path that leads nowhere, and what was probably meant.
func astray(d *strictyaml.Doc, n *yaml.Node, wrong *sample.Mistake) {
	p := d.Inside(n, wrong.At, "path", wrong.Message)
	if f, ok := event.Lookup(n.Value); ok && wrong.Wrong != "" {
		p.Message = fmt.Sprintf("%s is a field of conditions, and a path leads to a place in the record; noroshi fields %s shows the places", f.Name, f.Name)
		return
	}
	p.Suggestion = closest(wrong.Wrong, wrong.Near)
	if p.Suggestion == "" && len(wrong.Near) > 0 && len(wrong.Near) <= maxNear {
		p.Message += "; there are " + strings.Join(wrong.Near, ", ")
	}
}

// maxSlip is how many letters a slip of the pen changes: OWAEnabled beside ImapEnabled is another name.
const maxSlip = 2

// newMember warns of a path that adds to its record what is most likely misspelt or misplaced: something near is there, and no record
// that we know has it. All else is added without a word.
func newMember(d *strictyaml.Doc, n *yaml.Node, p sample.Path, in *sample.Node) {
	a := p.Adds(in)
	if a == nil || slices.ContainsFunc(places(), func(one sample.Place) bool { return one.At(n.Value) }) {
		return
	}
	near := diag.Suggest(a.Name, a.Beside)
	if event.Read(n.Value) || diag.Distance([]rune(strings.ToLower(a.Name)), []rune(strings.ToLower(near)), maxSlip+1) > maxSlip {
		near = ""
	}
	if near == "" && a.Other == "" {
		return
	}
	w := d.Inside(n, a.At, "path", fmt.Sprintf("the record has no %q here, and this adds it", a.Name))
	w.Level, w.Suggestion = diag.Warning, near
	if near == "" {
		w.Suggestion = a.Other
	}
}

// nodeOf is a value of YAML as one of JSON: members in their order, numbers as they stand.
func nodeOf(d *strictyaml.Doc, n *yaml.Node) *sample.Node {
	switch n.Kind {
	case yaml.MappingNode:
		o := &sample.Node{Kind: sample.Object}
		for i := 0; i+1 < len(n.Content); i += 2 {
			o.Members = append(o.Members, sample.Member{Name: n.Content[i].Value, Value: nodeOf(d, n.Content[i+1])})
		}
		return o
	case yaml.SequenceNode:
		o := &sample.Node{Kind: sample.List}
		for _, c := range n.Content {
			o.Items = append(o.Items, nodeOf(d, c))
		}
		return o
	}
	switch n.Tag {
	case "!!null":
		return &sample.Node{Text: "null"}
	case "!!bool":
		return &sample.Node{Text: n.Value}
	case "!!int", "!!float":
		if !json.Valid([]byte(n.Value)) {
			d.At(n, "tests", n.Value+" is no number of JSON; write it as records do, or in quotes")
		}
		return &sample.Node{Text: n.Value}
	}
	return &sample.Node{Kind: sample.Text, Text: n.Value}
}

// alertMembers are the members of an alert that a test may want.
var alertMembers = reflect.TypeFor[alert.Alert]()

// members names those that no alert has.
func members(d *strictyaml.Doc, n *yaml.Node, of reflect.Type) {
	for of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	switch {
	case n.Kind == yaml.SequenceNode && of.Kind() == reflect.Slice && of.Elem().Kind() == reflect.Struct:
		for _, c := range n.Content {
			members(d, c, of.Elem())
		}
	case n.Kind == yaml.MappingNode && of.Kind() == reflect.Struct && of != reflect.TypeFor[time.Time]():
		known := jsonMembers(of)
		for i := 0; i+1 < len(n.Content); i += 2 {
			k := n.Content[i]
			at, ok := known[k.Value]
			if !ok {
				var names []string
				for name := range known {
					names = append(names, name)
				}
				slices.Sort(names)
				p := d.At(k, "key", fmt.Sprintf("an alert has no member %q here", k.Value))
				outer, inner, dotted := strings.Cut(k.Value, ".")
				switch p.Suggestion = closest(k.Value, names); {
				case dotted && known[outer] != nil:
					p.Suggestion = outer + ": {" + inner + ": …}"
				case p.Suggestion == "":
					p.Message += "; known are " + strings.Join(names, ", ")
				}
				continue
			}
			members(d, n.Content[i+1], at)
		}
	}
}

// jsonMembers are the members of a struct's JSON form.
func jsonMembers(of reflect.Type) map[string]reflect.Type {
	all := map[string]reflect.Type{}
	for f := range of.Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			all[name] = f.Type
		}
	}
	return all
}
