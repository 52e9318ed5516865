package alertmanager

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"noroshi/internal/alert"
	"noroshi/sinks"
	"noroshi/sinks/page"
	"noroshi/sinks/remote"
	"noroshi/sinks/sinktest"
)

func sink(t *testing.T, o sinktest.Options) *Sink {
	t.Helper()
	c := Config{Config: o.Remote()}
	c.Headers = map[string]remote.Secret{"Authorization": remote.Fixed("Bearer S3cretOfTheSink")}
	s, err := New(c, sinktest.Env())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestContract(t *testing.T) {
	sinktest.HTTP{
		Make: func(t *testing.T, o sinktest.Options) sinks.Sink { return sink(t, o) }, Secrets: []string{"S3cretOfTheSink"},
		Want: func(m sinks.Message) string { return m.ID },
		Alerts: func(t *testing.T, r *http.Request, body []byte) (ids []string) {
			var all []posted
			if err := json.Unmarshal(body, &all); err != nil || r.URL.Path != "/api/v2/alerts" {
				t.Errorf("%s %s: %v", r.URL.Path, body, err)
			}
			for _, a := range all {
				for name, value := range a.Labels {
					if value == "" {
						t.Errorf("the label %s is empty", name)
					}
				}
				if a.Labels["severity"] != "high" || !a.Ends.After(a.Starts) {
					t.Errorf("%+v", a)
				}
				ids = append(ids, a.Labels["alert_id"])
			}
			return ids
		}}.Contract(t)
}

// known is what Alertmanager has, by id and severity.
func known(t *testing.T, base string) map[string]string {
	t.Helper()
	res, err := http.Get(base + "/api/v2/alerts")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	var all []struct {
		Labels, Annotations map[string]string
		Status              struct{ State string }
	}
	if err == nil {
		err = json.Unmarshal(body, &all)
	}
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	found := map[string]string{}
	for _, a := range all {
		found[a.Labels["alert_id"]+" "+a.Labels["severity"]] = a.Annotations["summary"] + "|" + a.Annotations["events"] + "|" + a.Labels["account"]
	}
	return found
}

// TestAlertmanager hands alerts to a real one: strangers' texts arrive as they are, revisions change the alert, one whose severity has
// changed takes the place of the one before, and a withdrawn one ends.
func TestAlertmanager(t *testing.T) {
	port, _ := sinktest.Counterpart(t, "alertmanager")
	base := fmt.Sprintf("http://127.0.0.1:%d", port)
	s := sink(t, sinktest.Options{URL: base, Timeout: time.Minute})
	send := func(all ...sinks.Message) {
		t.Helper()
		for _, m := range all { // one is refused alone
			if err := s.Send(t.Context(), []sinks.Message{m}); err != nil {
				t.Errorf("%s: %v", m.ID, err)
			}
		}
	}
	for i := range 3 {
		a := sinktest.Alert(i)
		a.Time = time.Now() // old ones have ended
		send(sinktest.Of(a))
	}
	send(sinktest.Hostile()...)
	found := known(t, base)
	if len(found) != 3+len(sinktest.Hostile()) || found[sinktest.Alert(1).ID+" high"] != `The rule "請求書" moves mail to RSS Feeds 1|2|taro1@contoso.example` {
		t.Errorf("%d: %q", len(found), found)
	}
	a := sinktest.Alert(1)
	a.Revision, a.Status, a.Window.Count, a.Time = 2, alert.Updated, 5, time.Now()
	send(sinktest.Of(a))
	if now := known(t, base); len(now) != len(found) || !strings.Contains(now[a.ID+" high"], "|5|") {
		t.Errorf("%q", now)
	}
	a.Revision, a.Severity = 3, "critical"
	send(sinktest.Of(a))
	if now := known(t, base); len(now) != len(found) || now[a.ID+" high"] != "" || now[a.ID+" critical"] == "" {
		t.Errorf("%q", now)
	}
	a.Revision, a.Status = 4, alert.Withdrawn
	send(sinktest.Of(a))
	if now := known(t, base); len(now) != len(found)-1 || now[a.ID+" critical"] != "" {
		t.Errorf("%q", now)
	}
}

// TestASummaryIsOneAlert: its revisions are about more and more accounts and tenants, and stay one alert.
func TestASummaryIsOneAlert(t *testing.T) {
	first := labels(&page.Page{Rule: sinks.SummaryRule, ID: "alrt_1", Account: "taro@contoso.example", Tenant: "t", Class: "hiding"}, "high")
	later := labels(&page.Page{Rule: sinks.SummaryRule, ID: "alrt_1", Class: "access"}, "high")
	if !maps.Equal(first, later) {
		t.Errorf("%v, then %v", first, later)
	}
}
