package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"noroshi/detector"
	"noroshi/internal/app"
	"noroshi/internal/config"
	"noroshi/internal/diag"
	"noroshi/internal/service"
	"noroshi/internal/strictyaml"
	"noroshi/rules"
	"noroshi/sinks"
	"noroshi/sinks/catalog"
)

func runCommand(s Streams) *cobra.Command {
	var path, data string
	var named []string
	var logs config.Logs
	c := &cobra.Command{
		Use:   "run --config FILE [--data DIR] [--role ROLE,…]",
		Short: "Watch live: sources, Kafka, detector and sinks in one process, or some of them in each of several",
		Long: `Run reads the sources of the configuration, puts their records on Kafka, evaluates the rules and delivers the alerts.

Where the configuration names no brokers, a Kafka runs inside this process, with its data under --data; it is for one machine.
Ctrl-C ends it in order: what has been read is stored, what has been evaluated is stored, what is being sent is finished.

Rules, lists, databases of addresses and lateness are read again when a file of theirs changes, or at SIGHUP, and take effect without a
restart. Where a file has a mistake, the rules of before stay, and the log and noroshi status say where it is. Kafka, sources and sinks
are read at the start alone; when they change, the log says which need a restart. docs/operating.md tells more.

The log goes to stderr, as text or, with --log-format json, as one object a line; both have the same messages and names. Metrics and
traces of alerts go to the collector of telemetry.otlp, or to that of OTEL_EXPORTER_OTLP_ENDPOINT; docs/telemetry.md tells of them.

With brokers of your own, several instances share the work: start the same command again. --role gives an instance a part of it:

  ingest   read the sources and store their records; needs the keys sources and lists.directory
  detect   evaluate the records; needs rules, lists, tenants, geography and lateness
  deliver  send the alerts to the sinks; needs sinks

What a role does not need, an instance without it does not read, secrets included.`,
		Example: "  noroshi run --config noroshi.yaml --data /var/lib/noroshi\n  noroshi run --config noroshi.yaml --role detect",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if path == "" {
				return errors.New("--config is missing: a run needs sources")
			}
			roles, err := rolesOf(named)
			if err == nil && len(roles) == 0 && c.Flags().Changed("role") {
				err = fmt.Errorf("--role names no role; expected some of %s", rolesText(app.Roles))
			}
			if err != nil {
				return err
			}
			if err := checkLogFlags(logs); err != nil {
				return err
			}
			hangup := make(chan os.Signal, 1)
			signal.Notify(hangup, syscall.SIGHUP)
			defer signal.Stop(hangup)
			r, err := newRun(s, path, data, roles, logs)
			if err != nil {
				return err
			}
			r.Hangup, r.Manager, r.Limits = hangup, service.Find(r.Log), app.Limit(r.Log)
			if err := r.Run(c.Context()); err != nil {
				return failed{err}
			}
			return nil
		},
	}
	c.Flags().StringVar(&path, "config", "", "configuration `file`")
	c.Flags().StringVar(&data, "data", "", "`folder` of the embedded Kafka; kafka.data by default")
	c.Flags().StringSliceVar(&named, "role", nil, "`roles` of this instance, "+rolesText(app.Roles)+"; all by default")
	_ = c.RegisterFlagCompletionFunc("role", completeRoles) // it fails where the flag is unknown or has one
	logFlags(c, &logs)
	return c
}

// newRun makes everything of a configuration file; whatever is wrong in it, in rules or lists is told at once.
func newRun(s Streams, path, data string, roles []app.Role, logs config.Logs) (*app.Run, error) {
	began := time.Now()
	first, doc := readRun(s, path, roles)
	conf := first.Config
	log := newLog(s, logs, conf.Telemetry.Logs)
	if data != "" {
		conf.Kafka.Data = data
	}
	r := &app.Run{Config: conf, Compile: first.Compile, Roles: roles, Log: log, Version: Version(), Began: began}
	r.Read = func() *app.Reading {
		again, _ := readRun(s, path, roles)
		return again
	}
	ps := append(first.Problems, makeEnds(s, conf, doc, r, log)...)
	diag.Sort(ps)
	show(s.Err, ps)
	if n := diag.Errors(ps); n > 0 {
		return nil, failed{fmt.Errorf("the configuration does not load: %s", plural(n, "error"))}
	}
	if err := lacks(runtime.GOOS, conf); err != nil {
		return nil, failed{err}
	}
	if err := lacksFor(path, r, conf); err != nil {
		return nil, failed{err}
	}
	return r, nil
}

// readRun reads a configuration file, and the rules and lists that it names.
func readRun(s Streams, path string, roles []app.Role) (*app.Reading, *strictyaml.Doc) {
	without := notRead(roles)
	conf, doc, ps := readConfiguration(s, path, catalog.Kinds(), without...)
	set, more := rules.Load(rules.Options{Paths: conf.Rules, Library: !slices.Contains(without, "rules"), Lists: conf.Lists, Now: s.Now(),
		Tuning: tuning(conf, doc), Untested: true, Story: !slices.Contains(without, "rules")})
	ps = append(ps, more...)
	diag.Sort(ps)
	return &app.Reading{Config: conf, Problems: ps,
		Compile: func(sample [][]byte) *detector.Set { return compile(set, conf, sample) }}, doc
}

// makeEnds makes sinks and, where the configuration is right so far, sources. It starts none, and gives what is wrong with them.
func makeEnds(s Streams, conf *config.Config, doc *strictyaml.Doc, r *app.Run, log *slog.Logger) []diag.Problem {
	if doc == nil {
		return nil
	}
	before, right := len(doc.Problems), doc.Errors() == 0
	r.Sinks = makeSinks(conf, doc, sinkEnv(s, conf, log))
	echoes(conf, doc, r.Sinks)
	if right {
		makeSources(s, conf, doc, r, log)
	}
	return doc.Problems[before:]
}

// sinkEnv is what sinks of a configuration get.
func sinkEnv(s Streams, conf *config.Config, log *slog.Logger) catalog.Env {
	return catalog.Env{Env: sinks.Env{Now: s.Now, Log: log, Version: Version()}, Out: s.Out, Folder: conf.Folder, Prefix: conf.Kafka.Prefix, Tokens: tokens}
}

func makeSinks(conf *config.Config, doc *strictyaml.Doc, env catalog.Env) (named []app.NamedSink) {
	for _, one := range conf.Sinks {
		if one.Node == nil {
			continue
		}
		before := len(doc.Problems)
		terms := catalog.Terms(doc, one.Kind, one.Terms, env)
		env.Answer = &sinks.Answer{}
		sink, err := catalog.All[one.Kind](doc, one.Node, env)
		if err != nil && len(doc.Problems) == before {
			doc.At(one.Node, "sink", err.Error())
		}
		if err == nil {
			named = append(named, app.NamedSink{Name: one.Name, Sink: sink, Terms: terms, Answer: env.Answer})
		}
	}
	return named
}

// within ends a command about Kafka that does not answer.
const within = 30 * time.Second

func withTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, within)
}
