package cli

import (
	"strings"
	"testing"

	"noroshi/internal/config"
)

// On Windows a run says all that it lacks there; elsewhere it lacks nothing.
func TestWhatARunLacks(t *testing.T) {
	brokers := config.Config{Kafka: config.Kafka{Brokers: []string{"kafka.example.com:9092"}}, Sources: []config.Source{{Kind: "eventhub"}}}
	files := brokers
	files.Sources = []config.Source{{Kind: "file"}, {Kind: "file"}}
	embedded := config.Config{Sources: files.Sources}
	for name, one := range map[string]struct {
		system string
		conf   config.Config
		says   []string
	}{
		"Linux":                          {"linux", embedded, nil},
		"macOS":                          {"darwin", embedded, nil},
		"Windows, brokers, an event hub": {"windows", brokers, nil},
		"Windows, brokers, files":        {"windows", files, []string{"lacks file sources", "WSL"}},
		"Windows, nothing else":          {"windows", embedded, []string{"lacks the embedded Kafka", "and file sources", "replay, decode"}},
	} {
		err := lacks(one.system, &one.conf)
		if (err != nil) != (one.says != nil) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, s := range one.says {
			if !strings.Contains(err.Error(), s) {
				t.Errorf("%s: %v says nothing of %q", name, err, s)
			}
		}
	}
}
