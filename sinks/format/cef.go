package format

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"noroshi/internal/alert"
	"noroshi/sinks"
)

// Bounds of texts in CEF, in characters.
// Source: Implementing ArcSight Common Event Format, revision 26, extension dictionary.
const (
	cefText  = 1023
	cefLong  = 4000
	cefTitle = 512
)

// appendCEF appends one line of the Common Event Format, without its end.
func appendCEF(to []byte, a *alert.Alert, m *sinks.Message) []byte {
	b := append(to, "CEF:0|Noroshi|Noroshi|1|"...)
	b = append(b, header(a.Rule.ID)+"|"+header(a.Rule.Title)+"|"+strconv.Itoa(severities[a.Severity])+"|"...)
	e := extension{b: b}
	e.add("externalId", m.Key(), cefText)
	e.number("rt", a.Time.UnixMilli())
	e.number("start", a.Window.First.UnixMilli())
	e.number("end", a.Window.Last.UnixMilli())
	e.number("cnt", int64(a.Window.Count))
	e.add("cat", a.Rule.Class, cefText)
	e.add("outcome", string(a.Status), cefText)
	e.add("reason", a.Rule.Title, cefText)
	e.add("suser", a.Actor.Name, cefText)
	e.add("suid", a.Actor.ID, cefText)
	e.add("duser", a.Account, cefText)
	if ip, err := netip.ParseAddr(address(a.Source.IP)); err == nil {
		if ip.Is4() {
			e.add("src", ip.String(), cefText)
		} else {
			e.labelled("c6a2", "Source IPv6 Address", ip.String())
		}
	}
	e.labelled("cs1", "tenant", a.Tenant)
	e.labelled("cs2", "attack", strings.Join(a.Rule.Attack, " "))
	e.labelled("cs3", "guide", strings.Join(a.Rule.Guide, " "))
	e.labelled("cs4", "country", a.Source.Country)
	e.labelled("cs5", "actions", actions(a))
	e.labelled("cs6", "target", a.Target)
	e.labelled("cn1", "revision", strconv.Itoa(a.Revision))
	e.add("msg", a.Summary, cefText)
	return e.b
}

// actions are what was done, each once.
func actions(a *alert.Alert) string {
	var all []string
	seen := map[string]bool{}
	for i := range a.Evidence {
		if what := a.Evidence[i].Action; what != "" && !seen[what] {
			seen[what] = true
			all = append(all, what)
		}
	}
	return strings.Join(all, " ")
}

var (
	headerSigns      = strings.NewReplacer(`\`, "/", "|", "/", "=", ":")
	extensionEscapes = strings.NewReplacer(`\`, `\\`, `=`, `\=`, "\r\n", `\n`, "\n", `\n`, "\r", `\n`)
)

// header is a text of the header. What has a meaning in CEF becomes another sign there, though the header could escape it: some parsers
// read its escapes badly, and then take the whole line for something else.
func header(s string) string {
	if s = strings.TrimSpace(headerSigns.Replace(alert.OneLine(s, cefTitle))); s == "" {
		return "-"
	}
	return s
}

type extension struct {
	b     []byte
	began bool
}

// add appends a key with its value; an empty one is left out.
func (e *extension) add(key, value string, most int) {
	if value == "" {
		return
	}
	if e.began {
		e.b = append(e.b, ' ')
	}
	e.began = true
	var lines []string
	for line := range strings.SplitSeq(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(value), "\n") {
		lines = append(lines, alert.OneLine(line, most))
	}
	e.b = append(e.b, key+"="+extensionEscapes.Replace(cutTo(strings.Join(lines, "\n"), most))...)
}

// cutTo cuts a text to so many characters.
func cutTo(s string, most int) string {
	n := 0
	for i := range s {
		if n++; n > most {
			return s[:i]
		}
	}
	return s
}

func (e *extension) number(key string, n int64) { e.add(key, fmt.Sprint(n), cefText) }

// labelled appends a custom field and what it is.
func (e *extension) labelled(key, label, value string) {
	if value == "" {
		return
	}
	e.add(key, value, cefLong)
	e.add(key+"Label", label, cefText)
}
