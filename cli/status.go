package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"noroshi/ingest/feed"
	"noroshi/ingest/file"
	"noroshi/internal/app"
	"noroshi/internal/diag"
)

func statusCommand(s Streams) *cobra.Command {
	f := &letterFlags{secrets: s.Secrets}
	c := &cobra.Command{
		Use:   "status",
		Short: "Show what running instances have read, and how far behind they are",
		Long: `Status prints, for each instance of noroshi run and each partition of its sources: messages, records and bytes since its start,
the lag in messages, how old the message stored last is while there is a lag, transactions committed and aborted, restarts and
dead letters by reason, and messages that the source deleted before they were read. Below it: how long records of each dataset
took from their event to the source.`,
		Example: "  noroshi status --data /var/lib/noroshi\n  noroshi status --config noroshi.yaml --json",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			b, _, err := f.connect()
			if err != nil {
				return err
			}
			defer b.Close()
			ctx, cancel := withTimeout(c.Context())
			defer cancel()
			all, err := app.ReadStatus(ctx, b)
			if err != nil {
				return failed{err}
			}
			if len(all) == 0 {
				return failed{fmt.Errorf("no instance has told its status within the hour")}
			}
			if f.json {
				for _, one := range all {
					if err := writeJSON(s.Out, one); err != nil {
						return err
					}
				}
				return nil
			}
			return printStatus(s, all)
		},
	}
	c.Flags().StringVar(&f.config, "config", "", "configuration `file`, where brokers are named")
	c.Flags().StringVar(&f.data, "data", "", "`folder` of the embedded Kafka of a running noroshi run; kafka.data by default, else noroshi-data")
	c.Flags().BoolVar(&f.json, "json", false, "print one object for each instance")
	return c
}

func printStatus(s Streams, all []app.Status) error {
	now := s.Now().UTC()
	for _, one := range all {
		state := "running since " + one.Started.Format(time.RFC3339)
		switch {
		case one.Ended:
			state = "ended " + one.At.Format(time.RFC3339)
		case one.Stale(now):
			state = "silent since " + one.At.Format(time.RFC3339)
		}
		fmt.Fprintf(s.Out, "%s: %s; %s, %s, %s, %s, %s\n", diag.EscapeLine(one.Instance), state, plural(int(one.Records), "record"), plural(int(one.Events), "event"), plural(int(one.Duplicates), "duplicate"), plural(int(one.Alerts), "alert"),
			plural(int(one.Letters), "dead letter"))
		if one.Unknown > 0 {
			fmt.Fprintf(s.Out, "  %s\n", ofNoKnownKind(int(one.Unknown), int(one.Records), one.Keys))
		}
		printLacking(s.Out, one)
		for _, f := range one.Files {
			fmt.Fprintf(s.Out, "  files: %s\n", ofFiles(f))
		}
		t := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
		if len(one.Partitions) > 0 {
			fmt.Fprintln(t, "  SOURCE\tPARTITION\tOWNED\tMESSAGES\tRECORDS\tBYTES\tLAG\tAGE\tCOMMITTED\tABORTED\tRESTARTS\tDEAD LETTERS\tMISSED")
		}
		delays := map[string]feed.Delay{}
		for _, p := range one.Partitions {
			fmt.Fprintf(t, "  %s\t%d\t%s\t%d\t%d\t%d\t%s\t%s\t%d\t%d\t%s\t%s\t%d\n", diag.EscapeLine(p.Source), p.Partition, yesNo(p.Owned), p.Messages, p.Records, p.Bytes, lag(p), age(p, now), p.Committed, p.Aborted,
				byReason(p.Restarts), byReason(p.Letters), p.Missed)
			for k, d := range p.Delays {
				delays[k] = delays[k].Plus(d)
			}
		}
		if err := t.Flush(); err != nil {
			return failed{err}
		}
		for _, name := range slices.Sorted(maps.Keys(one.Sinks)) {
			k := one.Sinks[name]
			fmt.Fprintf(s.Out, "  sink %s: %d sent, %d refused, %d faults\n", name, k.Sent, k.Refused, k.Faults)
		}
		t = tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
		if len(delays) > 0 {
			fmt.Fprintln(t, "  DATASET\tRECORDS\tMEAN DELAY\tLONGEST")
		}
		for _, k := range slices.Sorted(maps.Keys(delays)) {
			d := delays[k]
			fmt.Fprintf(t, "  %s\t%d\t%s\t%s\n", diag.EscapeLine(k), d.Records, span(d.Sum/max(1, d.Records)), span(d.Longest))
		}
		if err := t.Flush(); err != nil {
			return failed{err}
		}
	}
	return nil
}

// printLacking tells of records that are read, but not wholly.
func printLacking(out io.Writer, one app.Status) {
	if one.NotUTF8 > 0 {
		fmt.Fprintf(out, "  %d of %s not UTF-8; first %s\n", one.NotUTF8, plural(int(one.Records), "record"), diag.EscapeLine(one.Encoding))
	}
	if one.Partial > 0 {
		fmt.Fprintf(out, "  %d of %s read only partly; first %s\n", one.Partial, plural(int(one.Records), "record"), diag.EscapeLine(one.Inside))
	}
}

// ofFiles says how the files of a source are read.
func ofFiles(f file.Snapshot) string {
	text := fmt.Sprintf("%d followed, %d open", f.Files, f.Open)
	if f.Cut > 0 {
		text += fmt.Sprintf(", %s cut, rewritten or deleted before all of it was read for certain", times(f.Cut))
	}
	if f.Failing > 0 {
		text += fmt.Sprintf("; %d cannot be read, first %s: %s", f.Failing, diag.EscapeLine(f.First), diag.EscapeLine(f.Fault))
	}
	return text
}

func times(n int64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func lag(p feed.Snapshot) string {
	n := p.Lag()
	switch {
	case !p.Owned: // another knows
		return "-"
	case n < 0:
		return "?"
	}
	return fmt.Sprint(n)
}

// age is how old the message stored last is, where more wait behind it.
func age(p feed.Snapshot, now time.Time) string {
	if !p.Owned || p.Lag() <= 0 || p.Enqueued.IsZero() {
		return "-"
	}
	return span(now.Sub(p.Enqueued).Milliseconds())
}

// span is a time of so many milliseconds, as exact as one reads it.
func span(ms int64) string {
	d := time.Duration(ms) * time.Millisecond
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%dd%dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
	case d >= time.Minute:
		return d.Round(time.Second).String()
	}
	return d.String()
}

func byReason(counts map[string]int64) string {
	if len(counts) == 0 {
		return "0"
	}
	var all []string
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, fmt.Sprintf("%s:%d", k, counts[k]))
	}
	return strings.Join(all, ",")
}
