package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"noroshi/detector"
	"noroshi/internal/alert"
	"noroshi/internal/app"
	"noroshi/internal/config"
	"noroshi/internal/diag"
	"noroshi/internal/strictyaml"
	"noroshi/rules"
)

// ruleFlags are the flags that choose rules; every command that loads rules has them and loads them here.
type ruleFlags struct {
	dirs      []string
	noLibrary bool
	config    string
}

func (f *ruleFlags) add(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.dirs, "rules", nil, "rule `file` or folder, beside the shipped library; may be repeated")
	c.Flags().BoolVar(&f.noLibrary, "no-library", false, "leave the shipped library out")
	c.Flags().StringVar(&f.config, "config", "", "configuration `file`, for its lists and rules")
}

// configuration reads the configuration file, or takes the defaults.
func (f *ruleFlags) configuration(s Streams) (*config.Config, *strictyaml.Doc, []diag.Problem) {
	if f.config == "" {
		return config.Default(), nil, nil
	}
	return readConfiguration(s, f.config, sinkKinds())
}

// tuning is what a configuration says of rules.
func tuning(c *config.Config, d *strictyaml.Doc) rules.Tuning {
	t := rules.Tuning{Doc: d, Library: c.Library, Exceptions: c.Exceptions}
	for _, one := range c.Sinks {
		if n := one.Terms["rules"]; n != nil {
			t.Named = append(t.Named, n)
		}
	}
	return t
}

// load loads the rules; problems go to stderr, and an error stops the command.
func (f *ruleFlags) load(s Streams) (*rules.Set, *config.Config, error) {
	return f.loadAs(s, rules.Options{Library: !f.noLibrary})
}

// loadUntested loads the rules for a command that runs none of their tests.
func (f *ruleFlags) loadUntested(s Streams) (*rules.Set, *config.Config, error) {
	return f.loadAs(s, rules.Options{Library: !f.noLibrary, Untested: true})
}

// loadForTests loads the rules, and those that they name from their folders, as test does.
func (f *ruleFlags) loadForTests(s Streams) (*rules.Set, *config.Config, error) {
	return f.loadAs(s, rules.Options{Library: !f.noLibrary, Named: true, Alone: f.noLibrary})
}

func (f *ruleFlags) loadAs(s Streams, o rules.Options) (*rules.Set, *config.Config, error) {
	c, doc, ps := f.configuration(s)
	o.Paths, o.Lists, o.Now = append(c.Rules, f.dirs...), c.Lists, s.Now()
	if !o.Named {
		o.Tuning = tuning(c, doc)
	}
	set, more := rules.Load(o)
	ps = append(ps, more...)
	show(s.Err, ps)
	if n := diag.Errors(ps); n > 0 {
		return nil, nil, failed{fmt.Errorf("the rules do not load: %s", plural(n, "error"))}
	}
	return set, c, nil
}

func show(w io.Writer, ps []diag.Problem) {
	for _, p := range ps {
		fmt.Fprintln(w, p.Format())
	}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// compile makes a detector of rules.
func compile(set *rules.Set, c *config.Config, sample [][]byte) *detector.Set {
	return detector.New(set, detector.Options{Decode: app.DecodeOptions(c), Sample: sample})
}

// writeJSON writes one object a line. A terminal may show it, so characters that nobody sees are escaped.
func writeJSON(w io.Writer, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(append(alert.AppendEscaped(nil, bytes.TrimSuffix(b.Bytes(), []byte("\n"))), '\n'))
	return err
}

// expand replaces the patterns that the shell has left, as those of Windows do, by the files that they match.
func expand(names []string) (all []string) {
	for _, n := range names {
		if _, err := os.Stat(n); err != nil && strings.ContainsAny(n, "*?") {
			if files, err := filepath.Glob(n); err == nil && len(files) > 0 {
				all = append(all, files...)
				continue
			}
		}
		all = append(all, n)
	}
	return all
}

// moment reads a flag that takes a time or a day.
func moment(flag, text string) (time.Time, error) {
	at, back, err := when(flag, text)
	if err != nil || back > 0 {
		return time.Time{}, fmt.Errorf("--%s %s: write a time such as 2026-01-02T03:04:05Z or a day such as 2026-01-02", flag, text)
	}
	return at, nil
}

// when reads --since: RFC 3339, a day, or -24h before the last event.
func when(flag, text string) (at time.Time, before time.Duration, err error) {
	if text == "" {
		return at, 0, nil
	}
	if text[0] == '-' {
		d, err := time.ParseDuration(text[1:])
		if err != nil || d <= 0 {
			return at, 0, fmt.Errorf("--%s %s: write a duration such as -24h", flag, text)
		}
		return at, d, nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if at, err = time.Parse(layout, text); err == nil {
			return at, 0, nil
		}
	}
	return at, 0, fmt.Errorf("--%s %s: write a time such as 2026-01-02T03:04:05Z, a day such as 2026-01-02, or -24h", flag, text)
}
