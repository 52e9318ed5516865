package incident

import (
	"reflect"
	"strconv"
	"strings"
	"time"

	"noroshi/internal/alert"
	"noroshi/internal/event"
)

// MarshalJSON writes the incident as every output has it; the same incident gives the same bytes.
func (i *Incident) MarshalJSON() ([]byte, error) { return i.AppendJSON(nil), nil }

// AppendJSON appends the incident's JSON: one line without its newline, members in fixed order, times in UTC with at least three decimals,
// and no character that nobody sees.
func (i *Incident) AppendJSON(to []byte) []byte {
	type plain Incident // of the same members, without these methods
	return appendJSON(to, reflect.ValueOf((*plain)(i)).Elem())
}

var timeType = reflect.TypeFor[time.Time]()

// appendJSON appends what members of an incident may be. Lists that hold nothing are [].
func appendJSON(to []byte, v reflect.Value) []byte {
	switch v.Kind() {
	case reflect.String:
		return alert.AppendQuoted(to, v.String())
	case reflect.Int:
		return strconv.AppendInt(to, v.Int(), 10)
	case reflect.Bool:
		return strconv.AppendBool(to, v.Bool())
	case reflect.Slice:
		to = append(to, '[')
		for n := range v.Len() {
			if n > 0 {
				to = append(to, ',')
			}
			to = appendJSON(to, v.Index(n))
		}
		return append(to, ']')
	case reflect.Map:
		return appendCounts(to, v.Interface().(map[string]int))
	}
	if v.Type() == timeType {
		return append(event.AppendTime(append(to, '"'), v.Interface().(time.Time)), '"')
	}
	return appendMembers(to, v)
}

func appendMembers(to []byte, v reflect.Value) []byte {
	to = append(to, '{')
	first := true
	for n := range v.NumField() {
		name, option, _ := strings.Cut(v.Type().Field(n).Tag.Get("json"), ",")
		member := v.Field(n)
		if option != "" && (member.IsZero() || member.Kind() == reflect.Slice && member.Len() == 0) {
			continue
		}
		if !first {
			to = append(to, ',')
		}
		first = false
		to = append(append(append(to, '"'), name...), `":`...)
		to = appendJSON(to, member)
	}
	return append(to, '}')
}

func appendCounts(to []byte, m map[string]int) []byte {
	to = append(to, '{')
	for n, key := range sorted(m) {
		if n > 0 {
			to = append(to, ',')
		}
		to = strconv.AppendInt(append(alert.AppendQuoted(to, key), ':'), int64(m[key]), 10)
	}
	return append(to, '}')
}
