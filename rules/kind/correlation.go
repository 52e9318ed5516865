package kind

import (
	"slices"
	"strings"

	"noroshi/internal/event"
)

// Correlation fires for an alert with enough alerts of other rules about the same thing within a time.
type Correlation struct{}

// Name implements Kind.
func (Correlation) Name() string { return "correlation" }

// Doc implements Kind.
func (Correlation) Doc() string {
	return "Fires for an alert of other rules when there are enough of them about the same thing within a time."
}

// maxOf is how many references a rule or a step has.
const maxOf = 100

// keyAlerts are the rules whose alerts are looked at.
var keyAlerts = Key{Name: "of", Doc: "The rules whose alerts count: ids of rules, guide:S3, class:access.", Type: Texts, Required: true,
	Least: 1, Most: maxOf, Of: Findings}

// What an alert says of itself that rules count, and the fields of its first event that make a key.
const (
	AlertRule   = "rule"
	AlertGuide  = "guide"
	AlertPoints = "points"
)

// AlertOwn is the name of the slot of what an alert says of itself.
func AlertOwn(name string) string { return "alert " + name }

// AlertKeys are the fields of alerts that make a key.
var AlertKeys = []string{"account", "source.ip", "session.id", "app.id"}

// AlertField is the type of what an alert says of itself.
func AlertField(name string) (event.Type, bool) {
	switch name {
	case AlertRule:
		return event.Text, true
	case AlertGuide:
		return event.List, true
	case AlertPoints:
		return event.Number, true
	}
	return 0, false
}

// Keys implements Kind.
func (Correlation) Keys() []Key {
	count, distinct, sum, by := keyCount, keyDistinct, keySum, keyBy
	count.Doc, count.Least = "How many alerts are enough.", 1
	distinct.Doc = "How many different rules, accounts or items of the guide are enough."
	distinct.Keys = []Key{{Name: "of", Doc: "What must differ.", Type: Text, Required: true, Choices: []string{AlertRule, "account",
		AlertGuide}}, keyDistinct.Keys[1]}
	sum.Doc = "How many points are enough."
	sum.Keys = []Key{{Name: "of", Doc: "What is added up: the points of the rules.", Type: Text, Required: true, Choices: []string{AlertPoints}}, keySum.Keys[1]}
	by.Doc, by.Lists = "The fields of alerts whose values make the key: "+strings.Join(AlertKeys, ", ")+"; [] is the tenant alone.", false
	return []Key{keyAlerts, by, keyWithin, count, distinct, sum, keyRepeat, keyAbout}
}

// New implements Kind. It is a threshold whose events are alerts.
func (k Correlation) New(v *Values) *Rule {
	r := &Rule{Kind: k, Of: (*v.Clauses)[v.Clause("of")].Of}
	v.alertKey(v, "by", v.By)
	enoughOf(v, r).remember(v, r)
	return r
}

// alertKey tells of fields of a key that alerts do not have.
func (v *Values) alertKey(at *Values, key string, by []Field) {
	for _, f := range by {
		if !slices.Contains(AlertKeys, f.Name) {
			at.Wrong(key, "value", "alerts have no "+f.Name+" to be compared by; expected "+strings.Join(AlertKeys, ", ")+", or [] for the whole tenant")
		}
	}
}

// counted is what a group counts: a field of events, or what an alert says of itself.
func (v *Values) counted(g *Values) Field {
	if f := g.Field("of"); f.Name != "" {
		return f
	}
	if name := g.Text("of"); name != "" {
		return v.Named(name)
	}
	return Field{}
}
