package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"noroshi/detector"
	"noroshi/internal/app"
	"noroshi/internal/config"
	"noroshi/internal/diag"
	"noroshi/internal/strictyaml"
	"noroshi/rules"
	"noroshi/sinks"
	"noroshi/sinks/catalog"
)

func runCommand(s Streams) *cobra.Command {
	var path, data string
	c := &cobra.Command{
		Use:   "run --config FILE [--data DIR]",
		Short: "Watch live: sources, Kafka, detector and sinks in one process",
		Long: `Run reads the sources of the configuration, puts their records on Kafka, evaluates the rules and delivers the alerts.

Where the configuration names no brokers, a Kafka runs inside this process, with its data under --data; it is for one machine.
Ctrl-C ends it in order: what has been read is stored, what has been evaluated is stored, what is being sent is finished.`,
		Example: "  noroshi run --config noroshi.yaml --data /var/lib/noroshi",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if path == "" {
				return errors.New("--config is missing: a run needs sources")
			}
			log := slog.New(slog.NewTextHandler(s.Secrets.Writer(s.Err), nil))
			r, err := newRun(s, path, data, log)
			if err != nil {
				return err
			}
			if err := r.Run(c.Context()); err != nil {
				return failed{err}
			}
			return nil
		},
	}
	c.Flags().StringVar(&path, "config", "", "configuration `file`")
	c.Flags().StringVar(&data, "data", "", "`folder` of the embedded Kafka; kafka.data by default")
	return c
}

// newRun makes everything of a configuration file; whatever is wrong in it, in rules or lists is told at once.
func newRun(s Streams, path, data string, log *slog.Logger) (*app.Run, error) {
	conf, doc, ps := readConfiguration(s, path, catalog.Kinds())
	r := &app.Run{Config: conf, Log: log, Version: Version()}
	ps = append(ps, makeEnds(s, conf, doc, r, log)...)
	set, more := rules.Load(rules.Options{Paths: conf.Rules, Library: true, Lists: conf.Lists, Now: s.Now()})
	ps = append(ps, more...)
	diag.Sort(ps)
	show(s.Err, ps)
	if n := diag.Errors(ps); n > 0 {
		return nil, failed{fmt.Errorf("the configuration does not load: %s", plural(n, "error"))}
	}
	if err := lacks(runtime.GOOS, conf); err != nil {
		return nil, failed{err}
	}
	if data != "" {
		conf.Kafka.Data = data
	}
	r.Compile = func(sample [][]byte) *detector.Set { return compile(alone(set, log), conf, sample) }
	if len(r.Sources)+len(r.Feeds) == 0 {
		return nil, failed{fmt.Errorf("%s names no sources", path)}
	}
	return r, nil
}

// makeEnds makes sinks and, where the configuration is right so far, sources. It starts none, and gives what is wrong with them.
func makeEnds(s Streams, conf *config.Config, doc *strictyaml.Doc, r *app.Run, log *slog.Logger) []diag.Problem {
	if doc == nil {
		return nil
	}
	before, right := len(doc.Problems), doc.Errors() == 0
	r.Sinks = makeSinks(s, conf, doc, log)
	if right {
		makeSources(s, conf, doc, r, log)
	}
	return doc.Problems[before:]
}

func makeSinks(s Streams, conf *config.Config, doc *strictyaml.Doc, log *slog.Logger) (named []app.NamedSink) {
	env := catalog.Env{Env: sinks.Env{Now: s.Now, Log: log, Version: Version()}, Out: s.Out, Folder: conf.Folder}
	for _, one := range conf.Sinks {
		if one.Node == nil {
			continue
		}
		before := len(doc.Problems)
		sink, err := catalog.All[one.Kind](doc, one.Node, env)
		if err != nil && len(doc.Problems) == before {
			doc.At(one.Node, "sink", err.Error())
		}
		if err == nil {
			named = append(named, app.NamedSink{Name: one.Name, Sink: sink})
		}
	}
	return named
}

// within ends a command about Kafka that does not answer.
const within = 30 * time.Second

func withTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, within)
}

// alone are the rules of a set that run evaluates: those that need no memory. It says which are left out.
func alone(set *rules.Set, log *slog.Logger) *rules.Set {
	all := *set
	all.Rules = nil
	for _, r := range set.Rules {
		if r.Kind.Memory != nil && r.State != rules.Off {
			log.Warn("this rule remembers and is not evaluated by run; replay evaluates it on files", slog.String("rule", r.ID), slog.String("kind", r.Kind.Name()))
			continue
		}
		all.Rules = append(all.Rules, r)
	}
	return &all
}
