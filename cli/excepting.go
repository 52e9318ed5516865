package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"noroshi/internal/alert"
	"noroshi/internal/diag"
	"noroshi/internal/event"
	"noroshi/rules"
	"noroshi/rules/kind"
)

// narrowing are the fields by which an exception is narrowed, the narrowest first.
var narrowing = []string{"source.ip", "app.id", "app.name", country}

const country = "source.geo.country_iso_code"

// excepting makes an exception of an alert.
type excepting struct {
	*exceptionFlags
	alert  *alert.Alert
	events []map[string]any // what the evidence tells of each event, by field
	until  time.Time
}

// write is the exception as the configuration has it, and the commands that prove it.
func (x *excepting) write(s Streams, set *rules.Set) (string, error) {
	r := set.Find(x.alert.Rule.ID)
	switch {
	case r == nil:
		return "", fmt.Errorf("the alert is of the rule %s, which is not here; --rules or --config name its folder", diag.EscapeLine(x.alert.Rule.ID))
	case len(r.Kind.Of) > 0:
		return "", fmt.Errorf("the rule %s looks at alerts alone; make the exception of one of those: %s", r.ID, strings.Join(x.alert.Linked, ", "))
	}
	if err := x.read(); err != nil {
		return "", err
	}
	terms, err := x.terms(r, s.Err)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s  - rules: [%s]\n", exceptionsKey, r.ID)
	if tenant := strings.ToLower(x.alert.Tenant); tenantID.MatchString(tenant) {
		fmt.Fprintf(&b, "    tenant: %s\n", tenant)
	} else if tenant != "" {
		terms = append([]string{equals("organization.id", x.alert.Tenant)}, terms...)
	}
	fmt.Fprintf(&b, "    when: |\n      %s\n", strings.Join(terms, "\n      && "))
	if x.because != "" {
		fmt.Fprintf(&b, "    because: %s\n", quote(x.because))
	} else {
		fmt.Fprintf(&b, "    because: %s # say why\n", quote("The alert "+x.alert.ID+" is no finding"))
	}
	fmt.Fprintf(&b, "    owner: %s\n    until: %s\n", quote(x.owner), x.until.Format(time.DateOnly))
	x.proof(&b)
	return b.String(), nil
}

// plainWord is what a shell takes as it stands.
var plainWord = regexp.MustCompile(`^[\w@.:/+=][\w@.:/+=-]*$`)

// proof says how to see on records that the exception does what it should.
func (x *excepting) proof(b *strings.Builder) {
	fmt.Fprintf(b, "# %s: %s\n", diag.EscapeLine(x.alert.ID), diag.EscapeLine(x.alert.Summary))
	on, files := "FILE with the records", "FILE"
	if len(x.records) > 0 && !slices.ContainsFunc(x.records, func(name string) bool { return !plainWord.MatchString(name) }) {
		on, files = "the records", strings.Join(x.records, " ")
	}
	fmt.Fprintf(b, "# Proof, on %s that gave it. The alert is gone, those of others stay:\n#   noroshi replay --config noroshi.yaml %s\n", on, files)
	if n := len(x.alert.Evidence); n > 0 && plainWord.MatchString(x.alert.Evidence[n-1].ID) {
		fmt.Fprintf(b, "# Which exception keeps the rule silent:\n#   noroshi explain --config noroshi.yaml --rule %s --event %s %s\n",
			x.alert.Rule.ID, x.alert.Evidence[n-1].ID, files)
	}
}

// read takes what the alert tells of its events. What it tells of the first one alone is that of all where there is one.
func (x *excepting) read() error {
	for _, e := range x.alert.Evidence {
		all := map[string]any{}
		if len(e.Facts) > 0 {
			d := json.NewDecoder(bytes.NewReader(e.Facts))
			d.UseNumber()
			if err := d.Decode(&all); err != nil {
				return fmt.Errorf("facts of the event %s: %w", diag.EscapeLine(e.ID), err)
			}
		}
		for name, text := range map[string]string{"source.ip": e.SourceIP, "event.action": e.Action, "event.dataset": e.Dataset} {
			put(all, name, text)
		}
		for name, text := range x.alert.Group {
			put(all, name, text)
		}
		x.events = append(x.events, all)
	}
	if len(x.events) == 1 && x.alert.Window.Count == 1 {
		one := x.events[0]
		put(one, "account", x.alert.Account)
		put(one, "user.name", x.alert.Actor.Name)
		put(one, country, x.alert.Source.Country)
		if apps := x.alert.Indicators.Apps; len(apps) == 1 {
			put(one, "app.id", apps[0])
		}
	}
	return nil
}

// put sets what is told and not yet known.
func put(all map[string]any, name, text string) {
	if _, known := all[name]; !known && text != "" {
		all[name] = text
	}
}

// terms are the parts of the condition: the key, then what narrows it.
func (x *excepting) terms(r *rules.Rule, say io.Writer) (terms []string, err error) {
	for _, name := range slices.Sorted(maps.Keys(x.alert.Group)) {
		if text := x.alert.Group[name]; text != "" {
			terms = append(terms, equals(name, typed(name, text)))
		}
	}
	_, silence := r.Kind.Kind.(kind.Silence)
	switch {
	case silence && len(x.by) > 0:
		return nil, fmt.Errorf("the rule %s tells silence; without some of the events of a key it would tell more of it, so --by cannot be used", r.ID)
	case silence:
	case len(x.by) > 0:
		for _, name := range fieldsOf(x.by) {
			more, err := x.chosen(name)
			if err != nil {
				return nil, err
			}
			if !slices.Contains(terms, more) {
				terms = append(terms, more)
			}
		}
	default:
		terms = x.narrowed(terms, say)
	}
	if n := x.alert.Window.Count - len(x.events); n > 0 && !silence {
		fmt.Fprintf(say, "noroshi: the alert counts %s more than it shows; where they differ, the exception is not for them\n", plural(n, "event"))
	}
	if len(terms) == 0 {
		return nil, errors.New("the alert has no key and its evidence shares nothing that narrows an exception; " + x.choice())
	}
	return terms, nil
}

// narrowed adds the narrowest field that all evidence shares.
func (x *excepting) narrowed(terms []string, say io.Writer) []string {
	for _, name := range narrowing {
		if x.alert.Group[name] != "" {
			return terms // it is in the key
		}
		if values, missing := x.values(name); len(values) == 1 && missing == 0 {
			return append(terms, equals(name, values[0]))
		}
	}
	fmt.Fprintf(say, "noroshi: the evidence shares no %s; the exception is for all that the key does in this rule; %s\n",
		strings.Join(narrowing, ", "), x.choice())
	return terms
}

// chosen is the part of the condition for a field of --by.
func (x *excepting) chosen(name string) (string, error) {
	values, missing := x.values(name)
	switch {
	case len(values) == 0:
		return "", fmt.Errorf("no field %s in the evidence; %s", name, x.choice())
	case missing > 0:
		return "", fmt.Errorf("the field %s is absent from %d of %s; %s", name, missing, plural(len(x.events), "event"), x.choice())
	case len(values) == 1:
		return equals(name, values[0]), nil
	}
	var texts []string
	for _, v := range values {
		text, ok := v.(string)
		if !ok {
			return "", fmt.Errorf("the field %s differs among the evidence; %s", name, x.choice())
		}
		texts = append(texts, quote(text))
	}
	return source(name) + " in [" + strings.Join(texts, ", ") + "]", nil
}

// values are the different values of a field among the evidence, and in how many events it is absent.
func (x *excepting) values(name string) (all []any, missing int) {
	seen := map[string]bool{}
	for _, e := range x.events {
		v, ok := e[name]
		if !ok {
			missing++
			continue
		}
		if key := fmt.Sprintf("%T %v", v, v); !seen[key] {
			seen[key] = true
			all = append(all, v)
		}
	}
	return all, missing
}

// choice says what --by can choose: what all evidence has.
func (x *excepting) choice() string {
	names := map[string]bool{}
	for _, e := range x.events {
		for name := range e {
			if _, missing := x.values(name); missing == 0 {
				names[name] = true
			}
		}
	}
	if len(names) == 0 {
		return "the evidence has no fields for --by"
	}
	return "--by can choose " + diag.EscapeLine(strings.Join(slices.Sorted(maps.Keys(names)), ", "))
}

// fieldsOf are the names of --by as alerts write them: an entry of a family without quotes. A name in brackets may hold a comma.
func fieldsOf(by []string) (all []string) {
	for _, list := range by {
		parts := []string{list}
		if !strings.Contains(list, "[") {
			parts = strings.Split(list, ",")
		}
		for _, p := range parts {
			if p = strings.NewReplacer(`["`, "[", `"]`, "]").Replace(strings.TrimSpace(p)); p != "" {
				all = append(all, p)
			}
		}
	}
	return all
}

// typed is a value of a key as facts have it.
func typed(name, text string) any {
	f, ok := event.Lookup(name)
	switch {
	case ok && f.Type == event.Number:
		return json.Number(text)
	case ok && f.Type == event.Bool:
		return text == "true"
	case ok && f.Type == event.List:
		return []any{text}
	}
	return text
}

// equals is the condition that a field has a value.
func equals(name string, value any) string {
	field := source(name)
	switch v := value.(type) {
	case bool:
		return field + " == " + strconv.FormatBool(v)
	case json.Number:
		return field + " == " + v.String()
	case []any:
		var all []string
		for _, one := range v {
			all = append(all, quote(fmt.Sprint(one))+" in "+field)
		}
		return strings.Join(all, " && ")
	}
	return field + " == " + quote(fmt.Sprint(value))
}

// source is a field as a condition names it.
func source(name string) string {
	from, to := strings.IndexByte(name, '['), strings.LastIndexByte(name, ']')
	if from < 0 || to < from {
		return name
	}
	return name[:from+1] + quote(name[from+1:to]) + name[to:]
}

// quote is a text in quotes, as conditions and YAML both read it, without a character that nobody sees.
func quote(text string) string {
	return string(alert.AppendEscaped(nil, []byte(strconv.Quote(text))))
}
