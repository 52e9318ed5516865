package rules

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/cond"
	"noroshi/internal/event"
	"noroshi/internal/strictyaml"
	"noroshi/rules/kind"
)

// kindOf is the kind that a rule names; match where it names none.
func kindOf(d *strictyaml.Doc) kind.Kind {
	n := child(d.Root, "kind")
	if n == nil {
		return kind.All[0]
	}
	name := d.Text(n)
	k, ok := kind.Lookup(name)
	if !ok {
		if name != "" {
			p := d.At(n, "kind", fmt.Sprintf("no kind %q; known are %s", name, strings.Join(kind.Names(), ", ")))
			p.Suggestion = kindMeant(name)
		}
		return nil
	}
	return k
}

// child is the value of a key, or nil if there is none.
func child(n *yaml.Node, key string) *yaml.Node {
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				return n.Content[i+1]
			}
		}
	}
	return nil
}

// form reads the keys of a kind.
type form struct {
	*loader
	doc     *strictyaml.Doc
	kind    kind.Kind
	clauses []kind.Clause
	by      []kind.Field
	lacks   bool // a key that is needed is not there
}

// read makes a rule of what an author wrote behind the keys of a kind; nodes are those of the keys.
func (f *form) read(k kind.Kind, nodes map[string]*yaml.Node) *kind.Rule {
	before := f.doc.Errors()
	f.by = []kind.Field{{Name: "account", Slot: event.Account, Type: event.Text}}
	if n := nodes["by"]; n != nil {
		f.by = f.fields(n, kind.Key{Lists: true})
		f.oneList(n, f.by)
	}
	v := f.values(f.doc.Root, "a rule of kind "+k.Name(), k.Keys(), nodes)
	if f.doc.Errors() > before || f.lacks {
		return nil // what goes together is asked of what is there
	}
	r := k.New(v)
	r.By, r.Clauses = f.by, f.clauses
	r.About, r.Within = v.Has("about"), v.Duration("within")
	f.ignore(r, nodes["ignore"])
	f.needsLess(r, nodes)
	f.neverDiffers(nodes)
	f.shortHistory(v, nodes["history"])
	return r
}

// named is the field of a name that is known to be one.
func (f *form) named(name string) kind.Field {
	if t, ok := kind.AlertField(name); ok {
		return kind.Field{Name: name, Slot: f.set.Scope.Layout.Own(kind.AlertOwn(name), t), Type: t}
	}
	slot, _ := f.set.Scope.Layout.Slot(name)
	return kind.Field{Name: name, Slot: slot, Type: f.set.Scope.Layout.Def(slot).Type}
}

// values reads the keys of a mapping.
func (f *form) values(at *yaml.Node, who string, keys []kind.Key, nodes map[string]*yaml.Node) *kind.Values {
	v := kind.NewValues(&f.clauses, f.by, func(key, code, message string) {
		n := nodes[key]
		if n == nil {
			n = at
		}
		f.doc.At(n, code, message)
	}, f.named)
	for _, key := range keys {
		switch n := nodes[key.Name]; {
		case n != nil && key.Name == "by" && at == f.doc.Root: // it has been read, since steps are compared with it
		case n != nil && key.Against != "" && nodes[key.Against] != nil:
			f.doc.At(n, "value", key.Instead)
		case n != nil:
			if value := f.value(key, n); value != nil {
				v.Set(key.Name, value)
			}
		case key.Required:
			if f.lacks = true; !otherwise(at, key.Name) {
				f.doc.At(at, "missing", f.needs(who, key))
			}
		}
	}
	return v
}

// value reads what stands behind a key, nil where it is wrong.
func (f *form) value(key kind.Key, n *yaml.Node) any {
	before := f.doc.Errors()
	var v any
	switch key.Type {
	case kind.Condition:
		v = f.clause(n)
	case kind.Guard:
		v = f.condition(f.doc, n)
	case kind.Duration:
		v = f.duration(key, n)
	case kind.Bucket:
		v = f.bucket(key, n)
	case kind.Whole:
		v = f.doc.Int(n, int(key.Least), int(mostOf(key)))
	case kind.Number:
		v = f.number(key, n)
	case kind.FieldName:
		v = f.field(n, key)
	case kind.FieldNames:
		v = f.fields(n, key)
	case kind.Text:
		v = f.text(key, n)
	case kind.Texts:
		texts := f.texts(key, n)
		if v = texts; key.Of == kind.Findings {
			f.clauses = append(f.clauses, kind.Clause{Of: texts})
			v = len(f.clauses) - 1
		}
	case kind.Group:
		v = f.group(key, n)
	case kind.Groups:
		v = f.groups(key, n)
	}
	if f.doc.Errors() > before {
		return nil
	}
	return v
}

func mostOf(key kind.Key) float64 {
	if key.Most == 0 {
		return math.MaxInt32
	}
	return key.Most
}

// clause compiles a condition; its number is the place of the clause.
func (f *form) clause(n *yaml.Node) int {
	p := f.condition(f.doc, n)
	f.clauses = append(f.clauses, kind.Clause{When: p})
	return len(f.clauses) - 1
}

func (f *form) number(key kind.Key, n *yaml.Node) float64 {
	v, err := strconv.ParseFloat(n.Value, 64)
	switch {
	case n.Kind != yaml.ScalarNode || n.Tag != "!!int" && n.Tag != "!!float" || err != nil && !errors.Is(err, strconv.ErrRange) || math.IsNaN(v):
		f.doc.At(n, "type", "expected a number, got "+strings.TrimPrefix(strictyaml.Kind(n), "the number "))
		return 0
	case v >= key.Least && v <= mostOf(key):
	case key.Least < 1:
		f.doc.At(n, "value", fmt.Sprintf("expected a number above 0 and at most %s, got %s", digits(mostOf(key)), n.Value))
	default:
		f.doc.At(n, "value", fmt.Sprintf("%s lies outside %s to %s", n.Value, digits(key.Least), digits(mostOf(key))))
	}
	return v
}

// digits are a number without an exponent.
func digits(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// field is one field of events.
func (f *form) field(n *yaml.Node, key kind.Key) kind.Field {
	if n.Kind == yaml.SequenceNode {
		f.doc.At(n, "type", "expected one field, got a list")
		return kind.Field{}
	}
	slot, ok := f.loader.field(f.doc, n)
	if !ok {
		return kind.Field{}
	}
	def := f.set.Scope.Layout.Def(slot)
	if def.Type == event.List && !key.Lists {
		f.doc.At(n, "type", def.Name+" is a list; expected a field with a single value")
	}
	return kind.Field{Name: def.Name, Slot: slot, Type: def.Type}
}

// fields are several, each once.
func (f *form) fields(n *yaml.Node, key kind.Key) (all []kind.Field) {
	items := f.doc.Items(n)
	for _, c := range items {
		one := f.field(c, key)
		if one.Name == "" {
			continue
		}
		if slices.Contains(all, one) {
			f.doc.At(c, "value", one.Name+" stands here twice")
		}
		all = append(all, one)
	}
	f.many(key, n, len(items), "field")
	return all
}

// many checks how many entries a list has.
func (f *form) many(key kind.Key, n *yaml.Node, have int, what string) {
	if n.Kind != yaml.SequenceNode || have >= int(key.Least) && have <= int(mostOf(key)) {
		return
	}
	least, most := int(key.Least), int(mostOf(key))
	f.doc.At(n, "value", fmt.Sprintf("expected %d to %d %ss, got %d", least, most, what, have))
}

// oneList checks that at most one field of a key is a list.
func (f *form) oneList(n *yaml.Node, by []kind.Field) {
	var lists []string
	for _, one := range by {
		if one.Type == event.List {
			lists = append(lists, one.Name)
		}
	}
	if len(lists) > 1 {
		f.doc.At(n, "type", "a key can hold one list, got "+strings.Join(lists, " and "))
	}
}

func (f *form) text(key kind.Key, n *yaml.Node) string {
	if len(key.Choices) == 1 && n.Value != key.Choices[0] {
		f.doc.At(n, "value", fmt.Sprintf("expected %s, got %s", key.Choices[0], strictyaml.Kind(n))).Suggestion = key.Name + ": " + key.Choices[0]
		return ""
	}
	if len(key.Choices) > 0 {
		return f.doc.OneOf(n, "value", key.Choices...)
	}
	return f.doc.Text(n)
}

// texts are several, each once, that may name something.
func (f *form) texts(key kind.Key, n *yaml.Node) (all []string) {
	items := f.doc.Items(n)
	for _, c := range items {
		t := f.doc.Text(c)
		if t == "" {
			continue
		}
		if slices.Contains(all, t) {
			f.doc.At(c, "value", fmt.Sprintf("%q stands here twice", t))
		}
		if key.Of == kind.Datasets && !slices.Contains(event.Datasets, t) {
			f.doc.At(c, "value", fmt.Sprintf("no dataset %q", t)).Suggestion = event.DatasetMeant(t)
		}
		all = append(all, t)
	}
	f.many(key, n, len(items), named[key.Of])
	return all
}

// named are what texts name, in a word.
var named = map[kind.Named]string{kind.Anything: "text", kind.Datasets: "dataset", kind.Networks: "list", kind.Findings: "reference"}

// ignore makes networks of the configuration a part of the first condition.
func (f *form) ignore(r *kind.Rule, n *yaml.Node) {
	if n == nil || r.Clauses[0].When == nil {
		return
	}
	source := "(" + strings.TrimSpace(r.Clauses[0].When.Source) + "\n)" // the source may end in a comment
	for _, c := range n.Content {
		name, ok := strings.CutPrefix(c.Value, "lists.")
		if !ok {
			f.doc.At(c, "list", "expected a list of networks such as lists.vpn, got "+strictyaml.Kind(c))
			return
		}
		part := "!in_net(source.ip, lists." + name + ")"
		if p, ms := cond.Compile(part, f.set.Scope); p == nil {
			f.doc.At(c, "list", ms[0].Message).Suggestion = ms[0].Suggestion
			return
		}
		source += " && " + part
	}
	p, ms := cond.Compile(source, f.set.Scope)
	if p == nil {
		f.doc.At(n, ms[0].Code, "with these lists beside the condition: "+ms[0].Message)
		return
	}
	r.Clauses[0].When = p
	f.uses = append(f.uses, p.Uses()...)
}

func (f *form) group(key kind.Key, n *yaml.Node) *kind.Values {
	nodes := map[string]*yaml.Node{}
	read := map[string]func(*yaml.Node){}
	for _, k := range key.Keys {
		read[k.Name] = func(n *yaml.Node) { nodes[k.Name] = n }
	}
	if n.Kind != yaml.MappingNode {
		f.doc.At(n, "type", "expected keys and their values, such as "+example(key, n)+", got "+strictyaml.Kind(n))
		return nil
	}
	foreign(f.doc, n, read, f.aboveGroup(key))
	f.doc.Fields(n, read)
	if by := nodes["by"]; by != nil {
		f.oneList(by, f.listsOf(by))
	}
	return f.values(n, groupName(key), key.Keys, nodes)
}

// listsOf are the fields of a list that are there, without telling what is wrong.
func (f *form) listsOf(n *yaml.Node) (all []kind.Field) {
	for _, c := range n.Content {
		if slot, ms := cond.Field(c.Value, f.set.Scope); len(ms) == 0 {
			all = append(all, kind.Field{Name: c.Value, Slot: slot, Type: f.set.Scope.Layout.Def(slot).Type})
		}
	}
	return all
}

func (f *form) groups(key kind.Key, n *yaml.Node) (all []*kind.Values) {
	if n.Kind != yaml.SequenceNode {
		f.doc.At(n, "type", fmt.Sprintf("expected a list of %s, each such as - %s, got %s", key.Name, example(key, n), strictyaml.Kind(n)))
		return nil
	}
	items := f.doc.Items(n)
	f.many(key, n, len(items), strings.TrimSuffix(key.Name, "s"))
	for _, c := range items {
		if g := f.group(key, c); g != nil {
			all = append(all, g)
		}
	}
	return all
}
