package decode

import (
	"unicode/utf8"

	"noroshi/internal/event"
)

// operationNames are the operations that are known, by their names as they are and in lower case.
var operationNames = operationsOf(event.Actions)

// operationEnds holds, by first and last byte, one of these names: few other names share them and cost a look into the map.
var operationEnds = endsOf(event.Actions)

type ends [1 << 14]string

func endsOf(names []string) *ends {
	var all ends
	for _, name := range names {
		if at := &all[end(name)]; *at == "" {
			*at = name
		}
	}
	return &all
}

func end(s string) int { return int(lowerByte(s[0])&0x7f)<<7 | int(lowerByte(s[len(s)-1])&0x7f) }

func operationsOf(all []string) map[string]string {
	names := map[string]string{}
	for _, name := range all {
		names[event.Lower(name)], names[name] = name, name
	}
	return names
}

// knownOperation is an operation as its service spells it, where the name is known but for case and doubled blanks. Any other stays.
func knownOperation(s string) string {
	var folded [112]byte
	if s == "" || len(s) > len(folded) {
		return s
	}
	if alike := operationEnds[end(s)]; alike == "" || alike == s || operationNames[s] == s {
		return s
	}
	n := 0
	for i := range len(s) {
		c := s[i]
		if c >= utf8.RuneSelf {
			return s
		}
		if c == ' ' && n > 0 && folded[n-1] == ' ' {
			continue
		}
		folded[n] = lowerByte(c)
		n++
	}
	if name, ok := operationNames[string(folded[:n])]; ok {
		return name
	}
	return s
}
