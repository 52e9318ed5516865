package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"noroshi/internal/config"
	"noroshi/internal/diag"
	"noroshi/rules"
	"noroshi/rules/library"
)

// manifest is the file that says which version a folder of shipped rules is of.
const manifest = "library.json"

// edition is what the manifest holds.
type edition struct {
	Version string `json:"version"`
	Rules   int    `json:"rules"`
}

func libraryExportCommand(s Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "export FOLDER",
		Short: "Write the shipped rules into a new folder",
		Long: `Export writes the shipped rules with their steps of remediation and their samples into a folder that is new or empty, and library.json,
which tells the version. Do it before an upgrade: noroshi library diff of the new version tells what differs.

The folder is a record. Rules in it are not for --rules, for their ids are those of the shipped ones; see 'library:' and 'exceptions:' of
the configuration for how to tune shipped rules.`,
		Example: "  noroshi library export library-before",
		Args:    one("a folder"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(_ *cobra.Command, args []string) error {
			n, err := exportLibrary(args[0])
			if err != nil {
				return failed{err}
			}
			fmt.Fprintf(s.Err, "wrote %s into %s\n", plural(n, "rule"), diag.EscapeLine(args[0]))
			return nil
		},
	}
}

// exportLibrary writes the shipped rules into a folder, and gives how many there are.
func exportLibrary(folder string) (n int, err error) {
	if there, err := os.ReadDir(folder); err == nil && len(there) > 0 {
		return 0, fmt.Errorf("%s is not empty; expected a new folder", folder)
	}
	err = fs.WalkDir(library.Files, ".", func(file string, d fs.DirEntry, err error) error {
		to := filepath.Join(folder, filepath.FromSlash(file))
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return os.MkdirAll(to, 0o755)
		}
		if strings.Contains(file, "/") && strings.HasSuffix(file, ".yaml") {
			n++
		}
		data, err := library.Files.ReadFile(file)
		if err != nil {
			return err
		}
		return os.WriteFile(to, data, 0o644)
	})
	if err != nil {
		return 0, err
	}
	data, err := json.Marshal(edition{Version: Version(), Rules: n})
	if err != nil {
		return 0, err
	}
	return n, os.WriteFile(filepath.Join(folder, manifest), append(data, '\n'), 0o644)
}

// upgrade is what `library diff --json` prints.
type upgrade struct {
	From      string             `json:"from"` // the older version, "" where nothing tells it
	To        string             `json:"to"`
	Rules     []rules.Difference `json:"rules"`
	Untouched []diag.Problem     `json:"untouched"` // settings and exceptions of the configuration that touch nothing any more
	Touched   []setting          `json:"touched"`   // settings and exceptions of rules that have changed
}

// setting is what a configuration says of a rule that has changed.
type setting struct {
	File string   `json:"file"`
	Line int      `json:"line"`
	Rule string   `json:"rule"`
	Says string   `json:"says"` // such as library.severity, or exceptions[2]
	Keys []string `json:"keys"` // of the rule that have changed
}

func libraryDiffCommand(s Streams) *cobra.Command {
	f, asJSON := &ruleFlags{}, false
	c := &cobra.Command{
		Use:   "diff FOLDER",
		Short: "Tell what differs between older shipped rules and those of this version",
		Long: `Diff compares a folder that noroshi library export of an older version has written with the rules of this version: rules that are new,
rules that are gone, and what has changed in the others, key by key. A ! stands before what decides which alerts come and how grave they are, such as when,
count or severity; other keys change what alerts say. Tests are left out.

With --config it also tells what the configuration says of rules that are gone, which touches nothing any more, and what it says of rules
that have changed, which somebody should look at.

It ends with 0, also where rules differ; with 1 if something in the configuration touches nothing any more, or if the folder cannot be read.`,
		Example: `  noroshi-before library export library-before
  noroshi library diff library-before --config noroshi.yaml
  noroshi library diff library-before --json | jq -r '.rules[] | select(.what == "new") | .rule'`,
		Args: one("a folder"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(_ *cobra.Command, args []string) error {
			u, err := compareLibraries(args[0])
			if err != nil {
				return failed{err}
			}
			if f.config != "" {
				if err := u.configured(s, f); err != nil {
					return err
				}
			}
			if asJSON {
				err = writeJSON(s.Out, u)
			} else {
				err = u.print(s.Out)
			}
			if err != nil {
				return failed{fmt.Errorf("write differences: %w", err)}
			}
			if !asJSON {
				fmt.Fprintln(s.Err, u.sum())
			}
			if len(u.Untouched) > 0 {
				return errSaid
			}
			return nil
		},
	}
	c.Flags().StringVar(&f.config, "config", "", "configuration `file`, for what it says of shipped rules")
	c.Flags().BoolVar(&asJSON, "json", false, "print one object")
	return c
}

// compareLibraries compares the shipped rules of a folder with those of this version.
func compareLibraries(folder string) (*upgrade, error) {
	old, err := rules.ReadEdition(os.DirFS(folder))
	if err != nil {
		return nil, fmt.Errorf("%s: %w; noroshi library export of the older version writes one", folder, err)
	}
	now, err := rules.Shipped()
	if err != nil {
		return nil, err
	}
	u := &upgrade{To: Version(), Rules: now.Since(old), Untouched: []diag.Problem{}, Touched: []setting{}}
	if u.Rules == nil {
		u.Rules = []rules.Difference{}
	}
	var of edition
	if data, err := os.ReadFile(filepath.Join(folder, manifest)); err == nil && json.Unmarshal(data, &of) == nil {
		u.From = of.Version
	}
	return u, nil
}

// configured adds what a configuration says of rules that are gone or have changed.
func (u *upgrade) configured(s Streams, f *ruleFlags) error {
	c, doc, ps := f.configuration(s)
	if show(s.Err, ps); diag.Errors(ps) > 0 {
		return errSaid
	}
	gone := map[string]bool{}
	changed := map[string][]string{}
	for _, d := range u.Rules {
		switch d.What {
		case rules.Gone:
			gone[d.Rule] = true
		case rules.Changed:
			for _, k := range d.Keys {
				changed[d.Rule] = append(changed[d.Rule], k.Key)
			}
		}
	}
	for _, one := range rules.Mentions(tuning(c, doc)) {
		switch {
		case gone[one.Rule]:
			u.Untouched = append(u.Untouched, diag.Problem{File: f.config, Line: one.Line, Column: one.Column, Code: "library", Level: diag.Error,
				Message: fmt.Sprintf("%s: the rule %s is gone", one.Says, one.Rule), Source: doc.Line(one.Line)})
		case changed[one.Rule] != nil:
			u.Touched = append(u.Touched, setting{f.config, one.Line, one.Rule, one.Says, changed[one.Rule]})
		}
	}
	u.ofOwn(s, c)
	return nil
}

// ofOwn adds what the operator's own rules ask of rules that are gone.
func (u *upgrade) ofOwn(s Streams, c *config.Config) {
	if len(c.Rules) == 0 {
		return
	}
	_, ps := rules.Load(rules.Options{Paths: c.Rules, Library: true, Untested: true, Lists: c.Lists, Now: s.Now()})
	for _, p := range ps {
		if p.Code == "of" && p.Level == diag.Error {
			u.Untouched = append(u.Untouched, p)
		}
	}
}

// print prints the differences for people.
func (u *upgrade) print(w io.Writer) error {
	var b strings.Builder
	from := "an older version"
	if u.From != "" {
		from = diag.EscapeLine(u.From)
	}
	fmt.Fprintf(&b, "from %s to %s\n", from, u.To)
	for _, what := range []string{rules.Added, rules.Gone, rules.Changed} {
		for _, d := range u.Rules {
			if d.What != what {
				continue
			}
			fmt.Fprintf(&b, "\n%s %s: %s (%s)\n", what, diag.EscapeLine(d.Rule), diag.EscapeLine(d.Title), diag.EscapeLine(d.Severity))
			for _, k := range d.Keys {
				printKey(&b, &k)
			}
		}
	}
	if len(u.Untouched) > 0 {
		b.WriteString("\nwhat touches nothing any more:\n")
		for _, p := range u.Untouched {
			b.WriteString(p.Format() + "\n")
		}
	}
	if len(u.Touched) > 0 {
		b.WriteString("\nwhat is said of rules that have changed:\n")
		for _, t := range u.Touched {
			fmt.Fprintf(&b, "%s:%d: %s: the rule %s has changed: %s\n", diag.EscapeLine(t.File), t.Line, t.Says, diag.EscapeLine(t.Rule), strings.Join(t.Keys, ", "))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// printKey prints how a key differs: what was above, what is below, a short one in one line.
func printKey(b *strings.Builder, k *rules.KeyDifference) {
	mark := " "
	if k.Finds {
		mark = "!"
	}
	short := func(text string) bool { return len(text) <= 30 && !strings.Contains(text, "\n") }
	if short(k.Old) && short(k.New) {
		absent := func(text string) string {
			if text == "" {
				return "nothing"
			}
			return diag.EscapeLine(text)
		}
		fmt.Fprintf(b, "  %s %s: %s, was %s\n", mark, k.Key, absent(k.New), absent(k.Old))
		return
	}
	fmt.Fprintf(b, "  %s %s:\n", mark, k.Key)
	was, is := strings.Split(k.Old, "\n"), strings.Split(k.New, "\n")
	less, more := beyond(was, is), beyond(is, was)
	if len(less)+len(more) == 0 {
		less, more = was, is // in another order
	}
	for _, line := range less {
		fmt.Fprintf(b, "    - %s\n", diag.EscapeLine(line))
	}
	for _, line := range more {
		fmt.Fprintf(b, "    + %s\n", diag.EscapeLine(line))
	}
}

// beyond are the lines of one text that another one lacks, but for empty ones.
func beyond(of, other []string) (all []string) {
	for _, line := range of {
		if line != "" && !slices.Contains(other, line) {
			all = append(all, line)
		}
	}
	return all
}

// sum is the last line of all.
func (u *upgrade) sum() string {
	n := map[string]int{}
	for _, d := range u.Rules {
		n[d.What]++
	}
	text := fmt.Sprintf("%d new, %d gone, %d changed", n[rules.Added], n[rules.Gone], n[rules.Changed])
	if len(u.Untouched) > 0 {
		text += fmt.Sprintf("; %s no longer touch anything", plural(len(u.Untouched), "setting"))
	}
	return text
}
