package kind

import (
	"slices"
	"time"

	"noroshi/internal/cond"
)

// Type is what an author writes behind a key.
type Type uint8

// The types of keys.
const (
	Condition Type = iota
	Guard          // a condition of events that count already
	Duration       // 90s, 10m, 2h, 7d
	Bucket         // a duration, or each
	Whole          // a whole number
	Number
	FieldName  // of an event
	FieldNames // a list of them
	Text
	Texts  // a list of texts
	Group  // further keys
	Groups // a list of groups
)

// Key is something that an author writes in a rule.
type Key struct {
	Name     string
	Doc      string // what it says, in a sentence
	Type     Type
	Required bool
	Least    float64 // of a number; of a duration in seconds; of a list its length
	Most     float64 // 0: no bound
	Default  string  // as an author would write it
	Choices  []string
	Pattern  string // of texts
	Of       Named  // what the texts name
	Lists    bool   // fields may be lists of the event
	Keys     []Key  // of groups
	Against  string // a key beside which this one makes no sense
	Instead  string // what is told where both are written
}

// Named says what texts name, so that they can be checked.
type Named uint8

// What texts name.
const (
	Anything Named = iota
	Datasets
	Networks // lists.name of the configuration, of networks
	Findings // ids of rules, guide:S3, class:access
)

// Values are what was written behind the keys of a rule or of a group of keys. What was not written, or wrongly, is a zero value.
type Values struct {
	all   map[string]any
	wrong func(key, code, message string)
	named func(field string) Field
	// Clauses are the conditions of the rule, in the order of the keys.
	Clauses *[]Clause
	By      []Field // the rule's
}

// maxNumber is the most of a number that has no bound of its own: sums are exact up to it.
const maxNumber = 1e12

// NewValues makes the values of a rule. Wrong takes what does not go together; the key may be "". Named finds fields by their names.
func NewValues(clauses *[]Clause, by []Field, wrong func(key, code, message string), named func(field string) Field) *Values {
	return &Values{all: map[string]any{}, wrong: wrong, named: named, Clauses: clauses, By: by}
}

// Named is the field of a name that is known to be one.
func (v *Values) Named(field string) Field { return v.named(field) }

// Set gives a key its value: for a condition, and for what names alerts, the number of its clause, for the others a time.Duration, int,
// float64, Field, []Field, *cond.Program,
// string, []string, *Values, []*Values.
func (v *Values) Set(key string, value any) { v.all[key] = value }

// Has reports whether a key was written, and rightly.
func (v *Values) Has(key string) bool {
	_, ok := v.all[key]
	return ok
}

// Wrong tells the author what is wrong with a key, or with the whole where the key is "".
func (v *Values) Wrong(key, code, message string) { v.wrong(key, code, message) }

func get[T any](v *Values, key string) T {
	value, _ := v.all[key].(T)
	return value
}

// Program is the value of a key of type Guard, nil where it is not written.
func (v *Values) Program(key string) *cond.Program { return get[*cond.Program](v, key) }

// Clause is the number of the clause that a key gives, a condition or a reference to alerts, or -1 if the key is not written.
func (v *Values) Clause(key string) int {
	if !v.Has(key) {
		return -1
	}
	return get[int](v, key)
}

// Duration is the value of a key of type Duration.
func (v *Values) Duration(key string) time.Duration { return get[time.Duration](v, key) }

// Repeat is the value of a key of type Bucket; 0: each.
func (v *Values) Repeat(key string) time.Duration { return get[time.Duration](v, key) }

// Whole is the value of a key of type Whole.
func (v *Values) Whole(key string) int { return get[int](v, key) }

// Number is the value of a key of type Number.
func (v *Values) Number(key string) float64 { return get[float64](v, key) }

// Field is the value of a key of type FieldName.
func (v *Values) Field(key string) Field { return get[Field](v, key) }

// Fields are the value of a key of type FieldNames.
func (v *Values) Fields(key string) []Field { return get[[]Field](v, key) }

// Text is the value of a key of type Text.
func (v *Values) Text(key string) string { return get[string](v, key) }

// Texts are the value of a key of type Texts.
func (v *Values) Texts(key string) []string { return get[[]string](v, key) }

// Group is the value of a key of type Group, or nil if there is none.
func (v *Values) Group(key string) *Values { return get[*Values](v, key) }

// Groups are the value of a key of type Groups.
func (v *Values) Groups(key string) []*Values { return get[[]*Values](v, key) }

// Keys that several kinds have.
var (
	keyWhen   = Key{Name: "when", Doc: "The condition that an event must satisfy.", Type: Condition, Required: true}
	keyBy     = Key{Name: "by", Doc: "The fields whose values make the key; [] is the tenant alone.", Type: FieldNames, Default: "[account]", Lists: true}
	keyWithin = Key{Name: "within", Doc: "How far the window of an event reaches back.", Type: Duration, Required: true, Least: minWithin.Seconds(), Most: maxWithin.Seconds()}
	keyRepeat = Key{Name: "repeat", Doc: "The findings of a key in so long a time are one alert; each: every one is an alert of its own.", Type: Bucket, Least: minRepeat.Seconds(), Most: maxWithin.Seconds(), Default: "within, at least 1h and at most 1d"}
	keyAbout  = Key{Name: "about", Doc: "The alert is about the account of the first event, though the key does not hold it.", Type: Text, Choices: []string{"account"}}
)

// Owners are the kinds that have a key.
func Owners(name string) (kinds []string) {
	for _, k := range All {
		if slices.ContainsFunc(k.Keys(), func(key Key) bool { return key.Name == name }) {
			kinds = append(kinds, k.Name())
		}
	}
	return kinds
}
