package event

import (
	"testing"
	"time"
)

func TestLateness(t *testing.T) {
	l := Lateness{"entra.signin": {Wait: time.Minute, Keep: time.Hour}, "ual.*": {Wait: 2 * time.Hour, Keep: 48 * time.Hour}}
	for dataset, want := range map[string]Late{
		"entra.signin":          {time.Minute, time.Hour},
		"entra.audit":           {15 * time.Minute, 2 * time.Hour},
		"ual.exchange_admin":    {2 * time.Hour, 48 * time.Hour},
		"ual.record_type_9999":  {2 * time.Hour, 48 * time.Hour},
		"defender.email_events": {30 * time.Minute, 6 * time.Hour},
		"graph.security_alert":  {time.Hour, 24 * time.Hour},
		"":                      {time.Hour, 24 * time.Hour},
	} {
		if got := l.Of(dataset); got != want {
			t.Errorf("%s: %v; want %v", dataset, got, want)
		}
	}
	if got := l.Worst([]string{"entra.signin", "defender.email_events"}); got != (Late{30 * time.Minute, 6 * time.Hour}) {
		t.Errorf("the worst of two is %v", got)
	}
	if got := l.Worst(nil); got != (Late{2 * time.Hour, 48 * time.Hour}) {
		t.Errorf("the worst of all is %v", got)
	}
	if got := (Lateness{"azure.x": {Wait: 3 * time.Hour, Keep: time.Hour}}).Worst(nil); got != (Late{3 * time.Hour, 24 * time.Hour}) {
		t.Errorf("the worst of all with another one is %v", got)
	}
}
