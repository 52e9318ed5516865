package alert

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"noroshi/internal/event"
)

// MarshalJSON writes the alert as every output has it; the same alert gives the same bytes.
func (a *Alert) MarshalJSON() ([]byte, error) { return a.AppendJSON(nil), nil }

// AppendJSON appends the alert's JSON: one line without its newline, members in fixed order, times in UTC with at least
// three decimals.
func (a *Alert) AppendJSON(to []byte) []byte {
	w := writer{to}
	w.text(`{"schema":`, a.Schema)
	if IsDrill(a.Tenant) { // whatever Drill says, so that nobody forgets it
		w.raw(`,"drill":true`)
	}
	w.text(`,"id":`, a.ID)
	w.text(`,"status":`, string(a.Status))
	if a.State != "" {
		w.text(`,"state":`, a.State)
	}
	w.number(`,"revision":`, a.Revision)
	w.truth(`,"late":`, a.Late)
	if a.Partial {
		w.raw(`,"partial":true`)
	}
	w.rule(&a.Rule)
	w.text(`,"severity":`, a.Severity)
	w.text(`,"tenant":`, a.Tenant)
	w.text(`,"account":`, a.Account)
	w.text(`,"actor":{"name":`, a.Actor.Name)
	w.text(`,"kind":`, a.Actor.Kind)
	w.text(`,"id":`, a.Actor.ID)
	w.text(`},"target":`, a.Target)
	w.text(`,"summary":`, a.Summary)
	w.time(`,"time":`, a.Time)
	w.time(`,"window":{"first":`, a.Window.First)
	w.time(`,"last":`, a.Window.Last)
	w.number(`,"count":`, a.Window.Count)
	if a.Window.Distinct > 0 {
		w.number(`,"distinct":`, a.Window.Distinct)
	}
	if a.Window.Sum > 0 {
		w.b = strconv.AppendFloat(append(w.b, `,"sum":`...), min(a.Window.Sum, math.MaxFloat64), 'f', -1, 64) // JSON has no Inf
	}
	w.object(`},"group":`, a.Group)
	w.text(`,"dedup_key":`, a.DedupKey)
	w.evidence(a.Evidence)
	w.text(`,"source":{"ip":`, a.Source.IP)
	w.text(`,"country":`, a.Source.Country)
	w.number(`,"asn":`, a.Source.ASN)
	w.texts(`},"sessions":`, a.Sessions)
	w.texts(`,"indicators":{"destinations":`, a.Indicators.Destinations)
	if a.Indicators.Total > 0 {
		w.number(`,"destinations_total":`, a.Indicators.Total)
	}
	w.texts(`,"apps":`, a.Indicators.Apps)
	w.texts(`,"networks":`, a.Indicators.Networks)
	w.texts(`,"accounts":`, a.Indicators.Accounts)
	w.texts(`},"modifiers":`, a.Modifiers)
	w.texts(`,"linked":`, a.Linked)
	w.object(`,"enrichment":`, a.Enrichment)
	w.respond(a.Respond)
	w.time(`,"times":{"happened":`, a.Times.Happened)
	if !a.Times.Enqueued.IsZero() {
		w.time(`,"enqueued":`, a.Times.Enqueued)
	}
	if !a.Times.Evaluated.IsZero() {
		w.time(`,"evaluated":`, a.Times.Evaluated)
	}
	w.raw("}")
	if a.Clock != "" {
		w.text(`,"clock":`, a.Clock)
	}
	if a.Traceparent != "" {
		w.text(`,"traceparent":`, a.Traceparent)
	}
	if len(a.Cut) > 0 {
		w.texts(`,"cut":`, a.Cut)
	}
	w.raw("}")
	return w.b
}

type writer struct{ b []byte }

func (w *writer) raw(s string) { w.b = append(w.b, s...) }

func (w *writer) text(name, s string) { w.b = AppendQuoted(append(w.b, name...), s) }

func (w *writer) number(name string, n int) {
	w.b = strconv.AppendInt(append(w.b, name...), int64(n), 10)
}

func (w *writer) truth(name string, v bool) { w.b = strconv.AppendBool(append(w.b, name...), v) }

func (w *writer) time(name string, t time.Time) {
	w.b = append(w.b, name...)
	w.b = append(event.AppendTime(append(w.b, '"'), t), '"')
}

func (w *writer) texts(name string, all []string) {
	w.raw(name)
	w.raw("[")
	for i, s := range all {
		if i > 0 {
			w.raw(",")
		}
		w.text("", s)
	}
	w.raw("]")
}

func (w *writer) object(name string, m map[string]string) {
	w.raw(name)
	w.raw("{")
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for i, k := range keys {
		if i > 0 {
			w.raw(",")
		}
		w.text("", k)
		w.text(":", m[k])
	}
	w.raw("}")
}

func (w *writer) rule(r *Rule) {
	w.text(`,"rule":{"id":`, r.ID)
	w.text(`,"title":`, r.Title)
	w.texts(`,"guide":`, r.Guide)
	w.text(`,"class":`, r.Class)
	w.number(`,"points":`, r.Points)
	w.texts(`,"attack":`, r.Attack)
	w.text(`,"revision":`, r.Revision)
	w.raw("}")
}

func (w *writer) evidence(all []Evidence) {
	w.raw(`,"evidence":[`)
	for i := range all {
		e := &all[i]
		if i > 0 {
			w.raw(",")
		}
		w.text(`{"id":`, e.ID)
		w.time(`,"time":`, e.Time)
		w.text(`,"action":`, e.Action)
		w.text(`,"dataset":`, e.Dataset)
		w.text(`,"source_ip":`, e.SourceIP)
		w.raw(`,"facts":`)
		broken := len(e.Facts) > 0 && !json.Valid(e.Facts) // what is no JSON is left out, or nobody could read the alert
		if broken || len(e.Facts) == 0 {
			w.raw("{}")
		} else {
			w.b = append(w.b, e.Facts...)
		}
		if e.Cut || broken {
			w.raw(`,"cut":true`)
		}
		if e.Step != "" {
			w.text(`,"step":`, e.Step)
		}
		w.raw("}")
	}
	w.raw("]")
}

func (w *writer) respond(all []Remedy) {
	w.raw(`,"respond":[`)
	for i, s := range all {
		if i > 0 {
			w.raw(",")
		}
		w.text(`{"id":`, s.ID)
		w.text(`,"text":`, s.Text)
		w.text(`,"command":`, s.Command)
		w.raw("}")
	}
	w.raw("]")
}

const hexDigits = "0123456789abcdef"

// AppendQuoted appends a text as a JSON string: valid UTF-8 in which what nobody sees, or what turns text around, is escaped,
// whatever the text holds.
func AppendQuoted(to []byte, s string) []byte {
	to = append(to, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' && c != 0x7f {
			i++
			continue
		}
		r, n := rune(c), 1
		if c >= utf8.RuneSelf {
			if r, n = utf8.DecodeRuneInString(s[i:]); (r != utf8.RuneError || n > 1) && !hidden(r) {
				i += n
				continue
			}
		}
		to = append(to, s[from:i]...)
		switch {
		case c == '"' || c == '\\':
			to = append(to, '\\', c)
		case r == utf8.RuneError:
			to = append(to, "\ufffd"...)
		default:
			to = appendEscape(to, r)
		}
		i += n
		from = i
	}
	return append(append(to, s[from:]...), '"')
}

// AppendEscaped appends JSON in which what nobody sees, or what turns text around, is escaped. It means the same.
func AppendEscaped(to, json []byte) []byte {
	from := 0
	for i := 0; i < len(json); {
		if c := json[i]; c < utf8.RuneSelf && c != 0x7f {
			i++
			continue
		}
		r, n := utf8.DecodeRune(json[i:])
		if hidden(r) {
			to = appendEscape(append(to, json[from:i]...), r)
			from = i + n
		}
		i += n
	}
	return append(to, json[from:]...)
}

// appendEscape appends a character as \uXXXX, as two of them where it takes two.
func appendEscape(to []byte, r rune) []byte {
	if r > 0xffff {
		high, low := utf16.EncodeRune(r)
		return appendEscape(appendEscape(to, high), low)
	}
	return append(to, '\\', 'u', hexDigits[r>>12], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
}
