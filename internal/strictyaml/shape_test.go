package strictyaml

import (
	"testing"
	"time"

	yaml "go.yaml.in/yaml/v4"
)

// TestSpan: as files have it.
func TestSpan(t *testing.T) {
	for want, v := range map[string]time.Duration{"250ms": 250 * time.Millisecond, "10s": 10 * time.Second, "1m30s": 90 * time.Second, "1m": time.Minute,
		"1h": time.Hour, "1h30m": 90 * time.Minute, "1d": 24 * time.Hour, "30d": 720 * time.Hour, "25h": 25 * time.Hour} {
		if got := Span(v); got != want {
			t.Errorf("%v is %s, want %s", v, got, want)
		}
	}
}

// TestATracedDocumentGivesEachReaderAValue, also below lists, names and keys that no file has.
func TestATracedDocumentGivesEachReaderAValue(t *testing.T) {
	d := Traced()
	d.Fields(d.Root, map[string]func(*yaml.Node){
		"all": func(n *yaml.Node) {
			for _, item := range d.Items(n) {
				d.Fields(item, map[string]func(*yaml.Node){"count": func(n *yaml.Node) { d.Int(n, 1, 9) }})
			}
		},
		"names": func(n *yaml.Node) {
			d.Named(n, "names", func(_, v *yaml.Node) { d.Within(v, time.Second, time.Minute) })
		},
		"host": func(n *yaml.Node) {
			d.Text(n)
			d.Expect(n, Form{Type: TypeText, As: "a host"})
			d.Text(n) // again: more is known
		},
	})
	s := d.Shape()
	count, name, host := s.Keys["all"].Items.Keys["count"], s.Keys["names"].Each, s.Keys["host"]
	if s.Type != TypeKeys || s.Keys["all"].Type != TypeList || count.Type != TypeWhole || count.Least != 1 || count.Most != 9 {
		t.Errorf("%+v, %+v", s, count)
	}
	if name.Type != TypeSpan || name.From != time.Second || name.To != time.Minute || host.As != "a host" {
		t.Errorf("%+v, %+v", name, host)
	}
}
