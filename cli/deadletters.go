package cli

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"noroshi/internal/app"
	"noroshi/internal/bus"
	"noroshi/internal/config"
	"noroshi/internal/deadletter"
	"noroshi/internal/diag"
	"noroshi/sinks/catalog"
)

// letterFlags are how the commands about dead letters reach Kafka.
type letterFlags struct {
	secrets *diag.Secrets
	config  string
	data    string
	stage   string
	json    bool
	all     bool
}

func deadLettersCommand(s Streams) *cobra.Command {
	f := &letterFlags{secrets: s.Secrets}
	c := &cobra.Command{
		Use:   "dead-letters",
		Short: "List, show and replay what could not be read or delivered",
		Long: `Dead letters are records that could not be read and alerts that a destination will never take. Nothing waits for them; they
stay on their topic with the reason, the place they came from and their bytes, until they are replayed or too old.`,
	}
	c.PersistentFlags().StringVar(&f.config, "config", "", "configuration `file`, where brokers are named")
	c.PersistentFlags().StringVar(&f.data, "data", "", "`folder` of the embedded Kafka of a running noroshi run; kafka.data by default, else noroshi-data")
	c.PersistentFlags().StringVar(&f.stage, "stage", "", "only letters of this `stage`: ingest, detect or sink:NAME")
	list := &cobra.Command{Use: "list", Short: "List dead letters", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		return f.each(c.Context(), nil, func(_ *bus.Bus, l deadletter.Letter) error {
			if f.json {
				return writeJSON(s.Out, l.JSON(false))
			}
			_, err := fmt.Fprintln(s.Out, l.Format())
			return err
		})
	}}
	show := &cobra.Command{Use: "show PLACE...", Short: "Show dead letters with their bytes", Example: "  noroshi dead-letters show 0:17", Args: cobra.MinimumNArgs(1), RunE: func(c *cobra.Command, args []string) error {
		return f.each(c.Context(), args, func(_ *bus.Bus, l deadletter.Letter) error {
			if f.json {
				return writeJSON(s.Out, l.JSON(true))
			}
			_, err := fmt.Fprintf(s.Out, "%s\n  %s\n", l.Format(), diag.EscapeLine(string(l.Value)))
			return err
		})
	}}
	for _, sub := range []*cobra.Command{list, show} {
		sub.Flags().BoolVar(&f.json, "json", false, "print one object a line")
	}
	replay := &cobra.Command{
		Use: "replay (PLACE...|--all)", Short: "Try dead letters again",
		Long: `Replay gives dead letters another try: a record is read and evaluated again, an alert that a sink refused goes to that sink
again. The letters stay on their topic. An alert that is told twice has the same id both times.`,
		Example: "  noroshi dead-letters replay --stage sink:soc --all",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 && !f.all {
				return fmt.Errorf("name the letters by their place, or all with --all")
			}
			return f.replay(c.Context(), s, args)
		},
	}
	replay.Flags().BoolVar(&f.all, "all", false, "all letters, of the stage if one is named")
	c.AddCommand(list, show, replay)
	return c
}

// connect reaches the brokers of the configuration, or the running process.
func (f *letterFlags) connect() (*bus.Bus, *config.Config, error) {
	conf, log := config.Default(), slog.New(slog.NewTextHandler(f.secrets.Writer(os.Stderr), nil))
	if f.config != "" {
		var ps []diag.Problem
		if conf, _, ps = config.Read(f.config, catalog.Kinds()); diag.Errors(ps) > 0 {
			return nil, nil, failed{ps[0]}
		}
		f.secrets.Include(conf.Secrets)
	}
	k := conf.Kafka
	c := bus.Config{Brokers: k.Brokers, Prefix: k.Prefix, Partitions: k.Partitions, TLS: k.TLS, CAFile: k.CAFile, Mechanism: k.Mechanism, User: k.User, Password: k.Password, Log: log}
	if len(k.Brokers) == 0 {
		var err error
		if c, err = bus.FromData(cmp.Or(f.data, k.Data), log); err != nil {
			return nil, nil, failed{err}
		}
	}
	b, err := bus.Connect(c)
	if err != nil {
		return nil, nil, failed{err}
	}
	return b, conf, nil
}

// each gives the letters named, or all of the stage.
func (f *letterFlags) each(ctx context.Context, places []string, do func(*bus.Bus, deadletter.Letter) error) error {
	b, _, err := f.connect()
	if err != nil {
		return err
	}
	defer b.Close()
	return f.eachOn(ctx, b, places, do)
}

func (f *letterFlags) eachOn(ctx context.Context, b *bus.Bus, places []string, do func(*bus.Bus, deadletter.Letter) error) error {
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	found := map[string]bool{}
	var letters []deadletter.Letter
	err := b.All(ctx, bus.DeadLetters, func(r bus.Record) error {
		l := deadletter.Parse(r)
		if (f.stage == "" || f.stage == l.Stage) && (len(places) == 0 || slices.Contains(places, l.Place)) {
			found[l.Place] = true
			letters = append(letters, l)
		}
		return nil
	})
	if err != nil {
		return failed{err}
	}
	slices.SortStableFunc(letters, func(a, b deadletter.Letter) int { return a.At.Compare(b.At) })
	for _, l := range letters {
		if err := do(b, l); err != nil {
			return failed{err}
		}
	}
	for _, p := range places {
		if !found[p] {
			return failed{fmt.Errorf("no dead letter %s", p)}
		}
	}
	return nil
}

func (f *letterFlags) replay(ctx context.Context, s Streams, places []string) error {
	b, conf, err := f.connect()
	if err != nil {
		return err
	}
	defer b.Close()
	w, err := b.Writer()
	if err != nil {
		return failed{err}
	}
	defer w.Close()
	again, still := 0, 0
	reader := app.NewAgain(app.DecodeOptions(conf))
	err = f.eachOn(ctx, b, places, func(_ *bus.Bus, l deadletter.Letter) error {
		records, pieces, err := reader.Records(l)
		if err != nil {
			still++
			fmt.Fprintf(s.Err, "%s: %s\n", l.Place, diag.EscapeLine(err.Error()))
			return nil
		}
		if pieces > 0 {
			fmt.Fprintf(s.Err, "%s: tried again but for %s that are undecodable still, now letters of their own\n", l.Place, plural(pieces, "piece"))
		}
		again++
		return w.Write(ctx, records)
	})
	fmt.Fprintf(s.Err, "%s tried again, %d cannot be\n", plural(again, "letter"), still)
	return err
}
