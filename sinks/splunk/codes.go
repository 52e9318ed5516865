package splunk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"noroshi/sinks"
	"noroshi/sinks/remote"
)

// code is an answer with a code of the collector that is no success.
type code struct {
	said answer
	from *remote.Answer
}

func (c *code) Error() string { return fmt.Sprintf("code %d", *c.said.Code) }

// ofEvents are the codes of a fault in an event; all others are of the collector, the token or the index.
// Source: Splunk Enterprise, "Troubleshoot HTTP Event Collector", possible error codes.
var ofEvents = map[int]bool{
	5:  true, // no data
	6:  true, // invalid data format
	12: true, // event field is required
	13: true, // event field cannot be blank
	15: true, // error in handling indexed fields
}

// hints say what to do about a code.
var hints = map[int]string{
	1: "the token is disabled", 2: "the token is missing", 3: "the token is not taken", 4: "the token is unknown: check the key token",
	7: "the token may not write to this index: check the key index, and the token's indexes", 9: "the collector is busy", 10: "the token wants acknowledgements: ack: true",
	14: "the token gives no acknowledgements: ack: false",
}

// judge makes of a collector's code what it means for the alerts of a request.
func (s *Sink) judge(a *remote.Answer, err error, messages int) error {
	var c *code
	if !errors.As(err, &c) {
		return err
	}
	n := *c.said.Code
	text := fmt.Sprintf("code %d, %s", n, c.said.Text)
	if hint := hints[n]; hint != "" {
		text += "; " + hint
	}
	status := s.client.Status(a, text)
	if !ofEvents[n] {
		return &sinks.Fault{Cause: status, RetryAfter: a.RetryAfter}
	}
	at := c.said.Event
	if at == nil || *at < 0 || *at >= messages || messages == 1 {
		return &sinks.Refused{Cause: status}
	}
	all := make(sinks.Verdicts, messages) // the collector names the event, and takes none behind it
	for i := range all {
		all[i] = &sinks.Fault{Cause: fmt.Errorf("post alerts: another alert of the request is refused")}
	}
	all[*at] = &sinks.Refused{Cause: status}
	return all
}

// How long and how often the collector is asked whether it has indexed.
const (
	firstAsk   = 100 * time.Millisecond
	longestAsk = 5 * time.Second
	ackWithin  = time.Minute
)

// await asks until the collector has indexed what it has taken. Without that within a minute the alerts are sent again.
func (s *Sink) await(ctx context.Context, id *int64) error {
	if id == nil {
		return &sinks.Fault{Cause: fmt.Errorf("post alerts: %s: the answer holds no ackId: the token gives no acknowledgements; ack: false", s.client.Host())}
	}
	ctx, cancel := context.WithTimeout(ctx, ackWithin)
	defer cancel()
	for wait := firstAsk; ; wait = min(2*wait, longestAsk) {
		done, err := s.indexed(ctx, *id)
		if err != nil || done {
			return err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return &sinks.Fault{Cause: fmt.Errorf("post alerts: %s: no acknowledgement within %v", s.client.Host(), ackWithin)}
		}
	}
}

// indexed asks once.
func (s *Sink) indexed(ctx context.Context, id int64) (bool, error) {
	r := s.request(ackPath, fmt.Appendf(nil, `{"acks":[%d]}`, id))
	r.Query = map[string][]string{"channel": {s.channel}}
	a, err := s.client.Do(ctx, r)
	if err != nil {
		return false, err
	}
	var said struct {
		Acks map[string]bool `json:"acks"`
	}
	if !a.OK() || a.Err != nil || json.Unmarshal(a.Body, &said) != nil {
		return false, &sinks.Fault{Cause: fmt.Errorf("ask for the acknowledgement: %w", s.client.Status(a, string(a.Body))), RetryAfter: a.RetryAfter}
	}
	return said.Acks[strconv.FormatInt(id, 10)], nil
}
