package ingest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// mixture writes JSON text with records in all forms in which they may lie, and notes where.
type mixture struct {
	rnd   *rand.Rand
	text  strings.Builder
	want  []string // LINE:RECORD
	spans [][2]int // of the records in the text
	alone []bool   // the record is a line of its own
	n     int
}

func newMixture(seed uint64) *mixture { return &mixture{rnd: rand.New(rand.NewPCG(seed, 7))} }

func (m *mixture) one(of ...string) string { return of[m.rnd.IntN(len(of))] }

func (m *mixture) line() int { return 1 + strings.Count(m.text.String(), "\n") }

// object is a record that is like no other, with what may be mistaken for records, lists and ends.
func (m *mixture) object() string {
	m.n++
	members := []string{fmt.Sprintf(`"n":"<%04d>"`, m.n)}
	for range m.rnd.IntN(5) {
		members = append(members, m.one(
			`"text":"a { b [ c } d ] e , f : g"`, `"quoted":"she said \"{\\\"records\\\":[{}]}\""`, `"back":"C:\\"`, `"list":[{"id":1},{"id":2,"x":{"y":[]}}]`,
			`"value":"a text"`, `"value":["a","b"]`, `"records":{"value":[{"id":3}]}`, `"nothing":null`, `"number":-1.5e3`, `"truth":true`, `"empty":{}`, `"é":"ü€"`,
			`"AuditData":"{\"Id\":\"x\",\"value\":[{\"id\":4},{\"id\":5}]}"`, `"Value":[]  ,"time":"2026-01-02T03:04:05Z"`, `"CreationTime":"x","Operation":"y","value":[{"id":6},{"id":7}]`,
			`"category":"c","properties":{"value":[{"id":8}]},"records":[{"id":9}]`))
	}
	m.rnd.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	return "{" + strings.Join(members, m.one(",", ", ")) + "}"
}

// pretty is an object over several lines.
func (m *mixture) pretty(object, indent string) string {
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(object), indent, "  "); err != nil {
		panic(err) // object makes JSON
	}
	return b.String()
}

func (m *mixture) record(text string, alone bool) {
	m.want = append(m.want, fmt.Sprintf("%d:%s", m.line(), text))
	m.spans = append(m.spans, [2]int{m.text.Len(), m.text.Len() + len(text)})
	m.alone = append(m.alone, alone)
	m.text.WriteString(text)
}

// list is a list of records in one line, a record a line, or over many lines.
func (m *mixture) list(indent string) {
	form := m.rnd.IntN(3)
	m.text.WriteString("[")
	for i := range m.rnd.IntN(5) {
		if i > 0 {
			m.text.WriteString(",")
		}
		switch object := m.object(); form {
		case 0:
			m.record(object, false)
		case 1:
			m.text.WriteString("\n" + indent)
			m.record(object, false)
		default:
			m.text.WriteString("\n" + indent + "  ")
			m.record(m.pretty(object, indent+"  "), false)
		}
	}
	if form > 0 {
		m.text.WriteString("\n" + indent)
	}
	m.text.WriteString("]")
}

// beside are members that an envelope may have beside its list.
func (m *mixture) beside() []string {
	all := []string{`"@odata.context":"x[{"`, `"@odata.nextLink":"y"`, `"@microsoft.graph.tips":"}]"`, `"count":2`, `"more":{"records":[{"n":-1}]}`, `"texts":["{\"n\":-2}",[]]`, `"next":null`, `"value":"v"`, `"time":"t"`, `"id":"i"`}
	m.rnd.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:m.rnd.IntN(4)]
}

// part is one line or document.
func (m *mixture) part() {
	switch m.rnd.IntN(8) {
	case 0:
		m.list("")
	case 1, 2:
		between := m.one(",", ", ", ",\n  ")
		name := m.one(`"records":`, `"value":`, `"Records": `, `"VALUE" :`)
		m.text.WriteString("{" + strings.TrimPrefix(between, ","))
		for _, member := range m.beside() {
			if member != `"time":"t"` || strings.Contains(name, "ecords") {
				m.text.WriteString(member + between)
			}
		}
		m.text.WriteString(name)
		m.list("  ")
		for _, member := range m.beside() {
			if member != `"value":"v"` && member != `"time":"t"` {
				m.text.WriteString(between + member)
			}
		}
		m.text.WriteString("}")
	case 3:
		m.record(m.pretty(m.object(), ""), false)
	default:
		m.record(m.object(), true)
	}
	m.text.WriteString(m.one("\n", "\n", "\r\n", "\n\n"))
}

func newText(seed uint64) *mixture {
	m := newMixture(seed)
	for range 1 + m.rnd.IntN(8) {
		m.part()
	}
	return m
}

// TestEachRecordOfAMixtureComesOnce, in order and with its line, whatever stands around it and however it is read.
func TestEachRecordOfAMixtureComesOnce(t *testing.T) {
	for seed := range uint64(500) {
		m := newText(seed)
		text := m.text.String()
		for name, from := range map[string]io.Reader{
			"plain": strings.NewReader(text), "byte by byte": iotest.OneByteReader(strings.NewReader(text)), "with a mark": strings.NewReader("\ufeff" + text), "gzip": strings.NewReader(gz(text)),
		} {
			got, bad, err := all(t, from)
			if d := cmp.Diff(m.want, got, cmpopts.EquateEmpty()); d != "" || len(bad) > 0 || err != nil {
				t.Fatalf("seed %d, %s: bad %v, %v\n%s\n%s", seed, name, bad, err, text, d)
			}
		}
		var message []string
		records, bad := Split([]byte(text))
		for _, r := range records {
			message = append(message, string(r))
		}
		if d := cmp.Diff(without(m.want), message, cmpopts.EquateEmpty()); d != "" || len(bad) > 0 {
			t.Fatalf("seed %d, as a message: bad %v\n%s\n%s", seed, bad, text, d)
		}
	}
}

// without are records without their lines.
func without(all []string) (records []string) {
	for _, one := range all {
		_, record, _ := strings.Cut(one, ":")
		records = append(records, record)
	}
	return records
}

// TestARecordIsReadTheSameWhereverItLies: behind many others, and at any place of a window.
func TestARecordIsReadTheSameWhereverItLies(t *testing.T) {
	for seed := range uint64(30) {
		m := newText(seed)
		for _, size := range []int{70 << 10, blockSize/2 - int(seed)*7, blockSize - int(seed)*7} {
			line := `{"before":"` + strings.Repeat("x", 1000) + "\"}\n"
			before := strings.Repeat(line, size/len(line))
			got, bad, err := all(t, strings.NewReader(before+m.text.String()))
			n := strings.Count(before, "\n")
			if len(bad) > 0 || err != nil || len(got) != n+len(m.want) {
				t.Fatalf("seed %d: %d records, bad %v, %v", seed, len(got)-n, bad, err)
			}
			if d := cmp.Diff(without(m.want), without(got[n:])); d != "" {
				t.Fatalf("seed %d: %s", seed, d)
			}
		}
	}
}

// TestOneDamageCostsOneRecord: a byte that is missing in a record, or its end, takes no other record with it.
func TestOneDamageCostsOneRecord(t *testing.T) {
	cut := map[string]int{}
	for seed := range uint64(2000) {
		m := newText(seed)
		if len(m.spans) == 0 {
			continue
		}
		text := m.text.String()
		i := m.rnd.IntN(len(m.spans))
		from, to := m.spans[i][0], m.spans[i][1]
		at := from + m.rnd.IntN(to-from)
		what := string(text[at])
		damaged := text[:at] + text[at+1:]
		switch {
		case seed%3 == 0 && m.alone[i]:
			damaged, what = text[:at]+text[to:], "the end of the line"
		case seed%3 == 1:
			damaged, what = text[:to-1]+text[to:], "the last brace"
		}
		want := slices.Delete(without(m.want), i, i+1)
		for name, from := range map[string]io.Reader{"plain": strings.NewReader(damaged), "byte by byte": iotest.OneByteReader(strings.NewReader(damaged))} {
			got, _, err := all(t, from)
			got = slices.DeleteFunc(without(got), func(r string) bool { return !slices.Contains(want, r) })
			if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" || err != nil {
				if cut[what]++; cut[what] < 3 {
					t.Errorf("seed %d, %s, without %s of record %d: %v\n%s\n%s", seed, name, what, i, err, damaged, d)
				}
			}
		}
	}
	if len(cut) > 0 {
		t.Error(cut)
	}
}
