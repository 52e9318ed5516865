package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"noroshi/internal/app"
	"noroshi/internal/bus"
	"noroshi/internal/deadletter"
	"noroshi/internal/diag"
)

// letterFlags say which dead letters a command is about.
type letterFlags struct {
	reachFlags
	streams Streams
	stage   string
	json    bool
	all     bool
	sinks   []string // of the configuration
}

func deadLettersCommand(s Streams) *cobra.Command {
	f := &letterFlags{streams: s}
	c := &cobra.Command{
		Use:     "dead-letters",
		Short:   "List, show and replay what could not be read or delivered",
		Example: "  noroshi dead-letters list --data /var/lib/noroshi\n  noroshi dead-letters show --data /var/lib/noroshi 0:17",
		Long: `Dead letters are records that could not be read and alerts that a destination will never take. Nothing waits for them; they
stay on their topic with the reason, the place they came from and their bytes, until they are replayed or too old.`,
	}
	f.add(c)
	c.PersistentFlags().StringVar(&f.stage, "stage", "", "only letters of this `stage`: ingest, detect or sink:NAME")
	list := &cobra.Command{Use: "list", Short: "List dead letters", Args: cobra.NoArgs,
		Example: "  noroshi dead-letters list --data /var/lib/noroshi", RunE: interruptible(func(c *cobra.Command, _ []string) error {
			head := deadletter.Head + "\n"
			return f.each(c.Context(), nil, func(_ *bus.Bus, l deadletter.Letter) error {
				if f.json {
					return writeJSON(s.Out, l.JSON(false))
				}
				_, _ = fmt.Fprint(s.Out, head) // a pipe that is closed ends the command with the next line
				head = ""
				_, err := fmt.Fprintln(s.Out, l.Format())
				return err
			})
		})}
	show := &cobra.Command{Use: "show PLACE...", Short: "Show dead letters with their bytes",
		Example: "  noroshi dead-letters show --data /var/lib/noroshi 0:17", Args: cobra.MinimumNArgs(1),
		RunE: interruptible(func(c *cobra.Command, args []string) error {
			return f.each(c.Context(), args, func(_ *bus.Bus, l deadletter.Letter) error {
				if f.json {
					return writeJSON(s.Out, l.JSON(true))
				}
				_, err := fmt.Fprintf(s.Out, "%s\n  %s\n", l.Format(), diag.EscapeLine(string(l.Value)))
				return err
			})
		})}
	for _, sub := range []*cobra.Command{list, show} {
		sub.Flags().BoolVar(&f.json, "json", false, "print one object a line")
	}
	replay := &cobra.Command{
		Use: "replay (PLACE...|--all)", Short: "Try dead letters again",
		Long: `Replay gives dead letters another try: a record is read and evaluated again, an alert that a sink refused goes to that sink
again. The letters stay on their topic, marked as replayed; --all leaves those out. An alert that is told twice has the same id
both times. Records of tenants that their source does not take stay out, since the configuration keeps them out.`,
		Example: "  noroshi dead-letters replay --data /var/lib/noroshi --stage sink:soc --all",
		RunE: interruptible(func(c *cobra.Command, args []string) error {
			if (len(args) == 0) != f.all {
				return errors.New("name the letters by their place, or all with --all")
			}
			return f.replay(c.Context(), s, args)
		}),
	}
	replay.Flags().BoolVar(&f.all, "all", false, "all letters, of the stage if one is named")
	c.AddCommand(list, show, replay)
	return c
}

// connect reaches Kafka, and learns the names of sinks.
func (f *letterFlags) connect() (*reached, error) {
	to, err := f.reachFlags.connect(f.streams)
	if err == nil {
		for _, one := range to.conf.Sinks {
			f.sinks = append(f.sinks, one.Name)
		}
	}
	return to, err
}

// each gives the letters named, or all of the stage.
func (f *letterFlags) each(ctx context.Context, places []string, do func(*bus.Bus, deadletter.Letter) error) error {
	b, err := f.connect()
	if err != nil {
		return err
	}
	defer b.Close()
	return f.eachOn(ctx, b.Bus, places, do)
}

func (f *letterFlags) eachOn(ctx context.Context, b *bus.Bus, places []string, do func(*bus.Bus, deadletter.Letter) error) error {
	all, err := f.chosen(ctx, b, places)
	if err != nil {
		return err
	}
	for _, l := range all {
		if err := do(b, l); err != nil {
			return failed{err}
		}
	}
	return nil
}

// chosen are the letters named, or all of the stage.
func (f *letterFlags) chosen(ctx context.Context, b *bus.Bus, places []string) (chosen []deadletter.Letter, err error) {
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	var letters deadletter.Letters
	if err := b.All(ctx, bus.DeadLetters, func(r bus.Record) error {
		letters.Add(r)
		return nil
	}); err != nil {
		return nil, failed{err}
	}
	if err := f.known(ctx, b, &letters); err != nil {
		return nil, err
	}
	found := map[string]bool{}
	for _, l := range letters.All() {
		if (f.stage == "" || f.stage == l.Stage) && (len(places) == 0 || slices.Contains(places, l.Place)) {
			found[l.Place] = true
			chosen = append(chosen, l)
		}
	}
	for _, p := range places {
		if !found[p] {
			return nil, failed{fmt.Errorf("no dead letter %s", p)}
		}
	}
	return chosen, nil
}

// known reports a stage that there is not. The sinks are those of the configuration, of the instances and of the letters.
func (f *letterFlags) known(ctx context.Context, b *bus.Bus, letters *deadletter.Letters) error {
	if f.stage == "" {
		return nil
	}
	names := f.sinks
	instances, err := app.ReadStatus(ctx, b)
	if err != nil {
		return failed{err}
	}
	for _, one := range instances {
		names = slices.AppendSeq(names, maps.Keys(one.Sinks))
	}
	stages := letters.Stages(names)
	if slices.Contains(stages, f.stage) {
		return nil
	}
	return fmt.Errorf("no stage %s; the stages are %s", f.stage, strings.Join(stages, ", "))
}

func (f *letterFlags) replay(ctx context.Context, s Streams, places []string) error {
	b, err := f.connect()
	if err != nil {
		return err
	}
	defer b.Close()
	w, err := b.Writer()
	if err != nil {
		return failed{err}
	}
	defer w.Close()
	again, still, before := 0, 0, 0
	reader := app.NewAgain(app.IdentityOptions(b.conf))
	err = f.eachOn(ctx, b.Bus, places, func(_ *bus.Bus, l deadletter.Letter) error {
		if f.all && !l.Replayed.IsZero() {
			before++
			return nil
		}
		records, pieces, err := reader.Records(l)
		if err != nil {
			still++
			fmt.Fprintf(s.Err, "%s: %s\n", l.Place, diag.EscapeLine(err.Error()))
			return nil
		}
		if pieces > 0 {
			fmt.Fprintf(s.Err, "%s: tried again but for %s, now letters of their own\n", l.Place, plural(pieces, "piece"))
		}
		again++
		return w.Write(ctx, append(records, l.Mark()))
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(s.Err, "%s tried again, %d cannot be\n", plural(again, "letter"), still)
	if before > 0 {
		fmt.Fprintf(s.Err, "%s replayed before; a place that is named is tried again\n", plural(before, "letter"))
	}
	if still > 0 && (again == 0 || len(places) > 0) {
		return errSaid
	}
	return nil
}
