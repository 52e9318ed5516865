package cli

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"noroshi/internal/config"
	"noroshi/internal/diag"
	"noroshi/internal/replay"
	"noroshi/rules"
)

// pathFlags choose what check and test look at: the paths named, else the shipped library.
type pathFlags struct {
	config    string
	now       string
	noLibrary bool
}

func (f *pathFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.config, "config", "", "configuration `file` to check too; rules use its lists")
	c.Flags().StringVar(&f.now, "now", "", "check on this `day` whether exceptions have ended; today by default")
}

// load reads the rules named, as strictly as asked.
func (f *pathFlags) load(s Streams, paths []string, strict bool) (*rules.Set, *config.Config, []diag.Problem, error) {
	now := s.Now()
	if f.now != "" {
		at, _, err := when("now", f.now)
		if err != nil || at.IsZero() {
			return nil, nil, nil, errors.New("--now: write a day such as 2027-03-31")
		}
		now = at
	}
	c, ps := wholeConfiguration(s, f.config)
	set, more := rules.Load(rules.Options{Paths: append(paths, c.Rules...), Library: len(paths) == 0 && !f.noLibrary, Beside: strict && !f.noLibrary, Lists: c.Lists, Now: now, Strict: strict})
	ps = append(ps, more...)
	diag.Sort(ps)
	return set, c, ps, nil
}

// wholeConfiguration reads a configuration file with its sinks, which are made and not started.
func wholeConfiguration(s Streams, path string) (*config.Config, []diag.Problem) {
	if path == "" {
		return config.Default(), nil
	}
	c, doc, ps := config.Read(path, sinkKinds())
	if doc != nil {
		before := len(doc.Problems)
		makeSinks(s, c, doc, slog.New(slog.DiscardHandler))
		ps = append(ps, doc.Problems[before:]...)
	}
	return c, ps
}

func checkCommand(s Streams) *cobra.Command {
	f := &pathFlags{}
	var asJSON bool
	c := &cobra.Command{
		Use:   "check [flags] [PATH]...",
		Short: "Find mistakes in rules and configuration",
		Long: `Check reads rule files and folders, the shipped library where none is named, and reports every mistake with its place
and what would be right. It also demands what a rule should have: tests, one that fires and one that stays silent.`,
		Example: "  noroshi check rules/\n  noroshi check --config noroshi.yaml rules/\n  noroshi check --json rules/ | jq -r .message",
		RunE: func(_ *cobra.Command, args []string) error {
			set, _, ps, err := f.load(s, args, true)
			if err != nil {
				return err
			}
			for _, p := range ps {
				if asJSON {
					if err := writeJSON(s.Out, p); err != nil {
						return failed{fmt.Errorf("write problems: %w", err)}
					}
					continue
				}
				fmt.Fprintln(s.Out, p.Format())
			}
			n := diag.Errors(ps)
			if !asJSON {
				fmt.Fprintln(s.Err, checked(len(set.Rules), n, len(ps)-n))
			}
			if n > 0 {
				return errSaid
			}
			return nil
		},
	}
	f.add(c)
	c.Flags().BoolVar(&f.noLibrary, "no-library", false, "the rules will not stand beside the shipped ones, whose ids are free")
	c.Flags().BoolVar(&asJSON, "json", false, "print one object a line")
	return c
}

// checked is what check has found: rules are those without an error.
func checked(rules, errors, warnings int) string {
	if errors+warnings == 0 {
		return fmt.Sprintf("checked %s: no problems", plural(rules, "rule"))
	}
	found := fmt.Sprintf("found %s and %s", plural(errors, "error"), plural(warnings, "warning"))
	if rules == 1 {
		return found + "; 1 rule has no error"
	}
	return fmt.Sprintf("%s; %d rules have no error", found, rules)
}

func testCommand(s Streams) *cobra.Command {
	f := &pathFlags{}
	var asJSON bool
	var junit string
	c := &cobra.Command{
		Use:     "test [flags] [PATH]...",
		Short:   "Run the tests that rules carry",
		Long:    "Test runs the tests of the rules named, or of the shipped library. It evaluates them as replay and run do.",
		Example: "  noroshi test rules/\n  noroshi test --junit report.xml rules/",
		RunE: func(_ *cobra.Command, args []string) error {
			set, conf, ps, err := f.load(s, args, false)
			if err != nil {
				return err
			}
			show(s.Err, ps)
			var all []replay.Verdict
			set.AllLive()
			d := compile(set, conf, nil)
			for _, r := range d.Rules() {
				all = append(all, replay.Prove(d, r)...)
			}
			if err := report(s.Out, all, asJSON); err != nil {
				return failed{fmt.Errorf("write results: %w", err)}
			}
			bad := 0
			for _, v := range all {
				if !v.Pass {
					bad++
				}
			}
			if !asJSON {
				verdict := "all passed"
				if bad > 0 {
					verdict = fmt.Sprintf("%d failed", bad)
				}
				fmt.Fprintf(s.Err, "ran %s of %s: %s\n", plural(len(all), "test"), plural(len(set.Rules), "rule"), verdict)
			}
			if junit != "" {
				if err := writeJUnit(junit, all, s.Now()); err != nil {
					return failed{err}
				}
			}
			if bad > 0 || diag.Errors(ps) > 0 {
				return errSaid
			}
			return nil
		},
	}
	f.add(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print one object a test")
	c.Flags().StringVar(&junit, "junit", "", "write a JUnit report to this `file`")
	return c
}

func report(out io.Writer, all []replay.Verdict, asJSON bool) error {
	for _, v := range all {
		if asJSON {
			if err := writeJSON(out, v); err != nil {
				return err
			}
			continue
		}
		if v.Pass {
			continue
		}
		if _, err := fmt.Fprintf(out, "%s:%d: %s: %s: %s\n", diag.EscapeLine(v.File), v.Line, v.Rule, diag.EscapeLine(v.Test), diag.EscapeLine(v.Why)); err != nil {
			return err
		}
	}
	return nil
}

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Time     string      `xml:"timestamp,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	File    string        `xml:"file,attr"`
	Failure *junitFailure `xml:"failure,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
}

func writeJUnit(path string, all []replay.Verdict, now time.Time) error {
	suite := junitSuite{Name: "noroshi", Tests: len(all), Time: now.UTC().Format(time.RFC3339)}
	for _, v := range all {
		c := junitCase{Class: v.Rule, Name: v.Test, File: fmt.Sprintf("%s:%d", v.File, v.Line)}
		if !v.Pass {
			suite.Failures++
			c.Failure = &junitFailure{v.Why}
		}
		suite.Cases = append(suite.Cases, c)
	}
	b, err := xml.MarshalIndent(suite, "", "  ")
	if err == nil {
		err = os.WriteFile(path, append([]byte(xml.Header), append(b, '\n')...), 0o644)
	}
	if err != nil {
		return fmt.Errorf("write JUnit report: %w", err)
	}
	return nil
}
