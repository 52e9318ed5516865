// Package admin answers those who operate an instance: whether it works, and what it has counted.
package admin

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/net/netutil"

	"noroshi/internal/certs"
)

// Server listens for those who operate an instance.
type Server struct {
	Listen       string                 // "": nowhere
	Probes       string                 // of a listener for /livez and /readyz alone; "": none
	Token        func() (string, error) // nil: none. It is called again now and then, one call at a time
	CertFile     string                 // with KeyFile: TLS
	KeyFile      string
	ClientCAFile string // clients need a certificate of it

	Live    func() error // why the process hangs; nil: it does not
	Ready   func() error // why it cannot do its work yet; nil: it can
	Health  func() (report any, well bool)
	Metrics http.Handler                                      // nil: there are none
	Reload  func(ctx context.Context) (report any, err error) // reads the files again; an error says that they stay as they were
	Now     func() time.Time
	Log     *slog.Logger

	bounds bounds // zero: the usual

	mu      sync.Mutex
	token   [32]byte // its hash
	read    time.Time
	forged  int       // since it was told last
	told    time.Time // when that was
	keyPair *tls.Certificate
	keyRead time.Time
}

// bounds are what one client may cost.
type bounds struct {
	connections int
	header      time.Duration // for the whole header to come
	request     time.Duration // for the whole request to come
	answer      time.Duration // until the client has it
	idle        time.Duration
	headerBytes int
	bodyBytes   int64
}

// usual lets a profile of half a minute come to its end.
var usual = bounds{connections: 64, header: 5 * time.Second, request: 10 * time.Second, answer: time.Minute, idle: 30 * time.Second,
	headerBytes: 8 << 10, bodyBytes: 4 << 10}

// endWithin is how long answers under way may take at the end.
const endWithin = time.Second

// Run answers until ctx ends. An address that cannot be listened on is an error.
func (s *Server) Run(ctx context.Context) error {
	if s.bounds == (bounds{}) {
		s.bounds = usual
	}
	var all sync.WaitGroup
	defer all.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make(chan error, 2)
	for _, one := range []struct {
		key, address string
		handler      http.Handler
		tls          bool
	}{{"admin.listen", s.Listen, s.handler(), s.CertFile != ""}, {"admin.probes", s.Probes, s.probes(), false}} {
		if one.address == "" {
			continue
		}
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", one.address)
		if err != nil {
			return fmt.Errorf("%s: %w", one.key, err)
		}
		if one.tls {
			conf, err := s.tls()
			if err != nil {
				_ = l.Close() // nothing was taken on it
				return fmt.Errorf("%s: %w", one.key, err)
			}
			l = tls.NewListener(limited(l, s.bounds), conf)
		} else {
			l = limited(l, s.bounds)
		}
		s.Log.Info("listening for operators", slog.String("key", one.key), slog.String("address", l.Addr().String()), slog.Bool("tls", one.tls))
		all.Go(func() {
			if err := s.serve(ctx, l, one.handler); err != nil {
				failed <- fmt.Errorf("%s: %w", one.key, err)
			}
		})
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}

// limited lets clients wait while there are too many: slow ones are cut off by their time.
func limited(l net.Listener, b bounds) net.Listener { return netutil.LimitListener(l, b.connections) }

// serve answers on a listener until ctx ends, and closes it.
func (s *Server) serve(ctx context.Context, l net.Listener, h http.Handler) error {
	b := s.bounds
	h1 := new(http.Protocols)
	h1.SetHTTP1(true)
	server := &http.Server{Handler: http.MaxBytesHandler(h, b.bodyBytes), Protocols: h1, MaxHeaderBytes: b.headerBytes,
		ReadHeaderTimeout: b.header, ReadTimeout: b.request, WriteTimeout: b.answer, IdleTimeout: b.idle,
		ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug)}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), endWithin)
		defer cancel()
		if server.Shutdown(within) != nil {
			_ = server.Close() // what did not end in time is cut off
		}
	})
	err := server.Serve(l)
	if !stop() {
		<-ended
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// keyEvery is how often the certificate is read again: it is renewed while a process runs.
const keyEvery = time.Minute

func (s *Server) tls() (*tls.Config, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return s.certificate() }}
	if s.ClientCAFile != "" {
		pool, err := certs.Read(s.ClientCAFile)
		if err != nil {
			return nil, err
		}
		conf.ClientCAs, conf.ClientAuth = pool, tls.RequireAndVerifyClientCert
	}
	_, err := s.certificate()
	return conf, err
}

// certificate is the one of the files as they were within the last minute. Where they cannot be read it stays.
func (s *Server) certificate() (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Now()
	if s.keyPair != nil && now.Sub(s.keyRead) < keyEvery {
		return s.keyPair, nil
	}
	s.keyRead = now
	pair, err := tls.LoadX509KeyPair(s.CertFile, s.KeyFile)
	switch {
	case err == nil:
		s.keyPair = &pair
	case s.keyPair == nil:
		return nil, err
	default:
		s.Log.Warn("the certificate of the admin listener cannot be read again; the one of before stays", slog.Any("err", err))
	}
	return s.keyPair, nil
}
