package alert

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Member is a member of an alert's JSON form.
type Member struct {
	Path   string // such as window.first; [] stands for the entries of a list
	Type   string // text, number, true or false, time, list of texts, object of texts, object, list of objects
	Always bool   // it is there in every alert, if only empty
	Doc    string
	Values []string // those that it can have, in this version; nil: any
}

// docs say what the members mean.
var docs = map[string]string{
	"schema":                        "name and version of this shape; members are only added within a version",
	"drill":                         "true: it is of a drill or a heartbeat, and nothing has happened",
	"id":                            "the finding's own: the same wherever and whenever the same events are evaluated, in all its revisions",
	"status":                        "firing, or updated of a summary that has grown; withdrawn is kept for a later version",
	"state":                         "of a rule that is not live; nobody is told such an alert",
	"revision":                      "1 at first; more of the same gives a higher one; not every number is used",
	"late":                          "true: an event decided that came after the time that is waited for its dataset",
	"partial":                       "true: it came when what was told of the finding before was forgotten, so this revision adds to those before and does not take their place",
	"rule":                          "what fired",
	"rule.id":                       "the rule",
	"rule.title":                    "its name for people",
	"rule.guide":                    "items of the guide on hijacked accounts that it answers, such as S3",
	"rule.class":                    "what the finding is about",
	"rule.points":                   "how much it weighs, 0 to 100",
	"rule.attack":                   "techniques of MITRE ATT&CK",
	"rule.revision":                 "of the rule's text: the first 12 hexadecimal digits of its SHA-256",
	"severity":                      "how grave",
	"tenant":                        "organization.id of the events, \"\" where they tell none",
	"account":                       "whom the finding is about, such as taro@contoso.example; \"\" where it is about nobody",
	"actor":                         "who acted, of the first event for which the rule fires",
	"actor.name":                    "the name, as the events have it",
	"actor.kind":                    "what it is",
	"actor.id":                      "the object id in Entra ID, where it is known",
	"target":                        "whom or what was acted on, where that is another",
	"summary":                       "what has happened, one sentence of at most 500 characters",
	"time":                          "when the finding was complete: the time of its last event",
	"window":                        "the time that the finding covers",
	"window.first":                  "its first event",
	"window.last":                   "its last event",
	"window.count":                  "events, also those that evidence leaves out",
	"window.distinct":               "different values, of a rule that counts them",
	"window.sum":                    "the sum, of a rule that sums up",
	"group":                         "the key under which events were compared, by field",
	"dedup_key":                     "the same for all findings of a rule about one group",
	"evidence":                      "the events, the first 25 and the last 25",
	"evidence[].id":                 "the record's own id",
	"evidence[].time":               "when it happened",
	"evidence[].action":             "the operation",
	"evidence[].dataset":            "of which log it is",
	"evidence[].source_ip":          "the address it came from, \"\" where the record tells none",
	"evidence[].facts":              "the fields that the rule looks at and names, as far as the event has them, at most 2 KiB",
	"evidence[].cut":                "true: facts are left out, because they were too long",
	"evidence[].step":               "which step of a sequence it is",
	"source":                        "where the actor came from, of the first event for which the rule fires",
	"source.ip":                     "the address",
	"source.country":                "ISO 3166-1 alpha-2",
	"source.asn":                    "the number of the autonomous system, 0 where it is not known",
	"sessions":                      "sessions of the events",
	"indicators":                    "what else to look for",
	"indicators.destinations":       "addresses that mail is forwarded to, at most 50",
	"indicators.destinations_total": "how many there are, where not all are told",
	"indicators.apps":               "applications",
	"indicators.networks":           "addresses the events came from",
	"indicators.accounts":           "whom the evidence is about, at most 50",
	"modifiers":                     "what makes the finding weigh more or less; empty in this version",
	"linked":                        "ids of the alerts that it was made of",
	"enrichment":                    "which databases told places and networks, with their versions",
	"respond":                       "what to do, the first step first",
	"respond[].id":                  "the step, as rules name it",
	"respond[].text":                "what to do, with the account filled in",
	"respond[].command":             "commands of PowerShell or the shell, \"\" where the step has none; what a record holds is quoted in them",
	"times":                         "how long the finding took on its way",
	"times.happened":                "the time of its last event",
	"times.enqueued":                "when the event's record came into the event hub or the topic",
	"times.evaluated":               "when the rule fired",
	"clock":                         "wall: the clock on the wall decided, because no source told how far it had come",
	"traceparent":                   "W3C trace context",
	"cut":                           "what was too long and is told in part: evidence, facts, destinations, texts and others",
}

// values are those of members that have few.
var values = map[string][]string{
	"schema": {Schema}, "status": {string(Firing), string(Updated), string(Withdrawn)}, "state": {"shadow", "building"}, "severity": Severities, "clock": {Wall},
	"rule.class": Classes, "actor.kind": {"", "user", "guest", "app", "service"},
}

// Members are the members of an alert, in the order in which they are written.
func Members() []Member { return members("", reflect.TypeFor[Alert]()) }

func members(path string, of reflect.Type) (all []Member) {
	for f := range of.Fields() {
		name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
		m := Member{Path: path + name, Always: rest == "", Doc: docs[path+name], Values: values[path+name]}
		var below reflect.Type
		m.Type, below = typeOf(f.Type)
		all = append(all, m)
		switch {
		case below != nil && f.Type.Kind() == reflect.Slice:
			all = append(all, members(path+name+"[].", below)...)
		case below != nil:
			all = append(all, members(path+name+".", below)...)
		}
	}
	return all
}

// typeOf names a type in words, and gives the struct below it.
func typeOf(t reflect.Type) (name string, below reflect.Type) {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return "time", nil
	case t == reflect.TypeFor[json.RawMessage]():
		return "object", nil
	case t.Kind() == reflect.Struct:
		return "object", t
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		return "list of objects", t.Elem()
	case t.Kind() == reflect.Slice:
		return "list of texts", nil
	case t.Kind() == reflect.Map:
		return "object of texts", nil
	case t.Kind() == reflect.Bool:
		return "true or false", nil
	case t.Kind() == reflect.String:
		return "text", nil
	}
	return "number", nil
}

// JSONSchema is the JSON Schema (draft 2020-12) of an alert. It allows members that it does not know: a later version may have more.
func JSONSchema() ([]byte, error) {
	s := object("", Members())
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "An alert of Noroshi, " + Schema
	return json.MarshalIndent(s, "", "  ")
}

type schema map[string]any

// object is the schema of an object whose members begin with a path.
func object(path string, all []Member) schema {
	properties, required := schema{}, []string{}
	for i, m := range all {
		name, ours := strings.CutPrefix(m.Path, path)
		if !ours || strings.ContainsAny(name, ".[") {
			continue
		}
		properties[name] = one(m, all[i+1:])
		if m.Always {
			required = append(required, name)
		}
	}
	s := schema{"type": "object", "properties": properties}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

// one is the schema of a member, with what is below it among those that follow.
func one(m Member, next []Member) schema {
	text := schema{"type": "string"}
	s := map[string]schema{
		"text": text, "number": {"type": "number"}, "true or false": {"type": "boolean"}, "time": {"type": "string", "format": "date-time"},
		"list of texts": {"type": "array", "items": text}, "object of texts": {"type": "object", "additionalProperties": text},
	}[m.Type]
	switch m.Type {
	case "object":
		s = object(m.Path+".", next)
	case "list of objects":
		s = schema{"type": "array", "items": object(m.Path+"[].", next)}
	}
	s = maps.Clone(s)
	s["description"] = m.Doc
	if m.Values != nil {
		s["enum"] = slices.Clone(m.Values)
	}
	return s
}
