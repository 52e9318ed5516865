package page

import (
	"reflect"
	"strings"
	"testing"

	"noroshi/internal/alert"
	"noroshi/sinks"
	"noroshi/sinks/sinktest"
)

// texts are all texts of a page.
func texts(p *Page) (all []string) {
	v := reflect.ValueOf(*p)
	for i := range v.NumField() {
		if s, is := v.Field(i).Interface().(string); is {
			all = append(all, s)
		}
	}
	for _, f := range p.Why {
		all = append(all, f.Name, f.Value)
	}
	for _, s := range p.Steps {
		all = append(all, s.Text, s.Command)
	}
	return all
}

// TestAPageIsShort, whatever strangers write: each text is one line in which nobody hides anything, and all of it fits two screens.
func TestAPageIsShort(t *testing.T) {
	for i, m := range append(sinktest.Hostile(), sinktest.Message(1)) {
		p, err := Of(&m)
		if err != nil {
			t.Fatal(err)
		}
		size := 0
		for _, s := range texts(p) {
			size += len([]rune(s))
			if s != alert.OneLine(s, len(s)+1) {
				t.Errorf("%d: %q", i, s)
			}
		}
		if size > 8000 || len([]rune(p.Title)) > maxTitle || !strings.HasPrefix(p.Title, "[HIGH] ") || len(p.Why) > maxFacts || len(p.Steps) != maxSteps || p.More != 1 {
			t.Errorf("%d: %d characters, %+v", i, size, p)
		}
	}
	if _, err := Of(&sinks.Message{Body: []byte("[]")}); err == nil {
		t.Error("what is no alert is a page")
	}
}

// TestTheTitleTellsTheMost: in the first 130 characters stand severity, what and who.
func TestTheTitleTellsTheMost(t *testing.T) {
	a := sinktest.Alert(1)
	a.Window.First, a.Window.Count, a.Status = a.Window.Last, 1, alert.Withdrawn
	m := sinktest.Of(a)
	if p, err := Of(&m); err != nil || p.Title != "[HIGH] withdrawn: An inbox rule hides mail: taro1@contoso.example (1 event, 03:04 UTC)" {
		t.Errorf("%q, %v", p.Title, err)
	}
	a.Account = ""
	m = sinktest.Of(a)
	if p, err := Of(&m); err != nil || !strings.Contains(p.Title, ": nobody is named (") {
		t.Errorf("%q, %v", p.Title, err)
	}
}
