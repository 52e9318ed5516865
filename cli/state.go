package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"noroshi/detector"
	"noroshi/internal/app"
	"noroshi/internal/bus"
	"noroshi/internal/explain"
)

func stateCommand(s Streams) *cobra.Command {
	f := &reachFlags{}
	c := &cobra.Command{
		Use:     "state",
		Short:   "Look into what rules remember",
		Example: "  noroshi state stats --data /var/lib/noroshi\n  noroshi state show --data /var/lib/noroshi --account taro@contoso.example",
		Long: `State reads the memory that noroshi run has stored: of a running instance, of the Kafka of --config, or in the data folder of a run
that has ended. What a running instance has made in the last moment may not be stored yet. Nothing is changed.`,
	}
	f.add(c)
	var asJSON bool
	stats := &cobra.Command{
		Use:   "stats [--config FILE] [--data DIR] [--json]",
		Short: "Show how much each rule remembers",
		Long: `Stats shows for each rule how many keys it remembers, of how many tenants, how many bytes that takes, and the largest key. A rule
that is not in the configuration any more, or that looks at something else now, has its line as well: that memory is not used.`,
		Example: "  noroshi state stats --data /var/lib/noroshi\n  noroshi state stats --config noroshi.yaml --json | jq 'select(.used | not)'",
		Args:    cobra.NoArgs,
		RunE:    interruptible(func(c *cobra.Command, _ []string) error { return stateStats(c.Context(), s, f, asJSON) }),
	}
	account := ""
	show := &cobra.Command{
		Use:   "show --account NAME [--config FILE] [--data DIR] [--json]",
		Short: "Show what rules remember of an account, and where it lies",
		Long: `Show prints each key that is held of an account: rule, tenant, topic, partition, version and size, and the events in it, as explain
does. Keys of rules that do not hold the account in their key are shown where one of their events is of it.`,
		Example: "  noroshi state show --data /var/lib/noroshi --account taro@contoso.example",
		Args:    cobra.NoArgs,
		RunE: interruptible(func(c *cobra.Command, _ []string) error {
			if account == "" {
				return fmt.Errorf("--account is missing; %s", asAccounts)
			}
			return stateShow(c.Context(), s, f, account, asJSON)
		}),
	}
	show.Flags().StringVar(&account, "account", "", "the account's `name`, as the field account has it")
	for _, sub := range []*cobra.Command{stats, show} {
		sub.Flags().BoolVar(&asJSON, "json", false, "print one object a line")
	}
	c.AddCommand(stats, show)
	return c
}

// ruleState is how much a version of a rule remembers.
type ruleState struct {
	Rule       string   `json:"rule"`
	Version    string   `json:"version"` // of what it remembers
	Topic      string   `json:"topic"`
	Used       bool     `json:"used"` // the rules of the configuration have this version
	Tenants    int      `json:"tenants"`
	Keys       int      `json:"keys"`
	Unreadable int      `json:"unreadable"`
	Bytes      int64    `json:"bytes"`
	Largest    int64    `json:"largest_bytes"`
	LargestKey []string `json:"largest_key"`

	tenants map[string]bool
}

func (r *ruleState) add(h *app.Held) {
	if r.tenants == nil {
		r.tenants = map[string]bool{}
	}
	r.tenants[h.Tenant] = true
	r.Tenants = len(r.tenants)
	r.Keys++
	if h.Err != nil {
		r.Unreadable++
	}
	r.Bytes += int64(h.Bytes)
	if n := int64(h.Bytes); n > r.Largest || r.Keys == 1 {
		r.Largest, r.LargestKey = n, h.Key
	}
}

func stateStats(ctx context.Context, s Streams, f *reachFlags, asJSON bool) error {
	b, set, err := f.withRules(s)
	if err != nil {
		return err
	}
	defer b.Close()
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	type version struct {
		topic         bus.Topic
		rule, version string
	}
	sums := map[version]*ruleState{}
	err = app.EachHeld(ctx, b.Bus, func(h *app.Held) error {
		if h.Own() {
			return nil
		}
		v := version{h.Topic, h.Rule, h.Version}
		if sums[v] == nil {
			sums[v] = &ruleState{Rule: h.Rule, Version: h.Version, Topic: string(h.Topic), Used: set.Version(h.Rule) == h.Version}
		}
		sums[v].add(h)
		return nil
	})
	if err != nil {
		return failed{err}
	}
	all := slices.SortedFunc(maps.Values(sums), func(a, b *ruleState) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Version, b.Version))
	})
	if asJSON {
		for _, one := range all {
			if err := writeJSON(s.Out, one); err != nil {
				return failed{err}
			}
		}
		return nil
	}
	return f.printState(s, all)
}

func (f *reachFlags) printState(s Streams, all []*ruleState) error {
	if len(all) == 0 {
		fmt.Fprintln(s.Err, "noroshi: no rule remembers anything yet")
		return nil
	}
	t := &statusTable{out: s.Out}
	var rows [][]any
	unused, unreadable := 0, 0
	for _, r := range all {
		note := ""
		if !r.Used {
			note = "not used"
			unused += r.Keys
		}
		unreadable += r.Unreadable
		rows = append(rows, []any{r.Rule, r.Version, r.Tenants, r.Keys, bytesOf(r.Bytes), bytesOf(r.Largest), strings.Join(r.LargestKey, ", "), note})
	}
	t.table("RULE\tVERSION\tTENANTS\tKEYS\tSIZE\tLARGEST\tOF\t", rows)
	if unused > 0 {
		lacking := "the configuration does not have"
		if f.config == "" {
			lacking = "are not shipped (name the others with --config)"
		}
		t.line("%s of rules that %s, or that look at something else now: not used", plural(unused, "key"), lacking)
	}
	if unreadable > 0 {
		t.line("%s cannot be read: these begin anew", plural(unreadable, "key"))
	}
	if t.err != nil {
		return failed{t.err}
	}
	return nil
}

// keyState is what is held of a key, and where it lies.
type keyState struct {
	Topic     string       `json:"topic"`
	Partition int32        `json:"partition"`
	Version   string       `json:"version"`
	Bytes     int          `json:"bytes"`
	Holds     explain.Tree `json:"holds"`
}

func (k *keyState) write(out io.Writer, asJSON bool) error {
	if asJSON {
		return writeJSON(out, k)
	}
	var b strings.Builder
	k.Holds.WriteRule(&b, "")
	fmt.Fprintf(&b, "  %s in partition %d of %s, version %s\n", bytesOf(int64(k.Bytes)), k.Partition, k.Topic, k.Version)
	_, err := io.WriteString(out, b.String())
	return err
}

func stateShow(ctx context.Context, s Streams, f *reachFlags, account string, asJSON bool) error {
	b, set, err := f.withRules(s)
	if err != nil {
		return err
	}
	defer b.Close()
	h, err := b.holding(ctx, s, set)
	if err != nil {
		return err
	}
	var all []keyState
	now := h.Newest(account)
	h.Standings(account, now, func(st *detector.Standing, at *app.Held) {
		all = append(all, keyState{string(at.Topic), at.Partition, at.Version, at.Bytes, explain.Key(st, now)})
	})
	if len(all) == 0 {
		return failed{fmt.Errorf("no rule remembers anything of the account %s; %s", account, asAccounts)}
	}
	slices.SortStableFunc(all, func(a, b keyState) int { return explain.Compare(&a.Holds, &b.Holds) })
	for i := range all {
		if err := all[i].write(s.Out, asJSON); err != nil {
			return failed{err}
		}
	}
	return nil
}
