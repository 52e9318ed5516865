package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"noroshi/internal/app"
	"noroshi/internal/bus"
	"noroshi/internal/config"
	"noroshi/internal/diag"
	"noroshi/sinks/catalog"
)

// topicFlags are those of `topics`.
type topicFlags struct {
	reachFlags
	replicas, inSync int
	retention        map[string]string
	roles            []string
	principal        string
	yes, asJSON      bool
}

func topicsCommand(s Streams) *cobra.Command {
	f := &topicFlags{}
	c := &cobra.Command{
		Use:     "topics",
		Short:   "Show what the topics on your brokers lack, mend it, and show the rights that noroshi run needs there",
		Example: "  noroshi topics plan --config noroshi.yaml\n  noroshi topics apply --config noroshi.yaml --replicas 3 --in-sync 2 --yes\n  noroshi topics rights --config noroshi.yaml --role detect --principal User:noroshi",
		Long: `Topics is for brokers of your own. Noroshi run makes topics that are missing by itself, with the number of replicas that the brokers have
as default; where it may not, or where you want to see first what is made, plan and apply do it.

Nothing that is kept is shortened: more partitions, fewer partitions, a shorter retention, fewer replicas in sync are refused, with the
command that does it nevertheless. A retention that is longer than usual stays.`,
	}
	c.PersistentFlags().StringVar(&f.config, "config", "", "configuration `file`, where brokers are named")
	plan := &cobra.Command{
		Use: "plan --config FILE [flags]", Short: "Show what topics lack; nothing is changed", Args: cobra.NoArgs,
		Example: "  noroshi topics plan --config noroshi.yaml\n  noroshi topics plan --config noroshi.yaml --retention events=14d --json",
		Long: `Plan compares the topics of the brokers with what noroshi run needs and with the flags. It ends with exit 0 whether or not something
is to be done, and with exit 1 where something is refused.`,
		RunE: interruptible(func(c *cobra.Command, _ []string) error { return f.plan(c.Context(), s) }),
	}
	apply := &cobra.Command{
		Use: "apply --config FILE --yes [flags]", Short: "Make topics that are missing, and mend settings", Args: cobra.NoArgs,
		Example: "  noroshi topics apply --config noroshi.yaml --yes\n  noroshi topics apply --config noroshi.yaml --replicas 3 --in-sync 2 --yes",
		Long: `Apply shows the plan, and does it with --yes. Without --yes it ends with exit 1 where something is to be done. Where something is
refused nothing is changed.`,
		RunE: interruptible(func(c *cobra.Command, _ []string) error { return f.apply(c.Context(), s) }),
	}
	apply.Flags().BoolVar(&f.yes, "yes", false, "change what the plan says")
	for _, one := range []*cobra.Command{plan, apply} {
		one.Flags().Var(&whole{&f.replicas, 0, 100}, "replicas", "copies of each topic; 0: as the brokers have it")
		one.Flags().Var(&whole{&f.inSync, 0, 100}, "in-sync", "replicas that a write waits for (min.insync.replicas); 0: as the brokers have it")
		one.Flags().StringToStringVar(&f.retention, "retention", nil, "how long a topic keeps records, as `TOPIC=TIME`, such as events=14d; may be given again")
		one.Flags().BoolVar(&f.asJSON, "json", false, "print one object for each change")
	}
	rights := &cobra.Command{
		Use: "rights --principal USER [--config FILE] [--role ROLE,…]", Short: "Print the commands that give a user of the brokers its rights", Args: cobra.NoArgs,
		Example: "  noroshi topics rights --principal User:noroshi\n  noroshi topics rights --config noroshi.yaml --role ingest --principal User:noroshi-ingest | sh",
		Long: `Rights prints a command of Apache Kafka for each right that the user of an instance needs, by its roles. Set BOOTSTRAP to the brokers, and
ADMIN to the file with the administrator's own settings, before you run them. Nothing is changed.`,
		RunE: func(_ *cobra.Command, _ []string) error { return f.rights(s) },
	}
	rights.Flags().StringVar(&f.principal, "principal", "", "the `user` as the brokers know it, such as User:noroshi")
	rights.Flags().StringSliceVar(&f.roles, "role", nil, "`roles` of the instance, "+rolesText(app.Roles)+"; all by default")
	_ = rights.RegisterFlagCompletionFunc("role", completeRoles) // it fails where the flag is unknown or has one
	c.AddCommand(plan, apply, rights)
	return c
}

// wish reads what the flags want.
func (f *topicFlags) wish() (w bus.Wish, err error) {
	w = bus.Wish{Replicas: f.replicas, InSync: f.inSync, Retention: map[bus.Topic]time.Duration{}}
	if f.inSync > f.replicas && f.replicas > 0 {
		return w, fmt.Errorf("--in-sync %d is more than --replicas %d: nothing could be written", f.inSync, f.replicas)
	}
	for _, name := range slices.Sorted(maps.Keys(f.retention)) {
		t := bus.Topic(name)
		if !bus.Kept(t) {
			var known []string
			for _, one := range bus.Topics {
				if bus.Kept(one) {
					known = append(known, string(one))
				}
			}
			return w, fmt.Errorf("--retention: no topic %q has a retention; expected one of %s, without the prefix", name, strings.Join(known, ", "))
		}
		d, err := longTime(f.retention[name])
		if err != nil || d < time.Minute || d > bus.Longest {
			return w, fmt.Errorf("--retention %s=%s: expected a time of at least 1m, such as 36h or 14d", name, f.retention[name])
		}
		w.Retention[t] = d
	}
	return w, nil
}

// longTime reads a time, in days where it ends so.
func longTime(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err
	}
	return time.ParseDuration(text)
}

// settings are those of the configuration, the usual ones without one.
func (f *topicFlags) settings(s Streams) (*config.Config, error) {
	if f.config == "" {
		return config.Default(), nil
	}
	conf, _, ps := readConfiguration(s, f.config, catalog.Kinds(), "sources", "rules", "geography", "lists", "tenants", "sinks")
	if diag.Errors(ps) > 0 {
		show(s.Err, ps)
		return nil, failed{errors.New("the configuration does not load")}
	}
	return conf, nil
}

// reached gives the brokers and the plan.
func (f *topicFlags) reached(ctx context.Context, s Streams) (b *reached, all []bus.Change, err error) {
	w, err := f.wish()
	if err != nil {
		return nil, nil, err
	}
	if f.config == "" {
		return nil, nil, errors.New("--config is missing: it names the brokers")
	}
	conf, err := f.settings(s)
	if err != nil {
		return nil, nil, err
	}
	if len(conf.Kafka.Brokers) == 0 {
		return nil, nil, failed{fmt.Errorf("%s names no brokers: the Kafka inside noroshi run makes its topics by itself", f.config)}
	}
	if b, err = f.connect(s); err != nil {
		return nil, nil, err
	}
	if all, err = b.Plan(ctx, w); err != nil {
		b.Close()
		return nil, nil, failed{err}
	}
	return b, all, nil
}

func (f *topicFlags) plan(ctx context.Context, s Streams) error {
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	b, all, err := f.reached(ctx, s)
	if err != nil {
		return err
	}
	defer b.Close()
	return f.show(s, all)
}

func (f *topicFlags) apply(ctx context.Context, s Streams) error {
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	b, all, err := f.reached(ctx, s)
	if err != nil {
		return err
	}
	defer b.Close()
	if err := f.show(s, all); err != nil || len(all) == 0 {
		return err
	}
	if !f.yes {
		return failed{errors.New("nothing was changed; --yes does it")}
	}
	err = b.Apply(ctx, all, func(c *bus.Change) {
		fmt.Fprintf(s.Err, "noroshi: %s: done\n", c.Topic)
	})
	if err != nil {
		return failed{err}
	}
	return nil
}

// show prints a plan, and fails where something is refused.
func (f *topicFlags) show(s Streams, all []bus.Change) error {
	refused := 0
	for i := range all {
		c := &all[i]
		if c.Do == bus.Refuse {
			refused++
		}
		if f.asJSON {
			if err := writeJSON(s.Out, c); err != nil {
				return failed{err}
			}
			continue
		}
		if _, err := fmt.Fprint(s.Out, change(c)); err != nil {
			return failed{err}
		}
	}
	if refused > 0 {
		return failed{fmt.Errorf("%s refused; nothing was changed", plural(refused, "change"))}
	}
	if len(all) == 0 {
		fmt.Fprintln(s.Err, "noroshi: the topics are as they should be")
	}
	return nil
}

// change is a change for people, as a diff.
func change(c *bus.Change) string {
	var b strings.Builder
	switch c.Do {
	case bus.Make:
		fmt.Fprintf(&b, "+ %s: %s", c.Topic, plural(c.Partitions, "partition"))
		if c.Replicas > 0 {
			fmt.Fprintf(&b, ", %d replicas", c.Replicas)
		}
		b.WriteString("\n")
	case bus.Alter:
		fmt.Fprintf(&b, "~ %s\n", c.Topic)
	default:
		fmt.Fprintf(&b, "! %s\n", c.Why)
	}
	for _, key := range slices.Sorted(maps.Keys(c.Settings)) {
		if had, ok := c.Had[key]; ok {
			fmt.Fprintf(&b, "    %s: %s -> %s\n", key, had, c.Settings[key])
			continue
		}
		fmt.Fprintf(&b, "    %s: %s\n", key, c.Settings[key])
	}
	return b.String()
}

func (f *topicFlags) rights(s Streams) error {
	roles, err := rolesOf(f.roles)
	if err != nil {
		return err
	}
	if kind, name, ok := strings.Cut(f.principal, ":"); !ok || kind == "" || name == "" || strings.ContainsAny(f.principal, "'\n\r") {
		return errors.New("--principal is missing or no user: expected the form User:noroshi")
	}
	conf, err := f.settings(s)
	if err != nil {
		return err
	}
	for _, r := range app.Granted(roles) {
		name, pattern := conf.Kafka.Prefix+r.Name, "literal"
		switch {
		case name == "":
			name = "*"
		case r.Beginning:
			pattern = "prefixed"
		}
		fmt.Fprintf(s.Out, "kafka-acls.sh --bootstrap-server \"$BOOTSTRAP\" --command-config \"$ADMIN\" --add --allow-principal '%s' --operation %s --%s '%s' --resource-pattern-type %s\n",
			f.principal, strings.Join(r.Operations, " --operation "), r.Resource, name, pattern)
	}
	return nil
}
