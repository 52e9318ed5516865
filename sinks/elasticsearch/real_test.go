package elasticsearch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"noroshi/sinks"
	"noroshi/sinks/format"
	"noroshi/sinks/sinktest"
)

// ask sends a request to the server, and gives what it says.
func ask(t *testing.T, method, address, body string) map[string]any {
	t.Helper()
	req, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	said := map[string]any{}
	if err == nil {
		err = json.Unmarshal(b, &said)
	}
	if err != nil || res.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %d %s %v", method, address, res.StatusCode, b, err)
	}
	return said
}

// TestOpenSearch sends alerts to a real OpenSearch: into the data stream of our template, twice, and with each fault that it can be
// made to have.
func TestOpenSearch(t *testing.T) {
	port, _ := sinktest.Counterpart(t, "opensearch")
	base := fmt.Sprintf("http://127.0.0.1:%d/", port)
	template, err := os.ReadFile("template.json")
	if err != nil {
		t.Fatal(err)
	}
	ask(t, http.MethodPut, base+"_index_template/noroshi", string(template))
	var all []sinks.Message
	for n := range 100 {
		all = append(all, sinktest.Message(n))
	}
	all = append(all, sinktest.Hostile()...)
	of := func(index string) *Sink {
		return sink(t, sinktest.Options{URL: base, Timeout: time.Minute}, func(c *Config) { c.User, c.Password, c.Format, c.Index = "", nil, format.ECS, index })
	}
	s := of(defaultIndex)
	for range 2 { // the second time all of them are there already
		if err := s.Send(t.Context(), all); err != nil {
			t.Fatal(err)
		}
	}
	ask(t, http.MethodPost, base+defaultIndex+"/_refresh", "")
	if n := ask(t, http.MethodGet, base+defaultIndex+"/_count", "")["count"]; n != float64(len(all)) {
		t.Errorf("%v documents, want %d", n, len(all))
	}
	found := fmt.Sprint(ask(t, http.MethodPost, base+defaultIndex+"/_search", `{"query":{"bool":{"filter":[{"term":{"event.id":"alrt_00000000000000000000000007_1"}},{"term":{"source.ip":"203.0.113.0/24"}},{"term":{"noroshi.rule.class":"hiding"}}]}}}`))
	if !strings.Contains(found, `The rule "請求書" moves mail to RSS Feeds 7`) || !strings.Contains(found, "noroshi.alert/1") {
		t.Errorf("found %s", found)
	}
	ask(t, http.MethodPut, base+"strict", `{"mappings":{"dynamic":"strict","properties":{"@timestamp":{"type":"date"}}}}`)
	ask(t, http.MethodPut, base+"full", ``)
	ask(t, http.MethodPut, base+"full/_settings", `{"index.blocks.read_only_allow_delete":true}`)
	ask(t, http.MethodPut, base+"closed", ``)
	ask(t, http.MethodPost, base+"closed/_close", ``)
	ask(t, http.MethodPut, base+"blocked", `{"settings":{"index.blocks.write":true}}`)
	ask(t, http.MethodPut, base+"_cluster/settings", `{"persistent":{"action.auto_create_index":"false"}}`)
	for index, want := range map[string]struct {
		refused bool
		says    string
	}{"strict": {true, "strict_dynamic_mapping_exception"}, "full": {false, "status 429"}, "blocked": {false, "status 403"}, "closed": {false, "index_closed_exception"}, "nowhere": {false, "status 404"}} {
		err := of(index).Send(t.Context(), all[:2])
		var verdicts sinks.Verdicts
		var refused *sinks.Refused
		if !errors.As(err, &verdicts) || len(verdicts) != 2 || errors.As(verdicts[1], &refused) != want.refused || !strings.Contains(verdicts[1].Error(), want.says) {
			t.Errorf("%s: %v", index, err)
		}
	}
}
