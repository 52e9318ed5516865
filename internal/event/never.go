package event

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"noroshi/internal/diag"
)

// Comparison is a way in which a field's text is compared with a constant one.
type Comparison uint8

// The comparisons.
const (
	Equals Comparison = iota
	StartsWith
	EndsWith
	Contains
)

// Holds reports whether a text compares so with a constant one.
func (c Comparison) Holds(text, constant string) bool {
	switch c {
	case StartsWith:
		return strings.HasPrefix(text, constant)
	case EndsWith:
		return strings.HasSuffix(text, constant)
	case Contains:
		return strings.Contains(text, constant)
	}
	return text == constant
}

// Doubt is why a field's text does not compare with a constant one.
type Doubt struct {
	Why     string // what the field's text is instead; "" where there is no doubt
	Meant   string // what was probably meant
	Certain bool   // no record whatever can give such a text
}

// Doubts tells whether some text of the field compares so with the constant. Absent text is "", which every field can have.
func (f *Field) Doubts(c Comparison, constant string) Doubt {
	return possible(f.doubts, c, constant)
}

// DoubtsLower is Doubts for the field's text in lower case.
func (f *Field) DoubtsLower(c Comparison, constant string) Doubt {
	return possible(f.doubtsLower, c, constant)
}

// possible leaves out what was meant where that cannot be either, or takes what is meant by it.
func possible(doubts func(Comparison, string) Doubt, c Comparison, constant string) Doubt {
	d := doubts(c, constant)
	for next := d.Meant; next != "" && !strings.ContainsAny(next, `"(`); {
		again := doubts(c, next)
		if again.Why == "" {
			d.Meant = next
			return d
		}
		if d.Meant = ""; again.Meant == next {
			return d
		}
		if next = again.Meant; strings.ContainsAny(next, `"(`) {
			d.Meant = next
		}
	}
	return d
}

func (f *Field) doubts(c Comparison, constant string) Doubt {
	switch {
	case constant == "":
		return Doubt{}
	case len(f.Values) > 0:
		return f.amongValues(c, constant, f.Values)
	}
	if f.Name == "event.dataset" {
		return datasetDoubts(c, constant)
	}
	if d := f.Form.doubts(c, constant); d.Why != "" {
		return d
	}
	if d := f.unusual(c, constant); d.Why != "" {
		return d
	}
	return f.misspelt(c, constant)
}

func (f *Field) doubtsLower(c Comparison, constant string) Doubt {
	low := Lower(constant)
	switch {
	case constant == "":
		return Doubt{}
	case low != constant:
		return Doubt{Why: "lower case", Meant: low, Certain: true}
	case len(f.Values) > 0:
		var values []string
		for _, v := range f.Values {
			values = append(values, Lower(v))
		}
		return f.amongValues(c, constant, values)
	}
	if f.Name == "event.dataset" {
		return datasetDoubts(c, constant)
	}
	if f.Form == Country || f.Form == Instant {
		d := f.Form.doubts(c, strings.ToUpper(constant))
		d.Meant = Lower(d.Meant)
		return d
	}
	if d := f.Form.doubts(c, constant); d.Why != "" {
		return d
	}
	return f.unusual(c, constant)
}

// amongValues compares with the values of an enumeration.
func (f *Field) amongValues(c Comparison, constant string, values []string) Doubt {
	if slices.ContainsFunc(values, func(v string) bool { return c.Holds(v, constant) }) {
		return Doubt{}
	}
	d := Doubt{Why: oneOf(values), Meant: f.nearest(constant, values), Certain: !f.Open}
	if !f.Open {
		return d
	}
	if !strings.EqualFold(d.Meant, constant) {
		return Doubt{} // records may well hold it
	}
	return Doubt{Why: "compared exactly, and written " + d.Meant, Meant: d.Meant}
}

// oneOf says what the values of an enumeration are.
func oneOf(values []string) string {
	last := len(values) - 1
	if last < 1 {
		return strings.Join(values, "")
	}
	return strings.Join(values[:last], ", ") + " or " + values[last]
}

// nearest is the value that a word most likely means: the same in another case, as a record writes it, misspelt, or with the same
// beginning.
func (f *Field) nearest(word string, values []string) string {
	if v, ok := spellings[f.Name][strings.ToLower(word)]; ok {
		return v
	}
	for _, v := range values {
		if strings.EqualFold(v, word) {
			return v
		}
	}
	if v := diag.Suggest(word, values); v != "" {
		return v
	}
	w := strings.ToLower(word)
	for _, v := range values {
		if n := min(len(v), len(w), 4); n >= 3 && v[:n] == w[:n] {
			return v
		}
	}
	return ""
}

// spellings are what records write where the field has a value of its own, lower case.
var spellings = map[string]map[string]string{
	"event.outcome":        {"true": "success", "false": "failure", "succeeded": "success"},
	"auth.result":          {"failure": "wrong_credential", "failed": "wrong_credential"},
	"email.direction":      {"intra-org": "internal"},
	"mailbox.logon":        {"0": "owner", "1": "admin", "2": "delegate"},
	"inbox_rule.op":        {"new": "create", "set": "change", "new-inboxrule": "create", "set-inboxrule": "change"},
	"user.kind":            {"application": "app", "serviceprincipal": "app", "member": "user", "system": "service"},
	"mailbox.folder_class": folderSpellings, "mailbox.dest_class": folderSpellings, "inbox_rule.folder_class": folderSpellings,
}

var folderSpellings = map[string]string{
	"rss feeds": "rss", "rss subscriptions": "rss", "deleted items": "deleted", "sent items": "sent", "junk email": "junk", "trash": "deleted", "spam": "junk",
	"conversation history": "conversation_history",
}

// doubts compares with the texts that a form leaves.
func (f Form) doubts(c Comparison, constant string) Doubt {
	certain := func(why, meant string) Doubt { return Doubt{Why: why, Meant: meant, Certain: true} }
	switch f {
	case Name:
		return nameDoubts(c, constant)
	case LowerCase:
		if low := Lower(constant); low != constant {
			return certain("lower case", low)
		}
	case Code:
		return codeDoubts(constant)
	case Operation:
		if made := operation(c, constant); made != constant {
			if strings.Contains(constant, "–") {
				return certain("an operation's name with a hyphen in the place of a dash", made)
			}
			return certain("an operation's name without a dot or blank at its ends", made)
		}
	case Country:
		return countryDoubts(c, constant)
	case Address:
		return addressDoubts(c, constant)
	case Instant:
		return instantDoubts(c, constant)
	}
	return Doubt{}
}

func codeDoubts(constant string) Doubt {
	d := Doubt{Why: "digits, and 0 where there is no error", Certain: true}
	switch rest := strings.Trim(constant, "0123456789"); {
	case rest == "":
		return Doubt{}
	case strings.EqualFold(constant, "success"):
		d.Meant = "0"
	case len(rest) < len(constant) && !strings.ContainsAny(rest, "0123456789"):
		d.Meant = strings.Trim(constant, rest)
	}
	return d
}

// operation is a part of an operation's name as fields have it: what stands at the name's ends is dropped, dashes are hyphens.
func operation(c Comparison, s string) string {
	if c == Equals || c == StartsWith {
		s = strings.TrimLeft(s, " ")
	}
	if c == Equals || c == EndsWith {
		s = strings.TrimRight(s, ". ")
	}
	return strings.ReplaceAll(s, "–", "-")
}

func countryDoubts(c Comparison, constant string) Doubt {
	d := Doubt{Why: "two capital letters, such as NL", Certain: true}
	up := strings.ToUpper(constant)
	letters := strings.Trim(up, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
	fits := letters && (len(constant) == 2 || c != Equals && len(constant) < 2)
	switch {
	case fits && up == constant:
		return Doubt{}
	case fits:
		d.Meant = up
	default:
		d.Meant = countries[strings.ToLower(constant)]
	}
	return d
}

// countries are codes of countries that authors of rules tend to write out.
var countries = map[string]string{
	"russia": "RU", "russian federation": "RU", "rus": "RU", "china": "CN", "chn": "CN", "north korea": "KP", "iran": "IR", "nigeria": "NG", "ukraine": "UA", "belarus": "BY",
	"japan": "JP", "jpn": "JP", "united states": "US", "united states of america": "US", "usa": "US", "united kingdom": "GB", "great britain": "GB", "england": "GB", "gbr": "GB",
	"germany": "DE", "deutschland": "DE", "deu": "DE", "france": "FR", "fra": "FR", "netherlands": "NL", "the netherlands": "NL", "switzerland": "CH", "austria": "AT", "italy": "IT",
	"spain": "ES", "portugal": "PT", "poland": "PL", "sweden": "SE", "norway": "NO", "denmark": "DK", "finland": "FI", "ireland": "IE", "belgium": "BE", "turkey": "TR", "india": "IN",
	"pakistan": "PK", "vietnam": "VN", "brazil": "BR", "canada": "CA", "mexico": "MX", "australia": "AU", "south africa": "ZA", "south korea": "KR", "singapore": "SG", "hong kong": "HK",
	"taiwan": "TW", "israel": "IL", "romania": "RO", "bulgaria": "BG", "ghana": "GH", "indonesia": "ID",
}

func addressDoubts(c Comparison, constant string) Doubt {
	d := Doubt{Why: "an address without port, network, brackets or blanks, in its shortest form", Certain: true}
	if c != Equals {
		both := strings.Contains(constant, ".") && strings.Contains(constant, ":") // a port, or a network
		if strings.Trim(constant, "0123456789abcdef:.") == "" && !both {
			return Doubt{}
		}
		d.Meant = strings.ToLower(strings.Trim(constant, "[] *"))
		return d
	}
	if p, err := netip.ParsePrefix(constant); err == nil {
		d.Meant = "in_net(…, lists.name) with " + p.String() + " in the list"
		return d
	}
	a, err := address(constant)
	switch {
	case err != nil:
	case a.IsLoopback() || a.IsUnspecified():
		d.Why = "no loopback address: those are dropped"
	case a.String() == constant:
		return Doubt{}
	default:
		d.Meant = a.String()
	}
	return d
}

// address reads an address with what records write around it.
func address(s string) (netip.Addr, error) {
	s = strings.TrimSpace(s)
	if p, err := netip.ParseAddrPort(s); err == nil {
		return p.Addr().Unmap().WithZone(""), nil
	}
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return a.Unmap().WithZone(""), err
}

// instantText is what stands in texts of times.
const instantText = "0123456789-:.TZ"

func instantDoubts(c Comparison, constant string) Doubt {
	d := Doubt{Why: "a time such as 2026-01-02T03:04:05.000Z", Certain: true}
	if c != Equals {
		if strings.Trim(constant, instantText) == "" {
			return Doubt{}
		}
		return d
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly} {
		t, err := time.Parse(layout, constant)
		if err != nil {
			continue
		}
		d.Meant = formatTime(t)
		if d.Meant == constant {
			return Doubt{}
		}
		return d
	}
	return d
}

// formatTime writes a time as fields have it: UTC, RFC 3339, with milliseconds, and with nanoseconds where there are more.
func formatTime(t time.Time) string {
	if t = t.UTC(); t.Nanosecond()%1_000_000 == 0 {
		return t.Format("2006-01-02T15:04:05.000Z")
	}
	return t.Format("2006-01-02T15:04:05.000000000Z")
}

// unusual tells what no ordinary record gives, though one could.
func (f *Field) unusual(c Comparison, constant string) Doubt {
	switch {
	case f.Without != "" && strings.ContainsAny(constant, f.Without):
		return Doubt{Why: "text without " + strings.Join(strings.Split(f.Without, ""), " and "), Meant: strings.Trim(constant, f.Without)}
	case f.Lacks != "" && (c == Equals || c == StartsWith) && strings.HasPrefix(constant, f.Lacks):
		return Doubt{Why: "text without " + f.Lacks, Meant: constant[len(f.Lacks):]}
	case f.Name == "email.delivery.code" && c == Equals && strings.Count(constant, ".") != 2:
		return Doubt{Why: "three numbers, such as 5.1.8", Certain: true}
	case f.Name == "event.code" && c == Equals && typeCodes[constant] != "":
		return Doubt{Why: "the record type's number", Meant: typeCodes[constant]}
	case (f.Name == "event.code" || f.Form == Code) && c == Equals && strings.Trim(constant, "0123456789") == "" && constant[0] == '0' && len(constant) > 1:
		return Doubt{Why: "a number without zeros before it", Meant: strings.TrimLeft(constant, "0")}
	case c == Equals && (f.Form == Operation || f.Form == LowerCase || f.Form == Name) && strings.Contains(constant, "*"):
		return Doubt{Why: "compared as a whole, and * stands for itself", Meant: pattern(constant)}
	}
	return Doubt{}
}

// pattern is how a condition says what a text with an asterisk at one end means.
func pattern(s string) string {
	rest := strings.Trim(s, "*")
	switch {
	case rest == "" || strings.Contains(rest, "*"):
		return ""
	case strings.HasPrefix(s, "*") && strings.HasSuffix(s, "*"):
		return `contains "` + rest + `"`
	case strings.HasPrefix(s, "*"):
		return `endsWith "` + rest + `"`
	}
	return `startsWith "` + rest + `"`
}
