package cli

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"noroshi/detector"
	"noroshi/internal/bus"
	"noroshi/internal/config"
	"noroshi/internal/diag"
	"noroshi/sinks/catalog"
)

// reachFlags say which Kafka a command is about: that of the configuration, or the one embedded in a run.
type reachFlags struct {
	config string
	data   string
}

func (f *reachFlags) add(c *cobra.Command) {
	c.PersistentFlags().StringVar(&f.config, "config", "", "configuration `file`, where brokers are named")
	c.PersistentFlags().StringVar(&f.data, "data", "", "`folder` of the embedded Kafka of noroshi run; kafka.data by default, else noroshi-data")
}

// reached is a Kafka that a command is about.
type reached struct {
	*bus.Bus
	conf     *config.Config
	embedded *bus.Embedded // opened for the command, because no run is going on
}

// connect reaches the brokers of the configuration, or the running process, or opens the data that a run has left.
func (f *reachFlags) connect(s Streams) (*reached, error) {
	to := &reached{conf: config.Default()}
	log := slog.New(slog.NewTextHandler(s.Secrets.Writer(s.Err), &slog.HandlerOptions{Level: slog.LevelWarn}))
	if f.config != "" {
		var ps []diag.Problem
		if to.conf, _, ps = readConfiguration(s, f.config, catalog.Kinds(), "sources", "rules", "geography"); diag.Errors(ps) > 0 {
			return nil, failed{ps[0]}
		}
	}
	k := to.conf.Kafka
	c := bus.Config{Brokers: k.Brokers, Prefix: k.Prefix, Partitions: k.Partitions, TLS: k.TLS, CAFile: k.CAFile,
		Mechanism: k.Mechanism, User: k.User, Password: k.Password, Log: log}
	if len(k.Brokers) == 0 {
		var err error
		if c, err = to.fromData(cmp.Or(f.data, k.Data), log); err != nil {
			return nil, failed{err}
		}
	}
	var err error
	if to.Bus, err = bus.Connect(c); err != nil {
		to.Close()
		return nil, failed{err}
	}
	return to, nil
}

// withRules reaches Kafka, and compiles the rules of the configuration and the library.
func (f *reachFlags) withRules(s Streams) (*reached, *detector.Set, error) {
	rules := &ruleFlags{config: f.config}
	set, conf, err := rules.loadUntested(s)
	if err != nil {
		return nil, nil, err
	}
	to, err := f.connect(s)
	if err != nil {
		return nil, nil, err
	}
	return to, compile(set, conf, nil), nil
}

// fromData is how to reach the embedded Kafka of a folder.
func (to *reached) fromData(dir string, log *slog.Logger) (bus.Config, error) {
	c, err := bus.FromData(dir, log)
	if !errors.Is(err, bus.ErrNotRunning) {
		return c, err
	}
	if _, none := os.Stat(filepath.Join(dir, bus.LogFolder)); none != nil {
		return c, fmt.Errorf("%s: no noroshi run is going on this data folder, and none has left data there; --data names the folder of noroshi run", dir)
	}
	k := to.conf.Kafka
	to.embedded, err = bus.StartEmbedded(bus.EmbeddedOptions{Dir: dir, Prefix: k.Prefix, Partitions: k.Partitions, Cap: k.Cap, Log: log})
	if err != nil {
		return c, err
	}
	return to.embedded.Config(), nil
}

// Close leaves Kafka.
func (to *reached) Close() {
	if to.Bus != nil {
		to.Bus.Close()
	}
	if to.embedded != nil {
		to.embedded.Close()
	}
}
