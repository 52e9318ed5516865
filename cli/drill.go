package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"noroshi/internal/alert"
	"noroshi/internal/app"
	"noroshi/internal/bus"
	"noroshi/internal/config"
	"noroshi/internal/diag"
	"noroshi/sinks"
)

// drillFlags are those of `drill`.
type drillFlags struct {
	reachFlags
	within    time.Duration
	inside    bool
	heartbeat bool
	asJSON    bool
}

func drillCommand(s Streams) *cobra.Command {
	f := &drillFlags{}
	c := &cobra.Command{
		Use: "drill", Short: "Send a marked, harmless takeover through everything, and report each hop with its time", Args: cobra.NoArgs,
		Long: `Drill sends one record of a takeover that has not happened into the first source of the configuration, an event hub, a topic or files,
and follows it: stored in events, found by a rule, told by every sink with its answer. noroshi run must be going on.

The record is of the tenant noroshi-drill and the account noroshi-drill@example.com, and its inbox rule is named "noroshi-drill: nothing
has happened". No real tenant has that name, and sources take it whatever their tenants. Alerts of it have "drill": true, and titles begin
with [DRILL]. They are told as any other: a pager rings.

Into a source of files the record goes as a new file where a pattern such as logs/*.ndjson matches one, else to the end of the first
file. Into an event hub or a topic it needs the right to send. An audit log of the Management Activity API takes nothing: with --inside
the record goes in behind the source.

The exit code is 1 where a hop is missing after --within, or where a sink's destination refused an alert.`,
		Example: "  noroshi drill --config noroshi.yaml\n  noroshi drill --config noroshi.yaml --heartbeat",
		RunE:    interruptible(func(c *cobra.Command, _ []string) error { return f.run(c.Context(), s) }),
	}
	f.add(c)
	c.Flags().DurationVar(&f.within, "within", 2*time.Minute, "how long to wait for all hops")
	c.Flags().BoolVar(&f.inside, "inside", false, "put the record behind the sources, into the topic of events")
	c.Flags().BoolVar(&f.heartbeat, "heartbeat", false, "send a heartbeat, of which sinks of the kind heartbeat alone are told")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print one object for each hop")
	return c
}

func (f *drillFlags) run(ctx context.Context, s Streams) error {
	if f.config == "" {
		return errors.New("--config is missing: it names the sources and the sinks")
	}
	b, err := f.connect(s)
	if err != nil {
		return err
	}
	defer b.Close()
	conf, _, ps := readConfiguration(s, f.config, sinkKinds(), "rules", "geography", "lists", "tenants")
	if diag.Errors(ps) > 0 {
		show(s.Err, ps)
		return errSaid
	}
	all := ctx
	ctx, cancel := context.WithTimeout(ctx, f.within)
	defer cancel()
	tenant := alert.DrillTenant
	var names []string
	for _, one := range conf.Sinks {
		if f.heartbeat == (one.Kind == "heartbeat") {
			names = append(names, one.Name)
		}
	}
	if f.heartbeat {
		tenant = alert.HeartbeatTenant
	}
	d := app.NewDrill(tenant, s.Now())
	follow, err := app.Follow(ctx, b.Bus, d, names)
	if err != nil {
		return failed{err}
	}
	defer follow.Close()
	began := time.Now()
	to, err := f.send(ctx, s, conf, b.Bus, d)
	if err != nil {
		return failed{err}
	}
	refused := 0
	print := func(h app.Hop) {
		if h.Outcome == sinks.WasRefused {
			refused++
		}
		f.print(s, h)
	}
	print(app.Hop{Hop: "sent", Source: to, After: time.Since(began), Seconds: time.Since(began).Round(time.Millisecond).Seconds()})
	err = follow.Run(ctx, began, print)
	var missing *app.Missing
	if errors.As(err, &missing) && missing.Sink != "" && all.Err() == nil {
		states, unknown := statesOf(all, s, b.Bus)
		err = fmt.Errorf("%w: %s", err, waitsFor(states, unknown, missing.Sink, s.Now()))
	}
	if err != nil {
		return failed{err}
	}
	if refused > 0 {
		return failed{fmt.Errorf("%s refused by the destination; noroshi dead-letters list shows why", plural(refused, "alert"))}
	}
	return nil
}

// waitsFor says what a sink waits for that has not told in time.
func waitsFor(states map[string]app.SinkSum, unknown error, name string, now time.Time) string {
	one, known := states[name]
	switch {
	case unknown != nil:
		return "how the sink is is not known: " + unknown.Error()
	case !known:
		return "no instance that runs delivers to it; noroshi status shows the roles"
	case one.State != sinks.Delivering:
		text := "it is " + string(one.State)
		if one.Fault != "" {
			text += ": " + one.Fault
		}
		if !one.Next.IsZero() {
			text += "; it tries again at " + at(one.Next)
		}
		return text + "; noroshi sinks test " + name + " says what to do"
	case one.Waiting != nil && *one.Waiting > 0:
		text := "it has " + plural(int(*one.Waiting), "alert") + " to deliver"
		if !one.Oldest.IsZero() {
			text += ", the oldest since " + ago(now.Sub(one.Oldest))
		}
		return text + "; the drill's comes behind them, and none faster than the sink's rate allows: take a longer --within"
	}
	return "it delivers; take a longer --within"
}

// print says a hop.
func (f *drillFlags) print(s Streams, h app.Hop) {
	if f.asJSON {
		_ = writeJSON(s.Out, h) // a pipe that is closed ends the command soon
		return
	}
	text := ""
	switch h.Hop {
	case "sent":
		text = "sent to " + h.Source
	case "stored":
		text = "stored in events"
	case "found":
		text = "alert " + h.Alert + " of " + h.Rule
	case "told":
		text = "sink " + h.Sink + ": " + string(h.Outcome)
		if h.Answer != "" {
			text += ", " + h.Answer
		}
	}
	fmt.Fprintf(s.Out, "%8.3fs  %s\n", h.Seconds, diag.EscapeLine(text))
}

// sender is a stream that takes records.
type sender interface {
	Name() string
	Send(ctx context.Context, body []byte) error
}

// send sends the record, and says to what.
func (f *drillFlags) send(ctx context.Context, s Streams, conf *config.Config, b *bus.Bus, d app.Drill) (to string, err error) {
	if f.inside {
		return "the topic of events", inside(ctx, b, d)
	}
	if len(conf.Sources) == 0 {
		return "", errors.New("the configuration has no source; with --inside the record goes into the topic of events")
	}
	one := conf.Sources[0]
	var stream sender
	switch one.Kind {
	case "file":
		return drillFile(one.File, d)
	case "eventhub":
		stream, err = makeEventHub(s, one.EventHub)
	case "kafka":
		stream, err = makeTopic(conf, one.Topic, slog.New(slog.DiscardHandler))
	default:
		return "", fmt.Errorf("the first source is of the kind %s, into which nothing can be sent; with --inside the record goes in behind it", one.Kind)
	}
	if err == nil {
		err = stream.Send(ctx, d.Body)
	}
	if err != nil {
		return "", fmt.Errorf("%w; sending needs a right that reading does not, and with --inside the record goes in behind the source", err)
	}
	return "the source " + stream.Name(), nil
}

// inside puts the record into the topic of events.
func inside(ctx context.Context, b *bus.Bus, d app.Drill) error {
	rec, err := d.Event()
	if err != nil {
		return err
	}
	w, err := b.Writer()
	if err != nil {
		return err
	}
	defer w.Close()
	return w.Write(ctx, []bus.Record{rec})
}

// drillFile gives the record to a source of files: as a new file where a pattern matches one, else behind the lines of the first file.
func drillFile(c config.File, d app.Drill) (to string, err error) {
	if !c.Follow {
		return "", errors.New("the first source reads its files once (follow: false); with --inside the record goes in behind it")
	}
	line := append(slices.Clone(d.Body), '\n')
	for _, path := range c.Paths {
		if strings.Count(filepath.Base(path), "*") != 1 || strings.ContainsAny(filepath.Dir(path), "*?[") || strings.ContainsAny(filepath.Base(path), "?[") {
			continue
		}
		name := filepath.Join(filepath.Dir(path), strings.Replace(filepath.Base(path), "*", d.ID, 1))
		if err := os.WriteFile(name, line, 0o600); err != nil {
			return "", err
		}
		return "the new file " + name, nil
	}
	path := c.Paths[0]
	if strings.ContainsAny(path, "*?[") || strings.HasSuffix(path, ".gz") || strings.HasSuffix(path, ".zst") {
		return "", fmt.Errorf("no line can be put behind %s; with --inside the record goes in behind the source", path)
	}
	return "the file " + path, appendLine(path, line)
}

// appendLine puts a line behind those of a file. One that ends in the midst of a line is somebody else's to go on with.
func appendLine(path string, line []byte) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	last := []byte{'\n'}
	if info.Size() > 0 {
		if _, err = f.ReadAt(last, info.Size()-1); err != nil {
			return err
		}
	}
	if last[0] != '\n' {
		return fmt.Errorf("%s ends in the midst of a line, and nothing is put behind it", path)
	}
	_, err = f.Write(line)
	return err
}
