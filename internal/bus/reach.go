package bus

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Await waits until the brokers answer. Why they do not is told at once; what waiting does not mend is an error.
func (b *Bus) Await(ctx context.Context) error {
	t := Trouble{Log: b.config.Log, Most: time.Second}
	var last error
	for {
		err := b.client.Ping(ctx)
		if err == nil {
			t.Over("Kafka is reached")
			b.reach.on.Store(true)
			return nil
		}
		if ctx.Err() == nil || last == nil { // else it is the context's end
			var final bool
			if last, final = b.cause(err); final {
				return fmt.Errorf("reach Kafka: %w", last)
			}
		}
		if ctx.Err() != nil {
			return fmt.Errorf("reach Kafka: %w", last)
		}
		t.Again("Kafka is not reached", last, slog.Any("brokers", b.config.Brokers))
		_ = t.Pause(ctx) // the end of ctx is seen above
	}
}

// cause says what an error of a connection means, and whether it stays.
func (b *Bus) cause(err error) (told error, final bool) {
	var name *net.DNSError
	var closed *kgo.ErrFirstReadEOF
	var host x509.HostnameError
	var untrusted *tls.CertificateVerificationError
	with := func(text string) error { return fmt.Errorf("%s: %w", text, err) }
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return with("nothing listens there"), false
	case errors.As(err, &name) && name.IsNotFound:
		return with("there is no host of this name"), false
	case errors.As(err, &host):
		return with("the broker's certificate is for another name; use a name that it is for"), true
	case errors.As(err, &untrusted):
		return with("the broker's certificate is not trusted; ca_file names the authority that has signed it"), true
	case errors.Is(err, kerr.SaslAuthenticationFailed):
		return with("the broker does not take the user and password"), true
	case errors.Is(err, kerr.UnsupportedSaslMechanism):
		return with("the broker does not have this mechanism of SASL"), true
	case errors.Is(err, kerr.IllegalSaslState):
		return with("the broker asks for no user at this port; leave sasl out, or use the port that has it"), true
	case strings.Contains(err.Error(), "tls alert record"):
		return with("the broker speaks TLS at this port; set tls to true"), true
	case errors.As(err, new(tls.RecordHeaderError)):
		return with("the broker does not speak TLS at this port; set tls to false, or use the port that has it"), true
	case errors.As(err, &closed) && b.config.TLS && !strings.Contains(err.Error(), "SASL"):
		return with("the broker does not speak TLS at this port, as it seems; set tls to false, or use the port that has it"), false
	case errors.As(err, &closed) && b.config.Mechanism == "" && strings.Contains(err.Error(), "SASL"):
		return with("the broker wants a user, as it seems; set sasl"), false
	case errors.As(err, &closed) && !b.config.TLS:
		return with("the broker speaks TLS at this port, as it seems; set tls to true"), false
	case errors.Is(err, io.EOF) && b.config.Mechanism != "":
		return with("the broker closes the connection: it does not take the user and password, as it seems"), false
	}
	return err, false
}

// explained adds to an answer of Kafka's what it means and what to do.
func explained(err error) error {
	switch {
	case errors.Is(err, kerr.UnknownTopicOrPartition), errors.Is(err, kerr.UnknownTopicID):
		return fmt.Errorf("the topic was deleted, and what it held is gone; restart noroshi to make it again: %w", err)
	case errors.Is(err, kerr.SaslAuthenticationFailed):
		return fmt.Errorf("the broker does not take the user and password: %w", err)
	}
	return err
}

// reach tells when brokers cannot be reached any more: clients try again by themselves, without a word. It is told once and then each
// minute, as long as it lasts.
type reach struct {
	bus *Bus
	on  atomic.Bool // since brokers have been reached at all

	mu   sync.Mutex
	lost map[string]bool // brokers that do not answer: told within the last minute
}

// OnBrokerConnect implements kgo.HookBrokerConnect.
func (r *reach) OnBrokerConnect(m kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if err != nil {
		r.fault(m, err)
	}
}

// OnBrokerE2E implements kgo.HookBrokerE2E.
func (r *reach) OnBrokerE2E(m kgo.BrokerMetadata, _ int16, e kgo.BrokerE2E) {
	if err := e.Err(); err != nil {
		r.fault(m, err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.lost[address(m)]; ok {
		delete(r.lost, address(m))
		r.bus.config.Log.Info("Kafka answers again", slog.String("broker", address(m)))
	}
}

func (r *reach) fault(m kgo.BrokerMetadata, err error) {
	if !r.on.Load() || errors.Is(err, context.Canceled) || errors.Is(err, kgo.ErrClientClosed) || errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	a := address(m)
	if r.lost[a] {
		return
	}
	r.lost[a] = true
	cause, _ := r.bus.cause(err)
	r.bus.config.Log.Warn("Kafka does not answer", slog.String("broker", a), slog.Any("err", cause))
	time.AfterFunc(troubleTell, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if _, ok := r.lost[a]; ok {
			r.lost[a] = false
		}
	})
}

// Unreached are the brokers that have not answered since they were asked last, sorted.
func (b *Bus) Unreached() []string {
	b.reach.mu.Lock()
	defer b.reach.mu.Unlock()
	return slices.Sorted(maps.Keys(b.reach.lost))
}

func address(m kgo.BrokerMetadata) string { return fmt.Sprintf("%s:%d", m.Host, m.Port) }
