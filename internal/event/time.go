package event

import "time"

// AppendTime appends a time as all output has it: UTC, RFC 3339, with milliseconds, and more where there are more.
func AppendTime(to []byte, t time.Time) []byte {
	if t = t.UTC(); t.Nanosecond()%1_000_000 == 0 {
		return t.AppendFormat(to, "2006-01-02T15:04:05.000Z")
	}
	return t.AppendFormat(to, "2006-01-02T15:04:05.000000000Z")
}
