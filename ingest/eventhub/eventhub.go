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

	wire func(ctx context.Context, network, address string) (net.Conn, error) // for tests that move the clock
}

// Messages that lie ready are bounded for all partitions of a hub together, up to 64 partitions: at 1 MiB each, the most of the Standard tier, they
// are 1 GiB. What a partition has in hand beside them is below feed.MaxBytes and a drain.
const (
	maxReady = 1024
	most     = 200 // of one partition
	least    = 16
	drain    = 16 // messages asked for at once
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
				return nil, fmt.Errorf("the connection string is for event hub %s, the configuration says %s", m[1], c.Hub)
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
	s := &Stream{config: c, name: c.Name, ready: most}
	if s.name == "" {
		if label, _, ok := strings.Cut(namespace, ".servicebus."); ok {
			namespace = label
		}
		s.name = namespace + "-" + c.Hub
	}
	c2, err := s.connect() // a connection string that is wrong shows here
	if err != nil {
		return nil, err
	}
	s.client = c2
	return s, nil
}

// Close ends the connection.
func (s *Stream) Close(ctx context.Context) error { return s.client.Close(ctx) }

// connect makes a client. It connects at its first use.
func (s *Stream) connect() (*azeventhubs.ConsumerClient, error) {
	c := s.config
	o := &azeventhubs.ConsumerClientOptions{ApplicationID: "noroshi", CustomEndpoint: c.Endpoint, TLSConfig: c.TLS,
		// The loop around has the long waits.
		RetryOptions: azeventhubs.RetryOptions{MaxRetries: 3, RetryDelay: 200 * time.Millisecond, MaxRetryDelay: 2 * time.Second}}
	if c.WebSocket {
		o.NewWebSocketConn = c.dial
	}
	if c.ConnectionString == "" {
		client, err := azeventhubs.NewConsumerClient(c.Namespace, c.Hub, c.Group, c.Credential, o)
		return client, secretless(err)
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
	if strings.Contains(err.Error(), "SharedAccess") {
		return errors.New("the connection string cannot be read; copy it whole from the shared access policies")
	}
	return err
}

// Name is the configured name, or that of namespace and hub.
func (s *Stream) Name() string { return s.name }

// Dense is true: numbers grow by one from event to event
// (https://learn.microsoft.com/azure/event-hubs/event-hubs-features#stream-offsets).
func (s *Stream) Dense() bool { return true }

// Partitions asks the hub.
func (s *Stream) Partitions(ctx context.Context) (int, error) {
	p, err := s.client.GetEventHubProperties(ctx, nil)
	if err != nil {
		return 0, fault(err)
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

// State asks the hub. The client goes on after ctx has ended, so the answer is not waited for then.
func (s *Stream) State(ctx context.Context, partition int32) (feed.State, error) {
	type answer struct {
		p   azeventhubs.PartitionProperties
		err error
	}
	got := make(chan answer, 1)
	go func() {
		p, err := s.client.GetPartitionProperties(ctx, strconv.Itoa(int(partition)), nil)
		got <- answer{p, err}
	}()
	select {
	case <-ctx.Done():
		return feed.State{}, ctx.Err()
	case a := <-got:
		if a.err != nil {
			return feed.State{}, fault(a.err)
		}
		if a.p.IsEmpty {
			return feed.State{First: a.p.LastEnqueuedSequenceNumber + 1, Last: a.p.LastEnqueuedSequenceNumber}, nil
		}
		return feed.State{First: a.p.BeginningSequenceNumber, Last: a.p.LastEnqueuedSequenceNumber}, nil
	}
}

// Open opens a link of its own with an owner level that grows, so that the service cuts an older reader off.
func (s *Stream) Open(ctx context.Context, partition int32, after *feed.Position) (feed.Cursor, error) {
	client, err := s.connect()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", feed.ErrDenied, err)
	}
	yes := true
	level, ready := s.next()
	at := azeventhubs.StartPosition{Earliest: &yes}
	switch {
	case after != nil && after.Sequence >= 0:
		at = azeventhubs.StartPosition{SequenceNumber: &after.Sequence}
	case after == nil && !s.config.Since.IsZero():
		at = azeventhubs.StartPosition{EnqueuedTime: &s.config.Since, Inclusive: true}
	}
	link, err := client.NewPartitionClient(strconv.Itoa(int(partition)), &azeventhubs.PartitionClientOptions{StartPosition: at, OwnerLevel: &level, Prefetch: int32(ready)})
	if err != nil {
		return nil, errors.Join(fault(err), client.Close(ctx))
	}
	return &cursor{client, link}, nil
}

// next gives the level of the next link, the time in Unix milliseconds or more where that has been given, and how many messages
// may lie ready for it.
func (s *Stream) next() (level int64, ready int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.level = max(s.level+1, s.config.Now().UnixMilli())
	return s.level, s.ready
}

// cursor reads one partition over a connection of its own.
type cursor struct {
	client *azeventhubs.ConsumerClient
	link   *azeventhubs.PartitionClient
}

// ended is a context with which a receive gives what lies ready and waits for nothing.
func ended(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return ctx
}

// Next waits for one message, then takes those that lie ready.
func (c *cursor) Next(ctx context.Context) ([]feed.Message, error) {
	got, err := c.link.ReceiveEvents(ctx, 1, nil)
	if err != nil {
		return nil, fault(err)
	}
	all, size := take(nil, 0, got)
	for now := ended(ctx); len(all) < feed.MaxMessages && size < feed.MaxBytes; {
		more, _ := c.link.ReceiveEvents(now, min(drain, feed.MaxMessages-len(all)), nil) // it ends with now
		if len(more) == 0 {
			break
		}
		all, size = take(all, size, more)
	}
	return all, nil
}

func take(all []feed.Message, size int, got []*azeventhubs.ReceivedEventData) ([]feed.Message, int) {
	for _, e := range got {
		m := feed.Message{Position: feed.Position{Sequence: e.SequenceNumber, Offset: e.Offset}, Body: body(e)}
		if e.EnqueuedTime != nil {
			m.Enqueued = e.EnqueuedTime.UTC()
		}
		all, size = append(all, m), size+len(m.Body)
	}
	return all, size
}

// body is the message's body. One of several data sections is theirs together; one that is a value is that value where it is
// bytes or text.
func body(e *azeventhubs.ReceivedEventData) []byte {
	if e.Body != nil || e.RawAMQPMessage == nil {
		return e.Body
	}
	var all []byte
	for _, d := range e.RawAMQPMessage.Body.Data {
		all = append(all, d...)
	}
	switch v := e.RawAMQPMessage.Body.Value.(type) {
	case []byte:
		all = v
	case string:
		all = []byte(v)
	}
	return all
}

// Close ends the link and its connection.
func (c *cursor) Close(ctx context.Context) {
	_ = c.link.Close(ctx) // the connection takes it along
	_ = c.client.Close(ctx)
}

// fault says which of the client's errors are not simply tried again.
func fault(err error) error {
	var e *azeventhubs.Error
	var answer interface { // of the management node
		error
		RPCCode() int
	}
	code, text := 0, err.Error()
	if errors.As(err, &answer) {
		code = answer.RPCCode()
	}
	if denied := unidentified(err); errors.Is(denied, feed.ErrDenied) {
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
	}
	return err
}
