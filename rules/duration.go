package rules

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/diag"
	"noroshi/internal/strictyaml"
	"noroshi/rules/kind"
)

// durationPattern is a time such as 90s, 10m, 1h30m, 7d: units from large to small, each once.
var durationPattern = regexp.MustCompile(`^([0-9]+(\.[0-9]+)?d)?([0-9]+(\.[0-9]+)?h)?([0-9]+(\.[0-9]+)?m)?([0-9]+(\.[0-9]+)?s)?$`)

// bucket is a duration, or each: 0.
func (f *form) bucket(key kind.Key, n *yaml.Node) time.Duration {
	if n.Kind == yaml.ScalarNode && n.Value == "each" {
		return 0
	}
	if _, ok := parseDuration(n.Value); ok && n.Kind == yaml.ScalarNode {
		return f.duration(key, n)
	}
	p := f.doc.At(n, "duration", "expected each, or a time such as 10m, 1h or 1d, got "+strictyaml.Kind(n)+withUnits(key, n))
	if p.Suggestion = plainDuration(n); strings.EqualFold(n.Value, "each") || strings.EqualFold(n.Value, "always") {
		p.Suggestion = "each"
	}
	return 0
}

// duration is a time within the key's bounds.
func (f *form) duration(key kind.Key, n *yaml.Node) time.Duration {
	t, ok := parseDuration(n.Value)
	if n.Kind != yaml.ScalarNode || !ok {
		message := "expected a time such as 90s, 10m, 2h or 7d, got " + strictyaml.Kind(n)
		f.doc.At(n, "duration", message+withUnits(key, n)).Suggestion = plainDuration(n)
		return 0
	}
	if least, most := seconds(key.Least), seconds(mostOf(key)); t < least || t > most {
		f.doc.At(n, "value", fmt.Sprintf("%s lies outside %s to %s", n.Value, shortDuration(least), shortDuration(most)))
	}
	return t
}

// withUnits asks which unit a number means, of those with which it lies within the key's bounds; "" where it is no number.
func withUnits(key kind.Key, n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" {
		return ""
	}
	var all []string
	for _, unit := range [...]string{"s", "m", "h", "d"} {
		t, ok := parseDuration(n.Value + unit)
		if ok && t > 0 && t >= seconds(key.Least) && t <= seconds(mostOf(key)) {
			all = append(all, n.Value+unit)
		}
	}
	return ", which has no unit" + diag.Either(all)
}

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }

func parseDuration(text string) (time.Duration, bool) {
	if text == "" || !durationPattern.MatchString(text) {
		return 0, false
	}
	days, rest, more := strings.Cut(text, "d")
	if !more {
		days, rest = "0", text
	}
	n, err := strconv.ParseFloat(days, 64)
	if err != nil || n > 1e5 {
		return 0, false
	}
	t := time.Duration(0)
	if rest != "" {
		if t, err = time.ParseDuration(rest); err != nil {
			return 0, false
		}
	}
	return time.Duration(n*float64(24*time.Hour)) + t, true
}

// units are the seconds of units in words, without the s of several.
var units = map[string]float64{
	"s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hr": 3600, "hour": 3600, "d": 86400, "day": 86400, "w": 604800, "wk": 604800, "week": 604800, "month": 2592000,
}

var (
	worded   = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)\s*([a-z]+?)s?$`)
	clock    = regexp.MustCompile(`^([0-9]{1,2}):([0-9]{2}):([0-9]{2})$`)
	isoSpan  = regexp.MustCompile(`^p(?:([0-9]+)d)?t?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?$`)
	isoUnits = []float64{86400, 3600, 60, 1}
)

// plainDuration is how a time in other words is written, "" where nobody can tell.
func plainDuration(n *yaml.Node) string {
	text := strings.ToLower(strings.TrimSpace(n.Value))
	total := 0.0
	switch m := worded.FindStringSubmatch(text); {
	case n.Kind != yaml.ScalarNode || strings.HasSuffix(text, "ms"):
		return ""
	case n.Tag == "!!int": // seconds, minutes or days: nobody can tell
		return ""
	case m != nil:
		count, _ := strconv.ParseFloat(m[1], 64)
		unit, ok := units[m[2]]
		if m[2] == "" {
			unit, ok = 1, true // the s of seconds
		}
		if !ok {
			return ""
		}
		total = count * unit
	case clock.MatchString(text):
		total = summed(clock.FindStringSubmatch(text)[1:], isoUnits[1:])
	case isoSpan.MatchString(text):
		total = summed(isoSpan.FindStringSubmatch(text)[1:], isoUnits)
	case len(strings.Fields(text)) > 1:
		if joined := strings.Join(strings.Fields(text), ""); durationPattern.MatchString(joined) {
			return joined
		}
	}
	if total < 1 || total != float64(int64(total)) || total > 1e9 {
		return ""
	}
	return shortDuration(seconds(total))
}

func summed(parts []string, units []float64) (total float64) {
	for i, p := range parts {
		n, _ := strconv.ParseFloat(p, 64)
		total += n * units[i]
	}
	return total
}

// shortDuration is a duration as authors write it.
func shortDuration(t time.Duration) string {
	for _, u := range []struct {
		name string
		of   time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}} {
		if t >= u.of && t%u.of == 0 {
			return fmt.Sprintf("%d%s", t/u.of, u.name)
		}
	}
	return fmt.Sprintf("%ds", t/time.Second)
}
