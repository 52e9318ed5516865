package house

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "noroshi/"

// arrows are the rooms and what of ours each may import. A new arrow is a decision; its reason stands in the commit.
// everyone means all rooms, and a hyphen before a room all but this.
var arrows = map[string][]string{
	"cmd/noroshi":               {"cli"},
	"internal/diag":             {},
	"internal/alert":            {"internal/event"}, // how all output writes times
	"internal/event":            {"internal/diag"},  // did-you-mean
	"internal/strictyaml":       {"internal/diag"},  // YAML with places, for rules, lists and configuration alike
	"internal/bus":              {"internal/certs"},
	"internal/certs":            {"internal/regular"},
	"internal/clock":            {"internal/state"}, // how rows are packed
	"internal/regular":          {},
	"internal/decode":           {"internal/event", "internal/diag", "internal/decode/projector"},
	"internal/decode/projector": {},
	"internal/cond":             {"internal/event", "internal/diag", "internal/cond/index"},
	"internal/cond/index":       {},
	"internal/list":             {"internal/diag", "internal/strictyaml", "internal/regular", "internal/event"}, // what a database knows of an address
	"ingest":                    {"internal/decode", "internal/diag"},
	"ingest/feed":               {"internal/bus"},
	"ingest/entra":              {"ingest/feed", "internal/regular"}, // which errors trying again does not help against
	"ingest/eventhub":           {"ingest/feed", "ingest/entra"},
	"ingest/o365":               {"ingest", "ingest/feed"}, // blobs are split as files are
	"ingest/kafka":              {"ingest/feed", "internal/bus"},
	"ingest/file":               {"ingest", "internal/decode"},                                                                                                                                                      // the reason of a line that is too long
	"rules":                     {"internal/cond", "internal/list", "internal/event", "internal/alert", "internal/diag", "internal/strictyaml", "internal/incident", "rules/kind", "rules/library", "rules/sample"}, // steps of remediation are what incidents list, and lines of stories say what comes
	"rules/sample":              {"rules/library"},                                                                                                                                                                  // base records of tests
	"rules/kind":                {"internal/cond", "internal/event", "internal/state"},                                                                                                                              // what an event is known by
	"rules/library":             {},
	"detector":                  {"rules", "rules/kind", "internal/state", "internal/decode", "internal/event", "internal/alert", "internal/cond", "internal/cond/index", "internal/incident"}, // it runs conditions by their witness, and tells what belongs into an account's story
	"sinks":                     {"internal/alert", "internal/diag"},
	"sinks/stdout":              {"sinks", "internal/alert"}, // JSON that is safe to look at
	"sinks/file":                {"sinks", "internal/strictyaml"},
	"sinks/remote":              {"sinks", "internal/alert", "internal/diag", "internal/strictyaml", "internal/certs", "internal/regular"}, // short texts without secrets
	"sinks/webhook":             {"sinks", "sinks/remote", "internal/strictyaml"},
	"sinks/format":              {"sinks", "internal/alert", "internal/strictyaml"},
	"sinks/splunk":              {"sinks", "sinks/remote", "sinks/format", "internal/alert"},                        // texts as JSON
	"sinks/elasticsearch":       {"sinks", "sinks/remote", "sinks/format", "internal/alert"},                        // texts as JSON
	"sinks/syslog":              {"sinks", "sinks/remote", "sinks/format", "internal/alert", "internal/strictyaml"}, // short texts
	"sinks/page":                {"sinks", "internal/alert", "internal/strictyaml"},                                 // what people are told
	"sinks/pagerduty":           {"sinks", "sinks/remote", "sinks/page", "internal/alert"},
	"sinks/heartbeat":           {"sinks", "sinks/remote"},
	"sinks/slack":               {"sinks", "sinks/remote", "sinks/page", "internal/alert"},
	"sinks/teams":               {"sinks", "sinks/remote", "sinks/page", "internal/alert"},
	"sinks/alertmanager":        {"sinks", "sinks/remote", "sinks/page", "internal/alert"},                        // severities
	"sinks/email":               {"sinks", "sinks/remote", "sinks/page", "internal/alert", "internal/strictyaml"}, // what an alert is like
	"sinks/otlp":                {"sinks", "sinks/remote", "sinks/format"},
	"sinks/kafka":               {"sinks", "sinks/remote", "sinks/format", "internal/bus", "internal/strictyaml"},
	"sinks/sentinel":            {"sinks", "sinks/remote", "internal/alert", "internal/strictyaml"}, // columns
	"sinks/sinktest":            {"sinks", "sinks/remote", "internal/alert"},
	"sinks/catalog":             {"sinks", "sinks/remote", "sinks/stdout", "sinks/file", "sinks/webhook", "sinks/splunk", "sinks/elasticsearch", "sinks/syslog", "sinks/pagerduty", "sinks/email", "sinks/otlp", "sinks/kafka", "sinks/sentinel", "sinks/slack", "sinks/teams", "sinks/alertmanager", "sinks/heartbeat", "internal/alert", "internal/diag", "internal/event", "internal/strictyaml", "internal/config"}, // which names there are
	"internal/deadletter":       {"internal/bus", "internal/diag"},
	"internal/stage":            {"internal/bus", "internal/state"},
	"internal/identify":         {"internal/decode", "internal/bus", "internal/deadletter", "internal/alert"}, // which tenants are of drills
	"internal/config": {"internal/diag", "internal/event", "internal/list", "internal/strictyaml", "internal/regular",
		"internal/certs", "internal/watch"}, // lists are read with the file that names them
	"internal/incident":           {"internal/alert", "internal/event", "internal/cond", "internal/state", "internal/strictyaml", "internal/diag"},
	"internal/incident/page":      {"internal/incident", "internal/paper", "internal/alert", "internal/diag"}, // for people: safe texts
	"internal/telemetry":          {},
	"internal/service":            {},
	"internal/limits":             {},
	"internal/disk":               {},
	"internal/watch":              {},
	"internal/admin":              {"internal/certs"},                                                            // the authority of clients' certificates
	"internal/reference":          {"rules", "sinks", "sinks/catalog", "internal/config", "internal/strictyaml"}, // it runs what reads the configuration
	"internal/app":                {"everyone"},
	"internal/coverage":           {"rules", "rules/kind", "rules/sample", "internal/decode", "internal/event"}, // samples tell where operations are told
	"internal/explain":            {"detector", "rules", "rules/kind", "internal/state", "internal/cond", "internal/decode", "internal/event", "internal/diag"},
	"internal/report":             {"internal/replay", "internal/alert", "internal/diag", "internal/paper", "rules"}, // what a replay has found, for people
	"internal/paper":              {"internal/diag"},                                                                 // texts of strangers
	"internal/chromiumtest":       {},
	"internal/replay":             {"everyone", "-internal/bus"}, // the offline tools need no Kafka
	"cli":                         {"everyone"},
	"deploy":                      {"internal/telemetry", "internal/config", "sinks/catalog"}, // tests of the files there
	"internal/kafkatest":          {"internal/bus"},
	"internal/counterpart":        {},
	"internal/eventhubstest":      {"internal/eventhubstest/amqp", "internal/counterpart"}, // the wire's own types
	"internal/eventhubstest/amqp": {},
	"internal/o365test":           {"internal/counterpart"},
	"internal/house":              {},
}

// forTests are rooms that the tests of any room may import: counterparts, and nouns.
var forTests = []string{"internal/kafkatest", "internal/eventhubstest", "internal/o365test", "sinks/sinktest", "internal/bus", "internal/event", "internal/alert"}

// owners are libraries that one room alone imports.
var owners = map[string][]string{
	"github.com/twmb/franz-go":                                    {"internal/bus"},
	"github.com/expr-lang/expr":                                   {"internal/cond"},
	"go.yaml.in/yaml":                                             {"internal/strictyaml", "internal/incident", "rules", "internal/list", "internal/config", "sinks/file", "sinks/remote", "sinks/format", "sinks/webhook", "sinks/splunk", "sinks/elasticsearch", "sinks/syslog", "sinks/pagerduty", "sinks/email", "sinks/otlp", "sinks/kafka", "sinks/sentinel", "sinks/page", "sinks/slack", "sinks/teams", "sinks/alertmanager", "sinks/heartbeat", "sinks/sinktest", "sinks/catalog", "internal/reference"},
	"github.com/spf13/cobra":                                      {"cli"},
	"github.com/wneessen/go-mail":                                 {"sinks/email"},
	"github.com/schollz":                                          {"cli"},
	"github.com/coreos/go-systemd":                                {"internal/service"},
	"github.com/KimMachineGun":                                    {"internal/limits"},
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs": {"ingest/eventhub"},
	"github.com/coder/websocket":                                  {"internal/eventhubstest", "ingest/eventhub"},
	"github.com/oschwald/maxminddb-golang":                        {"internal/list"},
	"github.com/cenkalti/backoff":                                 {"internal/app", "sinks", "ingest/feed"},
	"go.opentelemetry.io/otel":                                    {"internal/telemetry"},
	"google.golang.org/grpc":                                      {"internal/telemetry"},
	"github.com/go-logr":                                          {"internal/telemetry"},
	"github.com/prometheus":                                       {"internal/telemetry"},
	"go.opentelemetry.io/proto":                                   {"sinks/otlp"},
	"github.com/Azure/azure-sdk-for-go/sdk/az":                    {"ingest/eventhub", "ingest/entra"},
	"github.com/Azure/azure-sdk-for-go/sdk/monitor":               {"sinks/sentinel"}, // its tests alone
}

// source is a Go file of ours.
type source struct {
	path string // from the repository's root
	room string
	test bool
	file *ast.File
	text string
}

// sources reads all Go files of the repository.
func sources(t *testing.T) (all []source, fset *token.FileSet) {
	t.Helper()
	root := "../.."
	fset = token.NewFileSet()
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() && (rel == "tools" || strings.HasPrefix(d.Name(), ".") && rel != "." || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(rel, ".go") {
			return nil
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(fset, rel, b, parser.ParseComments)
		all = append(all, source{rel, path.Dir(rel), strings.HasSuffix(rel, "_test.go"), f, string(b)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("only %d files found", len(all))
	}
	return all, fset
}

func imports(f *ast.File) (all []string) {
	for _, i := range f.Imports {
		all = append(all, strings.Trim(i.Path.Value, `"`))
	}
	return all
}

// refuse tells what is wrong with an import, "" where nothing is.
func refuse(room, imported string, test bool) string {
	if to, ours := strings.CutPrefix(imported, module); ours {
		may, known := arrows[room]
		switch {
		case !known:
			return fmt.Sprintf("the room %s is not in the table of internal/house", room)
		case to == room || slices.Contains(may, to) || slices.Contains(may, "everyone") && !slices.Contains(may, "-"+to):
		case test && (slices.Contains(forTests, to) || room == "ingest/feed" && (to == "ingest/eventhub" || to == "ingest/o365") || len(arrows[to]) == 0):
		case test && room == "internal/incident/page" && to == "rules": // they fill the shipped steps in
		case test && room == "detector": // its oracle reads records and rules by itself
		default:
			return fmt.Sprintf("%s must not import %s: the arrow is not in the table of internal/house", room, to)
		}
		return ""
	}
	for lib, rooms := range owners {
		if strings.HasPrefix(imported, lib) && !slices.Contains(rooms, room) && !test {
			return fmt.Sprintf("%s must not import %s: that is for %s", room, imported, strings.Join(rooms, ", "))
		}
	}
	return ""
}

func TestArrows(t *testing.T) {
	if refuse("sinks", module+"internal/bus", false) == "" || refuse("detector", "github.com/twmb/franz-go/pkg/kgo", false) == "" || refuse("nowhere", module+"sinks", false) == "" ||
		refuse("internal/replay", module+"internal/bus", false) == "" {
		t.Fatal("the table forbids nothing")
	}
	all, _ := sources(t)
	for _, s := range all {
		for _, i := range imports(s.file) {
			if why := refuse(s.room, i, s.test); why != "" {
				t.Errorf("%s: %s", s.path, why)
			}
		}
	}
}
