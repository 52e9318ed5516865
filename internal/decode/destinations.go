package decode

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode"

	"noroshi/internal/event"
)

// Destinations are the addresses of a list as commands and rules write it: separated by semicolons, commas or line ends, with
// or without smtp:, as "Name" [SMTP:a@b], Name <a@b> or a@b, or all that in a list of JSON; lower case. An alias, a contact's
// name, a distinguished name and an id stay as they are.
func Destinations(s string) (all []string) {
	s = strings.TrimSpace(s)
	if texts, ok := ofJSON(s); ok {
		for _, t := range texts {
			all = append(all, Destinations(t)...)
		}
		return all
	}
	if strings.HasPrefix(s, "{") && strings.HasSuffix(s, "}") { // as PowerShell writes a list
		s = s[1 : len(s)-1]
	}
	for _, one := range split(s) {
		if a := AddressOf(one); a != "" && !noDestination(a) {
			all = append(all, a)
		}
	}
	return all
}

// noDestination reports whether a text stands in the place of a destination that is not there.
func noDestination(s string) bool {
	switch strings.Trim(s, "<>()") {
	case "$null", "null", "not available", "not applicable":
		return true
	}
	return false
}

// ofJSON are the texts of a list, an object or a text of JSON; of an object the address.
func ofJSON(s string) (texts []string, ok bool) {
	if s == "" || s[0] != '[' && s[0] != '{' || !json.Valid([]byte(s)) {
		return nil, false
	}
	var list []json.RawMessage
	if json.Unmarshal([]byte(s), &list) != nil {
		list = []json.RawMessage{json.RawMessage(s)}
	}
	for _, raw := range list {
		var t string
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &t) != nil && json.Unmarshal(raw, &object) == nil {
			t = addressMember(object)
		}
		texts = append(texts, t)
	}
	return texts, true
}

// addressMember is the address that an object of a recipient names.
func addressMember(object map[string]json.RawMessage) string {
	return text(object, "EmailAddress", "Address", "SmtpAddress", "Email", "DisplayName")
}

// split takes a list of destinations apart. Nothing inside quotes or brackets separates. A comma separates where a destination
// ends before it: names and distinguished names hold commas, too.
func split(s string) (all []string) {
	var parts []string // that stand between commas
	part := func(one string) {
		if strings.TrimSpace(one) != "" {
			parts = append(parts, one)
		}
	}
	end := func() {
		all = append(all, joined(parts)...)
		parts = parts[:0]
	}
	from := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\': // of a distinguished name; nothing else escapes what separates
			if strings.HasPrefix(s[i+1:], ",") || strings.HasPrefix(s[i+1:], `\`) {
				i++
			}
		case '"', '[', '<':
			n := closing(s[i:])
			if i += n; n > 0 && endsDestination(s[i-n:i+1]) {
				part(s[from : i+1])
				from = i + 1
				end()
			}
		case ',', ';', '\n', '\r':
			part(s[from:i])
			if from = i + 1; s[i] != ',' {
				end()
			}
		}
	}
	part(s[from:])
	end()
	return all
}

// closing is how far behind a quote or bracket what it opens is closed in the same line, 0 where it is not.
func closing(s string) int {
	with := map[byte]byte{'"': '"', '[': ']', '<': '>'}[s[0]]
	n := max(strings.IndexByte(s[1:], with)+1, 0)
	if strings.ContainsAny(s[:n], "\r\n") {
		return 0
	}
	return n
}

// endsDestination reports whether what stands in brackets is an address, with which a destination ends whatever follows.
func endsDestination(s string) bool {
	return s[0] != '"' && strings.Contains(s, "@") && (s[0] == '<' || kindOf(s[1:]) != "")
}

// kindOf is the kind in front of an address of mail, with its colon.
func kindOf(s string) string {
	for _, kind := range [...]string{"smtp:", "mailto:"} {
		if len(s) > len(kind) && strings.EqualFold(s[:len(kind)], kind) {
			return s[:len(kind)]
		}
	}
	return ""
}

// joined puts together the parts between commas that make up one destination: those of a distinguished name, those of a name before its address, and
// names alone.
func joined(parts []string) (all []string) {
	for len(parts) > 0 {
		n := 1
		switch {
		case hasAttribute(parts[0]):
			for n < len(parts) && hasAttribute(parts[n]) {
				n++
			}
		case !complete(parts[0]):
			for n < len(parts) && !complete(parts[n]) && !hasAttribute(parts[n]) {
				n++
			}
			if n < len(parts) && bracketed(parts[n]) {
				n++
			}
		}
		all = append(all, strings.Join(parts[:n], ","))
		parts = parts[n:]
	}
	return all
}

// complete reports whether a part is a destination without what follows it.
func complete(s string) bool {
	return strings.Contains(s, "@") || bracketed(s) || strings.Contains(s, `"`)
}

func bracketed(s string) bool { return inBrackets(s) != "" }

// inBrackets is the address in the brackets at the end of a destination, or "" if there is none: brackets may also be a part
// of a name.
func inBrackets(s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return ""
	}
	var with byte
	switch s[len(s)-1] {
	case ']':
		with = '['
	case '>':
		with = '<'
	default:
		return ""
	}
	from := strings.LastIndexByte(s, with)
	if from < 0 {
		return ""
	}
	inner := strings.TrimSpace(s[from+1 : len(s)-1])
	kind, _, typed := strings.Cut(inner, ":")
	if strings.Contains(inner, "@") || strings.HasPrefix(inner, "/") || with == '[' && typed && kind != "" && !strings.ContainsAny(kind, " /=") {
		return inner
	}
	return ""
}

// hasAttribute reports whether a part begins as the parts of a distinguished name do, with CN= or the like.
func hasAttribute(s string) bool {
	name, _, ok := strings.Cut(strings.TrimSpace(s), "=")
	return ok && name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.") == ""
}

// AddressOf is the mail address in one destination, lower case; any other text stays as it is, without blanks and quotes around. An
// address can be wrapped more than once: what comes out holds no other one.
func AddressOf(s string) string {
	if bare(s) {
		return event.Lower(s)
	}
	return unwrappedWhole(s)
}

// bare reports whether a destination is surely wrapped in nothing, as most are: it is made of letters and digits of ASCII and of what
// addresses have between them.
func bare(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c|0x20 >= 'a' && c|0x20 <= 'z', c >= '0' && c <= '9', c == '.', c == '-', c == '_', c == '@':
		default:
			return false
		}
	}
	return len(s) < len(imcea) || !strings.EqualFold(s[:len(imcea)], imcea)
}

// unwrappedWhole is a destination without all that it is wrapped in.
func unwrappedWhole(s string) string {
	for {
		inner := unwrapped(s)
		if inner == s || !strings.Contains(inner, "@") {
			return inner
		}
		s = inner
	}
}

// unwrapped is a destination without what it is wrapped in.
func unwrapped(s string) string {
	if t := strings.TrimFunc(s, atTheEdge); strings.HasPrefix(t, "{") && strings.HasSuffix(t, "}") && strings.Contains(t, "@") {
		s = t[1 : len(t)-1]
	}
	if inner := inBrackets(s); inner != "" {
		s = inner
	}
	s = strings.TrimFunc(s, atTheEdge)
	if s != "" && (s[0] == '[' || s[0] == '<') && closing(s) == 0 && strings.Contains(s, "@") { // cut off
		s = s[1:]
	}
	if kind, address, ok := strings.Cut(s, ":"); ok && (strings.EqualFold(kind, "smtp") || strings.EqualFold(kind, "mailto") || strings.HasPrefix(address, "/")) && !strings.ContainsAny(kind, " /=@") {
		s = strings.TrimFunc(address, atTheEdge)
	}
	if strings.Contains(s, "@") {
		s = encapsulated(strings.TrimRight(uncommented(s), `\`))
	}
	return event.Lower(strings.TrimFunc(s, atTheEdge))
}

// uncommented is an address without the comment in parentheses behind it. A comment that holds an address is ambiguous and stays.
func uncommented(s string) string {
	if before, comment, ok := strings.Cut(s, "("); ok && strings.HasSuffix(s, ")") && strings.Contains(before, "@") && !strings.Contains(comment, "@") {
		return strings.TrimSpace(before)
	}
	return s
}

// imcea is how an address begins that Exchange made of another one.
const imcea = "imcea"

// encapsulated is the address inside one that Exchange made of it, as in IMCEASMTP-box+40example+2Enet@contoso.example; any other stays.
// Source: MS-OXCMAIL, IMCEA encapsulation.
func encapsulated(s string) string {
	if len(s) < len(imcea) || !strings.EqualFold(s[:len(imcea)], imcea) {
		return s
	}
	_, rest, ok := strings.Cut(s, "-")
	at := strings.LastIndexByte(rest, '@')
	if !ok || at < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < at; i++ {
		switch c := rest[i]; {
		case c == '_':
			b.WriteByte('/')
			continue
		case c == '+' && i+2 < at:
			if n, err := strconv.ParseUint(rest[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(n))
				i += 2
				continue
			}
		}
		b.WriteByte(rest[i])
	}
	if inner := b.String(); strings.Contains(inner, "@") || strings.HasPrefix(inner, "/") {
		return inner
	}
	return s
}

// atTheEdge reports whether a character around a destination is no part of it.
func atTheEdge(c rune) bool {
	return c == '"' || c == '\'' || unicode.IsSpace(c) || unicode.IsControl(c)
}

// Recipient is the name under which a directory knows what a command names: an address, an alias, or of a path and a distinguished name the
// last part, lower case.
func Recipient(s string) string {
	s = AddressOf(s)
	if strings.Contains(s, "@") && !strings.ContainsAny(s, `/\`) {
		return s
	}
	if i := strings.LastIndex(s, "/cn="); i >= 0 { // of Exchange's own: often the id of the mailbox, a hyphen and the alias
		s = s[i+len("/cn="):]
		if id, alias, ok := strings.Cut(s, "-"); ok && len(id) == 32 {
			s = alias
		}
		return s
	}
	if rest, ok := strings.CutPrefix(s, "cn="); ok {
		return firstOf(rest)
	}
	return s[strings.LastIndexAny(s, `/\`)+1:]
}

// firstOf is the first part of a distinguished name, without the backslashes of its own commas.
func firstOf(name string) string {
	var b strings.Builder
	for i := 0; i < len(name) && name[i] != ','; i++ {
		if name[i] == '\\' && i+1 < len(name) {
			i++
		}
		b.WriteByte(name[i])
	}
	return b.String()
}

// destinations are those of a list, resolved through the directory as far as it knows them.
func (r *Reader) destinations(list string) []string {
	all := Destinations(list)
	for i, d := range all {
		if !strings.Contains(d, "@") {
			all[i] = first(r.inDirectory(d, Recipient(d)), d)
		}
	}
	return all
}
