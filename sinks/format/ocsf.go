package format

import (
	"encoding/json"
	"strings"

	"noroshi/internal/alert"
	"noroshi/sinks"
)

// ocsfVersion is the version of the schema that findings are of.
const ocsfVersion = "1.5.0"

// The numbers of a Detection Finding.
// Source: OCSF 1.5.0, class detection_finding.
const (
	findings         = 2
	detectionFinding = 2004
)

// ocsfSeverities are severity_id.
var ocsfSeverities = map[string]int{"info": 1, "low": 2, "medium": 3, "high": 4, "critical": 5}

// ocsfActivities are activity_id: create, update, close.
var ocsfActivities = map[alert.Status]int{alert.Firing: 1, alert.Updated: 2, alert.Withdrawn: 3}

var ocsfNames = []string{"Unknown", "Create", "Update", "Close"}

// captions are the names of severities.
var captions = map[string]string{"info": "Informational", "low": "Low", "medium": "Medium", "high": "High", "critical": "Critical"}

type object map[string]any

func ocsfOf(a *alert.Alert, m *sinks.Message) object {
	activity := ocsfActivities[a.Status]
	status := 1 // new
	if a.Status == alert.Withdrawn {
		status = 4 // resolved
	}
	o := object{
		"activity_id": activity, "category_uid": findings, "class_uid": detectionFinding, "type_uid": detectionFinding*100 + activity,
		"category_name": "Findings", "class_name": "Detection Finding", "activity_name": ocsfNames[activity], "severity": captions[a.Severity],
		"severity_id": ocsfSeverities[a.Severity], "status_id": status, "time": a.Time.UnixMilli(), "start_time": a.Window.First.UnixMilli(), "end_time": a.Window.Last.UnixMilli(),
		"count": a.Window.Count, "message": a.Summary, "is_alert": true,
		"metadata": object{"version": ocsfVersion, "uid": m.Key(), "log_name": "noroshi.alerts", "tenant_uid": a.Tenant, "correlation_uid": a.DedupKey, "profiles": []string{"security_control", "cloud"},
			"product": object{"name": "Noroshi", "vendor_name": "Noroshi"}},
		"cloud":        object{"provider": "Azure", "account": object{"uid": a.Tenant, "name": a.Tenant, "type_id": 6}}, // an AAD account
		"finding_info": ocsfFinding(a),
		"resources":    []object{{"name": a.Account, "type": "User"}},
		"evidences":    ocsfEvidences(a),
		"observables":  ocsfObservables(a),
		"unmapped":     object{"noroshi": json.RawMessage(m.Body)},
	}
	if steps := remediation(a); steps != "" {
		o["remediation"] = object{"desc": steps}
	}
	return o
}

func ocsfFinding(a *alert.Alert) object {
	f := object{"uid": a.ID, "title": a.Rule.Title, "desc": a.Summary, "created_time": a.Time.UnixMilli(), "first_seen_time": a.Window.First.UnixMilli(), "last_seen_time": a.Window.Last.UnixMilli(),
		"types": []string{a.Rule.Class}, "analytic": object{"uid": a.Rule.ID, "name": a.Rule.Title, "version": a.Rule.Revision, "type_id": 1}, "data_sources": datasets(a)}
	var attacks []object
	for _, id := range a.Rule.Attack {
		one := object{"technique": object{"uid": id, "name": id}}
		if parent, _, sub := strings.Cut(id, "."); sub {
			one = object{"technique": object{"uid": parent, "name": parent}, "sub_technique": object{"uid": id, "name": id}}
		}
		attacks = append(attacks, one)
	}
	if attacks != nil {
		f["attacks"] = attacks
	}
	return f
}

func datasets(a *alert.Alert) []string {
	all, seen := []string{}, map[string]bool{}
	for i := range a.Evidence {
		if d := a.Evidence[i].Dataset; d != "" && !seen[d] {
			seen[d] = true
			all = append(all, d)
		}
	}
	return all
}

func ocsfEvidences(a *alert.Alert) []object {
	all := []object{}
	for i := range a.Evidence {
		e := &a.Evidence[i]
		one := object{"actor": object{"user": object{"name": a.Actor.Name, "uid": a.Actor.ID}}, "api": object{"operation": e.Action}, "data": object{"id": e.ID, "time": e.Time.UnixMilli(), "dataset": e.Dataset, "facts": e.Facts}}
		if ip := address(e.SourceIP); ip != "" {
			end := object{"ip": ip}
			if ip == address(a.Source.IP) && a.Source.Country != "" {
				end["location"] = object{"country": a.Source.Country}
			}
			one["src_endpoint"] = end
		}
		all = append(all, one)
	}
	return all
}

// ocsfObservables are values to look for: type_id 2 is an address, 4 a user's name.
func ocsfObservables(a *alert.Alert) []object {
	all := []object{}
	for _, ip := range addresses(a) {
		all = append(all, object{"name": "evidences.src_endpoint.ip", "type_id": 2, "value": ip})
	}
	if a.Account != "" {
		all = append(all, object{"name": "resources.name", "type_id": 4, "value": a.Account})
	}
	return all
}

// remediation is the steps to take, one a line.
func remediation(a *alert.Alert) string {
	var b strings.Builder
	for _, r := range a.Respond {
		b.WriteString(r.Text)
		if r.Command != "" {
			b.WriteString(" " + r.Command)
		}
		b.WriteByte('\n')
	}
	return strings.TrimSuffix(b.String(), "\n")
}
