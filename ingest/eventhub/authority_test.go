package eventhub_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"noroshi/internal/eventhubstest"
)

const (
	tenant = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
	client = "00001111-aaaa-2222-bbbb-3333cccc4444"
	second = "00002222-aaaa-2222-bbbb-3333cccc4444"
	scope  = "https://eventhubs.azure.net//.default"
)

// authority stands in for Microsoft Entra ID and for the endpoints of managed identities. It checks what they check, and gives
// tokens that the namespace accepts.
type authority struct {
	hub       *eventhubstest.Server
	scope     string
	secret    string
	assertion string         // of a workload
	public    *rsa.PublicKey // of a certificate
	print     string         // its SHA-256, base64url

	lifetime time.Duration    // of tokens, an hour where 0
	now      func() time.Time // the namespace's clock where it is not the machine's

	way           string // of the identity that asks
	secure, plain string // its addresses on loopback, with TLS and without
}

// asked are the hosts that gave tokens, by the way of who asked. The library keeps the tokens of managed identities as long as the
// process lives, and does not ask again when the tests are run again.
var asked sync.Map

// start serves on loopback and gives a client that takes it for every host there is.
func (a *authority) start(t *testing.T) *http.Client {
	t.Helper()
	secure, plain := httptest.NewTLSServer(a), httptest.NewServer(a)
	t.Cleanup(secure.Close)
	t.Cleanup(plain.Close)
	a.secure, a.plain = secure.Listener.Addr().String(), plain.Listener.Addr().String()
	trust := x509.NewCertPool()
	trust.AddCert(secure.Certificate())
	wire := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust, ServerName: "example.com"}, // as httptest's certificate has it
		DialContext: func(ctx context.Context, network, host string) (net.Conn, error) {
			to := a.plain
			if host == a.secure || strings.HasSuffix(host, ":443") {
				to = a.secure
			}
			return new(net.Dialer).DialContext(ctx, network, to)
		}}
	t.Cleanup(wire.CloseIdleConnections)
	return &http.Client{Transport: wire}
}

// ServeHTTP answers a request as the host that it is for.
func (a *authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host := r.Host
	switch host {
	case a.secure:
		host = "loopback"
	case a.plain:
		host = "App Service"
	}
	status, body := a.answer(r)
	if status == http.StatusOK {
		asked.Store(a.way+" "+host, true)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that has gone needs no answer
}

type object = map[string]any

func (a *authority) answer(r *http.Request) (int, any) {
	base := "https://" + r.Host + "/" + tenant
	switch {
	case r.Host == a.plain, r.Host == "169.254.169.254":
		return a.managed(r)
	case r.TLS == nil:
		return http.StatusBadRequest, object{}
	case r.URL.Path == "/common/discovery/instance":
		at, _ := url.Parse(r.URL.Query().Get("authorization_endpoint"))
		return http.StatusOK, object{"tenant_discovery_endpoint": "https://" + at.Host + "/" + tenant + "/v2.0/.well-known/openid-configuration", "metadata": []object{{"preferred_network": at.Host, "preferred_cache": at.Host, "aliases": []string{at.Host}}}}
	case r.URL.Path == "/"+tenant+"/v2.0/.well-known/openid-configuration":
		return http.StatusOK, object{"authorization_endpoint": base + "/oauth2/v2.0/authorize", "token_endpoint": base + "/oauth2/v2.0/token", "issuer": base + "/v2.0"}
	case r.URL.Path == "/"+tenant+"/oauth2/v2.0/token" && r.Method == http.MethodPost:
		return a.token(r, base+"/oauth2/v2.0/token")
	case strings.HasSuffix(r.URL.Path, "/v2.0/.well-known/openid-configuration"):
		return http.StatusBadRequest, object{"error": "invalid_tenant", "error_description": "AADSTS90002: Tenant not found. Trace ID: 0"}
	}
	return http.StatusNotFound, object{}
}

func refused(code, said string) (int, any) {
	return http.StatusUnauthorized, object{"error": code, "error_description": said + "\r\nTrace ID: 0\r\nTimestamp: 2026-01-02 03:04:05Z"}
}

// granted gives a token, with what the answers have in common.
func (a *authority) granted() (body object, until time.Time) {
	lifetime, now := time.Hour, time.Now
	if a.lifetime > 0 {
		lifetime, now = a.lifetime, a.now
	}
	until = now().Add(lifetime)
	return object{"token_type": "Bearer", "expires_in": int(lifetime.Seconds()), "access_token": a.hub.Token(until)}, until
}

// token is the flow client_credentials. Source: RFC 6749, RFC 7523 and Microsoft identity platform, certificate credentials.
func (a *authority) token(r *http.Request, endpoint string) (int, any) {
	if err := r.ParseForm(); err != nil {
		return http.StatusBadRequest, object{"error": "invalid_request"}
	}
	f := r.PostForm
	switch {
	case f.Get("grant_type") != "client_credentials" || f.Get("client_id") != client:
		return refused("unauthorized_client", "AADSTS700016: Application was not found in the directory.")
	case !slices.Contains(strings.Fields(f.Get("scope")), a.scope):
		return refused("invalid_scope", "AADSTS70011: The provided request must include a 'scope' input parameter.")
	case f.Get("client_secret") != "":
		if f.Get("client_secret") != a.secret {
			return refused("invalid_client", "AADSTS7000215: Invalid client secret provided.")
		}
	case f.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer":
		return refused("invalid_client", "AADSTS7000218: The request body must contain 'client_assertion' or 'client_secret'.")
	case a.assertion != "":
		if f.Get("client_assertion") != a.assertion {
			return refused("invalid_client", "AADSTS700213: No matching federated identity record found.")
		}
	default:
		if err := a.signed(f.Get("client_assertion"), endpoint); err != nil {
			return refused("invalid_client", "AADSTS700027: The certificate is not registered: "+err.Error())
		}
	}
	body, _ := a.granted()
	return http.StatusOK, body
}

// signed verifies an assertion that a certificate's key has signed.
func (a *authority) signed(assertion, endpoint string) error {
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 || a.public == nil {
		return errors.New("no assertion is expected")
	}
	var head struct {
		Alg string
		X5T string `json:"x5t#S256"`
	}
	var claims struct {
		Aud, Iss, Sub string
		Exp, Nbf      int64
	}
	for i, v := range []any{&head, &claims} {
		b, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err == nil {
			err = json.Unmarshal(b, v)
		}
		if err != nil {
			return err
		}
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	now := time.Now().Unix()
	switch {
	case claims.Aud != endpoint || claims.Iss != client || claims.Sub != client || claims.Exp <= now || claims.Nbf > now:
		return fmt.Errorf("the claims are %+v", claims)
	case strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(head.X5T) != a.print:
		return errors.New("another thumbprint")
	case head.Alg == "PS256":
		return rsa.VerifyPSS(a.public, crypto.SHA256, sum[:], signature, nil)
	}
	return fmt.Errorf("the algorithm is %s", head.Alg)
}

// managed is the endpoint of a virtual machine, and that of App Service.
// Source: Microsoft Entra, how to use managed identities for Azure resources on a VM; App Service, REST endpoint reference.
func (a *authority) managed(r *http.Request) (int, any) {
	q := r.URL.Query()
	service := r.Host == a.plain
	if !service && r.Header.Get("Metadata") != "true" || service && r.Header.Get("X-Identity-Header") != "header" {
		return http.StatusBadRequest, object{"error": "invalid_request", "error_description": "Required metadata header not specified"}
	}
	if id := q.Get("client_id"); id != "" && id != client && id != second {
		if service {
			return http.StatusBadRequest, object{"statusCode": 400, "message": "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.", "correlationId": "0"}
		}
		return http.StatusBadRequest, object{"error": "invalid_request", "error_description": "Identity not found"}
	}
	if q.Get("resource") != strings.TrimSuffix(a.scope, "/.default") {
		return http.StatusBadRequest, object{"error": "invalid_resource", "error_description": "AADSTS500011: The resource principal was not found."}
	}
	body, until := a.granted()
	delete(body, "expires_in") // App Service does not say it
	body["expires_on"], body["resource"] = fmt.Sprint(until.Unix()), q.Get("resource")
	return http.StatusOK, body
}
