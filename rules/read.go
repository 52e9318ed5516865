package rules

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/cond"
	"noroshi/internal/diag"
	"noroshi/internal/strictyaml"
	"noroshi/rules/kind"
)

var (
	idPattern     = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	attackPattern = regexp.MustCompile(`^T[0-9]{4}(\.[0-9]{3})?$`)
)

// The bounds of a rule's texts.
const (
	maxID    = 100
	maxTitle = 200
)

// rule reads the rule of a document; where the document has errors it must not be used.
func (l *loader) rule(d *strictyaml.Doc, data []byte, shipped bool) *Rule {
	r := &Rule{State: Live, Shipped: shipped, File: d.Name, Line: d.Root.Line, Revision: revision(data)}
	keys := map[string]func(*yaml.Node){
		"id":       func(n *yaml.Node) { l.id(d, n, r) },
		"title":    func(n *yaml.Node) { r.Title = short(d, n, maxTitle) },
		"guide":    func(n *yaml.Node) { r.Guide = oneOfEach(d, n, "guide", GuideItems) },
		"severity": func(n *yaml.Node) { r.Severity = d.OneOf(n, "severity", Severities...) },
		"class":    func(n *yaml.Node) { r.Class = d.OneOf(n, "class", Classes...) },
		"points":   func(n *yaml.Node) { r.Points = d.Int(n, 0, 100) },
		"attack":   func(n *yaml.Node) { r.Attack = attack(d, n) },
		"kind":     func(*yaml.Node) {},
		"unless":   func(n *yaml.Node) { l.unless(d, n, r) },
		"raise":    func(n *yaml.Node) { l.raise(d, n, r) },
		"summary":  func(*yaml.Node) {},
		"respond":  func(n *yaml.Node) { l.respond(d, n, r) },
		"state":    func(n *yaml.Node) { r.State = State(d.OneOf(n, "state", states...)) },
		"tests": func(n *yaml.Node) {
			if !shipped || !l.options.Untested {
				r.Tests = l.tests(d, n)
			}
		},
	}
	maps.Copy(keys, l.about(d, r))
	k := kindOf(d)
	nodes := map[string]*yaml.Node{}
	for _, key := range keysOf(k) {
		keys[key.Name] = func(*yaml.Node) {}
	}
	for name, read := range keys {
		keys[name] = func(n *yaml.Node) {
			nodes[name] = n
			read(n)
		}
	}
	foreign(d, d.Root, keys, elsewhere(d, k))
	d.Fields(d.Root, keys)
	if k != nil && d.Root.Kind == yaml.MappingNode {
		f := &form{loader: l, doc: d, kind: k}
		r.Kind = f.read(k, nodes)
	}
	if n := nodes["summary"]; n != nil {
		r.Summary = l.summary(d, n, r)
	}
	l.aboutAlerts(d, r, nodes)
	l.raisesNothing(d, r, nodes["raise"])
	l.missing(d, r, nodes)
	return r
}

// keysOf are the keys of a kind; where the kind is not known, those of all, so that nothing more is told.
func keysOf(k kind.Kind) (all []kind.Key) {
	if k != nil {
		return k.Keys()
	}
	for _, k := range kind.All {
		all = append(all, k.Keys()...)
	}
	return all
}

// summary compiles the text of alerts, which may speak of the rule's memory too.
func (l *loader) summary(d *strictyaml.Doc, n *yaml.Node, r *Rule) *cond.Template {
	scope := *l.set.Scope
	if r.Kind == nil { // a broken rule: what its memory gives is not known
		scope.Own = anyOwn(scope.Layout)
	} else {
		scope.Own, scope.Unknown = r.Kind.Names(scope.Layout), ownUnknown(r.Kind, scope.Layout)
	}
	return l.template(d, n, &scope)
}

// revision is known by the file's text, whatever the line ends of the system it was written on.
func revision(data []byte) string {
	text := bytes.ReplaceAll(bytes.TrimPrefix(data, []byte("\ufeff")), []byte("\r\n"), []byte("\n"))
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])[:12]
}

// missing names what a rule lacks.
func (l *loader) missing(d *strictyaml.Doc, r *Rule, given map[string]*yaml.Node) {
	if d.Root.Kind != yaml.MappingNode {
		return
	}
	need := []string{"id", "title", "severity"}
	if l.options.Strict && r.Shipped {
		need = append(need, "guide", "class", "summary")
	}
	for _, k := range need {
		if given[k] == nil {
			d.At(d.Root, "missing", "the rule needs the key "+k)
		}
	}
	if !l.options.Strict {
		return
	}
	fires, silent := 0, 0
	for _, t := range r.Tests {
		if len(t.Want) > 0 {
			fires++
		} else {
			silent++
		}
	}
	switch at := given["tests"]; {
	case at == nil:
		d.At(d.Root, "tests", "the rule needs tests: one that fires and one that stays silent")
	case fires == 0 && silent > 0:
		d.At(at, "tests", "the rule needs tests: one that fires is missing; its want holds what the alert has, such as {account: taro@contoso.example}")
	case silent == 0 && fires > 0:
		d.At(at, "tests", "the rule needs tests: one that stays silent is missing; its want is []")
	case fires == 0:
		d.At(at, "tests", "the rule needs tests: one that fires and one that stays silent")
	}
}

func (l *loader) id(d *strictyaml.Doc, n *yaml.Node, r *Rule) {
	r.ID = d.Text(n)
	switch at, taken := l.ids[r.ID]; {
	case r.ID == "":
	case !idPattern.MatchString(r.ID) || len(r.ID) > maxID:
		d.At(n, "id", fmt.Sprintf("%q is no id: lower case letters, digits and single hyphens, at most %d", r.ID, maxID))
	case taken && (at == shippedPlace || strings.HasPrefix(at, "library/")):
		d.At(n, "duplicate-id", fmt.Sprintf("a shipped rule has the id %s; write another id", r.ID)).Suggestion = "own-" + r.ID
	case taken:
		d.At(n, "duplicate-id", fmt.Sprintf("the id %s is taken by %s", r.ID, at))
	}
	r.Line = n.Line
}

func short(d *strictyaml.Doc, n *yaml.Node, most int) string {
	s := d.Text(n)
	cutText(d, n)
	if len([]rune(s)) > most || strings.Contains(strings.TrimSpace(s), "\n") {
		d.At(n, "value", fmt.Sprintf("expected one line of at most %d characters", most))
	}
	return strings.TrimSpace(s)
}

func attack(d *strictyaml.Doc, n *yaml.Node) (all []string) {
	for _, c := range d.Items(n) {
		t := d.Text(c)
		switch {
		case t != "" && !attackPattern.MatchString(t):
			d.At(c, "attack", fmt.Sprintf("%q is no technique of ATT&CK; write T1564 or T1564.008", t))
		case t != "" && slices.Contains(all, t):
			d.At(c, "attack", fmt.Sprintf("%q stands here twice", t))
		}
		all = append(all, t)
	}
	return all
}

func (l *loader) unless(d *strictyaml.Doc, n *yaml.Node, r *Rule) {
	for _, c := range d.Items(n) {
		if x := l.exception(d, c, nil); x.When != nil {
			r.Unless = append(r.Unless, x)
		}
	}
}

// exception reads an exception, which may have further keys; with one of them it need not say when.
func (l *loader) exception(d *strictyaml.Doc, n *yaml.Node, more map[string]func(*yaml.Node)) (x Exception) {
	told := false
	keys := map[string]func(*yaml.Node){
		"because": func(n *yaml.Node) { x.Because = d.Text(n) },
		"owner":   func(n *yaml.Node) { x.Owner = d.Text(n) },
		"until":   func(n *yaml.Node) { x.Until = l.until(d, n) },
		"when": func(n *yaml.Node) {
			told = true
			x.When = l.condition(d, n)
		},
	}
	maps.Copy(keys, more)
	d.Fields(n, keys)
	if n.Kind != yaml.MappingNode {
		return x // it has been said
	}
	for _, k := range []struct {
		name  string
		given bool
	}{{"because", x.Because != ""}, {"owner", x.Owner != ""}, {"when", told || more != nil && member(n, "tenant") != nil}} {
		if !k.given {
			d.At(n, "missing", "an exception needs the key "+k.name)
		}
	}
	l.endless(d, n)
	return x
}

// raise reads the cases in which an alert is graver.
func (l *loader) raise(d *strictyaml.Doc, n *yaml.Node, r *Rule) {
	if n.Kind != yaml.SequenceNode {
		d.At(n, "type", "expected a list of cases, such as [{to: critical, when: user.name in lists.vip}], got "+strictyaml.Kind(n))
		return
	}
	for _, c := range d.Items(n) {
		var x Raise
		var to, when *yaml.Node
		d.Fields(c, map[string]func(*yaml.Node){
			"to": func(n *yaml.Node) {
				to, x.To = n, slices.Index(Severities, d.OneOf(n, "severity", Severities...))
			},
			"when": func(n *yaml.Node) { when, x.When = n, l.condition(d, n) },
		})
		switch {
		case c.Kind != yaml.MappingNode: // it has been said
		case to == nil:
			d.At(c, "missing", "an entry of raise needs the key to: the severity")
		case when == nil:
			d.At(c, "missing", "an entry of raise needs the key when: the condition that an event must satisfy")
		case x.When != nil && x.To >= 0:
			r.Raise = append(r.Raise, x)
		}
	}
}

// raisesNothing tells of entries of raise that are no graver than the rule.
func (l *loader) raisesNothing(d *strictyaml.Doc, r *Rule, n *yaml.Node) {
	for i := range r.Raise {
		if n != nil && len(n.Content) == len(r.Raise) && r.Severity != "" && r.Raise[i].To <= slices.Index(Severities, r.Severity) {
			l.lesser(d.At(n.Content[i], "severity", fmt.Sprintf("raise to %s changes nothing: the rule is of severity %s", Severities[r.Raise[i].To], r.Severity)))
		}
	}
}

// until is the end of a day: an exception holds on that day too.
func (l *loader) until(d *strictyaml.Doc, n *yaml.Node) time.Time {
	d.Expect(n, strictyaml.Form{Type: strictyaml.TypeText, As: "a day such as `2027-03-31`"})
	day, err := time.Parse(time.DateOnly, n.Value)
	if n.Kind != yaml.ScalarNode || err != nil {
		d.At(n, "value", "expected a day such as 2027-03-31")
		return time.Time{}
	}
	end := day.AddDate(0, 0, 1)
	if !l.options.Now.IsZero() && !l.options.Now.Before(end) {
		p := d.At(n, "expired", "this exception ended on "+n.Value)
		if !l.options.Strict {
			p.Level = diag.Warning
		}
	}
	return end
}

func (l *loader) respond(d *strictyaml.Doc, n *yaml.Node, r *Rule) {
	steps := l.remediation()
	for _, c := range d.Items(n) {
		id := d.Text(c)
		m, ok := steps[id]
		if !ok && id != "" {
			known := slices.Sorted(maps.Keys(steps))
			p := d.At(c, "respond", fmt.Sprintf("no step %q", id))
			if p.Suggestion = diag.Suggest(id, known); p.Suggestion == "" {
				p.Message += "; noroshi schema names those that there are"
			}
			continue
		}
		if slices.ContainsFunc(r.Respond, func(x Remedy) bool { return x.ID == id }) {
			d.At(c, "respond", fmt.Sprintf("%q stands here twice", id))
		}
		r.Respond = append(r.Respond, m)
	}
}
