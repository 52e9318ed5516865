package decode

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"noroshi/internal/event"
)

// recordsOf reads the records of a folder of real data, out of whatever its files wrap around them. Rows of tables are counted
// where they are read.
func recordsOf(t *testing.T, dir string) (all [][]byte) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".ndjson" {
			return err
		}
		in, err := os.Open(path)
		if err != nil {
			return err
		}
		defer in.Close()
		s := bufio.NewScanner(in)
		s.Buffer(nil, 16<<20)
		for s.Scan() {
			all = append(all, inside(s.Bytes()))
		}
		return s.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// inside is the record in a line of a file of tests.
func inside(line []byte) []byte {
	var wrapped struct {
		Raw   string          `json:"input_raw"`
		Input json.RawMessage `json:"input"`
		Event json.RawMessage `json:"event"`
	}
	_ = json.Unmarshal(line, &wrapped) // what is wrapped in nothing is the record itself
	var message struct {
		Message string
		Event   struct{ Original string }
	}
	switch {
	case wrapped.Raw != "":
		return []byte(wrapped.Raw)
	case json.Unmarshal(wrapped.Input, &message) == nil && message.Message+message.Event.Original != "":
		return []byte(message.Message + message.Event.Original)
	case wrapped.Input != nil:
		return slices.Clone(wrapped.Input)
	case bytes.HasPrefix(wrapped.Event, []byte("{")):
		return slices.Clone(wrapped.Event)
	}
	return slices.Clone(line)
}

// says reports whether a record has a text or number at one of the paths.
func says(rec map[string]any, paths ...string) bool { return len(told(rec, paths...)) > 0 }

// namesSomebody reports whether a record names an account. Alerts and their evidence do where an address says so: their other
// entities are files, messages and machines, and who writes an alert is nobody.
func namesSomebody(rec map[string]any, dataset string) bool {
	names := told(rec, accountsLie...)
	if dataset == "defender.alert_evidence" || dataset == "ual.security_compliance_alerts" {
		return slices.ContainsFunc(names, func(s string) bool { return strings.Contains(s, "@") })
	}
	return len(names) > 0
}

// told are the texts and numbers of a record at paths, by way of nested maps, names spelt in whatever case, and objects in text.
func told(rec map[string]any, paths ...string) (all []string) {
	for _, path := range paths {
		var v any = rec
		for step := range strings.SplitSeq(path, ".") {
			m, _ := v.(map[string]any)
			v = nil
			for name, inner := range m {
				if strings.EqualFold(name, step) {
					v = inner
				}
			}
			if text, ok := v.(string); ok && strings.HasPrefix(text, "{") {
				var inner map[string]any
				if json.Unmarshal([]byte(text), &inner) == nil {
					v = inner
				}
			}
		}
		switch v := v.(type) {
		case string:
			if v != "" {
				all = append(all, v)
			}
		case float64:
			all = append(all, fmt.Sprint(v))
		}
	}
	return all
}

// Where records of the families that are read name an outcome, an account or the client's address, whatever we make of it.
var (
	outcomesLie = []string{"properties.result", "properties.status.errorCode", "status.errorCode", "result", "properties.DeliveryAction", "properties.ActionResult", "properties.responseStatusCode"}
	accountsLie = []string{"UserId", "properties.userPrincipalName", "userPrincipalName", "properties.initiatedBy.user.userPrincipalName", "initiatedBy.user.userPrincipalName", "properties.initiatedBy.app.displayName", "properties.AccountUpn",
		"properties.AccountObjectId", "properties.AccountName", "properties.RecipientEmailAddress", "properties.RawEventData.UserId", "properties.userId", "properties.appId", "properties.servicePrincipalId", "SenderAddress"}
	addressesLie = []string{"ClientIP", "ClientIPAddress", "Client_IPAddress", "ActorIpAddress", "ipAddress", "properties.ipAddress", "callerIpAddress", "initiatedBy.user.ipAddress", "properties.initiatedBy.user.ipAddress", "properties.RawEventData.ClientIP",
		"properties.RawEventData.ClientIPAddress", "properties.SenderIPv4", "properties.SenderIPv6", "FromIP"}
)

// TestRealRecordsKeepWhatTheySay: every real record of a family that is read has a time of its own and an action, and an
// outcome, account and address where it names one.
func TestRealRecordsKeepWhatTheySay(t *testing.T) {
	dirs, err := filepath.Glob(filepath.Join(shared, "*"))
	if err != nil || len(dirs) == 0 {
		t.Skip("real records are not beside this checkout; the count needs them")
	}
	r := reader() // documentation writes the type where a time would be
	for _, dir := range dirs {
		all := recordsOf(t, dir)
		if len(all) == 0 {
			continue
		}
		var events, times, actions, outcomes, accounts, addresses, apart int
		for _, rec := range all {
			if r.ReadAlone(rec, time.Unix(1, 0)) != nil {
				continue // no JSON object; replay names and counts them
			}
			var m map[string]any
			if err := json.Unmarshal(rec, &m); err != nil {
				t.Fatal(err)
			}
			if r.Shape() == event.Other {
				apart++
				continue
			}
			events++
			id := r.Identity()
			outcome := r.field("event.outcome")
			for _, c := range []struct {
				n    *int
				has  bool
				lost bool
				name string
			}{
				{&times, id.TimeFrom != "enqueued", !bytes.Contains(rec, []byte(`"String (timestamp)"`)), "time"}, {&actions, id.Action != "", true, "action"},
				{&outcomes, outcome != "", says(m, outcomesLie...), "outcome"}, {&accounts, id.Account != "", namesSomebody(m, id.Dataset), "account"},
				{&addresses, r.field("source.ip") != "", slices.ContainsFunc(told(m, addressesLie...), func(s string) bool { ip, _ := Address(s); return ip != "" }), "address"},
			} {
				if c.has {
					*c.n++
				} else if c.lost {
					t.Errorf("%s: %s %q has no %s: %.1500s", filepath.Base(dir), id.Dataset, id.Action, c.name, rec)
				}
			}
		}
		t.Logf("%s: %d records, %d events, with time %d, action %d, outcome %d, account %d, address %d; %d of no family", filepath.Base(dir), len(all), events, times, actions, outcomes, accounts, addresses, apart)
	}
}
