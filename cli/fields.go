package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"noroshi/internal/event"
)

// fieldJSON is a field as `fields --json` prints it.
type fieldJSON struct {
	Name    string              `json:"name"`
	Type    string              `json:"type"`
	Meaning string              `json:"meaning"`
	Unit    string              `json:"unit,omitempty"`
	Values  []string            `json:"values,omitempty"`
	Example string              `json:"example"`
	Paths   map[string][]string `json:"paths"`
	Derived string              `json:"derived,omitempty"`
}

func fieldsCommand(s Streams) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "fields [flags] [NAME]",
		Short:   "List the fields that conditions can use",
		Example: "  noroshi fields\n  noroshi fields inbox_rule\n  noroshi fields --json source.ip",
		Args:    cobra.MaximumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var all []string
			for _, f := range event.Fields() {
				all = append(all, f.Name)
			}
			return all, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			found := 0
			for _, f := range event.Fields() {
				if len(args) == 1 && f.Name != args[0] && !strings.HasPrefix(f.Name, args[0]+".") {
					continue
				}
				found++
				var err error
				if asJSON {
					err = writeJSON(s.Out, asFieldJSON(f))
				} else {
					err = printField(s.Out, f, len(args) == 1)
				}
				if err != nil {
					return failed{fmt.Errorf("write fields: %w", err)}
				}
			}
			if found == 0 {
				err := fmt.Errorf("no field %q", args[0])
				if member, field, ok := event.Recorded(args[0]); ok {
					err = fmt.Errorf("no field %q; %s of records is %s here", args[0], member, field)
				} else if near := event.Suggest(args[0]); near != "" {
					err = fmt.Errorf("no field %q; did you mean %q?", args[0], near)
				}
				return err
			}
			if len(args) == 0 && !asJSON {
				fmt.Fprintln(s.Out, "\nBeside these: raw.Some.Path, the record's own text at a path; param[\"Name\"], an entry of its Name/Value lists;\nchange[\"Name\"].old and .new, a modified property. lists.<name> are the configuration's lists.")
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one object a line")
	return c
}

func asFieldJSON(f event.Field) fieldJSON {
	j := fieldJSON{Name: f.Name, Type: f.Type.String(), Meaning: f.Meaning, Unit: f.Unit, Values: f.Values, Example: f.Example, Paths: map[string][]string{}, Derived: f.Derived}
	for shape, paths := range f.Paths {
		if len(paths) > 0 {
			j.Paths[event.Shape(shape).String()] = paths
		}
	}
	return j
}

func printField(w io.Writer, f event.Field, long bool) error {
	if !long {
		_, err := fmt.Fprintf(w, "%-30s %-7s %s\n", f.Name, f.Type, f.Meaning)
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s\n  %s\n  example: %s\n", f.Name, f.Type, f.Meaning, f.Example)
	if f.Unit != "" {
		fmt.Fprintf(&b, "  unit: %s\n", f.Unit)
	}
	if len(f.Values) > 0 {
		which := "one of"
		if f.Open {
			which = "for example"
		}
		fmt.Fprintf(&b, "  %s: %s\n", which, strings.Join(f.Values, ", "))
	}
	for shape, paths := range f.Paths {
		if len(paths) > 0 {
			fmt.Fprintf(&b, "  %s: %s\n", event.Shape(shape), strings.Join(paths, ", "))
		}
	}
	if f.Derived != "" {
		fmt.Fprintf(&b, "  worked out of: %s\n", f.Derived)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
