package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"noroshi/internal/app"
)

func statusCommand(s Streams) *cobra.Command {
	f, asJSON, again, every := &reachFlags{}, false, false, 5*time.Second
	c := &cobra.Command{
		Use:   "status",
		Short: "Show how running instances are: sources, rules, sinks, and what was lost or cut",
		Long: `Status prints how each instance of noroshi run is, as of its last report. An instance reports every 5 s; times are UTC, and all
counts are since its start. What it prints, from top to bottom:

  the instance   running, silent (it has not reported for 30 s: it was killed or hangs), killed (its process is gone) or ended;
                 "last heard 12s ago" where reports are missing
  what is wrong  lines that are only there when something is cut, missed, not known or not read
  log            how full the log of the embedded Kafka is, and for which reader sources wait
  SOURCE         state, records, messages that wait (lag) and when the last record came: a source that is dead says
                 "no record since"; below it why
  asleep         rules that cannot fire, for no source has shown a dataset that they look at
  waiting        rules that decide late, or forget, and stand still: for which source, and the time it has come to
  source         a source that is behind, or has told nothing for a while; noroshi sources list shows all
  files          how many files are followed, and which cannot be read
  PARTITION      each partition of an event hub or a topic, with restarts and dead letters by reason
  DATASET        how long records took from their event to the source
  RULE           rules that have found something, or failed: records tried, alerts, alerts of a rule in shadow, records that an
                 exception excused, records on which the condition failed
  SINK           delivering, retrying (a fault of the destination), dead (it answered 410) or interrupted (our Kafka); since when,
                 what waits for it, how old the oldest of it is, when it is tried again; below it the last error

At the end it names the roles that no running instance has. docs/operating.md explains each line. --json prints all numbers, also those that are 0.

--watch shows it again and again, on a terminal in the same place; Ctrl-C ends it. Through a pipe the tables come one after the other.`,
		Example: "  noroshi status --data /var/lib/noroshi\n  noroshi status --watch --data /var/lib/noroshi\n  noroshi status --config noroshi.yaml --json | jq '.sinks[] | select(.state != \"delivering\")'",
		Args:    cobra.NoArgs,
		RunE: interruptible(func(c *cobra.Command, _ []string) error {
			b, err := f.connect(s)
			if err != nil {
				return err
			}
			defer b.Close()
			show := func(s Streams, all []app.Status) error { return showStatus(s, all, asJSON) }
			read := func(ctx context.Context) ([]app.Status, error) {
				all, err := app.ReadStatus(ctx, b.Bus)
				app.NoteKilled(all, s.Now())
				return all, err
			}
			switch {
			case !again:
			case b.embedded != nil:
				return failed{errors.New("no noroshi run is going on with this data folder; --watch shows one that is")}
			case every < time.Second:
				return errors.New("--interval: expected at least 1s; an instance reports each 5 s")
			default:
				return (&live{s: s, every: every, read: read, print: show, size: sizeOf(s.Out)}).run(c.Context())
			}
			ctx, cancel := withTimeout(c.Context())
			defer cancel()
			all, err := app.ReadStatus(ctx, b.Bus)
			if err != nil {
				return failed{err}
			}
			if b.embedded != nil {
				app.NoneRuns(all)
			} else {
				app.NoteKilled(all, s.Now())
			}
			if len(all) == 0 {
				return failed{fmt.Errorf("no instance has told its status within the hour")}
			}
			return show(s, all)
		}),
	}
	f.add(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print one object for each instance")
	c.Flags().BoolVar(&again, "watch", false, "show it again and again, until Ctrl-C")
	c.Flags().DurationVar(&every, "interval", every, "how often --watch shows it, a `duration`")
	return c
}

// showStatus prints the status of instances as a table or as JSON.
func showStatus(s Streams, all []app.Status, asJSON bool) error {
	if !asJSON {
		return printStatus(s, all)
	}
	for _, one := range all {
		if err := writeJSON(s.Out, one); err != nil {
			return err
		}
	}
	return nil
}
