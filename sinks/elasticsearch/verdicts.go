package elasticsearch

import (
	"encoding/json"
	"fmt"

	"noroshi/sinks"
	"noroshi/sinks/remote"
)

// said is an answer of the bulk interface.
type said struct {
	Errors *bool                   `json:"errors"`
	Items  []map[string]itemAnswer `json:"items"`
}

// itemAnswer is what it says of one item.
type itemAnswer struct {
	Status int `json:"status"`
	Error  struct {
		Type   string `json:"type"`
		Reason string `json:"reason"`
		Cause  struct {
			Reason string `json:"reason"`
		} `json:"caused_by"`
	} `json:"error"`
}

// judge makes of an answer what it means for each alert of a request.
func (s *Sink) judge(a *remote.Answer, messages int) error {
	if !a.OK() {
		return s.client.Refusal(a)
	}
	if a.Err != nil {
		return &sinks.Fault{Cause: a.Err}
	}
	var all said
	if err := json.Unmarshal(a.Body, &all); err != nil || all.Errors == nil || len(all.Items) != messages {
		return &sinks.Fault{Cause: fmt.Errorf("post alerts: %s: status %d, but the answer is not that of a bulk request of %d items; is the url right?", s.client.Host(), a.Status, messages)}
	}
	verdicts, bad := make(sinks.Verdicts, messages), false
	for i, item := range all.Items {
		for _, one := range item { // there is one, called create
			verdicts[i] = s.item(one, a)
		}
		bad = bad || verdicts[i] != nil
	}
	if bad {
		return verdicts
	}
	return nil
}

// ofIndex are errors of status 400 that are the index's or the cluster's fault, not the alert's.
var ofIndex = map[string]bool{
	"index_closed_exception":       true,
	"invalid_index_name_exception": true,
	"validation_exception":         true, // the cluster has as many shards as it may
}

// item is the verdict on one alert.
func (s *Sink) item(one itemAnswer, a *remote.Answer) error {
	if one.Status/100 == 2 || one.Status == 409 { // it was there already
		return nil
	}
	reason := one.Error.Reason
	if one.Error.Cause.Reason != "" {
		reason += ": " + one.Error.Cause.Reason
	}
	cause := sinks.Status{Code: one.Status, Text: s.client.Said(one.Error.Type + ": " + reason)}
	if (one.Status == 400 || one.Status == 413 || one.Status == 422) && !ofIndex[one.Error.Type] {
		return &sinks.Refused{Cause: cause}
	}
	return &sinks.Fault{Cause: cause, RetryAfter: a.RetryAfter}
}
