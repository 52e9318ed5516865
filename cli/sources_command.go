package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"noroshi/internal/app"
	"noroshi/internal/bus"
	"noroshi/internal/diag"
)

func sourcesCommand(s Streams) *cobra.Command {
	f, asJSON := &reachFlags{}, false
	c := &cobra.Command{
		Use:     "sources",
		Short:   "Show how far sources have come, and retire one that is gone for good",
		Example: "  noroshi sources list --data /var/lib/noroshi\n  noroshi sources retire --data /var/lib/noroshi audit",
		Long: `What rules decide late waits for the sources: a rule that looks for what did not come asks first whether all of it has been read.
A source that is behind, or that tells nothing any more, holds up the rules on what it has shown.`,
	}
	f.add(c)
	list := &cobra.Command{
		Use: "list", Short: "List sources: how far each has come, what it has shown and what it holds up", Args: cobra.NoArgs,
		Example: "  noroshi sources list --data /var/lib/noroshi\n  noroshi sources list --config noroshi.yaml --json",
		Long: `List prints each partition of the sources as the running instances know it.

  PROGRESS   the time up to which it has been read, and how far that is behind
  LAST WORD  when the instance that reads it told that last; older than a few minutes: nothing reads it, or it has a fault
  SHOWN      the datasets whose records it has brought
  HOLDS UP   how many clocks of rules go by it, because it is furthest behind; rules that look at the same datasets of a tenant have one`,
		RunE: interruptible(func(c *cobra.Command, _ []string) error {
			return f.withSources(c.Context(), s, func(_ context.Context, _ *bus.Bus, all []app.ClockSum) error {
				if asJSON {
					for _, one := range all {
						if err := writeJSON(s.Out, one); err != nil {
							return err
						}
					}
					return nil
				}
				return printClocks(s.Out, all, s.Now())
			})
		}),
	}
	list.Flags().BoolVar(&asJSON, "json", false, "print one object for each partition of a source")
	yes := false
	retire := &cobra.Command{
		Use: "retire NAME", Short: "Do not wait any more for a source that is gone for good", Args: one("a source, as noroshi sources list shows them"),
		Long: `Retire takes a source, or one partition of it, out of what rules wait for. NAME is a name that noroshi sources list prints, with or
without the partition. What waited for it is decided at once, on what the other sources have brought.

Retire a source only when it is gone: when its hub was deleted, or its machine. One that is only down comes back by itself, and
what it brings then may come too late for what was decided without it. A retired source that tells how far it has come is back.`,
		Example: "  noroshi sources retire --data /var/lib/noroshi audit\n  noroshi sources retire --config noroshi.yaml --yes files@old-host",
		RunE: interruptible(func(c *cobra.Command, args []string) error {
			return f.withSources(c.Context(), s, func(ctx context.Context, b *bus.Bus, all []app.ClockSum) error {
				return retireSource(ctx, s, b, all, retirement{name: args[0], sure: yes})
			})
		}),
	}
	retire.Flags().BoolVar(&yes, "yes", false, "do not ask")
	c.AddCommand(list, retire)
	return c
}

// withSources gives what running instances know of the partitions of sources, by name.
func (f *reachFlags) withSources(ctx context.Context, s Streams, do func(context.Context, *bus.Bus, []app.ClockSum) error) error {
	b, err := f.connect(s)
	if err != nil {
		return err
	}
	defer b.Close()
	asked, cancel := withTimeout(ctx)
	defer cancel()
	all, err := app.ReadStatus(asked, b.Bus)
	if err != nil {
		return failed{err}
	}
	clocks := app.Clocks(all)
	if len(clocks) == 0 {
		return failed{errors.New("no instance has told within the hour how far its sources have come; an instance that runs does so a few seconds after its start")}
	}
	return do(ctx, b.Bus, clocks)
}

func printClocks(out io.Writer, all []app.ClockSum, now time.Time) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SOURCE\tPROGRESS\tBEHIND\tLAST WORD\tSHOWN\tHOLDS UP")
	for _, c := range all {
		behind, said, shown := "-", at(c.Ticked), make([]string, 0, len(c.Shown))
		if !c.Progress.IsZero() {
			behind = ago(now.Sub(c.Progress))
		}
		if !c.Retired.IsZero() {
			said = "retired " + at(c.Retired)
		}
		for _, d := range c.Shown {
			shown = append(shown, d.Dataset)
		}
		if len(shown) == 0 {
			shown = append(shown, "-")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\n", diag.EscapeLine(c.Source), at(c.Progress), behind, said, diag.EscapeLine(strings.Join(shown, ", ")), c.Holds)
	}
	return w.Flush()
}

// retirement is a source that somebody wants to retire.
type retirement struct {
	name string
	sure bool
}

func retireSource(ctx context.Context, s Streams, b *bus.Bus, all []app.ClockSum, r retirement) error {
	those := slices.DeleteFunc(slices.Clone(all), func(c app.ClockSum) bool { return c.Source != r.name && !strings.HasPrefix(c.Source, r.name+"/") })
	if len(those) == 0 {
		err := fmt.Errorf("no source %q", r.name)
		if meant := diag.Suggest(r.name, names(all)); meant != "" {
			err = fmt.Errorf("no source %q; did you mean %q?", r.name, meant)
		}
		return failed{err}
	}
	holds, last := 0, time.Time{}
	for _, c := range those {
		holds += c.Holds
		if c.Ticked.After(last) {
			last = c.Ticked
		}
	}
	what := fmt.Sprintf("%s: %s, last word %s, holds up %s", diag.EscapeLine(r.name), plural(len(those), "partition"), at(last), plural(holds, "clock"))
	if age := s.Now().Sub(last); age < tellsWithin {
		what += "\nIt told how far it has come " + ago(age) + " ago: while something reads it, it comes back by itself"
	}
	if !r.sure {
		fmt.Fprintf(s.Err, "%s.\nDo not wait for it any more? [y/N] ", what)
		answer, _ := bufio.NewReader(s.In).ReadString('\n')
		if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
			return failed{errors.New("nothing was done")}
		}
	}
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	if err := app.Retire(ctx, b, r.name, s.Now()); err != nil {
		return failed{fmt.Errorf("retire %s: %w", r.name, err)}
	}
	_, err := fmt.Fprintf(s.Out, "retired %s; what waited for it is decided within seconds where an instance runs, else at the next start\n", what)
	return err
}

// names are those of sources, with and without partitions.
func names(all []app.ClockSum) (some []string) {
	for _, c := range all {
		source, _, _ := strings.Cut(c.Source, "/")
		some = append(some, source, c.Source)
	}
	slices.Sort(some)
	return slices.Compact(some)
}
