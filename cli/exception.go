package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"noroshi/internal/alert"
	"noroshi/internal/bus"
	"noroshi/internal/diag"
	"noroshi/internal/strictyaml"
	"noroshi/rules"
)

// exceptionFlags say of which alert an exception is made, and how wide it is.
type exceptionFlags struct {
	ruleFlags
	alert, data           string
	by, records           []string
	because, owner, until string
}

func exceptionCommand(s Streams) *cobra.Command {
	f := &exceptionFlags{}
	c := &cobra.Command{
		Use:   "exception --alert ID [flags] [FILE|-]...",
		Short: "Print an exception for the configuration, from a false alert",
		Long: `Exception reads alerts and prints an entry of exceptions: that keeps the rule silent for what gave one of them, ready to be put
into the configuration. Files hold alerts as replay --json prints them, and as a file sink writes them; without a file the alerts are
read from the topic of noroshi run, of the Kafka of --config or in --data.

The condition begins with what the alert is keyed by, such as the account. Then comes the first of these that all evidence of the alert
shares: source.ip, app.id, app.name, source.geo.country_iso_code. --by names other fields instead; where the evidence differs, each of
its values is excepted. The tenant is that of the alert.

An exception is loaded before it is printed, so what is printed is right. With --records it gets a test of its own, which noroshi test
--config runs: the records of the alert's evidence, for which the rule is silent now. The test has been run before it is printed. Where
the rule also goes by other records, no test is printed, and stderr says so. Commands that prove the exception on files stand behind it.`,
		Example: `  noroshi replay --json audit.ndjson > alerts.ndjson
  noroshi exception --alert alrt_UB4Q --because "Red team until March" --owner soc --until 2027-03-31 alerts.ndjson
  noroshi exception --alert alrt_UB4Q --by app.id,event.action --config noroshi.yaml
  noroshi exception --alert alrt_UB4Q --records audit.ndjson alerts.ndjson    # with a test`,
		ValidArgsFunction: cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault),
		RunE: interruptible(func(c *cobra.Command, args []string) error {
			return f.run(c.Context(), s, args)
		}),
	}
	f.add(c)
	c.Flags().StringVar(&f.alert, "alert", "", "the alert's `id`, or how it begins where no other begins so")
	c.Flags().StringVar(&f.data, "data", "", "without a file, the `folder` of the embedded Kafka; kafka.data by default, else noroshi-data")
	c.Flags().StringArrayVar(&f.by, "by", nil, "`fields` of the evidence that narrow the exception, with commas between them; may be repeated")
	c.Flags().StringArrayVar(&f.records, "records", nil, "a `file` with the records that gave the alert: the exception gets a test of its own; may be repeated")
	c.Flags().StringVar(&f.because, "because", "", "why the alert is no finding, a `text`")
	c.Flags().StringVar(&f.owner, "owner", "", "`who` answers for the exception; who runs this command by default")
	c.Flags().StringVar(&f.until, "until", "30d", "the last `day`, such as 2027-03-31, or a number of days from now, such as 30d")
	for flag, values := range map[string][]cobra.Completion{
		"by": slices.Concat(narrowing, []string{"event.action", "event.dataset"}), "until": {"7d", "30d", "90d"}, "because": nil, "owner": nil, "alert": nil} {
		_ = c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	}
	return c
}

func (f *exceptionFlags) run(ctx context.Context, s Streams, args []string) error {
	if f.alert == "" {
		return errors.New("--alert is missing: the id of the alert, or how it begins")
	}
	if f.data != "" && len(args) > 0 {
		return fmt.Errorf("--data is where noroshi run stores alerts; expected it without %s", args[0])
	}
	until, err := lastDay(f.until, s.Now())
	if err != nil {
		return err
	}
	if f.owner == "" {
		who, err := user.Current()
		if err != nil {
			return errors.New("--owner is missing: who answers for the exception")
		}
		f.owner = who.Username
	}
	set, conf, err := f.loadUntested(s)
	if err != nil {
		return err
	}
	found := &alertsNamed{begins: f.alert}
	if len(args) > 0 {
		err = found.inFiles(ctx, s, args)
	} else {
		err = found.onTopic(ctx, s, reachFlags{config: f.config, data: f.data})
	}
	if err != nil {
		return err
	}
	a, err := found.one()
	if err != nil {
		return failed{err}
	}
	x := &excepting{exceptionFlags: f, alert: a, until: until}
	text, err := x.write(s, set)
	if err != nil {
		return failed{err}
	}
	o := rules.Options{Library: !f.noLibrary, Untested: true, Paths: append(conf.Rules, f.dirs...), Lists: conf.Lists, Now: s.Now()}
	if _, err := loads(text, o); err != nil {
		return failed{err}
	}
	if text, err = x.withTest(ctx, s, text, o, conf); err != nil {
		return failed{err}
	}
	_, err = s.Out.Write([]byte(text))
	return err
}

// exceptionsKey stands before exceptions in a configuration.
const exceptionsKey = "exceptions:\n"

// loads gives the rules with exceptions, or says what a configuration would refuse of these.
func loads(text string, o rules.Options) (set *rules.Set, err error) {
	d := strictyaml.Parse("the exception", []byte(strings.TrimPrefix(text, exceptionsKey)))
	if d.Root != nil {
		o.Tuning = rules.Tuning{Doc: d, Exceptions: d.Root}
		set, _ = rules.Load(o) // what is wrong with the rules has been told
	}
	if ps := d.Problems; len(ps) > 0 {
		return nil, fmt.Errorf("no exception can be made of this alert: %s [%s]; --by chooses other fields", ps[0].Message, ps[0].Code)
	}
	return set, nil
}

// lastDay reads --until.
func lastDay(text string, now time.Time) (time.Time, error) {
	today := now.UTC().Truncate(24 * time.Hour)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return today.AddDate(0, 0, int(n)), nil
		}
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return day, fmt.Errorf("--until %s: write a day such as 2027-03-31, or a number of days such as 30d", text)
	}
	if day.Before(today) {
		return day, fmt.Errorf("--until %s is past; an exception holds until its last day, UTC", text)
	}
	return day, nil
}

// alertsNamed are the alerts whose ids begin with a text, each in its last revision.
type alertsNamed struct {
	begins string
	alerts int // of any id
	found  []*alert.Alert
}

// add looks at a line or a record; what is no alert is passed over.
func (n *alertsNamed) add(text []byte) {
	var id struct{ Schema, ID string }
	if json.Unmarshal(text, &id) != nil || id.Schema != alert.Schema {
		return
	}
	n.alerts++
	if !strings.HasPrefix(id.ID, n.begins) {
		return
	}
	a := &alert.Alert{}
	if json.Unmarshal(text, a) != nil {
		return
	}
	at := slices.IndexFunc(n.found, func(b *alert.Alert) bool { return b.ID == a.ID })
	switch {
	case at < 0:
		n.found = append(n.found, a)
	case a.Revision >= n.found[at].Revision:
		n.found[at] = a
	}
}

// maxAlertLine is how long a line of a file may be: an alert has at most alert.MaxSize, a sink may add to it.
const maxAlertLine = 16 * alert.MaxSize

func (n *alertsNamed) inFiles(ctx context.Context, s Streams, names []string) error {
	for _, one := range open(ctx, s, names) {
		defer one.from.Close()
		if one.err != nil {
			return failed{one.err}
		}
		lines := bufio.NewScanner(one.from)
		lines.Buffer(nil, maxAlertLine)
		for lines.Scan() {
			n.add(lines.Bytes())
		}
		if err := lines.Err(); err != nil {
			return failed{fmt.Errorf("read %s: %w", one.name, err)}
		}
	}
	return nil
}

func (n *alertsNamed) onTopic(ctx context.Context, s Streams, reach reachFlags) error {
	to, err := reach.connect(s)
	if err != nil {
		return err
	}
	defer to.Close()
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	if err := to.All(ctx, bus.Alerts, func(r bus.Record) error {
		n.add(r.Value)
		return nil
	}); err != nil {
		return failed{err}
	}
	return nil
}

// one is the alert that is meant.
func (n *alertsNamed) one() (*alert.Alert, error) {
	switch {
	case n.alerts == 0:
		return nil, errors.New("no alert there; expected alerts as noroshi replay --json prints them")
	case len(n.found) == 0:
		return nil, fmt.Errorf("no alert %s among %s", n.begins, plural(n.alerts, "alert"))
	case len(n.found) == 1:
		return n.found[0], nil
	}
	var ids []string
	for _, a := range n.found {
		if a.ID == n.begins {
			return a, nil
		}
		ids = append(ids, diag.EscapeLine(a.ID+" of "+a.Rule.ID))
	}
	const most = 10
	if len(ids) > most {
		ids = append(ids[:most], "…")
	}
	return nil, fmt.Errorf("%s alerts begin with %s: %s", strconv.Itoa(len(n.found)), n.begins, strings.Join(ids, ", "))
}
