package catalog

import (
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/alert"
	"noroshi/internal/diag"
	"noroshi/internal/event"
	"noroshi/internal/strictyaml"
	"noroshi/sinks"
)

// pages are the kinds of sinks that wake people.
var pages = []string{"alertmanager", "email", "pagerduty", "slack", "teams", "webhook"}

// usualAge is the max_age of sinks that wake people.
const usualAge = time.Hour

// rates are those of kinds whose destinations take no more.
var rates = map[string]time.Duration{"slack": time.Second}

// Terms reads how a sink of a kind is delivered to, of the keys beside its name.
func Terms(d *strictyaml.Doc, kind string, keys map[string]*yaml.Node, e Env) (t sinks.Terms) {
	t.Wants, t.Every = wants(d, keys), rates[kind]
	if kind == "heartbeat" {
		t.Wants = func(m *sinks.Message) bool { return m.Tenant == alert.HeartbeatTenant && e.fresh(m) }
	}
	if slices.Contains(pages, kind) {
		t.MaxAge = usualAge
	}
	if n := keys["max_age"]; n != nil {
		if t.MaxAge = d.Duration(n); t.MaxAge < time.Minute && d.Errors() == 0 {
			d.At(n, "value", "max_age is at least a minute; a sink without the key and without people behind it tells each alert, however old")
		}
		d.Expect(n, strictyaml.Form{Type: strictyaml.TypeSpan, From: time.Minute})
	}
	if n := keys["rate"]; n != nil {
		t.Every = rate(d, n)
	}
	t.Redact = redaction(d, keys, e)
	return t
}

// freshFor is how old a heartbeat may be that is told: an old one says that something stood still.
const freshFor = 10 * time.Minute

func (e Env) fresh(m *sinks.Message) bool {
	return e.Now == nil || m.Written.IsZero() || e.Now().Sub(m.Written) < freshFor
}

var ratePattern = regexp.MustCompile(`^([1-9][0-9]{0,4})/([smh])$`)

// rate reads a number of alerts a second, minute or hour, as the time from one to the next.
func rate(d *strictyaml.Doc, n *yaml.Node) time.Duration {
	d.Expect(n, strictyaml.Form{Type: strictyaml.TypeText, As: "alerts a second, minute or hour, such as `30/m`"})
	m := ratePattern.FindStringSubmatch(n.Value)
	if n.Kind != yaml.ScalarNode || m == nil {
		d.At(n, "value", "expected alerts a second, minute or hour, such as 1/s, 30/m or 200/h, got "+d.Kind(n))
		return 0
	}
	count, _ := strconv.Atoi(m[1]) // the pattern has digits alone
	return map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}[m[2]] / time.Duration(count)
}

// redaction reads what the destination is not to know: names, which are left out, or names with leave_out or hash.
func redaction(d *strictyaml.Doc, keys map[string]*yaml.Node, e Env) *sinks.Redaction {
	n, key := keys["redact"], keys["redact_key"]
	if n == nil {
		if key != nil {
			d.At(key, "value", "redact_key needs the key redact, and a name there with the value hash")
		}
		return nil
	}
	d.Expect(n, strictyaml.Form{Type: strictyaml.TypeMixed, As: "a list of names, or names with `leave_out` or `hash`"})
	r := &sinks.Redaction{}
	switch n.Kind {
	case yaml.SequenceNode:
		for _, item := range n.Content {
			r.Leave = append(r.Leave, redactable(d, item))
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			name := redactable(d, n.Content[i])
			if d.OneOf(n.Content[i+1], "value", "leave_out", "hash") == "hash" {
				r.Hash = append(r.Hash, name)
			} else {
				r.Leave = append(r.Leave, name)
			}
		}
	default:
		d.At(n, "type", "expected a list of names, or names with leave_out or hash, got "+d.Kind(n))
	}
	switch {
	case len(r.Hash) > 0 && key == nil:
		d.At(n, "missing", "hash needs redact_key, a reference to a secret: without one a list of all accounts tells whose a hash is; `openssl rand -base64 32` makes one")
	case key != nil:
		r.Key = reader(d, e).Secret(key)
		if text, _ := r.Key(); text != "" && len(text) < 16 {
			d.At(key, "secret", "the secret has less than 16 characters")
		}
	}
	if len(n.Content) == 0 && n.Kind != yaml.ScalarNode {
		d.At(n, "value", "redact names nothing, so the sink would get all; name what its destination is not to know, such as source.ip, or take the key away")
	}
	return r
}

// redactable is the name of a member of alerts, or of a field as facts name it.
func redactable(d *strictyaml.Doc, n *yaml.Node) string {
	name := d.Text(n)
	var known []string
	for _, f := range event.Fields() {
		known = append(known, f.Name)
	}
	known = append(known, members(reflect.TypeFor[alert.Alert](), "")...)
	switch {
	case name == "":
	case sinks.Kept(name):
		d.At(n, "value", "no alert can be delivered without "+name)
	case !slices.Contains(known, name):
		text := "alerts have no such member, and events no such field"
		if meant := diag.Suggest(name, known); meant != "" {
			text += "; did you mean " + meant + "?"
		}
		d.At(n, "value", text)
	}
	return name
}

// members are the paths of the members of a JSON object, through lists.
func members(t reflect.Type, before string) (all []string) {
	for t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[time.Time]() {
		return nil
	}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		all = append(append(all, before+name), members(t.Field(i).Type, before+name+".")...)
	}
	return all
}

// wants reads which alerts a sink is for, of the keys min_severity, rules and classes. Without any it is for all, which nil says. An
// alert must satisfy each key that is there. Heartbeats are for nobody here.
func wants(d *strictyaml.Doc, keys map[string]*yaml.Node) func(*sinks.Message) bool {
	least, rules, classes := 0, []string(nil), []string(nil)
	if n := keys["min_severity"]; n != nil {
		least = slices.Index(alert.Severities, d.OneOf(n, "severity", alert.Severities...))
	}
	if n := keys["rules"]; n != nil {
		rules = some(d, n, d.Texts(n))
	}
	if n := keys["classes"]; n != nil {
		for _, item := range d.Items(n) {
			classes = append(classes, d.OneOf(item, "class", alert.Classes...))
		}
		some(d, n, classes)
	}
	return func(m *sinks.Message) bool {
		severity := slices.Index(alert.Severities, m.Severity)
		return m.Tenant != alert.HeartbeatTenant && (severity < 0 || severity >= least) && (rules == nil || slices.Contains(rules, m.Rule)) && (classes == nil || slices.Contains(classes, m.Class))
	}
}

// some refuses an empty list: a sink for nothing is a mistake.
func some(d *strictyaml.Doc, n *yaml.Node, all []string) []string {
	if len(all) == 0 && n.Kind == yaml.SequenceNode {
		d.At(n, "value", "the list is empty, so the sink would be for no alert")
	}
	return all
}
