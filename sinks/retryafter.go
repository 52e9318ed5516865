package sinks

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// longestRetryAfter bounds what a destination can ask for.
const longestRetryAfter = time.Hour

// RetryAfter reads the header of that name, seconds or a date; or 0 if it is neither. At most an hour.
// Source: RFC 9110 §10.2.3.
func RetryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	switch n, err := strconv.ParseUint(value, 10, 32); {
	case err == nil:
		return min(time.Duration(n)*time.Second, longestRetryAfter)
	case errors.Is(err, strconv.ErrRange): // digits all the same
		return longestRetryAfter
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(now), 0), longestRetryAfter)
	}
	return 0
}
