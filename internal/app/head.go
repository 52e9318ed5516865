package app

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"noroshi/internal/alert"
	"noroshi/internal/bus"
	"noroshi/internal/decode"
)

// alertHead is what is read of an alert on its way out.
type alertHead struct {
	ID       string    `json:"id"`
	Revision int       `json:"revision"`
	Status   string    `json:"status"`
	Time     time.Time `json:"time"`
	Rule     struct {
		ID    string `json:"id"`
		Class string `json:"class"`
	} `json:"rule"`
	Tenant   string `json:"tenant"`
	Account  string `json:"account"`
	Severity string `json:"severity"`
}

// headerSchema says what a record on the topic alerts is.
const headerSchema = "schema"

// The headers that hold the head of an alert, so that a sink need not read the whole.
const (
	headerID       = "id"
	headerRevision = "revision"
	headerStatus   = "status"
	headerTime     = "time"
	headerRule     = "rule"
	headerClass    = "class"
	headerTenant   = "tenant"
	headerAccount  = "account"
	headerSeverity = "severity"

	headHeaders = 9
)

// headerTrace is where the trace of an alert has come to, as OpenTelemetry writes it. Alerts without a trace have none.
const headerTrace = "traceparent"

// alertRecord is an alert on its topic.
func alertRecord(key []byte, a *alert.Alert) bus.Record {
	headers := make([]bus.Header, 0, 2+headHeaders)
	for _, h := range [...]struct{ key, text string }{
		{headerSchema, alert.Schema}, {headerID, a.ID}, {headerRevision, strconv.Itoa(a.Revision)}, {headerStatus, string(a.Status)},
		{headerTime, decode.FormatTime(a.Time)}, {headerRule, a.Rule.ID}, {headerClass, a.Rule.Class}, {headerTenant, a.Tenant}, {headerAccount, a.Account}, {headerSeverity, a.Severity},
	} {
		headers = append(headers, bus.Header{Key: h.key, Value: []byte(h.text)})
	}
	if a.Traceparent != "" {
		headers = append(headers, bus.Header{Key: headerTrace, Value: []byte(a.Traceparent)})
	}
	return bus.Record{Topic: bus.Alerts, Key: key, Value: a.AppendJSON(nil), Headers: headers}
}

// headOf is the head of an alert: as its headers have it, or of one without them, which an earlier version wrote, as the alert itself.
func headOf(rec *bus.Record) (alertHead, error) {
	if h, ok := headed(rec); ok {
		return h, nil
	}
	var h alertHead
	if err := json.Unmarshal(rec.Value, &h); err != nil {
		return h, fmt.Errorf("read alert: %w", err)
	}
	return h, nil
}

// headed is the head that the headers hold, if they hold the whole.
func headed(rec *bus.Record) (h alertHead, ok bool) {
	n := 0
	for i := range rec.Headers {
		var err error
		text := string(rec.Headers[i].Value)
		n++
		switch rec.Headers[i].Key {
		case headerID:
			h.ID = text
		case headerRevision:
			h.Revision, err = strconv.Atoi(text)
		case headerStatus:
			h.Status = text
		case headerTime:
			h.Time, err = time.Parse(time.RFC3339Nano, text)
		case headerRule:
			h.Rule.ID = text
		case headerClass:
			h.Rule.Class = text
		case headerTenant:
			h.Tenant = text
		case headerAccount:
			h.Account = text
		case headerSeverity:
			h.Severity = text
		default:
			n--
		}
		if err != nil {
			return h, false
		}
	}
	return h, n == headHeaders
}
