package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"noroshi/internal/alert"
	"noroshi/internal/app"
	"noroshi/internal/bus"
	"noroshi/internal/config"
	"noroshi/internal/diag"
	"noroshi/sinks"
	"noroshi/sinks/catalog"
)

// sinkKinds are the keys of a sink in the configuration.
func sinkKinds() []string { return catalog.Kinds() }

func sinksCommand(s Streams) *cobra.Command {
	f := &reachFlags{}
	c := &cobra.Command{
		Use:     "sinks",
		Short:   "Show the sinks of a configuration, send one a test alert, or see what it would send",
		Example: "  noroshi sinks list --config noroshi.yaml\n  noroshi sinks test soc --config noroshi.yaml",
	}
	f.add(c)
	list := &cobra.Command{
		Use: "list", Short: "List the sinks with their state, what waits for them and their last error", Args: cobra.NoArgs,
		Example: "  noroshi sinks list --config noroshi.yaml",
		Long: `List prints the sinks of the configuration. Where instances of noroshi run are going on, it adds how each sink is there: noroshi status
explains the states.`,
		RunE: interruptible(func(c *cobra.Command, _ []string) error { return listSinks(c.Context(), s, f) }),
	}
	test := &cobra.Command{
		Use: "test NAME", Short: "Send a marked test alert to a sink, and say what came back", Args: one("a sink, as noroshi sinks list shows them"),
		Long: `Test sends one alert to the sink NAME, made as noroshi run makes it and by the same code, whatever the sink's filters. The alert is
of the rule noroshi-test and the account noroshi-test@example.com, and says that nothing has happened. It goes to the destination at
once and not over Kafka. Then the command says in words what came back, and what to do.`,
		Example: "  noroshi sinks test soc --config noroshi.yaml",
		RunE: interruptible(func(c *cobra.Command, args []string) error {
			sink, err := oneSink(s, f.config, args[0], nil)
			if err != nil {
				return err
			}
			return testSink(c.Context(), s, args[0], sink)
		}),
	}
	preview := &cobra.Command{
		Use: "preview NAME", Short: "Print the request that a sink would send", Args: one("a sink, as noroshi sinks list shows them"),
		Example: "  noroshi sinks preview soc --config noroshi.yaml",
		Long: `Preview prints the exact request that the sink NAME would send for a test alert, and sends nothing. Secrets are hidden, and a body is
shown as it is before it is compressed.`,
		RunE: interruptible(func(c *cobra.Command, args []string) error {
			sink, err := oneSink(s, f.config, args[0], s.Out)
			if err != nil {
				return err
			}
			m := testAlert(s.Now())
			if err = sink.Redact.Apply(&m); err == nil {
				err = sink.Sink.Send(c.Context(), []sinks.Message{m})
			}
			if err != nil && !errors.Is(err, sinks.ErrPreview) {
				return failed{err}
			}
			return nil
		}),
	}
	template := &cobra.Command{
		Use: "template KIND", Short: "Print what the other end needs to know of alerts", Args: one("one of " + strings.Join(slices.Sorted(maps.Keys(catalog.Templates)), ", ")),
		Long: `Template prints what is set up at the destination of a sink: for elasticsearch the index template, for sentinel the table, the data
collection rule and the analytics rule as Bicep. It needs no configuration.`,
		Example: "  noroshi sinks template sentinel > noroshi.bicep",
		RunE: func(_ *cobra.Command, args []string) error {
			text, known := catalog.Templates[args[0]]
			if !known {
				return fmt.Errorf("no template for %q; there is one for %s", args[0], strings.Join(slices.Sorted(maps.Keys(catalog.Templates)), " and "))
			}
			_, err := io.WriteString(s.Out, text)
			return err
		},
	}
	c.AddCommand(list, test, preview, template)
	return c
}

// sinksOf reads the sinks of a configuration.
func sinksOf(s Streams, path string) (*config.Config, func(env catalog.Env) []app.NamedSink, error) {
	if path == "" {
		return nil, nil, errors.New("--config is missing: it names the sinks")
	}
	conf, doc, ps := readConfiguration(s, path, catalog.Kinds(), "sources", "rules", "geography", "lists", "tenants")
	if diag.Errors(ps) > 0 {
		show(s.Err, ps)
		return nil, nil, errSaid
	}
	return conf, func(env catalog.Env) []app.NamedSink {
		all := makeSinks(conf, doc, env)
		show(s.Err, doc.Problems)
		return all
	}, nil
}

// oneSink makes a sink; with somewhere to show, it shows its requests and sends none.
func oneSink(s Streams, path, name string, preview io.Writer) (*app.NamedSink, error) {
	conf, make, err := sinksOf(s, path)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, one := range conf.Sinks {
		names = append(names, one.Name)
	}
	if !slices.Contains(names, name) {
		err := fmt.Errorf("no sink %q in the configuration", name)
		if meant := diag.Suggest(name, names); meant != "" {
			err = fmt.Errorf("%w; did you mean %q?", err, meant)
		}
		return nil, err
	}
	env := sinkEnv(s, conf, slog.New(slog.NewTextHandler(s.Secrets.Writer(s.Err), &slog.HandlerOptions{Level: slog.LevelWarn})))
	env.Preview = preview
	if preview != nil { // a file gets what the terminal does
		for i, one := range conf.Sinks {
			if one.Name == name && one.Kind == "file" {
				conf.Sinks[i].Kind, conf.Sinks[i].Node.Content = "stdout", nil
			}
		}
	}
	for _, one := range make(env) {
		if one.Name == name {
			return &one, nil
		}
	}
	return nil, errSaid // the problem has been shown
}

// testAlert is the alert of tests. It says that nothing has happened.
func testAlert(now time.Time) sinks.Message {
	now = now.UTC().Truncate(time.Millisecond)
	const account = "noroshi-test@example.com"
	a := &alert.Alert{Schema: alert.Schema, ID: alert.ID("noroshi-test", "noroshi-test", nil, now.Format(time.RFC3339Nano)), Status: alert.Firing, Revision: 1,
		Rule:     alert.Rule{ID: "noroshi-test", Title: "This is a test of a sink", Guide: []string{"X"}, Class: "verdict", Revision: "000000000000"},
		Severity: "info", Tenant: "noroshi-test", Account: account, Actor: alert.Actor{Name: account, Kind: "user"}, Summary: "noroshi sinks test: nothing has happened, and there is nothing to do",
		Time: now, Window: alert.Window{First: now, Last: now, Count: 1}, Group: map[string]string{"account": account}, DedupKey: alert.DedupKey("noroshi-test", "noroshi-test", nil), Times: alert.Times{Happened: now, Evaluated: now}}
	return sinks.Message{ID: a.ID, Revision: 1, Status: string(a.Status), Time: now, Rule: a.Rule.ID, Class: a.Rule.Class, Account: account, Severity: a.Severity, Body: a.AppendJSON(nil)}
}

// testSink sends the sample, and tells what came back.
func testSink(ctx context.Context, s Streams, name string, sink *app.NamedSink) error {
	m := testAlert(s.Now())
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	began := time.Now()
	err := sink.Redact.Apply(&m)
	if err == nil {
		err = sink.Sink.Send(ctx, []sinks.Message{m})
	}
	var all sinks.Verdicts
	if errors.As(err, &all) && len(all) == 1 {
		err = all[0]
	}
	if err == nil {
		fmt.Fprintf(s.Err, "%s: the destination took the test alert %s after %v; look there whether it has arrived\n", name, m.ID, time.Since(began).Round(time.Millisecond))
		return nil
	}
	text := s.Secrets.Hide(err.Error())
	var refused *sinks.Refused
	var disabled *sinks.Disabled
	does := "the sink would be paused, and the alert sent again"
	switch {
	case errors.As(err, &refused):
		does = "an alert would go to the dead letters"
	case errors.As(err, &disabled):
		does = "the sink would be off until the next start"
	}
	fmt.Fprintf(s.Err, "%s: %s\nWith noroshi run %s.\n", name, diag.EscapeLine(text), does)
	if what := advice(text); what != "" {
		fmt.Fprintln(s.Err, what)
	}
	return errSaid
}

// advices say what to do about an error, by what it says.
var advices = []struct{ says, do string }{
	{"unknown authority", "Name the authority of the destination's certificate with ca_file."},
	{"certificate has expired", "The destination's certificate has expired: it must be renewed there."},
	{"certificate is valid for", "The destination's certificate is of another name: take that name into the address, or name it with server_name."},
	{"certificate required", "The destination wants a client's certificate: name it with cert_file and key_file."},
	{"first record does not look like a TLS handshake", "Nothing speaks TLS at this port. Check the port; http:// needs allow_http: true, plain syslog tls: false."},
	{"malformed HTTP response", "Another protocol is spoken at this port: check the port, and the key protocol where there is one."},
	{"no such host", "The name is not known here: check the address, or name a proxy."},
	{"connection refused", "Nothing listens at this address: check host and port."},
	{"deadline exceeded", "The destination did not answer in time: check the address, and whether a firewall drops the connection."},
	{"i/o timeout", "The destination did not answer in time: check the address, and whether a firewall drops the connection."},
	{"does not support STARTTLS", "The mail server offers no TLS at this port: use the port that has it, or tls: implicit where TLS begins at once."},
	{"SMTP AUTH failed", "The mail server does not take the login: check user and password, and whether it permits logins by password."},
	{"name the sender", "The mail server does not take the sender: check from, and what the login may send as."},
	{"name the recipients", "The mail server takes none of the recipients: check to, and whether the server relays for this sender."},
	{"there is no such topic", "Make the topic, or give the user the right to describe it."},
	{"status 401", "The destination does not take the credentials: check the secret that the configuration refers to."},
	{"status 403", "The credentials may not do this: check their rights, and whether the destination is read-only."},
	{"status 404", "Nothing is there at this address: check the path, and whether the index or endpoint exists."},
	{"status 410", "The destination wants nothing more: it was switched off there."},
	{"status 429", "The destination takes no more at the moment: its limit is reached, or its disk is full."},
	{"status 5", "The destination is ill: look into its own log."},
	{"redirects", "Name the final address as url."},
	{"status 400", "The destination does not take the alert: check the format, and the mapping or the fields there."},
}

func advice(text string) string {
	for _, a := range advices {
		if strings.Contains(text, a.says) {
			return a.do
		}
	}
	return ""
}

// listSinks prints the sinks, with how they are where something runs.
func listSinks(ctx context.Context, s Streams, f *reachFlags) error {
	conf, _, err := sinksOf(s, f.config)
	if err != nil {
		return err
	}
	running, err := sinkStates(ctx, s, f)
	if err != nil {
		fmt.Fprintln(s.Err, "how the sinks are is not known: "+diag.EscapeLine(err.Error()))
	}
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SINK\tKIND\tSTATE\tWAITING\tOLDEST\tNEXT TRY\tLAST ERROR")
	for _, one := range conf.Sinks {
		k, known := running[one.Name]
		if !known {
			fmt.Fprintf(w, "%s\t%s\t-\t-\t-\t-\t-\n", one.Name, one.Kind)
			continue
		}
		waiting, oldest, fault := "?", "-", "-"
		if k.Waiting != nil {
			waiting = fmt.Sprint(*k.Waiting)
		}
		if !k.Oldest.IsZero() {
			oldest = ago(s.Now().Sub(k.Oldest))
		}
		if k.Fault != "" {
			fault = diag.EscapeLine(k.Fault)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", one.Name, one.Kind, k.State, waiting, oldest, at(k.Next), fault)
	}
	return w.Flush()
}

// sinkStates are how the sinks of running instances are; of several the one that does not deliver.
func sinkStates(ctx context.Context, s Streams, f *reachFlags) (map[string]app.SinkSum, error) {
	b, err := f.connect(s)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	return statesOf(ctx, s, b.Bus)
}

// statesOf is sinkStates over a connection.
func statesOf(ctx context.Context, s Streams, b *bus.Bus) (map[string]app.SinkSum, error) {
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	all, err := app.ReadStatus(ctx, b)
	if err != nil {
		return nil, err
	}
	states := map[string]app.SinkSum{}
	for i := range all {
		if all[i].Ended || all[i].Stale(s.Now()) {
			continue
		}
		for name, k := range all[i].Sinks {
			if before, seen := states[name]; !seen || before.State == sinks.Delivering {
				states[name] = k
			}
		}
	}
	return states, nil
}
