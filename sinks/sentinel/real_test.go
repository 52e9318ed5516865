package sentinel

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"noroshi/sinks/sinktest"
)

// TestAForeignParserReadsTheTemplate: as a table and a stream of the sink's columns, and a rule that looks into the table.
func TestAForeignParserReadsTheTemplate(t *testing.T) {
	c := exec.Command(sinktest.Program(t, "bicep"))
	c.Stdin = strings.NewReader(Template())
	b, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	type declared struct{ Name, Type string }
	var read struct {
		Parameters map[string]any
		Outputs    map[string]any
		Resources  map[string]struct {
			Type   string
			Config struct {
				Name       any
				Kind       string
				Properties struct {
					Schema             struct{ Columns []declared }
					StreamDeclarations map[string]struct{ Columns []declared }
					DataFlows          []struct {
						Streams      []string
						OutputStream string
					}
					Query string
				}
			}
		}
	}
	if err := json.Unmarshal(b, &read); err != nil {
		t.Fatal(err)
	}
	table, collection, rule := read.Resources["alerts"].Config, read.Resources["collection"].Config, read.Resources["incidents"].Config
	streamed := collection.Properties.StreamDeclarations["'"+stream+"'"].Columns // it keeps the quotes of keys
	if table.Name != Table || len(table.Properties.Schema.Columns) != len(columns) || len(streamed) != len(columns) || collection.Kind != "Direct" {
		t.Fatalf("the parser reads %.2000s", b)
	}
	for i := range columns {
		of, in := table.Properties.Schema.Columns[i], streamed[i]
		if of.Name != columns[i].name || in.Name != of.Name || strings.ToLower(of.Type) != columns[i].kind || in.Type != columns[i].kind {
			t.Errorf("%v and %v, want %s %s", of, in, columns[i].name, columns[i].kind)
		}
	}
	flows := collection.Properties.DataFlows
	if len(flows) != 1 || len(flows[0].Streams) != 1 || flows[0].Streams[0] != stream || flows[0].OutputStream != stream {
		t.Errorf("what comes flows %v", flows)
	}
	if rule.Kind != "NRT" || !strings.HasPrefix(strings.TrimSpace(rule.Properties.Query), Table) || read.Outputs["ruleId"] == nil || read.Outputs["url"] == nil || read.Parameters["workspaceName"] == nil {
		t.Errorf("the rule is %+v", rule)
	}
	for _, name := range []string{"AlertId", "AlertStatus", "AlertState", "AlertSeverity", "Account", "Drill", "TimeGenerated"} {
		if !strings.Contains(query, name) {
			t.Errorf("the query does not look at %s", name)
		}
	}
}
