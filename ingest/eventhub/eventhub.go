// Package eventhub reads an event hub over AMQP.
package eventhub

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"

	"noroshi/ingest/entra"
	"noroshi/ingest/feed"
)

// Config says which event hub to read and how.
type Config struct {
	// Name names the stream; the namespace's first label and the hub where empty.
	Name string
	// ConnectionString holds the namespace, a policy and its key. Without, Namespace and Credential are used.
	ConnectionString string
	// Namespace is the fully qualified name, such as contoso.servicebus.windows.net; sovereign clouds have other suffixes.
	Namespace  string
	Credential azcore.TokenCredential
	// Hub is the event hub; not needed where the connection string has an EntityPath.
	Hub string
	// Group is the consumer group, $Default where empty. It belongs to Noroshi alone.
	Group string
	// Since is when a first start begins: at the oldest event where zero.
	Since time.Time
	// WebSocket goes through port 443 instead of 5671, and through Proxy where there is one (http, https or socks5; the
	// environment's where empty).
	WebSocket bool
	Proxy     string
	// Endpoint is dialled instead of the namespace, for private links and tests.
	Endpoint string
	TLS      *tls.Config // the system's trust where nil
	// Now is the clock for owner levels.
	Now func() time.Time

	wire     func(ctx context.Context, network, address string) (net.Conn, error) // for tests that move the clock
	patience time.Duration                                                        // with an endpoint that does not answer
}

// Messages that lie ready are bounded for all partitions of a hub together, up to 64 partitions: at 1 MiB each, the most of the Standard tier, they
// are 1 GiB. What a partition has in hand beside them is below feed.MaxBytes and a drain.
const (
	maxReady = 1024
	most     = 200 // of one partition
	least    = 16
	drain    = 16 // messages asked for at once
)

// patience is how long an answer is waited for: the client itself waits for ever.
const patience = 30 * time.Second

// The faults of an endpoint that takes connections.
var (
	ErrSilent = errors.New("no answer: check that firewalls and proxies let through port 5671 for AMQP, 443 for WebSocket and for the sign-in host")
	ErrHeldUp = errors.New("the link gives nothing of what the hub has")
)

// Stream is an event hub.
type Stream struct {
	config Config
	name   string

	mu     sync.Mutex
	client *azeventhubs.ConsumerClient // for what is not read: numbers of partitions and sequences
	level  int64
	ready  int // messages of one partition that may lie ready
}

var (
	entityPath = regexp.MustCompile(`(?i)(?:^|;)\s*EntityPath=([^;]+)`)
	endpoint   = regexp.MustCompile(`(?i)(?:^|;)\s*Endpoint=(?:sb|amqps?)://([^/;:]+)`)
)

// New makes the stream. It connects to nothing.
func New(c Config) (*Stream, error) {
	namespace := c.Namespace
	if c.ConnectionString != "" {
		m := endpoint.FindStringSubmatch(c.ConnectionString)
		if m == nil {
			return nil, errors.New("the connection string has no Endpoint=sb://…; copy it whole from the namespace's or the hub's shared access policies")
		}
		namespace = m[1]
		if m := entityPath.FindStringSubmatch(c.ConnectionString); m != nil {
			if c.Hub != "" && !strings.EqualFold(c.Hub, m[1]) {
				return nil, errors.New("the connection string is for another event hub than the one named")
			}
			c.Hub = m[1]
		}
	}
	switch {
	case c.Hub == "":
		return nil, errors.New("there is no name of an event hub: give the key hub, or a connection string with EntityPath")
	case namespace == "":
		return nil, errors.New("there is no namespace: give the key namespace or a connection string")
	case c.ConnectionString == "" && c.Credential == nil:
		return nil, errors.New("there is no credential: give a connection string or the key credential")
	}
	if c.Group == "" {
		c.Group = azeventhubs.DefaultConsumerGroup
	}
	if c.patience == 0 {
		c.patience = patience
	}
	s := &Stream{config: c, name: c.Name, ready: most}
	if s.name == "" {
		if label, _, ok := strings.Cut(namespace, ".servicebus."); ok {
			namespace = label
		}
		s.name = namespace + "-" + c.Hub
	}
	var err error
	s.client, err = s.connect(3) // a connection string that is wrong shows here
	return s, err
}

// Namespace is the namespace that a connection string names, "" where it names none.
func Namespace(connectionString string) string {
	if m := endpoint.FindStringSubmatch(connectionString); m != nil {
		return m[1]
	}
	return ""
}

// Close ends the connection.
func (s *Stream) Close(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.client.Close(ctx)
}

// connect makes a client that tries again so many times, -1 for never. It connects at its first use.
func (s *Stream) connect(retries int32) (*azeventhubs.ConsumerClient, error) {
	c := s.config
	o := &azeventhubs.ConsumerClientOptions{ApplicationID: "noroshi", CustomEndpoint: c.Endpoint, TLSConfig: c.TLS,
		RetryOptions: azeventhubs.RetryOptions{MaxRetries: retries, RetryDelay: 200 * time.Millisecond, MaxRetryDelay: 2 * time.Second}}
	if c.WebSocket {
		o.NewWebSocketConn = c.dial
	}
	if c.ConnectionString == "" {
		return azeventhubs.NewConsumerClient(c.Namespace, c.Hub, c.Group, hasty{c.Credential, c.patience}, o)
	}
	hub := c.Hub
	if entityPath.MatchString(c.ConnectionString) {
		hub = "" // the client refuses to be told twice
	}
	client, err := azeventhubs.NewConsumerClientFromConnectionString(c.ConnectionString, hub, c.Group, o)
	return client, secretless(err)
}

// secretless is an error about a connection string without its text.
func secretless(err error) error {
	if err == nil {
		return nil
	}
	return errors.New("the connection string cannot be read; copy it whole from the shared access policies")
}

// Name is the configured name, or that of namespace and hub.
func (s *Stream) Name() string { return s.name }

// Dense is true: numbers grow by one from event to event
// (https://learn.microsoft.com/azure/event-hubs/event-hubs-features#stream-offsets).
func (s *Stream) Dense() bool { return true }

// Partitions asks the hub.
func (s *Stream) Partitions(ctx context.Context) (int, error) {
	p, err := ask(ctx, s, func(ctx context.Context, c *azeventhubs.ConsumerClient) (azeventhubs.EventHubProperties, error) {
		return c.GetEventHubProperties(ctx, nil)
	})
	if err != nil {
		return 0, err
	}
	for i, id := range p.PartitionIDs {
		if id != strconv.Itoa(i) {
			return 0, fmt.Errorf("partition %d has the id %q", i, id)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready = min(most, max(least, maxReady/max(1, len(p.PartitionIDs))))
	return len(p.PartitionIDs), nil
}

// answer is what the service says to a question of the client's, which must not be waited for as such: it hears of the end of ctx
// while it connects, and not while it waits.
func answer[T any](ctx context.Context, patience time.Duration, ask func(ctx context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, ErrSilent)
	defer cancel()
	type answered struct {
		is  T
		err error
	}
	got := make(chan answered, 1)
	go func() {
		is, err := ask(ctx)
		got <- answered{is, err}
	}()
	select {
	case <-ctx.Done():
	case a := <-got:
		return a.is, fault(a.err)
	}
	var none T
	return none, context.Cause(ctx)
}

func (s *Stream) properties(ctx context.Context, partition int32) (azeventhubs.PartitionProperties, error) {
	return ask(ctx, s, func(ctx context.Context, c *azeventhubs.ConsumerClient) (azeventhubs.PartitionProperties, error) {
		return c.GetPartitionProperties(ctx, strconv.Itoa(int(partition)), nil)
	})
}

// ask asks the hub. A connection that does not answer is not asked again: the client would wait for minutes before it makes another.
func ask[T any](ctx context.Context, s *Stream, do func(ctx context.Context, c *azeventhubs.ConsumerClient) (T, error)) (T, error) {
	s.mu.Lock()
	c := s.client
	s.mu.Unlock()
	is, err := answer(ctx, s.config.patience, func(ctx context.Context) (T, error) { return do(ctx, c) })
	if errors.Is(err, ErrSilent) {
		s.renew(ctx, c)
	}
	return is, err
}

// renew puts a new client in the place of one that does not answer. That ends by itself, within the time for an answer.
func (s *Stream) renew(ctx context.Context, silent *azeventhubs.ConsumerClient) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client != silent {
		return
	}
	c, err := s.connect(3)
	if err != nil {
		return // New has made one of the same configuration
	}
	s.client = c
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.config.patience)
		defer cancel()
		_ = silent.Close(ctx) // it does not answer
	}()
}

// State asks the hub.
func (s *Stream) State(ctx context.Context, partition int32) (feed.State, error) {
	p, err := s.properties(ctx, partition)
	switch {
	case err != nil:
		return feed.State{}, err
	case p.IsEmpty:
		return feed.State{First: p.LastEnqueuedSequenceNumber + 1, Last: p.LastEnqueuedSequenceNumber}, nil
	}
	return feed.State{First: p.BeginningSequenceNumber, Last: p.LastEnqueuedSequenceNumber}, nil
}

// Open opens a link of its own with an owner level that grows, so that the service cuts an older reader off.
func (s *Stream) Open(ctx context.Context, partition int32, after *feed.Position) (feed.Cursor, error) {
	client, err := s.connect(-1) // all faults go to the loop around; and trying again, the client would leave out what it cannot read
	if err != nil {
		return nil, fmt.Errorf("%w: %w", feed.ErrDenied, err)
	}
	yes := true
	level, ready := s.next()
	at, c := azeventhubs.StartPosition{Earliest: &yes}, &cursor{stream: s, partition: partition, client: client, last: -1}
	switch {
	case after != nil && after.Sequence >= 0:
		at, c.last = azeventhubs.StartPosition{SequenceNumber: &after.Sequence}, after.Sequence
	case after == nil && !s.config.Since.IsZero():
		at, c.since = azeventhubs.StartPosition{EnqueuedTime: &s.config.Since, Inclusive: true}, s.config.Since
	}
	c.link, err = client.NewPartitionClient(strconv.Itoa(int(partition)), &azeventhubs.PartitionClientOptions{StartPosition: at, OwnerLevel: &level, Prefetch: int32(ready)})
	if err != nil {
		return nil, errors.Join(fault(err), client.Close(ctx))
	}
	return c, nil
}

// next gives the level of the next link, the time in Unix milliseconds or more where that has been given, and how many messages
// may lie ready for it.
func (s *Stream) next() (level int64, ready int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.level = max(s.level+1, s.config.Now().UnixMilli())
	return s.level, s.ready
}

// fault says which of the client's errors are not simply tried again.
func fault(err error) error {
	var e *azeventhubs.Error
	var answer interface { // of the management node
		error
		RPCCode() int
	}
	if err == nil {
		return nil
	}
	code, text := 0, err.Error()
	if errors.As(err, &answer) {
		code = answer.RPCCode()
	}
	if denied := entra.Unidentified(err); errors.Is(denied, feed.ErrDenied) {
		return denied
	}
	switch {
	case errors.As(err, &e) && e.Code == azeventhubs.ErrorCodeOwnershipLost:
		return fmt.Errorf("%w: %w", feed.ErrLost, err)
	case errors.As(err, &e) && e.Code == azeventhubs.ErrorCodeUnauthorizedAccess, strings.Contains(text, "unauthorized-access"), code == http.StatusUnauthorized:
		return fmt.Errorf("%w: not authorised: check the policy's key or that the identity has the role Azure Event Hubs Data Receiver: %w", feed.ErrDenied, err)
	case strings.Contains(text, "amqp:not-found"), code == http.StatusNotFound:
		return fmt.Errorf("%w: not found: check the names of event hub and consumer group: %w", feed.ErrDenied, err)
	case strings.Contains(text, "amqp:link:stolen"): // a refused attach
		return fmt.Errorf("%w: %w", feed.ErrLost, err)
	case strings.Contains(text, "i/o timeout"), strings.Contains(text, "handshake timeout"), errors.Is(err, context.DeadlineExceeded): // the client hides some of the causes
		return fmt.Errorf("%w: %w", ErrSilent, err)
	}
	return err
}
