// Package o365 reads the unified audit log of a tenant through the Office 365 Management Activity API.
//
// The API lists blobs of records by when they became available. A partition is one content type. What is stored with the records is how
// far its listing has come, and a row for each blob that was read in the last eight days: late blobs are found by listing the last day
// again, and what was read is not read twice.
package o365

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"noroshi/ingest/feed"
)

// Contents are the content types. The number of a partition is the place in this list, for ever.
var Contents = []string{"Audit.AzureActiveDirectory", "Audit.Exchange", "Audit.SharePoint", "Audit.General", "DLP.All"}

// Cloud is where the API of a cloud is, and who signs in there.
type Cloud struct {
	Host string // of the API, and of the resource that tokens are for
	Sign string // the cloud of the credential
}

// Clouds are the clouds by the names of Microsoft's plans.
var Clouds = map[string]Cloud{
	"public":   {"manage.office.com", "public"},
	"gcc":      {"manage-gcc.office.com", "public"},
	"gcc_high": {"manage.office365.us", "government"},
	"dod":      {"manage.protection.apps.mil", "government"},
}

// Token gives a token of the tenant for the API.
type Token func(ctx context.Context) (string, error)

// Config says whose log to read, and how.
type Config struct {
	// Name names the stream; made of the tenant where empty.
	Name   string
	Tenant string
	// Content are the content types that are read.
	Content []string
	// Host is that of the API.
	Host string
	// Publisher is the tenant of who runs this, which has a quota of its own; Tenant where empty.
	Publisher string
	// Credential makes what gives tokens. It is made anew where the API takes no token any more.
	Credential func() (Token, error)
	Transport  http.RoundTripper
	// Since is when a first start begins: seven days ago where it is zero, now with Latest.
	Since  time.Time
	Latest bool
	// Newest reads the newest of the past first.
	Newest bool
	// Poll is how often new blobs are looked for, each minute where 0.
	Poll time.Duration
	// Quota is how many requests a minute all instances together may make, 2,000 where 0.
	Quota int
	Now   func() time.Time
	Log   *slog.Logger

	// Pauses are those after faults; the usual ones where nil.
	Pauses  *Pauses
	maxBlob int64
}

const (
	usualPoll  = time.Minute
	usualQuota = 2000
	// maxBlob is how much is read of a blob. What lies behind is one dead letter.
	maxBlob = 512 << 20
)

// Pauses are how long it is waited after faults.
type Pauses struct {
	First, Most     time.Duration // before a request is made again
	Throttled, Long time.Duration // where the quota is used up and no time is said
	Again           time.Duration // before a blob is tried again that has failed often
}

var usualPauses = Pauses{First: 500 * time.Millisecond, Most: 10 * time.Second, Throttled: 10 * time.Second, Long: 2 * time.Minute, Again: time.Minute}

// Stream is the log of a tenant.
type Stream struct {
	config Config
	client *client
	parts  []*part // nil: the content type is not read
	large  chan struct{}
}

// part is what outlives the sessions of a partition.
type part struct {
	content string

	mu     sync.Mutex
	counts Snapshot
	open   bool
	given  int64     // the number of the message given last
	listed time.Time // when a listing was answered last

	// What follows belongs to the cursor, of which there is one at a time.
	sweep   time.Time     // up to where the last day is listed again; zero: it is not
	swept   time.Time     // when it was the last time,
	sweepIn time.Duration // and how long after that it is again
	alone   int           // times that a blob failed and no other could be tried
}

// New makes the stream. It connects to nothing.
func New(c Config) (*Stream, error) {
	c.Tenant = strings.ToLower(c.Tenant)
	if c.Name == "" {
		first, _, _ := strings.Cut(c.Tenant, "-")
		c.Name = "o365-" + first
	}
	if c.Publisher == "" {
		c.Publisher = c.Tenant
	}
	if c.Poll == 0 {
		c.Poll = usualPoll
	}
	if c.Quota == 0 {
		c.Quota = usualQuota
	}
	if c.Pauses == nil {
		c.Pauses = &usualPauses
	}
	if c.maxBlob == 0 {
		c.maxBlob = maxBlob
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Log = c.Log.With(slog.String("source", c.Name))
	s := &Stream{config: c, parts: make([]*part, len(Contents)), large: make(chan struct{}, 1)}
	for _, content := range c.Content {
		i := slices.Index(Contents, content)
		if i < 0 {
			return nil, fmt.Errorf("no content type %q", content)
		}
		s.parts[i] = &part{content: content, given: -1, counts: Snapshot{Source: c.Name, Partition: int32(i), Content: content}}
	}
	if len(c.Content) == 0 {
		return nil, errors.New("there is no content type: give the key content")
	}
	var err error
	s.client, err = newClient(c)
	return s, err
}

// Name is the configured name, or that of the tenant.
func (s *Stream) Name() string { return s.config.Name }

// Dense is false: numbers are made here, without gaps.
func (s *Stream) Dense() bool { return false }

var _ feed.Varied = (*Stream)(nil)

// Varied implements feed.Varied: each partition is a content type.
func (s *Stream) Varied() {}

// Partitions is one for each content type that there is, also those that are not read: which they are may change.
func (s *Stream) Partitions(context.Context) (int, error) { return len(Contents), nil }

// Reads reports whether a content type is configured.
func (s *Stream) Reads(partition int32) bool { return s.parts[partition] != nil }

// State says what waits. Nothing is asked: the cursor lists all the time.
func (s *Stream) State(_ context.Context, partition int32) (feed.State, error) {
	p := s.parts[partition]
	p.mu.Lock()
	defer p.mu.Unlock()
	now := s.client.now()
	if !p.open || now.Sub(p.listed) > max(unlisted, 5*s.config.Poll) {
		return feed.State{}, fmt.Errorf("%s has not been listed lately", p.content)
	}
	waiting := p.counts.Waiting
	if waiting == 0 && p.counts.Backfill != nil {
		waiting = 1 // at least
	}
	return feed.State{Last: p.given + waiting, Through: p.counts.Listed}, nil
}

// unlisted is for how long a listing may go unanswered before it is not known what waits.
const unlisted = 5 * time.Minute

// Open is OpenWith without rows.
func (s *Stream) Open(ctx context.Context, partition int32, after *feed.Position) (feed.Cursor, error) {
	return s.OpenWith(ctx, partition, after, nil)
}

// OpenWith reads on where a position and the rows with it say.
func (s *Stream) OpenWith(_ context.Context, partition int32, after *feed.Position, rows map[string][]byte) (feed.Cursor, error) {
	return s.cursor(partition, after, rows)
}
