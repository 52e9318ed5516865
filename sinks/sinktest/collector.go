package sinktest

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
)

// Collected waits until the OpenTelemetry Collector has written so many log records into a file, and gives them as they stand there, by
// the attribute that names them.
func Collected(t *testing.T, file, attribute string, n int) map[string]string {
	t.Helper()
	all := map[string]string{}
	for end := time.Now().Add(time.Minute); len(all) < n && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		b, err := os.ReadFile(file)
		if err != nil {
			continue // not yet
		}
		for line := range strings.Lines(string(b)) {
			collected(line, attribute, all)
		}
	}
	return all
}

// collected reads a line, which may not be whole yet.
func collected(line, attribute string, all map[string]string) {
	var file struct {
		ResourceLogs []struct {
			ScopeLogs []struct{ LogRecords []json.RawMessage }
		}
	}
	if json.Unmarshal([]byte(line), &file) != nil {
		return
	}
	for _, r := range file.ResourceLogs {
		for _, s := range r.ScopeLogs {
			for _, l := range s.LogRecords {
				if name := named(l, attribute); name != "" {
					all[name] = string(l)
				}
			}
		}
	}
}

// named is what an attribute of a log record says.
func named(record []byte, attribute string) string {
	var r struct {
		Attributes []struct {
			Key   string
			Value struct{ StringValue string }
		}
	}
	if json.Unmarshal(record, &r) != nil {
		return ""
	}
	for _, a := range r.Attributes {
		if a.Key == attribute {
			return a.Value.StringValue
		}
	}
	return ""
}
