package eventhub_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"noroshi/ingest/entra"
	"noroshi/ingest/eventhub"
	"noroshi/ingest/feed"
	"noroshi/internal/eventhubstest"
)

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
		identity entra.Identity
		env      map[string]string
		host     string // that gives the token
		refused  string // what is said of an identity that is refused
	}{
		"a secret":                  {identity: entra.Identity{Kind: "client_secret", Tenant: tenant, Client: client, Secret: "hush"}, host: "login.microsoftonline.com"},
		"a secret in another cloud": {identity: entra.Identity{Kind: "client_secret", Cloud: "government", Tenant: tenant, Client: client, Secret: "hush"}, host: "login.microsoftonline.us"},
		"a secret in China":         {identity: entra.Identity{Kind: "client_secret", Cloud: "china", Tenant: tenant, Client: client, Secret: "hush"}, host: "login.chinacloudapi.cn"},
		"the environment's cloud": {identity: entra.Identity{Kind: "client_secret", Tenant: tenant, Client: client, Secret: "hush"}, host: "login.microsoftonline.us",
			env: map[string]string{"AZURE_AUTHORITY_HOST": "https://login.microsoftonline.us/"}},
		"a wrong secret":        {identity: entra.Identity{Kind: "client_secret", Tenant: tenant, Client: client, Secret: "hush-wrong"}, refused: "AADSTS7000215"},
		"a wrong tenant":        {identity: entra.Identity{Kind: "client_secret", Tenant: client, Client: client, Secret: "hush"}, refused: "AADSTS90002"},
		"a wrong client":        {identity: entra.Identity{Kind: "client_secret", Tenant: tenant, Client: tenant, Secret: "hush"}, refused: "AADSTS700016"},
		"a certificate":         {identity: entra.Identity{Kind: "certificate", Tenant: tenant, Client: client, Certificate: file}, host: "login.microsoftonline.com"},
		"another certificate":   {identity: entra.Identity{Kind: "certificate", Tenant: tenant, Client: client, Certificate: other}, refused: "AADSTS700027"},
		"a workload":            {identity: entra.Identity{Kind: "workload_identity", Tenant: tenant, Client: client, TokenFile: workload}, host: "login.microsoftonline.com"},
		"another workload":      {identity: entra.Identity{Kind: "workload_identity", Tenant: tenant, Client: client, TokenFile: file}, refused: "AADSTS700213"},
		"a workload's webhook":  {identity: entra.Identity{Kind: "workload_identity"}, host: "login.microsoftonline.us", env: map[string]string{"AZURE_TENANT_ID": tenant, "AZURE_CLIENT_ID": client, "AZURE_FEDERATED_TOKEN_FILE": workload, "AZURE_AUTHORITY_HOST": "https://login.microsoftonline.us/"}},
		"a machine":             {identity: entra.Identity{Kind: "managed_identity"}, host: "169.254.169.254"},
		"a machine's second":    {identity: entra.Identity{Kind: "managed_identity", Client: client}, host: "169.254.169.254"},
		"a machine without it":  {identity: entra.Identity{Kind: "managed_identity", Client: tenant}, refused: "Identity not found"},
		"App Service":           {identity: entra.Identity{Kind: "managed_identity", Client: second}, host: "App Service", env: map[string]string{"IDENTITY_ENDPOINT": "http://PLAIN/msi/token", "IDENTITY_HEADER": "header"}},
		"App Service without":   {identity: entra.Identity{Kind: "managed_identity", Client: tenant}, refused: "No User Assigned or Delegated Managed Identity", env: map[string]string{"IDENTITY_ENDPOINT": "http://PLAIN/msi/token", "IDENTITY_HEADER": "header"}},
		"another authority":     {identity: entra.Identity{Kind: "client_secret", Tenant: tenant, Client: client, Secret: "hush"}, host: "loopback", env: map[string]string{"AZURE_AUTHORITY_HOST": "https://SECURE/"}},
		"not the environment's": {identity: entra.Identity{Kind: "client_secret", Cloud: "public", Tenant: tenant, Client: client, Secret: "hush"}, host: "login.microsoftonline.com", env: map[string]string{"AZURE_AUTHORITY_HOST": "https://SECURE/"}},
		"the environment's wrong secret": {identity: entra.Identity{Kind: "default"}, refused: "AADSTS7000215",
			env: map[string]string{"AZURE_TENANT_ID": tenant, "AZURE_CLIENT_ID": client, "AZURE_CLIENT_SECRET": "hush-wrong"}},
		"the environment":       {identity: entra.Identity{Kind: "default"}, host: "login.microsoftonline.com", env: map[string]string{"AZURE_TENANT_ID": tenant, "AZURE_CLIENT_ID": client, "AZURE_CLIENT_SECRET": "hush"}},
		"the environment's key": {identity: entra.Identity{Kind: "default"}, host: "login.microsoftonline.com", env: map[string]string{"AZURE_TENANT_ID": tenant, "AZURE_CLIENT_ID": client, "AZURE_CLIENT_CERTIFICATE_PATH": file}},
	} {
		t.Run(way, func(t *testing.T) {
			a := &authority{hub: hub, scope: scope, secret: "hush", public: public, print: print, way: way}
			if strings.Contains(way, "workload") {
				a.assertion = "assertion.of.kubernetes"
			}
			wire := a.start(t)
			for k, v := range one.env {
				t.Setenv(k, strings.NewReplacer("SECURE", a.secure, "PLAIN", a.plain).Replace(v))
			}
			credential, err := one.identity.Through(wire).Credential()
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

// The Kafka endpoint of a namespace takes tokens for that namespace. Without one it is told why.
func TestTokensOfTheKafkaEndpoint(t *testing.T) {
	const namespace, other = "contoso.servicebus.windows.net", "fabrikam.servicebus.windows.net"
	t.Setenv("AZURE_TOKEN_CREDENTIALS", "prod") // without a developer's own tools
	a := &authority{hub: eventhubstest.Start(t, eventhubstest.Config{}), scope: "https://" + namespace + "/.default", secret: "hush", way: "Kafka"}
	wire := a.start(t)
	secret := func(s string) entra.Identity {
		return entra.Identity{Kind: "client_secret", Tenant: tenant, Client: client, Secret: s}
	}
	for name, one := range map[string]struct {
		identity  entra.Identity
		namespace string
		refused   string
	}{
		"a secret":             {secret("hush"), namespace, ""},
		"a wrong secret":       {secret("hush-wrong"), namespace, "Microsoft Entra ID refuses the identity: AADSTS7000215: Invalid client secret provided."},
		"another namespace":    {secret("hush"), other, "AADSTS70011"},
		"a machine":            {entra.Identity{Kind: "managed_identity"}, namespace, ""},
		"a machine without it": {entra.Identity{Kind: "managed_identity"}, other, "there is no identity here: ManagedIdentityCredential"},
		"nothing":              {entra.Identity{Kind: "default"}, other, "there is no identity here: DefaultAzureCredential"},
	} {
		c, err := one.identity.Through(wire).Credential()
		if err != nil {
			t.Fatal(err)
		}
		token, err := entra.Tokens(c, one.namespace)(t.Context())
		if one.refused == "" {
			if token == "" || err != nil {
				t.Errorf("%s: %q, %v", name, token, err)
			}
		} else if token != "" || !errors.Is(err, feed.ErrDenied) || !strings.Contains(err.Error(), one.refused) || strings.ContainsAny(err.Error(), "\n\t") || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: it is told %v", name, err)
		}
	}
}

// A token that ends is followed by another where the connection or the link is made anew.
func TestTokensAreRenewed(t *testing.T) {
	const name = "contoso.servicebus.windows.net"
	var ahead atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	hub := eventhubstest.Start(t, eventhubstest.Config{TLS: true, Namespace: name, Now: now})
	a := &authority{hub: hub, scope: scope, secret: "hush", way: "renewed", lifetime: 4 * time.Minute, now: now}
	credential, err := (entra.Identity{Kind: "client_secret", Tenant: tenant, Client: client, Secret: "hush"}).Through(a.start(t)).Credential()
	if err != nil {
		t.Fatal(err)
	}
	s := stream(t, eventhub.Config{Namespace: name, Hub: "audit", Credential: credential, Endpoint: hub.Addr(), TLS: hub.ClientTLS()})
	c := open(t, s, nil)
	add(t, hub, "a")
	if got := read(t, c, 1); got != "a" {
		t.Errorf("read is %q", got)
	}
	ahead.Add(int64(time.Hour))
	hub.Cut()
	add(t, hub, "b")
	if got := read(t, open(t, s, &feed.Position{Sequence: 0}), 1); got != "b" {
		t.Errorf("on a new connection read is %q", got)
	}
	put := hub.Stats().Claims
	ahead.Add(int64(time.Hour))
	add(t, hub, "c")
	got, err := open(t, s, &feed.Position{Sequence: 1}).Next(within(t))
	if err != nil || len(got) != 1 || string(got[0].Body) != "c" || hub.Stats().Claims == put {
		t.Errorf("on a new link read is %v, %v, after %d tokens and %d before", got, err, hub.Stats().Claims, put)
	}
}

// A link that reads for hours is given new tokens on $cbs before the old ones end, so that it never ends.
func TestALinkOutlivesItsToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const name = "contoso.servicebus.windows.net"
		hub, err := eventhubstest.New(eventhubstest.Config{TLS: true, Namespace: name})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		defer func() { _ = hub.Run(ctx) }() // ctx has ended: it only gives the address back
		var served sync.WaitGroup
		defer served.Wait()
		defer cancel()
		wire := func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			served.Go(func() { hub.Serve(ctx, theirs) })
			return ours, nil
		}
		a := &authority{hub: hub, scope: scope, secret: "hush", way: "hours"}
		credential, err := (entra.Identity{Kind: "client_secret", Tenant: tenant, Client: client, Secret: "hush"}).Through(memory{a}).Credential()
		if err != nil {
			t.Fatal(err)
		}
		trust := hub.ClientTLS()
		trust.Time = func() time.Time { return time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC) } // the bubble's clock begins in 2000
		c := eventhub.Config{Namespace: name, Hub: "audit", Credential: credential, TLS: trust, Now: time.Now}
		s, err := eventhub.New(c.Over(wire))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close(ctx)
		link, err := s.Open(ctx, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer link.Close(ctx)
		defer hub.Cut() // a pipe holds nothing: two ends that take leave at once would wait for each other
		for hour := range 24 {
			add(t, hub, fmt.Sprint(hour))
			got, err := link.Next(within(t))
			if err != nil || len(got) != 1 || string(got[0].Body) != fmt.Sprint(hour) {
				t.Fatalf("after %d hours read is %v, %v", hour, got, err)
			}
			time.Sleep(time.Hour)
		}
		if st := hub.Stats(); st.Connections != 1 || st.Readers != 1 || st.Claims < 24 {
			t.Errorf("in a day there were %d connections, %d links, %d tokens", st.Connections, st.Readers, st.Claims)
		}
	})
}

// memory asks a handler without a network.
type memory struct{ http.Handler }

func (m memory) Do(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	r.Host, r.TLS = r.URL.Host, &tls.ConnectionState{}
	m.ServeHTTP(w, r)
	return w.Result(), nil
}

// What an identity lacks shows before anybody is asked.
func TestIdentitiesThatCannotBe(t *testing.T) {
	for want, i := range map[string]entra.Identity{
		`no cloud "nowhere"`:     {Kind: "default", Cloud: "nowhere"},
		`no credential "nobody"`: {Kind: "nobody"},
		"read certificate":       {Kind: "certificate", Tenant: tenant, Client: client, Certificate: "/nowhere"},
		"tenantID":               {Kind: "client_secret", Client: client, Secret: "hush"},
	} {
		if _, err := i.Credential(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("where %s is wanted it is told %v", want, err)
		}
	}
}
