package cli

import (
	"bufio"
	"bytes"
	"context"
	_ "embed" // the takeover
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"noroshi/internal/alert"
	"noroshi/internal/replay"
)

//go:embed demo/takeover.ndjson
var takeover []byte

// The demo's rhythm, and when it gives up.
const (
	demoPace = 400 * time.Millisecond
	demoEnd  = 2 * time.Minute
)

// The wrong password after which the run is killed, and the one after which it is started again.
const (
	demoKill  = 6
	demoStart = 8
)

func demoCommand(s Streams) *cobra.Command {
	return &cobra.Command{
		Use:     "demo",
		Example: "  noroshi demo",
		Short:   "Watch an account being taken over",
		Long: `Demo plays a takeover of thirteen minutes, record by record: ten wrong passwords and a right one, hiding inbox rules, forwarding, a mail
flow rule, a role, a rename, the audit log switched off, the block. The records go the whole way: file, Kafka (embedded, in a temporary
folder), detector, webhook. Each alert is printed when the receiver has verified its signature, with the time since its record was
written. While passwords are guessed, noroshi is killed and started again: what it remembers outlives that.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := demo(c.Context(), s); err != nil {
				return failed{err}
			}
			return nil
		},
	}
}

const demoConfig = `sources:
  - file: {paths: [%s], poll: 20ms}
sinks:
  - name: demo
    webhook: {url: "%s", secrets: ["${file:secret}"], allow_private: true, allow_http: true}
`

func demo(ctx context.Context, s Streams) error {
	dir, err := os.MkdirTemp("", "noroshi-demo-")
	if err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithTimeout(ctx, demoEnd)
	defer cancel()
	want, err := demoWants(ctx, s)
	if err != nil {
		return err
	}
	r := newReceiver(s, want)
	url, stop, err := r.listen(ctx, dir)
	if err != nil {
		return err
	}
	defer stop()
	live := filepath.Join(dir, "audit.ndjson")
	conf := fmt.Sprintf(demoConfig, live, url)
	path := filepath.Join(dir, "noroshi.yaml")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	fmt.Fprintf(s.Out, "%d records in %s, the same configuration as for real:\n\n%s\n", bytes.Count(takeover, []byte("\n")), live, indent(conf))
	p := &demoProcess{log: filepath.Join(dir, "log"), args: []string{"run", "--config", path, "--data", filepath.Join(dir, "data")}}
	defer p.kill()
	if err = p.start(ctx); err == nil {
		err = r.play(ctx, p, live)
	}
	if err == nil {
		err = r.wait(ctx, p)
	}
	if err = errors.Join(err, p.end()); err != nil {
		fmt.Fprintln(s.Err, p.said())
		return err
	}
	fmt.Fprintf(s.Out, "\n%d alerts, each found once and signed; what to do stands in their \"respond\".\n", len(want))
	return nil
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    ") + "\n"
}

// demoWants are the ids of the alerts that a replay of the takeover gives: what has to arrive.
func demoWants(ctx context.Context, s Streams) (map[string]bool, error) {
	f := &ruleFlags{}
	set, conf, err := f.loadUntested(s)
	if err != nil {
		return nil, err
	}
	want := map[string]bool{}
	r := replay.Replay{Set: compile(set, conf, nil), Workers: 1, Alert: func(a *alert.Alert) error {
		want[strings.Clone(a.ID)] = true
		return nil
	}}
	_, err = r.Run(ctx, []replay.Input{{Name: "takeover", From: bytes.NewReader(takeover)}})
	return want, err
}

// takeoverRecord is what the demo needs to know of a record.
type takeoverRecord struct {
	ID         string `json:"Id"`
	Result     string `json:"resultType"`
	Properties struct {
		ID      string    `json:"id"`
		Created time.Time `json:"createdDateTime"`
	} `json:"properties"`
}

// The takeover begins then: what was before is how its account signs in on other days.
var demoDay = time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)

// play writes the takeover, a record at a time, and kills the run in the middle.
func (r *receiver) play(ctx context.Context, p *demoProcess, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write records: %w", err)
	}
	defer f.Close()
	in, wrong := bufio.NewScanner(bytes.NewReader(takeover)), 0
	for in.Scan() {
		var rec takeoverRecord
		if err := json.Unmarshal(in.Bytes(), &rec); err != nil {
			return fmt.Errorf("read takeover: %w", err)
		}
		r.writes(rec.ID + rec.Properties.ID)
		if _, err := f.Write(append(in.Bytes(), '\n')); err != nil {
			return fmt.Errorf("write records: %w", err)
		}
		if t := rec.Properties.Created; !t.IsZero() && t.Before(demoDay) {
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(demoPace):
		}
		if rec.Result != "50126" {
			continue
		}
		switch wrong++; wrong {
		case demoKill:
			p.kill()
			fmt.Fprintf(r.out, "  … after %d wrong passwords noroshi is killed; the guessing goes on …\n", wrong)
		case demoStart:
			fmt.Fprintf(r.out, "  … after %d it is started again …\n", wrong)
			if err := p.start(ctx); err != nil {
				return err
			}
		}
	}
	return in.Err()
}
