package format

import (
	"encoding/json"
	"time"

	"noroshi/internal/alert"
	"noroshi/sinks"
)

// ecsVersion is the version of the schema that the fields are of.
const ecsVersion = "8.17.0"

// severities are numbers for a severity, larger where it is worse.
var severities = map[string]int{"info": 1, "low": 3, "medium": 5, "high": 8, "critical": 10}

type ecs struct {
	Timestamp    time.Time       `json:"@timestamp"`
	Message      string          `json:"message"`
	ECS          ecsVersioned    `json:"ecs"`
	Event        ecsEvent        `json:"event"`
	Rule         ecsRule         `json:"rule"`
	Threat       *ecsThreat      `json:"threat,omitempty"`
	User         ecsUser         `json:"user"`
	Source       *ecsSource      `json:"source,omitempty"`
	Organization ecsID           `json:"organization,omitzero"`
	Cloud        ecsCloud        `json:"cloud"`
	Related      ecsRelated      `json:"related"`
	Observer     ecsObserver     `json:"observer"`
	Noroshi      json.RawMessage `json:"noroshi"`
}

type ecsVersioned struct {
	Version string `json:"version"`
}

type ecsEvent struct {
	Kind      string    `json:"kind"`
	ID        string    `json:"id"`
	Module    string    `json:"module"`
	Dataset   string    `json:"dataset"`
	Provider  string    `json:"provider"`
	Category  []string  `json:"category"`
	Type      []string  `json:"type"`
	Severity  int       `json:"severity"`
	RiskScore int       `json:"risk_score"`
	Reason    string    `json:"reason"`
	Start     time.Time `json:"start"`
	End       time.Time `json:"end"`
	Created   time.Time `json:"created,omitzero"`
}

type ecsRule struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Category string `json:"category,omitempty"`
	Version  string `json:"version,omitempty"`
	Ruleset  string `json:"ruleset"`
}

type ecsThreat struct {
	Framework string       `json:"framework"`
	Technique ecsTechnique `json:"technique"`
}

type ecsTechnique struct {
	ID []string `json:"id"`
}

type ecsUser struct {
	Name   string   `json:"name,omitempty"`
	Target *ecsName `json:"target,omitempty"`
}

type ecsName struct {
	Name string `json:"name"`
}

type ecsID struct {
	ID string `json:"id"`
}

type ecsSource struct {
	IP  string  `json:"ip"`
	Geo *ecsGeo `json:"geo,omitempty"`
	AS  *ecsAS  `json:"as,omitempty"`
}

type ecsGeo struct {
	Country string `json:"country_iso_code"`
}

type ecsAS struct {
	Number int `json:"number"`
}

type ecsCloud struct {
	Provider string `json:"provider"`
	Account  ecsID  `json:"account,omitzero"`
}

type ecsRelated struct {
	User []string `json:"user,omitempty"`
	IP   []string `json:"ip,omitempty"`
}

type ecsObserver struct {
	Vendor  string `json:"vendor"`
	Product string `json:"product"`
	Type    string `json:"type"`
}

// categories are event.category for a class.
// Source: ECS 8.17, allowed values of event.category.
var categories = map[string][]string{"access": {"authentication"}, "hiding": {"email"}, "exfiltration": {"email"}, "abuse": {"email"},
	"privilege": {"iam"}, "defence": {"configuration"}, "verdict": {"threat"}}

func ecsOf(a *alert.Alert, m *sinks.Message) *ecs {
	e := &ecs{Timestamp: a.Time.UTC(), Message: a.Summary, ECS: ecsVersioned{ecsVersion},
		Event: ecsEvent{Kind: "alert", ID: m.Key(), Module: "noroshi", Dataset: "noroshi.alert", Provider: "noroshi", Category: categories[a.Rule.Class], Type: []string{"info"}, Severity: severities[a.Severity],
			RiskScore: a.Rule.Points, Reason: a.Summary, Start: a.Window.First.UTC(), End: a.Window.Last.UTC(), Created: a.Times.Evaluated.UTC()},
		Rule: ecsRule{ID: a.Rule.ID, Name: a.Rule.Title, Category: a.Rule.Class, Version: a.Rule.Revision, Ruleset: "noroshi"}, User: ecsUser{Name: a.Account},
		Organization: ecsID{a.Tenant}, Cloud: ecsCloud{"azure", ecsID{a.Tenant}}, Related: ecsRelated{names(a), addresses(a)}, Observer: ecsObserver{"Noroshi", "Noroshi", "siem"}, Noroshi: m.Body}
	if a.Times.Evaluated.IsZero() {
		e.Event.Created = time.Time{}
	}
	if e.Event.Category == nil {
		e.Event.Category = []string{"threat"}
	}
	if len(a.Rule.Attack) > 0 {
		e.Threat = &ecsThreat{"MITRE ATT&CK", ecsTechnique{a.Rule.Attack}}
	}
	if a.Target != "" {
		e.User.Target = &ecsName{a.Target}
	}
	if ip := address(a.Source.IP); ip != "" {
		e.Source = &ecsSource{IP: ip}
		if a.Source.Country != "" {
			e.Source.Geo = &ecsGeo{a.Source.Country}
		}
		if a.Source.ASN > 0 {
			e.Source.AS = &ecsAS{a.Source.ASN}
		}
	}
	return e
}
