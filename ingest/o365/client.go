package o365

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"noroshi/ingest/feed"
)

// client asks the API.
type client struct {
	config Config
	http   *http.Client
	root   string // of the tenant's feed
	limits *limits

	mu      sync.Mutex
	token   Token
	renewed time.Time

	clock  skew
	silent silence
}

// patience is how long it is waited for the beginning of an answer, and for more of it.
const patience = time.Minute

func newClient(c Config) (*client, error) {
	token, err := c.Credential()
	if err != nil {
		return nil, err
	}
	h := &http.Client{Transport: c.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &client{config: c, http: h, root: "https://" + c.Host + "/api/v1.0/" + c.Tenant + "/activity/feed/", token: token,
		limits: newLimits(c.Quota, len(c.Content), c.Pauses, c.Now)}, nil
}

// refused is an answer of the API that is not what was asked for.
type refused struct {
	status        int
	code, message string
	after         time.Duration // Retry-After
	off           time.Duration // how far the clock here is ahead of the API's, 0 where that is not known
}

func (r *refused) Error() string {
	if r.code == "" {
		return fmt.Sprintf("the API answers %d %s", r.status, http.StatusText(r.status))
	}
	return fmt.Sprintf("the API answers %d %s: %s", r.status, r.code, r.message)
}

// The codes of errors that are not simply tried again.
const (
	codeThrottled      = "AF429"
	codeNoSubscription = "AF20022"
	codeDisabled       = "AF20023"
	codeTimes          = "AF20030"
	codeGone           = "AF20050"
	codeExpired        = "AF20051"
	codeNoSuchID       = "AF20052"
)

func (r *refused) throttled() bool {
	return r.code == codeThrottled || r.status == http.StatusTooManyRequests
}

// gone reports whether a blob will never be given again.
func (r *refused) gone() bool {
	return r.code == codeGone || r.code == codeExpired || r.code == codeNoSuchID || r.status == http.StatusGone
}

// denied makes an ErrDenied of what somebody must change, with what that is.
func denied(err error) error {
	if errors.Is(err, errElsewhere) {
		return fmt.Errorf("%w: %w", feed.ErrDenied, err)
	}
	var r *refused
	if !errors.As(err, &r) {
		return err
	}
	mend := ""
	switch {
	case r.code == codeDisabled:
		mend = "an administrator has disabled the subscription: start it again with POST subscriptions/start, or leave the content type out"
	case r.status == http.StatusUnauthorized:
		mend = "the token is not taken: the credential must be one of the tenant that the source names"
	case r.status == http.StatusForbidden:
		mend = "the application needs the permission ActivityFeed.Read of Office 365 Management APIs (for DLP.All ActivityFeed.ReadDlp, too), of the kind application, with an administrator's consent"
	case r.code == codeTimes && r.off.Abs() > clocksDiffer:
		mend = "the clock of this machine is " + offBy(r.off) + ": set it"
	case strings.HasPrefix(r.code, "AF2001"):
		mend = "check the key tenant, and that auditing is on in it"
	default:
		return err
	}
	return fmt.Errorf("%w: %s: %w", feed.ErrDenied, mend, err)
}

// do sends one request, within the quota, as often as that is refused for the quota alone. The caller closes the answer's body.
func (c *client) do(ctx context.Context, partition int32, method, address string) (*http.Response, error) {
	u, err := c.address(address)
	if err != nil {
		return nil, err
	}
	for {
		if err := c.limits.wait(ctx, partition); err != nil {
			return nil, err
		}
		res, err := c.send(ctx, method, u)
		var r *refused
		if errors.As(err, &r) && r.throttled() {
			c.limits.throttle(partition, r.after)
			continue
		}
		if err == nil {
			c.limits.answered()
		}
		return res, err
	}
}

// errElsewhere is an address in an answer that is no place of the API.
var errElsewhere = errors.New("an answer leads to another host")

// longAddress is the address of a blob that row.blob left out. Like errElsewhere it is a fault of this blob alone.
type longAddress struct{}

func (longAddress) Error() string {
	return fmt.Sprintf("its contentUri is longer than %d bytes", maxURI)
}

// Is implements what errors.Is asks for.
func (longAddress) Is(target error) bool { return target == errElsewhere }

// address is a URL of the API with the publisher. Tokens go nowhere else, whatever an answer says.
func (c *client) address(text string) (string, error) {
	if text == "" {
		return "", longAddress{}
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.User != nil || !strings.EqualFold(strings.TrimSuffix(u.Host, ":443"), c.config.Host) {
		return "", fmt.Errorf("%w than %s", errElsewhere, c.config.Host)
	}
	q := u.Query()
	q.Set("PublisherIdentifier", c.config.Publisher)
	u.RawQuery = q.Encode()
	return u.String(), nil
}

func (c *client) send(ctx context.Context, method, address string) (*http.Response, error) {
	c.mu.Lock()
	get := c.token
	c.mu.Unlock()
	asked := c.config.Now().Round(0) // without the reading that stands while a machine sleeps
	c.silent.ask(asked)
	asking, stop := context.WithTimeout(ctx, patience)
	token, err := get(asking)
	stop()
	if err != nil {
		return nil, c.unanswered(ctx, err)
	}
	within, cancel := context.WithCancelCause(ctx)
	alarm := time.AfterFunc(patience, func() { cancel(errSilent) })
	req, err := http.NewRequestWithContext(within, method, address, http.NoBody)
	if err != nil {
		cancel(nil)
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept-Encoding", "gzip")
	res, err := c.http.Do(req)
	if err != nil {
		alarm.Stop()
		defer cancel(nil)
		return nil, c.unanswered(ctx, plain(within, err))
	}
	c.silent.end()
	c.compare(res, asked)
	res.Body = &body{ReadCloser: res.Body, ctx: within, alarm: alarm, end: func() { cancel(nil) }}
	if res.StatusCode == http.StatusOK {
		return res, nil
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusUnauthorized {
		c.renew()
	}
	return nil, c.refusal(res)
}

// errSilent is the cause of the end of a request without an answer.
var errSilent = errors.New("no answer: check that firewalls and proxies let through port 443 for the API and for the sign-in host")

// plain is an error of a request without its address.
func plain(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, errSilent) {
		return cause
	}
	var u *url.Error
	if errors.As(err, &u) {
		return fmt.Errorf("ask %s: %w", hostOf(u.URL), u.Err)
	}
	return err
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "the API"
	}
	return u.Host
}

// body is that of an answer; it ends where nothing more comes for long.
type body struct {
	io.ReadCloser
	ctx   context.Context // it is that of the request
	alarm *time.Timer
	end   func()
}

func (b *body) Read(p []byte) (int, error) {
	b.alarm.Reset(patience)
	n, err := b.ReadCloser.Read(p)
	b.alarm.Stop()
	if err != nil && !errors.Is(err, io.EOF) {
		err = plain(b.ctx, err)
	}
	return n, err
}

func (b *body) Close() error {
	b.alarm.Stop()
	defer b.end()
	return b.ReadCloser.Close()
}

// maxError bounds what is read of an error.
const maxError = 64 << 10

func (c *client) refusal(res *http.Response) error {
	var said struct {
		Error struct{ Code, Message string }
	}
	off, _ := c.off(res)
	r := &refused{status: res.StatusCode, off: off}
	if from, err := unzipped(res.Body); err == nil {
		if data, err := io.ReadAll(io.LimitReader(from, maxError)); err == nil && json.Unmarshal(data, &said) == nil {
			r.code, r.message = said.Error.Code, fmt.Sprintf("%.300s", said.Error.Message)
		}
	}
	r.after = c.retryAfter(res)
	return r
}

// retryAfter is how long to wait by an answer, which says so in seconds or as a time of its own clock; 0 where it does not.
func (c *client) retryAfter(res *http.Response) time.Duration {
	text := res.Header.Get("Retry-After")
	if s, err := strconv.Atoi(text); err == nil {
		return time.Duration(min(max(s, 0), int(longestPause/time.Second))) * time.Second
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	said, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		said = c.config.Now()
	}
	return max(0, until.Sub(said))
}

// renew makes the credential anew, so that a token is got which is not the one that is refused; at most each minute.
func (c *client) renew() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.config.Now()
	if now.Sub(c.renewed) < patience {
		return
	}
	if token, err := c.config.Credential(); err == nil { // it could be made before
		c.token, c.renewed = token, now
	}
}

// tries is how often a request is made that fails.
const tries = 5

// again does something until it succeeds, with growing pauses.
func (c *client) again(ctx context.Context, do func() error) error {
	pause := c.config.Pauses.First
	for n := 1; ; n++ {
		err := do()
		if err == nil || ctx.Err() != nil || n == tries || errors.Is(err, feed.ErrDenied) || errors.Is(err, errElsewhere) || errors.Is(err, errMany) {
			return err
		}
		var r *refused
		if errors.As(err, &r) && (r.gone() || r.code == codeDisabled || r.code == codeNoSubscription) {
			return err
		}
		if err := feed.Pause(ctx, pause); err != nil {
			return err
		}
		pause = min(2*pause, c.config.Pauses.Most)
	}
}

// subscribe starts the subscription to a content type.
func (c *client) subscribe(ctx context.Context, partition int32, content string) error {
	return c.again(ctx, func() error {
		res, err := c.do(ctx, partition, http.MethodPost, c.root+"subscriptions/start?contentType="+url.QueryEscape(content))
		if err != nil {
			return err
		}
		return res.Body.Close()
	})
}
