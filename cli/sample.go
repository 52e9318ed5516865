package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"noroshi/internal/decode"
	"noroshi/internal/diag"
	"noroshi/internal/event"
	"noroshi/rules/sample"
)

// sampleJSON is a sample as `sample --json` lists it.
type sampleJSON struct {
	Name    string `json:"name"`
	Dataset string `json:"dataset"`
	Action  string `json:"action"`
	Outcome string `json:"outcome"`
	Account string `json:"account"`
}

func sampleCommand(s Streams) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "sample [flags] [NAME]",
		Short: "List the records that tests of rules begin with, or print one",
		Long: `Sample lists the base records that a test can name with "like", and what they are as events. With a name it prints the record
as its service writes it. A folder "samples" beside a rule holds more: NAME.json, one record each.`,
		Example: "  noroshi sample\n  noroshi sample signin-failed\n  noroshi sample new-inbox-rule | noroshi decode",
		Args:    cobra.MaximumNArgs(1),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return sample.Shipped(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			err := listSamples(s.Out, asJSON, args)
			if err != nil && len(args) == 1 && !slices.Contains(sample.Shipped(), args[0]) {
				return err
			}
			if err != nil {
				return failed{err}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "list as one object a line")
	return c
}

// listSamples lists all samples, or prints the one that is named.
func listSamples(out io.Writer, asJSON bool, args []string) error {
	if len(args) == 1 && !asJSON {
		return printSample(out, args[0])
	}
	r := decode.NewPlan(event.NewLayout(), decode.Options{}).Reader()
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	found := false
	for _, name := range sample.Shipped() {
		if len(args) == 1 && name != args[0] {
			continue
		}
		found = true
		rec, err := sample.Ours(name)
		if err == nil {
			err = r.ReadAlone(rec, time.Time{})
		}
		if err != nil {
			return fmt.Errorf("read sample %s: %w", name, err)
		}
		id := r.Identity()
		one := sampleJSON{name, id.Dataset, id.Action, strings.Clone(r.Event.Text(event.Outcome)), id.Account}
		if asJSON {
			err = writeJSON(out, one)
		} else {
			_, err = fmt.Fprintf(w, "%s\t%s\t%s\n", one.Name, one.Dataset, strings.TrimSpace(one.Action+" "+one.Outcome))
		}
		if err != nil {
			return fmt.Errorf("write samples: %w", err)
		}
	}
	if !found {
		return noSample(args[0])
	}
	return w.Flush()
}

func printSample(out io.Writer, name string) error {
	if !slices.Contains(sample.Shipped(), name) {
		return noSample(name)
	}
	rec, err := sample.Ours(name)
	if err == nil {
		_, err = out.Write(rec)
	}
	return err
}

// noSample names the sample that was probably meant.
func noSample(name string) error {
	all := sample.Shipped()
	near := diag.Suggest(name, all)
	if near == "" {
		near = diag.Beginning(name, all)
	}
	if near != "" {
		return fmt.Errorf("no sample %q; did you mean %s?", name, near)
	}
	return fmt.Errorf("no sample %q; noroshi sample lists them", name)
}
