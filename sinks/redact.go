package sinks

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"noroshi/internal/alert"
)

// Redaction is what a destination is not to know: members of an alert, or fields as facts name them.
type Redaction struct {
	Leave []string // are left out: their values become empty
	Hash  []string // are replaced by a hash, so that what is the same stays the same
	// Key is the secret of the hashes as it is now. Without one, a list of all accounts would tell whose a hash is.
	Key func() (string, error)
}

// kept are the members without which no alert can be delivered.
var kept = []string{"schema", "id", "status", "revision", "rule.id", "severity", "time", "drill"}

// Kept reports whether a name is of a member that cannot be left out, or that holds one.
func Kept(name string) bool {
	return slices.ContainsFunc(kept, func(k string) bool { return k == name || strings.HasPrefix(k, name+".") })
}

// leftOut stands for a value that is left out, in texts that hold it.
const leftOut = "[left out]"

// Apply takes out of a message what its destination is not to know: the members that are named, and their values wherever else the alert
// holds them. A message that is no JSON is refused.
func (r *Redaction) Apply(m *Message) error {
	if r == nil {
		return nil
	}
	var whole map[string]any
	d := json.NewDecoder(bytes.NewReader(m.Body))
	d.UseNumber()
	if err := d.Decode(&whole); err != nil {
		return &Refused{fmt.Errorf("read alert: %w", err)}
	}
	hash, err := r.hash()
	if err != nil {
		return &Fault{Cause: err}
	}
	values := map[string]string{} // what stands for each value in texts
	for _, name := range r.Leave {
		held := func(s string) { values[s] = leftOut }
		each(whole, name, func(v any) any { return emptied(v, held) }, func(v any) any { emptied(v, held); return gone{} })
	}
	for _, name := range r.Hash {
		with := func(v any) any { return hashed(v, hash, values) }
		each(whole, name, with, with)
	}
	tenant := m.Tenant
	if h := hiderOf(values); h != nil {
		replaceAll(whole, h)
		m.Account, m.Tenant = h.text(m.Account), h.text(m.Tenant)
	}
	if alert.IsDrill(tenant) { // it is nobody's, and the mark of drills
		whole["tenant"], m.Tenant = tenant, tenant
	}
	whole["dedup_key"] = "" // it is a hash of tenant, rule and group, without a secret
	if m.Body, err = json.Marshal(whole); err != nil {
		return &Refused{fmt.Errorf("write alert: %w", err)}
	}
	return nil
}

// hash is how values are hashed now.
func (r *Redaction) hash() (func(string) string, error) {
	if len(r.Hash) == 0 {
		return nil, nil
	}
	key, err := r.Key()
	if key == "" {
		return nil, fmt.Errorf("redact_key cannot be read: %w", err)
	}
	return func(s string) string {
		h := hmac.New(sha256.New, []byte(key))
		h.Write([]byte(strings.ToLower(s)))
		return "hash:" + hex.EncodeToString(h.Sum(nil)[:16])
	}, nil
}

// gone takes the place of a member that is to be no more.
type gone struct{}

// each replaces the values of a name: a member by its path, through lists, and everywhere a fact of that name, which has dots too.
func each(whole map[string]any, name string, with, fact func(any) any) {
	at(whole, name, with)
	evidence, _ := whole["evidence"].([]any)
	for _, one := range evidence {
		e, ok := one.(map[string]any)
		if !ok {
			continue
		}
		if name == "source.ip" {
			at(e, "source_ip", with)
		}
		if facts, ok := e["facts"].(map[string]any); ok {
			at(facts, name, fact)
		}
	}
	if group, ok := whole["group"].(map[string]any); ok {
		at(group, name, fact)
	}
}

func at(v any, path string, with func(any) any) {
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			at(one, path, with)
		}
	case map[string]any:
		for _, k := range slices.Collect(maps.Keys(v)) {
			if k == path {
				if v[k] = with(v[k]); isGone(v[k]) {
					delete(v, k)
				}
			} else if rest, ok := strings.CutPrefix(path, k+"."); ok {
				at(v[k], rest, with)
			}
		}
	}
}

// noTime stands for a time that is left out: a reader of alerts expects one.
const noTime = "0001-01-01T00:00:00Z"

func isTime(s string) bool {
	_, err := time.Parse(time.RFC3339, s)
	return err == nil
}

// emptied is a value of the same kind that says nothing. It tells of the texts that it held.
func emptied(v any, held func(string)) any {
	switch v := v.(type) {
	case string:
		if isTime(v) {
			return noTime
		}
		held(v)
		return ""
	case json.Number:
		held(v.String())
		return json.Number("0")
	case bool:
		return false
	case []any:
		for _, one := range v {
			emptied(one, held)
		}
		return []any{}
	case map[string]any:
		for _, one := range v {
			emptied(one, held)
		}
		return map[string]any{}
	}
	return v
}

// hashed is a value whose texts are hashes. Numbers and times are left out, because a hash is neither.
func hashed(v any, hash func(string) string, values map[string]string) any {
	switch v := v.(type) {
	case string:
		switch {
		case v == "":
			return v
		case isTime(v):
			return noTime
		}
		values[v] = hash(v)
		return values[v]
	case []any:
		for i := range v {
			v[i] = hashed(v[i], hash, values)
		}
	case map[string]any:
		for k := range v {
			v[k] = hashed(v[k], hash, values)
		}
	case json.Number:
		return emptied(v, func(s string) { values[s] = leftOut })
	}
	return v
}

// replaceAll replaces texts below a value, names of members too. What delivery needs stays.
func replaceAll(whole map[string]any, h *hider) {
	for _, k := range slices.Collect(maps.Keys(whole)) {
		switch {
		case slices.Contains(kept, k), k == "dedup_key", k == "rule":
		default:
			whole[k] = replaced(whole[k], h)
		}
	}
}

func replaced(v any, h *hider) any {
	switch v := v.(type) {
	case string:
		if isTime(v) { // its digits are no value
			return v
		}
		return h.text(v)
	case json.Number:
		return h.number(v)
	case []any:
		for i := range v {
			v[i] = replaced(v[i], h)
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			one := replaced(v[k], h)
			delete(v, k)
			name := h.text(k)
			for n := 2; v[name] != nil && name != k; n++ {
				name = h.text(k) + " " + strconv.Itoa(n)
			}
			v[name] = one
		}
	}
	return v
}

func isGone(v any) bool { _, is := v.(gone); return is }
