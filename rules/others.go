package rules

// otherKeys are what rules of other programs call the keys of ours, lower case.
var otherKeys = map[string]string{
	"condition": "when", "conditions": "when", "detection": "when", "query": "when", "filter": "when", "match": "when", "if": "when", "expression": "when", "expr": "when", "where": "when",
	"level": "severity", "priority": "severity", "risk": "severity", "name": "title id", "rule_id": "id", "ruleid": "id", "uuid": "id", "type": "kind",
	"tags": "attack", "mitre": "attack", "mitre_attack": "attack", "techniques": "attack", "technique": "attack", "score": "points", "risk_score": "points",
	"falsepositives": "false_positives", "false-positives": "false_positives", "exceptions": "unless", "exclude": "unless", "excludes": "unless", "except": "unless", "allow": "unless",
	"group_by": "by", "group-by": "by", "groupby": "by", "timeframe": "within", "timespan": "within", "window": "within", "period": "within", "interval": "within",
	"maxspan": "within", "time_window": "within", "timewindow": "within", "duration": "within", "threshold": "count least", "field": "of", "min": "least", "minimum": "least", "at_least": "least", "gte": "least", "dedup": "repeat", "suppress": "repeat", "throttle": "repeat",
	"message": "summary", "text": "summary", "playbook": "runbook", "actions": "respond", "response": "respond", "remediation": "respond", "links": "references", "reference": "references", "urls": "references",
	"enabled": "state", "disabled": "state", "status": "state", "fields": "facts", "show_fields": "facts",
	"stages": "steps", "sequence": "steps", "rules": "of", "new_terms": "value", "values": "value", "learning": "learn", "learn_for": "learn", "warmup": "learn",
	"reason": "because", "expires": "until", "expiry": "until", "end": "until", "author": "owner",
	"record": "events", "records": "events", "input": "events", "logs": "events", "expect": "want", "expected": "want", "alerts": "want", "result": "want",
}
