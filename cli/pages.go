package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"noroshi/internal/diag"
	"noroshi/internal/incident"
	"noroshi/internal/incident/page"
	"noroshi/rules"
)

// pageFlags say how a page about an account is written.
type pageFlags struct {
	format, zone, lang string
}

func (f *pageFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.format, "format", string(page.Text), "how to write it: `text`, markdown, json or html")
	c.Flags().StringVar(&f.zone, "zone", "", "time `zone` of local times, such as Asia/Tokyo; the machine's by default")
	c.Flags().StringVar(&f.lang, "lang", string(incident.English), "`language` of the page: en or ja")
	complete := func(flag string, all []string) {
		_ = c.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return all, cobra.ShellCompDirectiveNoFileComp
		}) // it fails where the flag is unknown or has one
	}
	complete("format", texts(page.Formats))
	complete("lang", texts(incident.Languages))
}

func texts[T ~string](all []T) (out []string) {
	for _, one := range all {
		out = append(out, string(one))
	}
	return out
}

// choose takes one of several words.
func choose(flag, value string, all []string) error {
	if slices.Contains(all, value) {
		return nil
	}
	hint := ""
	if near := diag.Suggest(value, all); near != "" {
		hint = "; did you mean " + near + "?"
	}
	return fmt.Errorf("--%s %s: expected one of %s%s", flag, value, strings.Join(all, ", "), hint)
}

// writer checks the flags and gives what writes pages.
func (f *pageFlags) writer(s Streams) (*pages, error) {
	if err := choose("format", f.format, texts(page.Formats)); err != nil {
		return nil, err
	}
	if err := choose("lang", f.lang, texts(incident.Languages)); err != nil {
		return nil, err
	}
	zone := time.Local
	if f.zone != "" {
		var err error
		if zone, err = time.LoadLocation(f.zone); err != nil {
			return nil, fmt.Errorf("--zone %s: no such time zone on this machine; expected a name such as Asia/Tokyo, Europe/Berlin or UTC", f.zone)
		}
	}
	steps, scope, ps := rules.Remediation()
	show(s.Err, ps)
	if diag.Errors(ps) > 0 {
		return nil, errSaid
	}
	return &pages{out: s.Out, checklist: incident.NewChecklist(steps, scope), zone: zone, lang: incident.Language(f.lang),
		options: page.Options{Format: page.Format(f.format), Width: columns(s.Out), Program: Version()}}, nil
}

// columns is how wide the terminal is, 0 for a file or a pipe.
func columns(out io.Writer) int {
	f, ok := out.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// pages write incidents.
type pages struct {
	out       io.Writer
	checklist *incident.Checklist
	zone      *time.Location
	lang      incident.Language
	options   page.Options
}

func (p *pages) write(i *incident.Incident) error {
	if err := page.Write(p.out, i.AsPage(p.checklist, p.lang, p.zone), p.options); err != nil {
		return failed{fmt.Errorf("write page: %w", err)}
	}
	return nil
}
