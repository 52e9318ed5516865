package cli

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"noroshi/internal/diag"
	"noroshi/internal/eventhubstest"
)

func devCommand(s Streams) *cobra.Command {
	c := &cobra.Command{Use: "dev", Short: "Try the whole chain without Azure",
		Example: "  noroshi dev eventhub --records audit.ndjson\n  noroshi dev o365 --records audit.ndjson"}
	c.AddCommand(devEventHubCommand(s), devO365Command(s))
	return c
}

// devFlags are those of `dev eventhub`.
type devFlags struct {
	records    []string
	listen     string
	hub        string
	partitions int
	envelope   int
	rate       int
	caFile     string
	now        bool
}

// devKey is the key of the local namespace. It is known to all, so that a restart needs no new configuration; the namespace
// listens on the loopback interface where it is not told otherwise.
const devKey = "bm9yb3NoaS1kZXZlbG9wbWVudC1rZXktbm8tc2VjcmV0"

func devEventHubCommand(s Streams) *cobra.Command {
	f := &devFlags{}
	c := &cobra.Command{
		Use:   "eventhub --records FILE... [flags]",
		Short: "Serve records of files as an event hub on this machine",
		Long: `Eventhub is an Event Hubs namespace for trials: AMQP over TCP, or with --ca-file over TLS, also through WebSocket. Its hub
holds the records of the files in envelopes, as a diagnostic setting sends them. It prints a connection string for the source
eventhub, whose key is no secret, and serves until Ctrl-C. Nothing is kept: started again with the same files it holds the
same messages under the same sequence numbers, so that a reader goes on where it was; with --rate, once they are there again.`,
		Example: `  noroshi dev eventhub --records audit.ndjson
  noroshi dev eventhub --records audit.ndjson --now --rate 100`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c.Context(), s) },
	}
	c.Flags().StringSliceVar(&f.records, "records", nil, "`file` of records, in any form that replay reads; may be given again")
	c.Flags().StringVar(&f.listen, "listen", "127.0.0.1:5672", "`address` to listen on")
	c.Flags().StringVar(&f.hub, "hub", "audit", "`name` of the event hub")
	f.partitions = 4
	c.Flags().Var(&whole{&f.partitions, 1, 1000}, "partitions", "partitions of the event hub")
	f.envelope = 10
	c.Flags().Var(&whole{&f.envelope, 1, 10000}, "envelope", "records of one message")
	f.rate = 0
	c.Flags().Var(&whole{&f.rate, 0, 1000000}, "rate", "messages a second; 0: all are there at once")
	c.Flags().BoolVar(&f.now, "now", false, nowUsage)
	c.Flags().StringVar(&f.caFile, "ca-file", "", "speak TLS, and write the certificate to trust into this `file`")
	return c
}

func (f *devFlags) run(ctx context.Context, s Streams) error {
	if len(f.records) == 0 {
		return fmt.Errorf("--records is missing: a hub without messages shows nothing")
	}
	messages, err := f.messages(ctx, s)
	if err != nil {
		return err
	}
	if err := overwrites("ca-file", f.caFile, expand(f.records)); err != nil {
		return err
	}
	server, err := eventhubstest.New(eventhubstest.Config{Addr: f.listen, Hubs: []eventhubstest.Hub{{Name: f.hub, Partitions: f.partitions}}, Key: devKey, TLS: f.caFile != "", MaxMessage: 16 << 20,
		Log: slog.New(slog.NewTextHandler(s.Err, nil))})
	if err != nil {
		return failed{fmt.Errorf("start event hub: %w", err)}
	}
	if f.caFile != "" {
		pem, err := server.CertificatePEM()
		if err == nil {
			err = os.WriteFile(f.caFile, pem, 0o600)
		}
		if err != nil {
			return failed{fmt.Errorf("write certificate: %w", err)}
		}
	}
	if f.rate == 0 { // who reads from the beginning finds all
		if err := f.send(ctx, server, messages); err != nil {
			return failed{err}
		}
	}
	fmt.Fprintln(s.Out, server.ConnectionString(f.hub))
	if host, _, err := net.SplitHostPort(f.listen); err == nil && host != "localhost" && !net.ParseIP(host).IsLoopback() {
		fmt.Fprintf(s.Err, "whoever reaches %s can read these records: the key is no secret\n", diag.EscapeLine(f.listen))
	}
	fmt.Fprintf(s.Err, "%s in %s; Ctrl-C ends it\n", plural(len(messages), "message"), plural(f.partitions, "partition"))
	serving, stop := context.WithCancel(ctx)
	sent := make(chan error, 1)
	go func() {
		var err error
		if f.rate > 0 {
			err = f.send(serving, server, messages)
		}
		if err != nil {
			stop()
		}
		sent <- err
	}()
	err = server.Run(serving)
	ended := serving.Err() != nil && ctx.Err() == nil // then by what could not be sent
	stop()
	if failure := <-sent; err == nil && ended {
		err = failure
	}
	if err != nil {
		return failed{err}
	}
	return nil
}

// messages are the files' records in envelopes.
func (f *devFlags) messages(ctx context.Context, s Streams) (all [][]byte, err error) {
	records, err := readRecords(ctx, s, f.records)
	if f.now {
		records = newTimes(s, records).moved(records, s.Now())
	}
	for len(records) > 0 {
		n := min(f.envelope, len(records))
		all = append(all, fmt.Appendf(nil, `{"records":[%s]}`, bytes.Join(records[:n], []byte(","))))
		records = records[n:]
	}
	return all, err
}

// send puts the messages into the partitions in turn.
func (f *devFlags) send(ctx context.Context, server *eventhubstest.Server, messages [][]byte) error {
	var next <-chan time.Time
	if f.rate > 0 {
		next = time.Tick(time.Second / time.Duration(f.rate))
	}
	for i, m := range messages {
		if next != nil {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-next:
			}
		}
		if _, err := server.Append(f.hub, strconv.Itoa(i%f.partitions), eventhubstest.Event{Body: m}); err != nil {
			return fmt.Errorf("store message %d: %w", i, err)
		}
	}
	return nil
}
