// Package cli is the commands.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"noroshi/internal/diag"
)

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1 // a check error, a failed test, rules that do not load, an I/O or broker failure, an interruption
	exitUsage  = 2 // an unknown command, flag or rule id, a missing argument
)

// Streams are what a command reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	Now      func() time.Time
	Secrets  *diag.Secrets // what no log and no error may show; it grows with each configuration that is read
}

// failed is an error whose exit code is 1. Its message may be empty where all has been said.
type failed struct{ error }

func (f failed) Unwrap() error { return f.error }

// errSaid ends a command that has told everything.
var errSaid = failed{errors.New("")}

// errInterrupted ends a command that a signal has ended before it was done.
var errInterrupted = failed{errors.New("interrupted")}

// Main runs the command that the arguments name and returns its exit code.
func Main(ctx context.Context, args []string, s Streams) int {
	if s.Secrets == nil {
		s.Secrets = &diag.Secrets{}
	}
	c := root(s)
	c.SetArgs(args)
	c.SetIn(s.In)
	c.SetOut(s.Out)
	c.SetErr(s.Err)
	err := c.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = errInterrupted
	}
	if text := err.Error(); text != "" {
		fmt.Fprintln(s.Err, "noroshi: "+diag.Escape(s.Secrets.Hide(text)))
	}
	var f failed
	if errors.As(err, &f) || errors.Is(err, context.Canceled) {
		return exitFailed
	}
	return exitUsage
}

func root(s Streams) *cobra.Command {
	c := &cobra.Command{
		Use:   "noroshi",
		Short: "Notice hijacked Microsoft 365 and Entra ID accounts",
		Long: `Noroshi watches the audit and sign-in records of Microsoft 365 and Entra ID for hijacked accounts.

Try rules on files, without any server:  noroshi replay audit.ndjson
See a record as rules see it:            noroshi decode audit.ndjson
Write a rule and prove it:               noroshi check rule.yaml && noroshi test rule.yaml
Watch live:                              noroshi run --config noroshi.yaml`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: false},
	}
	c.AddCommand(runCommand(s), demoCommand(s), devCommand(s), // live
		deadLettersCommand(s), statusCommand(s), probeCommand(s), doctorCommand(s), topicsCommand(s), stateCommand(s), sourcesCommand(s), sinksCommand(s), drillCommand(s), // what is going on there
		replayCommand(s), decodeCommand(s), explainCommand(s), exceptionCommand(s), incidentsCommand(s), investigateCommand(s), // files
		checkCommand(s), testCommand(s), sampleCommand(s), fieldsCommand(s), schemaCommand(s), coverageCommand(s), libraryCommand(s), // rules
		versionCommand(s))
	guided(c)
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fmt.Errorf("%s\nSee '%s --help'", flagError(err.Error()), c.CommandPath())
	})
	return c
}

func versionCommand(s Streams) *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Print the version", Example: "  noroshi version", Args: cobra.NoArgs, Run: func(*cobra.Command, []string) {
		fmt.Fprintln(s.Out, "noroshi "+Version())
	}}
}

// Version is the module's version, or the commit that the binary was built from.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	set := map[string]string{}
	for _, x := range info.Settings {
		set[x.Key] = x.Value
	}
	v := info.Main.Version
	if v == "" || v == "(devel)" {
		v = "devel"
		if r := set["vcs.revision"]; len(r) >= 12 {
			v = r[:12]
		}
		if set["vcs.modified"] == "true" {
			v += "+modified"
		}
	}
	return v + " " + info.GoVersion + " " + set["GOOS"] + "/" + set["GOARCH"]
}
