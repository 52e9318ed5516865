package event

import "time"

// AppendTime appends a time as all output has it: UTC, RFC 3339, with milliseconds, and more where there are more. Every record has
// one among its headers, so it is written without a format.
func AppendTime(to []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return appendFar(to, t)
	}
	hour, minute, second := t.Clock()
	to = append(digits(append(digits(append(digits(to, year, 4), '-'), int(month), 2), '-'), day, 2), 'T')
	to = append(digits(append(digits(append(digits(to, hour, 2), ':'), minute, 2), ':'), second, 2), '.')
	if nanos := t.Nanosecond(); nanos%1_000_000 != 0 {
		to = digits(to, nanos, 9)
	} else {
		to = digits(to, nanos/1_000_000, 3)
	}
	return append(to, 'Z')
}

// appendFar appends a time of a year that has not four digits.
func appendFar(to []byte, t time.Time) []byte {
	if t.Nanosecond()%1_000_000 == 0 {
		return t.AppendFormat(to, "2006-01-02T15:04:05.000Z")
	}
	return t.AppendFormat(to, "2006-01-02T15:04:05.000000000Z")
}

// digits appends the last so many digits of a number.
func digits(to []byte, n, count int) []byte {
	from := len(to)
	to = append(to, "000000000"[:count]...)
	for i := len(to) - 1; i >= from; i-- {
		to[i] = byte('0' + n%10)
		n /= 10
	}
	return to
}
