package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/fatih/color"
	"github.com/spf13/cobra"

	"noroshi/internal/alert"
	"noroshi/internal/diag"
	"noroshi/internal/replay"
	"noroshi/rules"
)

// The beginning of the input tells how common comparisons are.
const (
	headSize    = 1 << 20
	sampleCount = 500
)

// replayMemory is what a replay of five million records gets by with, in bytes; beyond it the collector works harder.
const replayMemory = 256 << 20

type replayFlags struct {
	ruleFlags
	json      bool
	incidents bool
	asArrived bool
	since     string
	until     string
	stats     string
	report    string
	workers   int
}

func replayCommand(s Streams) *cobra.Command {
	f := &replayFlags{}
	c := &cobra.Command{
		Use:   "replay [flags] [FILE|-]...",
		Short: "Evaluate rules on files of records, without any server",
		Long: `Replay reads audit and sign-in records and prints the alerts that the rules give, in order of time.

A file, or stdin, holds JSON objects (one a line, in an array, in {"records":[…]} or in {"value":[…]}) or a table: CSV of a
Purview audit export, of Log Analytics or of message trace. Each may be compressed with gzip or zstd. The format is recognised
by its content.
What cannot be read is told on stderr and does not stop the run. The exit code is 1 if nothing can be read.`,
		Example: `  noroshi replay audit.ndjson
  noroshi replay --json --rules my-rules audit-*.ndjson.gz
  noroshi replay --report found audit.ndjson    # then open found/report.html
  noroshi replay --incidents audit.ndjson       # what the alerts of each account add up to
  zcat export.csv.gz | noroshi replay --since 2026-01-02 -`,
		RunE: func(c *cobra.Command, args []string) error { return f.run(c, s, args) },
	}
	f.add(c)
	c.Flags().BoolVar(&f.json, "json", false, "print alerts as JSON, one a line")
	c.Flags().BoolVar(&f.incidents, "incidents", false, "behind the alerts print the incidents that they add up to")
	c.Flags().BoolVar(&f.asArrived, "as-arrived", false, "apply records in the order of the input, not of their time")
	c.Flags().StringVar(&f.since, "since", "", "leave out alerts before this `time`: RFC 3339, a day, or -24h before the last event")
	c.Flags().StringVar(&f.until, "until", "", "leave out alerts from this `time` on")
	c.Flags().Var(filled{&f.stats}, "stats", "write counts as JSON to this `file`")
	c.Flags().Var(filled{&f.report}, "report", "write what was found into this `folder`: as a page, as text and as JSON")
	f.workers = runtime.GOMAXPROCS(0)
	c.Flags().Var(&whole{&f.workers, 1, max(8, 4*f.workers)}, "workers", "how many records are matched at a time, a whole `number`")
	return c
}

func (f *replayFlags) run(c *cobra.Command, s Streams, args []string) error {
	since, last, err := when("since", f.since)
	if err != nil {
		return err
	}
	until, err := moment("until", f.until)
	if err != nil {
		return err
	}
	switch {
	case !since.IsZero() && !until.IsZero() && !since.Before(until):
		return fmt.Errorf("--since %s is not before --until %s, so that no alert is left", f.since, f.until)
	case last > 0 && f.asArrived:
		return errors.New("--since expects a time or a day together with --as-arrived: the last event is not known in advance")
	}
	if err := overwrites("stats", f.stats, expand(args)); err != nil {
		return err
	}
	set, conf, err := f.loadAs(s, rules.Options{Library: !f.noLibrary, Untested: true, Story: f.incidents})
	if err != nil {
		return err
	}
	rep, err := newReporting(f.report, set, expand(args))
	if err != nil {
		return err
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(replayMemory + int64(conf.Geography.Size()))
	}
	files := open(c.Context(), s, args)
	var inputs []replay.Input
	var sample [][]byte
	for i, one := range files {
		defer one.from.Close()
		from := io.Reader(one.from)
		if i == 0 {
			head, rest := peek(from)
			sample, from = replay.Sample(head, sampleCount), rest
		}
		inputs = append(inputs, replay.Input{Name: one.name, From: from, Err: one.err})
	}
	out := bufio.NewWriterSize(s.Out, 64<<10)
	printed := f.printer(out)
	p := newProgress(s.Err, files)
	faults := newFaults(s.Err)
	r := replay.Replay{Set: compile(set, conf, sample), Workers: f.workers, AsArrived: f.asArrived, Since: since, Until: until, Last: last, Now: s.Now(),
		Progress: p.at, Applying: p.applying,
		Alert: printed.add, Fault: func(one replay.Fault) {
			p.clear()
			faults.add(one.Input, one.Line, string(one.Reason), one.Detail)
		}}
	if one, ok := printed.(*objects); ok && f.report == "" {
		r.JSON = one.print
	}
	rep.watch(&r)
	var incidents *telling
	if f.incidents {
		var ps []diag.Problem
		if incidents, ps = newTelling(conf); incidents == nil {
			show(s.Err, ps)
			return errSaid
		}
		incidents.watch(&r)
	}
	for _, rule := range r.Set.Unindexed() {
		if !rule.Shipped {
			fmt.Fprintf(s.Err, "%s:%d: warning: rule %s is tried on every record, because none of its conditions can be indexed; compare a field that the record itself holds, such as event.action or event.code, with a constant [unindexed]\n", rule.File, rule.Line, rule.ID)
		}
	}
	stats, err := r.Run(c.Context(), inputs)
	p.clear()
	faults.end()
	if rerr := rep.end(s, &r, inputs, stats, cmp.Or(c.Context().Err(), err)); rerr != nil {
		return rerr
	}
	if n := conf.Geography.Broken(); n > 0 {
		fmt.Fprintf(s.Err, "warning: databases of the key geography are broken: %s found nothing that could be read; what they say there is left out\n", plural(int(n), "look-up"))
	}
	if ferr := cmp.Or(printed.flush(), incidents.print(out, until, f.json), out.Flush()); ferr != nil {
		return failed{ferr}
	}
	if c.Context().Err() != nil {
		return failed{c.Context().Err()}
	}
	var unread *replay.Unread
	if err != nil && !errors.As(err, &unread) {
		return failed{err}
	}
	if !f.json && (err == nil || stats.Records > 0) {
		fmt.Fprintf(s.Err, "%s: %s, %s, %d undecodable, %s%s\n", plural(stats.Records, "record"), plural(stats.Events, "event"), plural(stats.Duplicates, "duplicate"), stats.Undecodable, plural(stats.Alerts, "alert"), inShadow(stats.Shadow))
	}
	tellBounds(s.Err, stats.Bounds)
	if err := f.writeStats(stats); err != nil {
		return err
	}
	return tally{records: stats.Records, events: stats.Events, unknown: stats.Unknown, keys: stats.UnknownKeys, unread: err}.tell(s.Err)
}

// inShadow says how many alerts nobody would be told of, nothing where there are none.
func inShadow(byRule map[string]int) string {
	sum := 0
	for _, n := range byRule {
		sum += n
	}
	if sum == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d in shadow)", sum)
}

func (f *replayFlags) writeStats(stats replay.Stats) error {
	if f.stats == "" {
		return nil
	}
	b, err := json.MarshalIndent(stats, "", "  ")
	if err == nil {
		err = os.WriteFile(f.stats, append(b, '\n'), 0o644)
	}
	if err != nil {
		return failed{fmt.Errorf("write statistics: %w", err)}
	}
	return nil
}

// peek reads the beginning of an input and gives it back in front of the rest.
func peek(from io.Reader) ([]byte, io.Reader) {
	head := make([]byte, headSize)
	n, err := io.ReadFull(from, head)
	head = head[:n]
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return head, io.MultiReader(bytes.NewReader(head), broken{err})
	}
	return head, io.MultiReader(bytes.NewReader(head), from)
}

// broken is an input that could not be read on.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// printer prints alerts.
type printer interface {
	add(a *alert.Alert) error
	flush() error
}

// printer prints alerts as JSON, or as lines for a person.
func (f *replayFlags) printer(out io.Writer) printer {
	if f.json {
		return &objects{out: out}
	}
	return &lines{out: out}
}

// objects print alerts as JSON.
type objects struct {
	out  io.Writer
	line []byte
}

func (o *objects) add(a *alert.Alert) error {
	o.line = a.AppendJSON(o.line[:0])
	return o.print(o.line)
}

// print prints an alert that is JSON.
func (o *objects) print(json []byte) error {
	if _, err := o.out.Write(json); err != nil {
		return err
	}
	_, err := io.WriteString(o.out, "\n")
	return err
}

func (*objects) flush() error { return nil }

var severityColors = map[string]*color.Color{"critical": color.New(color.FgRed, color.Bold), "high": color.New(color.FgRed), "medium": color.New(color.FgYellow)}

// Line is an alert for a person, one line, safe for a terminal.
func Line(a *alert.Alert) string { return line(a, "") }

// inTenant is the tenant of an alert as a line tells it.
func inTenant(a *alert.Alert) string {
	if a.Tenant == "" {
		return "  (no tenant)"
	}
	return "  " + diag.EscapeLine(a.Tenant)
}

// line is an alert with its tenant, as inTenant has it, or without.
func line(a *alert.Alert, tenant string) string {
	severity := fmt.Sprintf("%-8s", a.Severity)
	if c, ok := severityColors[a.Severity]; ok {
		severity = c.Sprint(severity)
	}
	rule := a.Rule.ID
	if a.State != "" {
		rule += " (" + a.State + ")"
	}
	return fmt.Sprintf("%s %s %s%s  %s  %s", a.Time.UTC().Format(time.RFC3339), severity, diag.EscapeLine(a.Account), tenant, diag.EscapeLine(rule), diag.EscapeLine(a.Summary))
}
