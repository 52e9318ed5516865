package eventhub_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"noroshi/ingest/eventhub"
	"noroshi/ingest/feed"
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

	way string // of the identity that asks
}

// asked are the hosts that gave tokens, by the way of who asked. The library keeps the tokens of managed identities as long as the
// process lives, and does not ask again when the tests are run again.
var asked sync.Map

// Do answers a request as the host that it is for.
func (a *authority) Do(r *http.Request) (*http.Response, error) {
	asked.Store(a.way+" "+r.URL.Host, true)
	status, body := a.answer(r)
	b, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Status: fmt.Sprintf("%d %s", status, http.StatusText(status)), Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(b)), Request: r}, nil
}

type object = map[string]any

func (a *authority) answer(r *http.Request) (int, any) {
	base := "https://" + r.URL.Host + "/" + tenant
	switch {
	case r.URL.Host == "169.254.169.254", r.URL.Host == "127.0.0.1:41999":
		return a.managed(r)
	case r.URL.Scheme != "https":
		return http.StatusBadRequest, object{}
	case r.URL.Path == "/common/discovery/instance":
		at, _ := url.Parse(r.URL.Query().Get("authorization_endpoint"))
		return http.StatusOK, object{"tenant_discovery_endpoint": base + "/v2.0/.well-known/openid-configuration", "metadata": []object{{"preferred_network": at.Host, "preferred_cache": at.Host, "aliases": []string{at.Host}}}}
	case r.URL.Path == "/"+tenant+"/v2.0/.well-known/openid-configuration":
		return http.StatusOK, object{"authorization_endpoint": base + "/oauth2/v2.0/authorize", "token_endpoint": base + "/oauth2/v2.0/token", "issuer": base + "/v2.0"}
	case r.URL.Path == "/"+tenant+"/oauth2/v2.0/token" && r.Method == http.MethodPost:
		return a.token(r, base+"/oauth2/v2.0/token")
	}
	return http.StatusNotFound, object{}
}

func refused(code, said string) (int, any) {
	return http.StatusUnauthorized, object{"error": code, "error_description": said + "\r\nTrace ID: 0\r\nTimestamp: 2026-01-02 03:04:05Z"}
}

func (a *authority) granted() (int, any) {
	until := time.Now().Add(time.Hour)
	return http.StatusOK, object{"token_type": "Bearer", "expires_in": 3600, "expires_on": fmt.Sprint(until.Unix()), "access_token": a.hub.Token(until), "resource": "https://eventhubs.azure.net"}
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
	return a.granted()
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
	var claims struct{ Aud, Iss, Sub string }
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
	switch {
	case claims.Aud != endpoint || claims.Iss != client || claims.Sub != client:
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
	if r.URL.Host == "169.254.169.254" && r.Header.Get("Metadata") != "true" || r.URL.Host != "169.254.169.254" && r.Header.Get("X-Identity-Header") != "header" {
		return http.StatusBadRequest, object{"error": "invalid_request", "error_description": "Required metadata header not specified"}
	}
	if id := q.Get("client_id"); id != "" && id != client && id != second {
		return http.StatusBadRequest, object{"error": "invalid_request", "error_description": "Identity not found"}
	}
	if q.Get("resource") != strings.TrimSuffix(scope, "/.default") {
		return http.StatusBadRequest, object{"error": "invalid_resource", "error_description": "AADSTS500011: The resource principal was not found."}
	}
	return a.granted()
}

// certificate makes a key with its certificate, in a file.
func certificate(t *testing.T) (file string, public *rsa.PublicKey, print string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "noroshi"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "identity.pem")
	text := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(der)
	return file, &key.PublicKey, base64.RawURLEncoding.EncodeToString(sum[:])
}

// Every kind of identity gets its token as Microsoft's protocols have it, and reads with it; one that is refused is told why.
func TestEveryIdentityReads(t *testing.T) {
	const name = "contoso.servicebus.windows.net"
	hub := eventhubstest.Start(t, eventhubstest.Config{TLS: true, Namespace: name, Tokens: eventhubstest.Tokens{Secret: []byte("the same each time")}})
	add(t, hub, "a", "b")
	file, public, print := certificate(t)
	other, _, _ := certificate(t)
	workload := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(workload, []byte("assertion.of.kubernetes"), 0o600); err != nil {
		t.Fatal(err)
	}
	for way, one := range map[string]struct {
		identity eventhub.Identity
		env      map[string]string
		host     string // that gives the token
		refused  string // what is said of an identity that is refused
	}{
		"a secret":                  {identity: eventhub.Identity{Kind: "client_secret", Tenant: tenant, Client: client, Secret: "hush"}, host: "login.microsoftonline.com"},
		"a secret in another cloud": {identity: eventhub.Identity{Kind: "client_secret", Cloud: "government", Tenant: tenant, Client: client, Secret: "hush"}, host: "login.microsoftonline.us"},
		"a secret in China":         {identity: eventhub.Identity{Kind: "client_secret", Cloud: "china", Tenant: tenant, Client: client, Secret: "hush"}, host: "login.chinacloudapi.cn"},
		"the environment's cloud": {identity: eventhub.Identity{Kind: "client_secret", Tenant: tenant, Client: client, Secret: "hush"}, host: "login.microsoftonline.us",
			env: map[string]string{"AZURE_AUTHORITY_HOST": "https://login.microsoftonline.us/"}},
		"a wrong secret":        {identity: eventhub.Identity{Kind: "client_secret", Tenant: tenant, Client: client, Secret: "hush-wrong"}, refused: "AADSTS7000215"},
		"a wrong client":        {identity: eventhub.Identity{Kind: "client_secret", Tenant: tenant, Client: tenant, Secret: "hush"}, refused: "AADSTS700016"},
		"a certificate":         {identity: eventhub.Identity{Kind: "certificate", Tenant: tenant, Client: client, Certificate: file}, host: "login.microsoftonline.com"},
		"another certificate":   {identity: eventhub.Identity{Kind: "certificate", Tenant: tenant, Client: client, Certificate: other}, refused: "AADSTS700027"},
		"a workload":            {identity: eventhub.Identity{Kind: "workload_identity", Tenant: tenant, Client: client, TokenFile: workload}, host: "login.microsoftonline.com"},
		"another workload":      {identity: eventhub.Identity{Kind: "workload_identity", Tenant: tenant, Client: client, TokenFile: file}, refused: "AADSTS700213"},
		"a workload's webhook":  {identity: eventhub.Identity{Kind: "workload_identity"}, host: "login.microsoftonline.us", env: map[string]string{"AZURE_TENANT_ID": tenant, "AZURE_CLIENT_ID": client, "AZURE_FEDERATED_TOKEN_FILE": workload, "AZURE_AUTHORITY_HOST": "https://login.microsoftonline.us/"}},
		"a machine":             {identity: eventhub.Identity{Kind: "managed_identity"}, host: "169.254.169.254"},
		"a machine's second":    {identity: eventhub.Identity{Kind: "managed_identity", Client: client}, host: "169.254.169.254"},
		"a machine without it":  {identity: eventhub.Identity{Kind: "managed_identity", Client: tenant}, refused: "Identity not found"},
		"App Service":           {identity: eventhub.Identity{Kind: "managed_identity", Client: second}, host: "127.0.0.1:41999", env: map[string]string{"IDENTITY_ENDPOINT": "http://127.0.0.1:41999/msi/token", "IDENTITY_HEADER": "header"}},
		"the environment":       {identity: eventhub.Identity{Kind: "default"}, host: "login.microsoftonline.com", env: map[string]string{"AZURE_TENANT_ID": tenant, "AZURE_CLIENT_ID": client, "AZURE_CLIENT_SECRET": "hush"}},
		"the environment's key": {identity: eventhub.Identity{Kind: "default"}, host: "login.microsoftonline.com", env: map[string]string{"AZURE_TENANT_ID": tenant, "AZURE_CLIENT_ID": client, "AZURE_CLIENT_CERTIFICATE_PATH": file}},
	} {
		t.Run(way, func(t *testing.T) {
			for k, v := range one.env {
				t.Setenv(k, v)
			}
			a := &authority{hub: hub, scope: scope, secret: "hush", public: public, print: print, way: way}
			if strings.Contains(way, "workload") {
				a.assertion = "assertion.of.kubernetes"
			}
			credential, err := one.identity.Through(a).Credential()
			if err != nil {
				t.Fatal(err)
			}
			s := stream(t, eventhub.Config{Namespace: name, Hub: "audit", Credential: credential, Endpoint: hub.Addr(), TLS: hub.ClientTLS()})
			n, err := s.Partitions(within(t))
			if one.refused != "" {
				if !errors.Is(err, feed.ErrDenied) || !strings.Contains(err.Error(), one.refused) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "hush") {
					t.Errorf("it is told %v", err)
				}
				c, err := s.Open(within(t), 0, nil)
				if err == nil {
					_, err = c.Next(within(t))
					c.Close(context.Background())
				}
				if !errors.Is(err, feed.ErrDenied) {
					t.Errorf("a reader is told %v", err)
				}
				return
			}
			if n != 4 || err != nil {
				t.Fatalf("%d partitions, %v", n, err)
			}
			if got := read(t, open(t, s, nil), 2); got != "a b" {
				t.Errorf("read is %q", got)
			}
			if _, ok := asked.Load(way + " " + one.host); !ok {
				t.Errorf("%s was not asked", one.host)
			}
		})
	}
}

// The Kafka endpoint of a namespace takes tokens for that namespace.
func TestTokensOfTheKafkaEndpoint(t *testing.T) {
	const namespace = "contoso.servicebus.windows.net"
	a := &authority{hub: eventhubstest.Start(t, eventhubstest.Config{}), scope: "https://" + namespace + "/.default", secret: "hush", way: "Kafka"}
	for secret, want := range map[string]error{"hush": nil, "hush-wrong": feed.ErrDenied} {
		c, err := (eventhub.Identity{Kind: "client_secret", Tenant: tenant, Client: client, Secret: secret}).Through(a).Credential()
		if err != nil {
			t.Fatal(err)
		}
		token, err := eventhub.Tokens(c, namespace)(t.Context())
		if !errors.Is(err, want) || (token == "") != (want != nil) {
			t.Errorf("with %s: %q, %v", secret, token, err)
		}
		if err != nil && (!strings.Contains(err.Error(), "AADSTS7000215: Invalid client secret provided.") || strings.Contains(err.Error(), "hush")) {
			t.Errorf("it is told %v", err)
		}
	}
}
