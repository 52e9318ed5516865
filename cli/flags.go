package cli

import (
	"strings"
)

// takes is what a flag takes, by the function of the library that has refused a value.
var takes = map[string]string{
	"ParseBool": "expected true or false", "ParseInt": "expected a whole number", "ParseUint": "expected a whole number, 0 or more",
	"ParseFloat": "expected a number", "Atoi": "expected a whole number",
}

// flagError says in plain words why a flag is refused.
func flagError(message string) string {
	head, tail, ok := strings.Cut(message, "strconv.")
	if function, _, parsed := strings.Cut(tail, ":"); ok && parsed && takes[function] != "" {
		message = head + takes[function]
	}
	if head, _, ok := strings.Cut(message, "time: "); ok {
		message = head + "expected a duration such as 30s, 5m or 2h"
	}
	return message
}
