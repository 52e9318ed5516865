package reference

import (
	"fmt"
	"strings"

	"noroshi/internal/strictyaml"
)

// section is a part of the page: a heading, what stands before its table, and the beginning of its keys' paths.
type section struct{ title, text, of string }

var sections = []section{
	{"Top level", "", ""},
	{"kafka", "What happens there: [Kafka](../operating.md#kafka).", "kafka."},
	{"sources", "What to export: [sources](../sources.md). Each source has one of these keys.", "sources[]."},
	{"sources: file", "[Files](../operating.md#files).", "sources[].file."},
	{"sources: eventhub", "[Event hubs](../operating.md#event-hubs). It needs `connection_string`, or `namespace` and `credential`.", "sources[].eventhub."},
	{"sources: o365", "[The audit log of a tenant](../operating.md#the-unified-audit-log-through-the-management-activity-api).", "sources[].o365."},
	{"sources: kafka", "[Topics of another Kafka](../operating.md#topics-of-another-kafka).", "sources[].kafka."},
	{"credential", "Which keys a kind needs: [event hubs](../operating.md#event-hubs).", "credential."},
	{"sasl", "", "sasl."},
	{"sinks", "What all sinks have in common: [sinks](../sinks.md). Beside these keys each has one of the kinds.", "sinks[]."},
	{"Keys of HTTP", "[Sinks that speak HTTP](../sinks.md#sinks-that-speak-http) have these keys, others some of them.", "http."},
	{"templates", "[Texts of your own](../sinks.md#texts-of-your-own).", "templates."},
}

var others = []section{
	{"tenants", "Keys of each tenant: [a tenant's own lists](../rules.md#lists).", "tenants.*."},
	{"library", "[Tuning the rules](../operating.md#tuning-the-rules).", "library."},
	{"exceptions", "Keys of each exception: [tuning the rules](../operating.md#tuning-the-rules).", "exceptions[]."},
	{"admin", "[The admin listener](../operating.md#is-it-well).", "admin."},
	{"watch", "[Watching itself](../operating.md#watching-itself).", "watch."},
	{"admin: tls", "", "admin.tls."},
	{"telemetry", "[Metrics, traces and logs](../telemetry.md).", "telemetry."},
	{"telemetry: otlp", "[A collector](../telemetry.md#a-collector).", "telemetry.otlp."},
	{"telemetry: logs", "[The log](../telemetry.md#the-log).", "telemetry.logs."},
	{"lateness", "Keys of each dataset: [how late events come](../operating.md#how-late-events-come).", "lateness.*."},
}

// Page is the page about all keys, in Markdown.
func Page() string {
	all, _ := shapes()
	var b strings.Builder
	b.WriteString(`# The configuration, key by key

Made from what reads the file. ` + "`noroshi schema config`" + ` prints the same as a JSON Schema, with which editors complete keys.

* Paths are relative to the configuration file.
* A time is a number with a unit: ` + "`250ms`, `10s`, `5m`, `2h`, `1d`" + `.
* A secret is a reference, ` + "`${file:path}` or `${env:NAME}`" + `, never a value.
* An unknown key is an error. ` + "`noroshi check --config noroshi.yaml`" + ` reads the file without starting anything.
* *Without it* tells what holds where the key is missing; *needed* means that it must be there.
`)
	every := append([]section{}, sections...)
	for i := range entries {
		if kind, is := strings.CutPrefix(entries[i].path, ofSinks); is && !strings.Contains(kind, ".") && all[&entries[i]] != nil && all[&entries[i]].Type == strictyaml.TypeKeys {
			every = append(every, section{"sinks: " + kind, "[The sink](../sinks/" + kind + ".md).", entries[i].path + "."})
		}
	}
	for _, s := range append(every, others...) {
		s.write(&b, all)
	}
	return b.String()
}

// write writes a section; one without keys has no table.
func (s section) write(b *strings.Builder, all map[*entry]*shape) {
	fmt.Fprintf(b, "\n## %s\n", s.title)
	if s.text != "" {
		fmt.Fprintf(b, "\n%s\n", s.text)
	}
	rows := 0
	for i := range entries {
		e := &entries[i]
		key, is := strings.CutPrefix(e.path, s.of)
		if !is || strings.Contains(key, ".") || all[e] == nil {
			continue
		}
		if rows++; rows == 1 {
			b.WriteString("\n| key | value | without it | what it is for |\n|---|---|---|---|\n")
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", key, valueOf(e, all[e]), e.without, e.doc)
	}
	if shared := s.shared(); len(shared) > 0 {
		fmt.Fprintf(b, "\nWith the [keys of HTTP](#keys-of-http) `%s`.\n", strings.Join(shared, "`, `"))
	}
}

// shared are the keys of a sink that are those of HTTP.
func (s section) shared() (all []string) {
	walk(trace(), "", func(path string, _ *shape) {
		key, is := strings.CutPrefix(path, s.of)
		if e := find(path); is && strings.HasPrefix(s.of, ofSinks) && !strings.Contains(key, ".") && e != nil && strings.HasPrefix(e.path, groupHTTP+".") {
			all = append(all, key)
		}
	})
	return all
}

// several are values of lists.
var several = map[string]string{"a text": "texts", "a path": "paths", "a host and port": "hosts and ports", "a secret": "secrets"}

// valueOf says what stands behind a key.
func valueOf(e *entry, s *shape) string {
	switch s.Type {
	case strictyaml.TypeList:
		if s.Items.Type == strictyaml.TypeKeys {
			return "a list"
		}
		if of := several[valueOf(e, s.Items)]; of != "" {
			return "a list of " + of
		}
		return "a list with any of " + valueOf(e, s.Items)
	case strictyaml.TypeNames:
		if s.Each.Type == strictyaml.TypeKeys {
			return s.As + ", each with keys"
		}
		return s.As + ", each with " + valueOf(e, s.Each)
	case strictyaml.TypeKeys:
		_, last, _ := strings.Cut(e.path, "].")
		if i := strings.LastIndex(e.path, "."); i >= 0 && find(e.path+".") == nil && !grouped(e) {
			last = e.path[i+1:]
		}
		if last == groupCredential || last == groupSASL || last == groupTemplates {
			return "[keys of `" + last + "`](#" + last + ")"
		}
		return "keys"
	case strictyaml.TypeOneOf:
		return "`" + strings.Join(s.Choices, "`, `") + "`"
	case strictyaml.TypeWhole:
		return fmt.Sprintf("a whole number, %d to %d", s.Least, s.Most)
	case strictyaml.TypeBool:
		return "`true` or `false`"
	case strictyaml.TypeSpan:
		return "a time" + bounds(s)
	case strictyaml.TypeSecret:
		return "a secret"
	}
	if s.As != "" {
		return s.As
	}
	return "a text"
}

func bounds(s *shape) string {
	switch {
	case s.From > 0 && s.To > 0:
		return ", " + strictyaml.Span(s.From) + " to " + strictyaml.Span(s.To)
	case s.From > 0:
		return ", at least " + strictyaml.Span(s.From)
	case s.To > 0:
		return ", at most " + strictyaml.Span(s.To)
	}
	return ""
}
