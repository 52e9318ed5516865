package sinks

import "time"

// Terms are what a configuration says about the delivery to a sink, whatever its kind.
type Terms struct {
	Wants  func(*Message) bool // which messages it is for; nil: all
	MaxAge time.Duration       // messages that have waited longer come as one summary; 0: each comes by itself
	Every  time.Duration       // at least so long from one message to the next; 0: no limit
	Redact *Redaction          // what the destination is not to know; nil: it gets all
}
