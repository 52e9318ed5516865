package decode

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"noroshi/internal/decode/projector"
	"noroshi/internal/event"
)

// when is the time of the record at hand and what gave it: the record itself, or its envelope or a record around it; "" where
// nothing did. A record that itself tells an impossible year, and no other time, is wrong: nothing around it stands in for it.
func (r *Reader) when() (t time.Time, from string, err error) {
	if t, from, err = r.ownTime(); from != "" || err != nil {
		return t, from, err
	}
	for _, a := range r.around {
		back := r.stepInto(a)
		t, from, err = r.ownTime()
		if back(); from == "" && err == nil {
			continue
		}
		if a.view.shape == event.Other && from != "" { // when somebody passed it on
			from = "envelope"
		}
		return t, from, err
	}
	return t, "", nil
}

func (r *Reader) ownTime() (t time.Time, from string, err error) {
	for _, i := range r.view.slots[event.Time].feeds {
		text := r.timeText(i)
		if text == "" {
			continue
		}
		enveloped := r.view.shape != event.UAL && r.view.paths[i] == "time"
		if enveloped && err != nil {
			continue
		}
		t, ok := readTime(text)
		switch {
		case !ok:
		case !representable(t):
			err = fmt.Errorf("%s is in the year %04d; expected %d to %d", lastStep(r.view.paths[i]), t.Year(), firstYear, lastYear)
		case enveloped:
			return t, "envelope", nil
		default:
			return t, "record", nil
		}
	}
	return t, "", err
}

// timeText is the text of a time. Windows PowerShell writes an object of it where it was a DateTime: {"value":"/Date(…)/","DateTime":"…"}.
func (r *Reader) timeText(i int32) string {
	if r.x.Values[i].Kind != projector.Object {
		return r.scalar(i)
	}
	var date struct{ Value string }
	if json.Unmarshal(r.x.Raw(int(i)), &date) != nil {
		return ""
	}
	return date.Value
}

// unreadableTime tells of the first time of the record at hand that stands there and cannot be read, or nil if there is none.
func (r *Reader) unreadableTime() error {
	for _, i := range r.view.slots[event.Time].feeds {
		text := strings.TrimPrefix(r.timeText(i), "? ") // see ingest, columns of tables
		if _, ok := readTime(text); text != "" && !ok {
			return fmt.Errorf("%s is %.40q, which cannot be read without doubt; export times in UTC, and in English (United States) or RFC 3339", lastStep(r.view.paths[i]), text)
		}
	}
	return nil
}

// lastStep is the name of the member that a path leads to.
func lastStep(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// The years that 64 bits of nanoseconds since 1970 hold whole.
const (
	firstYear = 1678
	lastYear  = 2261
)

var (
	firstSecond = moment(firstYear, 1, 1, 0, 0).Unix()
	endSecond   = moment(lastYear+1, 1, 1, 0, 0).Unix()
)

func representable(t time.Time) bool { s := t.Unix(); return s >= firstSecond && s < endSecond }

// Time reads the notations of time that audit records hold: RFC 3339 with a T or a blank, any number of decimals, with Z, an
// offset or no zone, which means UTC; month/day/year with a clock of 12 or 24 hours; and /Date(milliseconds)/. The result is UTC. A year before 1678 or after 2261 is
// not readable.
func Time(s string) (time.Time, bool) {
	t, ok := readTime(s)
	return t, ok && representable(t)
}

// readTime reads a time of any year.
func readTime(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	if len(s) >= 19 && s[4] == '-' {
		return iso(s)
	}
	if digits, ok := strings.CutPrefix(s, "/Date("); ok {
		return epoch(digits)
	}
	return american(s)
}

// epoch reads what follows "/Date(" in OData's older JSON: milliseconds since 1970, an offset that changes nothing, ")/".
func epoch(s string) (t time.Time, ok bool) {
	s, ok = strings.CutSuffix(s, ")/")
	if i := strings.LastIndexAny(s, "+-"); i > 0 {
		s = s[:i]
	}
	ms, err := strconv.ParseInt(s, 10, 64)
	if !ok || err != nil || ms < -99_999_999_999_999 || ms > 999_999_999_999_999 {
		return t, false
	}
	return time.UnixMilli(ms).UTC(), true
}

func iso(s string) (t time.Time, ok bool) {
	if s[7] != '-' || s[10] != 'T' && s[10] != ' ' && s[10] != 't' || s[13] != ':' || s[16] != ':' {
		return t, false
	}
	year, ok1 := number(s[0:4])
	month, ok2 := number(s[5:7])
	day, ok3 := number(s[8:10])
	hour, ok4 := number(s[11:13])
	minute, ok5 := number(s[14:16])
	second, ok6 := number(s[17:19])
	if !(ok1 && ok2 && ok3 && ok4 && ok5 && ok6) {
		return t, false
	}
	nanos, rest := decimals(s[19:])
	offset, ok := zone(rest)
	if !ok || !valid(year, month, day, hour, minute, second) {
		return t, false
	}
	return moment(year, month, day, (hour*60+minute)*60+second, nanos).Add(-offset), true
}

// moment is time.Date for numbers that are known to be a day and a time of day, without its care for others.
func moment(year, month, day, seconds, nanos int) time.Time {
	if year < 2 {
		return time.Date(year, time.Month(month), day, 0, 0, seconds, nanos, time.UTC)
	}
	if month <= 2 { // the year begins in March, so that the leap day is its last
		year, month = year-1, month+12
	}
	days := 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 - 719468
	return time.Unix(int64(days)*86400+int64(seconds), int64(nanos)).UTC()
}

// lengths are those of the months, from January.
var lengths = [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// monthLength is the number of days of a month.
func monthLength(year, month int) int {
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		return 29
	}
	return lengths[month-1]
}

// valid reports whether the numbers are a day and a time of day; a leap second counts as the next minute.
func valid(year, month, day, hour, minute, second int) bool {
	return month >= 1 && month <= 12 && day >= 1 && day <= monthLength(year, month) &&
		hour < 24 && minute < 60 && second <= 60
}

// decimals are the nanoseconds of a fraction and what follows it.
func decimals(s string) (nanos int, rest string) {
	if s == "" || s[0] != '.' && s[0] != ',' {
		return 0, s
	}
	i, unit := 1, 100_000_000
	for ; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		nanos += int(s[i]-'0') * unit
		unit /= 10
	}
	return nanos, s[i:]
}

// zone is the offset from UTC that the end of a time tells.
func zone(s string) (time.Duration, bool) {
	s = strings.TrimLeft(s, " ")
	if s == "" || s == "Z" || s == "z" || s == "UTC" || s == "+0000 UTC" {
		return 0, true
	}
	if s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	digits := make([]byte, 0, 4)
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == ':':
		case len(digits) == 4:
			return 0, false
		default:
			digits = append(digits, s[i])
		}
	}
	if len(digits) != 4 {
		return 0, false
	}
	hours, ok1 := number(string(digits[:2]))
	minutes, ok2 := number(string(digits[2:]))
	d := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if s[0] == '-' {
		d = -d
	}
	return d, ok1 && ok2 && hours < 24 && minutes < 60
}

// number reads a number of digits alone.
func number(s string) (n int, ok bool) {
	if s == "" || len(s) > 4 {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}

// american reads 8/22/2022 6:07:16 PM and 8/22/2022 18:07:16, both UTC.
func american(s string) (t time.Time, ok bool) {
	date, clock, ok := strings.Cut(s, " ")
	if !ok {
		return t, false
	}
	date = strings.TrimSuffix(date, ",")
	clock, half, twelve := strings.Cut(clock, " ")
	d, c := strings.Split(date, "/"), strings.Split(clock, ":")
	if len(d) != 3 || len(c) < 2 || len(c) > 3 || len(d[2]) != 4 {
		return t, false
	}
	nanos := 0
	if len(c) == 3 {
		whole := c[2]
		if i := strings.IndexByte(whole, '.'); i >= 0 {
			nanos, _ = decimals(whole[i:])
			c[2] = whole[:i]
		}
	}
	var n [6]int
	for i, part := range append(d, c...) {
		if n[i], ok = number(part); !ok {
			return t, false
		}
	}
	month, day, year, hour, minute, second := n[0], n[1], n[2], n[3], n[4], n[5]
	if twelve {
		if hour < 1 || hour > 12 || !strings.EqualFold(half, "AM") && !strings.EqualFold(half, "PM") {
			return t, false
		}
		if hour %= 12; strings.EqualFold(half, "PM") {
			hour += 12
		}
	}
	if !valid(year, month, day, hour, minute, second) {
		return t, false
	}
	return moment(year, month, day, (hour*60+minute)*60+second, nanos), true
}
