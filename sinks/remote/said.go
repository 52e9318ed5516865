package remote

import (
	"regexp"

	"noroshi/sinks"
)

// maxText is how many characters of an answer or a fault are told.
const maxText = 200

// Refusal is the error of an answer that is no success, by its status.
func (c *Client) Refusal(a *Answer) error {
	return sinks.ByStatus(c.Status(a, string(a.Body)), a.RetryAfter)
}

// Status is an answer for people: its status, and what it says.
func (c *Client) Status(a *Answer, says string) sinks.Status {
	return sinks.Status{Code: a.Status, Text: c.Said(says)}
}

// repeats is what shows that an answer repeats a request: a signature, a header with its value, the beginning of the body.
var repeats = regexp.MustCompile(`(?i)\bv1,[a-z0-9+/]{43}=|webhook-timestamp\W{1,8}\d{9}|webhook-id\W{1,8}alrt_|noroshi\.alert\.\w+\W{1,8}timestamp|schema\W{1,8}noroshi\.alert/`)
