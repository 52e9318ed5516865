package projector

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// padded is a record with what must follow it.
func padded(rec string) ([]byte, int) {
	return append([]byte(rec), make([]byte, Slack)...), len(rec)
}

func read(x *Projector, rec string) error {
	b, n := padded(rec)
	return x.Record(b, 0, n)
}

func values(x *Projector) (all []string) {
	for i, v := range x.Values {
		raw := x.Raw(i)
		if v.Escaped {
			raw = Unescape(nil, raw)
		}
		if v.Kind == None {
			raw = []byte("-")
		}
		all = append(all, string(raw))
	}
	return all
}

func TestPathsPickTheirValues(t *testing.T) {
	paths := []string{"A", "B.C", "L[N]", "L[N].NewValue", "E[*].X", "E[*].L[k].newValue", `["odd.name"]`, "B"}
	rows := []struct{ name, rec, want string }{
		{"all of them", `{"A":"1","B":{"C":2},"L":[{"Name":"N","Value":"v","NewValue":"w"}],"E":[{"Y":1},{"X":"e","L":[{"displayName":"k","newValue":"z"}]},{"X":"f"}],"odd.name":true}`, `[1 2 v w e z true {"C":2}]`},
		{"value before name", `{"L":[{"Value":"v","Name":"N"}]}`, "[- - v - - - - -]"},
		{"names spelt otherwise", `{"a":"1","b":{"c":2},"l":[{"NAME":"n","VALUE":"v","newvalue":"w"}],"e":[{"x":"e","l":[{"DisplayName":"K","NEWVALUE":"z"}]}],"ODD.name":true}`, `[1 2 v w e z true {"c":2}]`},
		{"one entry without its list", `{"L":{"Name":"N","Value":"v","NewValue":"w"}}`, "[- - v w - - - -]"},
		{"an object of names and values", `{"L":{"M":"u","N":"v"}}`, "[- - v v - - - -]"},
		{"an object of changes", `{"L":{"N":{"OldValue":"u","NewValue":"w"}}}`, "[- - - w - - - -]"},
		{"an object with Name among its names", `{"L":{"Name":"N","N":"v"}}`, "[- - v v - - - -]"},
		{"a list of other things", `{"L":["@{Name=N; Value=v}",7,{"x":"N"}]}`, "[- - - - - - - -]"},
		{"a null does not hide an entry", `{"L":[{"Name":"N","Value":null},{"Name":"n","Value":"v"}]}`, "[- - v - - - - -]"},
		{"elements one after the other", `{"E":[{"X":null,"L":[{"key":"k","newValue":"z"}]},{"X":"e","L":[]},{"L":[{"key":"k","newValue":"y"}]}]}`, "[- - - - e z - -]"},
		{"the first of two entries", `{"L":[{"Name":"N","Value":"v"},{"Name":"N","Value":"u"}]}`, "[- - v - - - - -]"},
		{"the last of doubled keys", `{"A":"1","A":"2","B":{"C":1},"B":{}}`, "[2 - - - - - - {}]"},
		{"an object that becomes a text", `{"B":{"C":1},"B":"t"}`, "[- - - - - - - t]"},
		{"escapes", `{"\u0041":"\u00e9\n"}`, "[é\n - - - - - - -]"},
		{"white space everywhere", "\r\n {\t\"A\" :\n \"1\" , \"B\" : { \"C\" : 2 } } \n", `[1 2 - - - - - { "C" : 2 }]`},
	}
	x := New(paths)
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			if err := read(x, r.rec); err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(values(x)); got != r.want {
				t.Errorf("got %s, want %s", got, r.want)
			}
		})
	}
}

func TestOfNamesThatDifferInCaseTheLastCounts(t *testing.T) {
	x := New([]string{"category", "properties.id"})
	many := ""
	for i := range 2 * learned {
		many += fmt.Sprintf(`"k%d":0,`, i)
	}
	rows := []struct{ rec, want string }{
		{`{"Category":"c","properties":{"ID":"1"}}`, "[c 1]"},
		{`{"CATEGORY":"c","Properties":{"id":"1"}}`, "[c 1]"},
		{`{"category":"c","Category":"d","properties":{"id":"1"},"Properties":{"id":"2"}}`, "[d 2]"},
		{`{"Category":"d","category":"c","Properties":{"id":"2","more":1},"properties":{"more":1}}`, "[c -]"},
		{`{"CATEGORY":"c","Category":"d","PROPERTIES":{"id":"1"},"Properties":"d"}`, "[d -]"},
		{`{"category":"c","CATEGOR\u0059":"d","PROPERTIE\u0053":{"id":"2"},"properties":{"id":"1"}}`, "[d 1]"},
		{`{` + many + `"category":"c","catEgory":"d","properties":{"id":"1"},"propErties":{"iD":"2"}}`, "[d 2]"},
	}
	for _, r := range rows {
		for range 2 { // the second time the spelling is known
			if err := read(x, r.rec); err != nil || fmt.Sprint(values(x)) != r.want {
				t.Errorf("%.100s gives %v, %v, want %s", r.rec, values(x), err, r.want)
			}
		}
	}
}

func TestPathsThatAreTheSame(t *testing.T) {
	for _, pair := range [][2]string{{"A.B", "a.b"}, {`["A"].b`, "a.B"}, {"L[N]", "l[n].value"}, {`["É"]`, `["é"]`}, {"E[*].X", "e[*].x"}} {
		if Same(pair[0]) != Same(pair[1]) {
			t.Errorf("%s and %s differ", pair[0], pair[1])
		}
	}
	for _, pair := range [][2]string{{"A.B", `["A.B"]`}, {`["a[b]"]`, "a[b]"}, {"L[N]", "L[N].NewValue"}, {"E[*].X", "E.X"}, {`["@odata.type"]`, "@odata.type"}, {`["[*]"]`, "[*]"}} {
		if Same(pair[0]) == Same(pair[1]) {
			t.Errorf("%s and %s are the same", pair[0], pair[1])
		}
	}
}

func TestNestingIsBoundedTheSameWhetherWantedOrNot(t *testing.T) {
	nest := func(n int) string { return strings.Repeat(`{"a":`, n-1) + "{}" + strings.Repeat("}", n-1) }
	for _, paths := range [][]string{nil, {"a.a.a.b"}} {
		x := New(paths)
		if err := read(x, nest(MaxDepth)); err != nil {
			t.Errorf("%v: depth %d: %v", paths, MaxDepth, err)
		}
		if err := read(x, nest(MaxDepth+1)); err == nil {
			t.Errorf("%v: depth %d is read", paths, MaxDepth+1)
		}
	}
}

func TestMistakesTellTheirPlace(t *testing.T) {
	rows := []struct {
		rec string
		at  int
	}{{`{"A":tru}`, 5}, {`{"A":"x`, 7}, {`[]`, 0}, {``, 0}, {`{"A":1}x`, 7}, {`{"A":01}`, 5}, {"{\"A\":\"\xff\"}", 6}, {"{\"A\":\"\x00\"}", 6}, {`{"A":1,}`, 7}}
	for _, r := range rows {
		err := read(New([]string{"A"}), r.rec)
		var e SyntaxError
		if !errors.As(err, &e) || e.At != r.at {
			t.Errorf("%q: got %v, want byte %d", r.rec, err, r.at)
		}
	}
}

// FuzzRecord compares with encoding/json: what is an object to one is an object to the other, and texts are the same.
func FuzzRecord(f *testing.F) {
	for _, s := range []string{`{"A":"x","B":{"C":[1,2.5e-3,{"d":null}]},"L":[{"Name":"N","Value":"\ud83d\ude00"}]}`, `{"A":"\ud800"}`, `{"A":1,"A":{"B":2}}`, "{\"A\":\"\x7f\"}", `{"E":[{"X":"1"}]}`} {
		f.Add([]byte(s))
	}
	x := New([]string{"A", "B.C", "L[N]", "E[*].X"})
	f.Fuzz(func(t *testing.T, rec []byte) {
		b, n := padded(string(rec))
		err := x.Record(b, 0, n)
		var m map[string]any
		naive := json.Unmarshal(rec, &m)
		valid := naive == nil && m != nil && utf8.Valid(rec)
		if deep(rec) > MaxDepth {
			return
		}
		if (err == nil) != valid {
			t.Fatalf("%q: projector says %v, encoding/json %v", rec, err, naive)
		}
		if !valid {
			return
		}
		want, isText := m["A"].(string)
		if got := x.Values[0]; isText != (got.Kind == Text) {
			t.Fatalf("%q: A is of kind %d", rec, got.Kind)
		}
		got := x.Raw(0)
		if x.Values[0].Escaped {
			got = Unescape(nil, got)
		}
		if isText && !bytes.Equal(got, []byte(want)) {
			t.Fatalf("%q: A is %q, want %q", rec, got, want)
		}
	})
}

// deep counts brackets, those in texts too: an upper bound of the depth.
func deep(rec []byte) (most int) {
	d := 0
	for _, c := range rec {
		switch c {
		case '{', '[':
			d++
			most = max(most, d)
		case '}', ']':
			d--
		}
	}
	return most
}

func BenchmarkRecord(b *testing.B) {
	rec, n := padded(`{"CreationTime":"2026-01-02T03:04:05","Id":"7d1f8e53-24a1-4e0b-8f0c-2f3b7f0c9a11","Operation":"New-InboxRule","OrganizationId":"aaaabbbb-0000-cccc-1111-dddd2222eeee","RecordType":1,"ResultStatus":"True","UserKey":"1003","UserType":2,"Version":1,"Workload":"Exchange","ClientIP":"203.0.113.7:51234","UserId":"taro@contoso.example","Parameters":[{"Name":"Name","Value":".."},{"Name":"MoveToFolder","Value":"RSS Feeds"}],"SessionId":"5f1e0c4e"}`)
	x := New([]string{"Id", "CreationTime", "Operation", "RecordType", "UserId", "ClientIP", "Parameters[MoveToFolder]"})
	b.SetBytes(int64(n))
	b.ReportAllocs()
	for b.Loop() {
		if err := x.Record(rec, 0, n); err != nil {
			b.Fatal(err)
		}
	}
}
