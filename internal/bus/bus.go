// Package bus is Kafka: the topics, what is written to them and who reads them.
package bus

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"noroshi/internal/certs"
)

// Topic is one of our topics, without the prefix.
type Topic string

// The topics.
const (
	Events      Topic = "events"       // records, keyed by tenant and account
	Alerts      Topic = "alerts"       // alerts as JSON, keyed likewise
	DeadLetters Topic = "dead-letters" // what could not be read or delivered
	// DeliveryResults say who was told what, when, and with which answer.
	DeliveryResults Topic = "delivery-results"
	Checkpoints     Topic = "checkpoints" // compacted: how far each source has been read
	Status          Topic = "status"      // what instances are doing, kept for an hour
	// DetectorState is compacted: what rules remember of the events of each partition.
	DetectorState Topic = "detector-state"
	// Signals are what rules look at whose key is not the account; each lies where its key does.
	Signals Topic = "signals"
	// SignalsState is compacted: what these rules remember of each partition of Signals.
	SignalsState Topic = "signals-state"
)

// states are the topics of what rules remember.
var states = []Topic{DetectorState, SignalsState}

// placed reports whether records of a topic name the partition where they are to lie.
func (t Topic) placed() bool { return t == Signals || slices.Contains(states, t) }

// maxMessage is the longest record, in bytes: one of 4 MiB and what belongs to it.
const maxMessage = 8 << 20

// What the Kafka endpoint of Event Hubs asks for.
const (
	eventHubsIdle    = 3 * time.Minute
	eventHubsRequest = 1_046_528 // bytes
)

// Config says how to reach Kafka.
type Config struct {
	Brokers    []string
	Prefix     string // of topic names
	Partitions int    // of all topics but checkpoints, for life
	TLS        bool
	CAFile     string // instead of the system's
	Mechanism  string // plain, scram-sha-256, scram-sha-512, oauthbearer; "": none
	User       string
	Password   string
	// Token gives the tokens of oauthbearer.
	Token func(ctx context.Context) (string, error)
	// EventHubs is for the Kafka endpoint of Event Hubs, which closes connections that are idle for 240 s, takes no
	// compression but gzip, and requests of at most 1,046,528 bytes (azure-docs, apache-kafka-configurations).
	EventHubs bool
	// Boot names one run of the embedded broker, "" for others. After a crash that broker aborts open transactions in memory
	// alone, so that names of transactions must not outlive it.
	Boot string
	Log  *slog.Logger
	// Dial dials brokers, TLS included, where it is there.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Foreign is for topics that are not ours: they are written to, and not made.
	Foreign bool

	disk *disk // the embedded broker's, where it is in this process
}

// Header is a header of a record.
type Header = kgo.RecordHeader

// Record is a record of a topic.
type Record struct {
	Topic     Topic
	Key       []byte
	Value     []byte
	Headers   []Header
	Partition int32 // where it lies; in checkpoint topics, those of state and Signals also where it is to lie
	Offset    int64
	Timestamp time.Time // when it was written
	// What only a Cursor gives:
	Mark  bool  // it is no record, but the mark at the end of a transaction
	Fault error // it is a batch that cannot be read, up to this offset
}

// Header is the value of a header, "" where the record has none.
func (r *Record) Header(key string) string {
	for _, h := range r.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

// Bus is a connection to Kafka.
type Bus struct {
	config Config
	client *kgo.Client
	admin  *kadm.Client
	reach  *reach
	missed atomic.Int64

	patience time.Duration // with the transaction of a writer that has died
	session  time.Duration // after which a member that says nothing is put out of its group; 0: the usual

	problems atomic.Int64
}

// Missed is how many records readers have missed: they were deleted or damaged before they were read.
func (b *Bus) Missed() int64 { return b.missed.Load() }

// sync returns once all that was written so far is on the disk, where that is ours. Every position is stored behind it. It ends with
// ctx: a busy disk may take as long as it wants.
func (b *Bus) sync(ctx context.Context) error {
	if !b.config.disk.syncs() {
		return nil
	}
	return within(ctx, b.config.disk.sync)
}

// Connect makes a bus. It does not wait for the brokers.
func Connect(c Config) (*Bus, error) {
	b := &Bus{config: c, patience: transactionTimeout}
	b.reach = &reach{bus: b, lost: map[string]bool{}}
	options, err := b.options()
	if err != nil {
		return nil, fmt.Errorf("connect to Kafka: %w", err)
	}
	if b.client, err = kgo.NewClient(options...); err != nil {
		return nil, fmt.Errorf("connect to Kafka: %w", err)
	}
	b.admin = kadm.NewClient(b.client)
	return b, nil
}

// Config is how Kafka is reached.
func (b *Bus) Config() Config { return b.config }

// Close ends the connection.
func (b *Bus) Close() { b.client.Close() }

// options are what all clients share.
func (b *Bus) options() ([]kgo.Opt, error) {
	c := b.config
	o := []kgo.Opt{kgo.SeedBrokers(c.Brokers...), kgo.ClientID("noroshi"),
		kgo.MetadataMinAge(250 * time.Millisecond), kgo.RetryTimeout(30 * time.Second), kgo.DialTimeout(5 * time.Second),
		kgo.WithHooks(b.reach)}
	switch c.Mechanism {
	case "plain":
		o = append(o, kgo.SASL(plain.Auth{User: c.User, Pass: c.Password}.AsMechanism()))
	case "scram-sha-256":
		o = append(o, kgo.SASL(scram.Auth{User: c.User, Pass: c.Password}.AsSha256Mechanism()))
	case "scram-sha-512":
		o = append(o, kgo.SASL(scram.Auth{User: c.User, Pass: c.Password}.AsSha512Mechanism()))
	case "oauthbearer":
		o = append(o, kgo.SASL(newBearer(c.Token)))
	}
	if c.EventHubs {
		o = append(o, kgo.ConnIdleTimeout(eventHubsIdle), kgo.MetadataMaxAge(eventHubsIdle))
	}
	if c.Dial != nil {
		return append(o, kgo.Dialer(c.Dial)), nil
	}
	if !c.TLS {
		return o, nil
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CAFile != "" {
		roots, err := certs.Read(c.CAFile)
		if err != nil {
			return nil, err
		}
		conf.RootCAs = roots
	}
	return append(o, kgo.DialTLSConfig(conf)), nil
}

func (b *Bus) name(t Topic) string { return b.config.Prefix + string(t) }
