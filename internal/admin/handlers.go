package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"strings"
	"time"
)

// probes answers whether the process lives and is ready, and nothing else.
func (s *Server) probes() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { probe(w, s.Live) })
	m.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { probe(w, s.Ready) })
	return m
}

// probe says ok or not ok, and not why: whoever asks needs no token.
func probe(w http.ResponseWriter, of func() error) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	text := "ok\n"
	if of() != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		text = "not ok\n"
	}
	_, _ = io.WriteString(w, text) // whoever has gone does not want it
}

func (s *Server) handler() http.Handler {
	m := http.NewServeMux()
	probes := s.probes()
	m.Handle("/livez", probes)
	m.Handle("/readyz", probes)
	m.Handle("GET /healthz", s.known(http.HandlerFunc(s.health)))
	if s.Metrics != nil {
		m.Handle("GET /metrics", s.known(s.Metrics))
	}
	m.Handle("POST /-/reload", s.trusted(http.HandlerFunc(s.reload)))
	for path, h := range map[string]http.HandlerFunc{"": pprof.Index, "cmdline": pprof.Cmdline, "profile": pprof.Profile, "symbol": pprof.Symbol, "trace": pprof.Trace} {
		m.Handle("GET /debug/pprof/"+path, s.trusted(h))
	}
	return m
}

func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	report, well := s.Health()
	code := http.StatusOK
	if !well {
		code = http.StatusServiceUnavailable
	}
	answer(w, code, report)
}

func (s *Server) reload(w http.ResponseWriter, r *http.Request) {
	report, err := s.Reload(r.Context())
	code := http.StatusOK
	if err != nil {
		code = http.StatusUnprocessableEntity
	}
	answer(w, code, report)
}

func answer(w http.ResponseWriter, code int, report any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(report) // whoever has gone does not want it
}

// known lets in whoever has the token; without one, whoever is on this machine. The name by which a browser was led here must be one of
// this machine then: pages of others can make it ask.
func (s *Server) known(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case s.Token != nil && !s.holds(r):
			s.deny(w, r)
		case s.Token == nil && !local(r.Host):
			http.Error(w, "the listener has no token and is asked by a name that is not of this machine", http.StatusForbidden)
		default:
			h.ServeHTTP(w, r)
		}
	})
}

// trusted lets in whoever has the token.
func (s *Server) trusted(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case s.Token == nil:
			http.Error(w, "this needs a token: set admin.token in the configuration and start again", http.StatusForbidden)
		case !s.holds(r):
			s.deny(w, r)
		default:
			h.ServeHTTP(w, r)
		}
	})
}

// local reports whether the name in a request is of the loopback interface.
func local(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

const (
	tokenEvery  = 10 * time.Second // how often the token is read again
	forgedEvery = time.Minute      // how often forged ones are told
)

// holds reports whether a request has the token. How long it takes tells nothing of the token, nor of its length.
func (s *Server) holds(r *http.Request) bool {
	given, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	want, known := s.hash()
	got := sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1 && bearer && known
}

// hash is that of the token, as it was within the last seconds.
func (s *Server) hash() (hash [32]byte, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.Now(); s.read.IsZero() || now.Sub(s.read) >= tokenEvery {
		token, err := s.Token()
		if err != nil {
			s.Log.Warn("the token of the admin listener cannot be read again; the one of before stays", slog.Any("err", err))
		}
		s.token, s.read = sha256.Sum256([]byte(token)), now
		if token == "" {
			return hash, false
		}
	}
	return s.token, s.token != sha256.Sum256(nil)
}

// deny refuses a request, and tells of such requests once a minute.
func (s *Server) deny(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="noroshi"`)
	http.Error(w, "the token is missing or wrong", http.StatusUnauthorized)
	s.mu.Lock()
	s.forged++
	n, now := s.forged, s.Now()
	tell := now.Sub(s.told) >= forgedEvery
	if tell {
		s.forged, s.told = 0, now
	}
	s.mu.Unlock()
	if tell {
		host, _, _ := net.SplitHostPort(r.RemoteAddr) // it is one of the standard library's
		s.Log.Warn("requests to the admin listener without its token", slog.Int("requests", n), slog.String("last_from", host))
	}
}
