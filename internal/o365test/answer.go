package o365test

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

type object = map[string]any

// failure is an error of the API.
type failure struct {
	status  int
	code    string
	message string
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", s.config.Now().UTC().Format(http.TimeFormat))
	feed := "/api/v1.0/" + s.config.Tenant + "/activity/feed/"
	path, api := strings.CutPrefix(r.URL.Path, feed)
	switch {
	case api:
		s.api(w, r, path)
	case strings.HasPrefix(r.URL.Path, "/api/"):
		fail(w, failure{http.StatusBadRequest, "AF20012", "The specified tenant ID is incorrectly configured in the system."})
	default:
		s.signIn(w, r)
	}
}

// signIn is the sign-in host. Source: RFC 6749 and Microsoft identity platform, the client credentials flow.
func (s *Server) signIn(w http.ResponseWriter, r *http.Request) {
	base := "https://" + r.Host + "/" + s.config.Tenant
	switch r.URL.Path {
	case "/common/discovery/instance":
		at, _ := url.Parse(r.URL.Query().Get("authorization_endpoint"))
		write(w, http.StatusOK, object{"tenant_discovery_endpoint": "https://" + at.Host + "/" + s.config.Tenant + "/v2.0/.well-known/openid-configuration",
			"metadata": []object{{"preferred_network": at.Host, "preferred_cache": at.Host, "aliases": []string{at.Host}}}})
	case "/" + s.config.Tenant + "/v2.0/.well-known/openid-configuration":
		write(w, http.StatusOK, object{"authorization_endpoint": base + "/oauth2/v2.0/authorize", "token_endpoint": base + "/oauth2/v2.0/token", "issuer": base + "/v2.0"})
	case "/" + s.config.Tenant + "/oauth2/v2.0/token":
		s.token(w, r)
	default:
		write(w, http.StatusBadRequest, object{"error": "invalid_tenant", "error_description": "AADSTS90002: Tenant not found."})
	}
}

func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	refuse := func(code, said string) {
		write(w, http.StatusUnauthorized, object{"error": code, "error_description": said})
	}
	if err := r.ParseForm(); err != nil {
		refuse("invalid_request", err.Error())
		return
	}
	f := r.PostForm
	switch {
	case f.Get("grant_type") != "client_credentials" || f.Get("client_id") != s.config.Client:
		refuse("unauthorized_client", "AADSTS700016: Application was not found in the directory.")
	case !strings.Contains(f.Get("scope"), "https://manage"):
		refuse("invalid_scope", "AADSTS70011: The provided request must include a 'scope' input parameter.")
	case f.Get("client_secret") != s.config.Secret:
		refuse("invalid_client", "AADSTS7000215: Invalid client secret provided.")
	default:
		token := rand.Text()
		s.mu.Lock()
		s.stats.Tokens++
		s.tokens[token] = s.config.Now().Add(s.config.Lifetime)
		s.mu.Unlock()
		write(w, http.StatusOK, object{"token_type": "Bearer", "expires_in": int(s.config.Lifetime.Seconds()), "access_token": token})
	}
}

// Token is one that is accepted, for clients that ask nobody.
func (s *Server) Token() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	token := rand.Text()
	s.tokens[token] = s.config.Now().Add(s.config.Lifetime)
	return token
}

func write(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		status = http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	_, _ = w.Write(b) // a client that has gone needs no answer
}

func fail(w http.ResponseWriter, f failure) {
	write(w, f.status, object{"error": object{"code": f.code, "message": f.message}})
}

// count counts a request, and says by what fault it is answered, "" for none.
func (s *Server) count(r *http.Request) (fault Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.config.Now()
	s.asked = append(slices.DeleteFunc(s.asked, func(t time.Time) bool { return now.Sub(t) >= time.Minute }), now)
	s.inFlight++
	n := &s.stats
	n.Requests++
	n.Peak, n.InFlight = max(n.Peak, len(s.asked)), max(n.InFlight, s.inFlight)
	if r.URL.Query().Get("PublisherIdentifier") == "" {
		n.Nameless++
	}
	switch {
	case s.config.Quota > 0 && len(s.asked) > s.config.Quota:
		n.Throttled++
		return Throttled403
	case len(s.next) > 0:
		fault, s.next = s.next[0], s.next[1:]
	case s.config.Every > 0 && n.Requests%s.config.Every == 0:
		fault = s.config.Faults[s.turn%len(s.config.Faults)]
		s.turn++
	}
	if fault != "" {
		n.Faults++
	}
	return fault
}

// api answers a request of the API, whose path behind the tenant's feed is given.
func (s *Server) api(w http.ResponseWriter, r *http.Request, path string) {
	fault := s.count(r)
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.inFlight--
	}()
	if s.config.Delay > 0 {
		select {
		case <-r.Context().Done():
		case <-time.After(s.config.Delay):
		}
	}
	if s.before(w, fault) {
		return
	}
	if !s.authorised(r) {
		fail(w, failure{http.StatusUnauthorized, "AF10001", "The token has expired."})
		return
	}
	content := r.URL.Query().Get("contentType")
	if strings.HasPrefix(path, "subscriptions/") && path != "subscriptions/list" && !slices.Contains(contents, content) {
		fail(w, failure{http.StatusBadRequest, "AF20020", "The specified content type is not valid."})
		return
	}
	w = spoiled(w, fault)
	if id, is := strings.CutPrefix(path, "audit/"); is {
		s.give(w, id)
		return
	}
	switch r.Method + " " + path {
	case "POST subscriptions/start":
		s.start(w, content)
	case "GET subscriptions/list":
		s.subscriptions(w, r)
	case "GET subscriptions/content":
		s.list(w, r, content, fault)
	default:
		fail(w, failure{http.StatusNotFound, "AF20001", "Missing parameter."})
	}
}

func (s *Server) authorised(r *http.Request) bool {
	token, is := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	defer s.mu.Unlock()
	until, known := s.tokens[token]
	return is && known && s.config.Now().Before(until)
}

func (s *Server) start(w http.ResponseWriter, content string) {
	s.mu.Lock()
	disabled := s.disabled[content]
	s.subscribed[content] = !disabled
	s.mu.Unlock()
	if disabled {
		fail(w, failure{http.StatusBadRequest, "AF20023", "The subscription was disabled by an administrator."})
		return
	}
	write(w, http.StatusOK, object{"contentType": content, "status": "enabled", "webhook": nil})
}

// subscriptions lists them, zipped for a client that takes that.
func (s *Server) subscriptions(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	all := []object{}
	for _, c := range contents {
		switch {
		case s.subscribed[c]:
			all = append(all, object{"contentType": c, "status": "enabled", "webhook": nil})
		case s.disabled[c]:
			all = append(all, object{"contentType": c, "status": "disabled", "webhook": nil})
		}
	}
	s.mu.Unlock()
	if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		write(w, http.StatusOK, all)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	_ = json.NewEncoder(z).Encode(all) // a client that has gone needs no answer
	_ = z.Close()
}

func (s *Server) give(w http.ResponseWriter, id string) {
	s.mu.Lock()
	b := s.byID[id]
	s.stats.Blobs++
	known := b != nil
	broken, expired := known && b.broken, known && (b.expired || s.config.Now().Sub(b.Created) > lives)
	s.mu.Unlock()
	switch {
	case !known:
		fail(w, failure{http.StatusNotFound, "AF20052", "Content ID " + id + " in the URL is invalid."})
	case broken:
		fail(w, failure{http.StatusInternalServerError, "AF50000", "An internal error occurred. Retry the request."})
	case expired:
		fail(w, failure{http.StatusBadRequest, "AF20051", "Content requested with the key " + id + " has already expired."})
	case b.Write != nil:
		for k, v := range b.Header {
			w.Header()[k] = v
		}
		b.Write(w)
	default:
		for k, v := range b.Header {
			w.Header()[k] = v
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(b.Body)))
		_, _ = io.Copy(w, bytes.NewReader(b.Body)) // a client that has gone needs no answer
	}
}
