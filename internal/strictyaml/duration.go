package strictyaml

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/diag"
)

var durationPattern = regexp.MustCompile(`^([0-9]+)(ms|s|m|h|d)$`)

// Duration reads a number with ms, s, m, h or d.
func (d *Doc) Duration(n *yaml.Node) time.Duration {
	d.Expect(n, Form{Type: TypeSpan})
	m := durationPattern.FindStringSubmatch(n.Value)
	if n.Kind != yaml.ScalarNode || m == nil {
		got := d.Kind(n) + unitless(n)
		if n.Kind == yaml.ScalarNode && durationPattern.MatchString(strings.TrimPrefix(n.Value, "-")) {
			got = "a time below zero"
		}
		d.At(n, "value", "expected a duration such as 250ms, 10s, 5m, 2h or 1d, got "+got)
		return 0
	}
	var v int64
	if _, err := fmt.Sscan(m[1], &v); err != nil || v > 1<<31 {
		d.At(n, "value", "the duration is too long")
		return 0
	}
	return time.Duration(v) * map[string]time.Duration{"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}[m[2]]
}

// unitless is the message for a number without a unit; it is "" if the value has one or is no number.
func unitless(n *yaml.Node) string {
	switch {
	case n.Kind != yaml.ScalarNode || n.Tag != "!!int":
		return ""
	case len(n.Value) > 4 || strings.Trim(n.Value, "0123456789") != "": // it may be anything, and is not repeated
		return ", which has no unit"
	}
	return ", which has no unit" + diag.Either([]string{n.Value + "s", n.Value + "m", n.Value + "h"})
}
