package webhook

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	yaml "go.yaml.in/yaml/v4"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"noroshi/internal/strictyaml"
	"noroshi/sinks"
	"noroshi/sinks/remote"
	"noroshi/sinks/sinktest"
)

var (
	oldSecret = "whsec_" + base64.StdEncoding.EncodeToString([]byte("an old secret of thirty-two byte"))
	newSecret = "whsec_" + base64.StdEncoding.EncodeToString([]byte("a new secret of thirty-two bytes"))
)

// secretsOf are secrets that do not change.
func secretsOf(all ...string) (fixed []remote.Secret) {
	for _, s := range all {
		fixed = append(fixed, remote.Fixed(s))
	}
	return fixed
}

func sink(t *testing.T, address string, change func(*Config)) *Sink {
	t.Helper()
	c := Config{Config: remote.Config{URL: address, AllowHTTP: true, Reach: remote.Reach{AllowPrivate: true}}, Secrets: secretsOf(oldSecret)}
	if change != nil {
		change(&c)
	}
	s, err := New(c, sinks.Env{Now: time.Now, Log: slog.New(slog.DiscardHandler), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// subject is the webhook as the contract sees it: its receiver is the published library.
func subject(t *testing.T) sinktest.HTTP {
	verify, err := standardwebhooks.NewWebhook(oldSecret)
	if err != nil {
		t.Fatal(err)
	}
	return sinktest.HTTP{
		Make: func(t *testing.T, o sinktest.Options) sinks.Sink {
			return sink(t, o.URL+"in/"+inPath+"?key="+url.QueryEscape(inQuery), func(c *Config) {
				c.Timeout, c.CAFile, c.CertFile, c.KeyFile = o.Timeout, o.CAFile, o.CertFile, o.CertFile
				c.Headers = map[string]remote.Secret{"X-Token": remote.Fixed(inHeader)}
			})
		},
		Secrets: []string{inPath, inQuery, inHeader, strings.TrimPrefix(oldSecret, "whsec_")},
		Alerts: func(t *testing.T, r *http.Request, body []byte) []string {
			var m struct {
				Type      string
				Timestamp time.Time
				Data      json.RawMessage
			}
			if err := json.Unmarshal(body, &m); err != nil || m.Type != "noroshi.alert.firing" || m.Timestamp.IsZero() {
				t.Errorf("body %s: %v", body, err)
			}
			if err := verify.Verify(body, r.Header); err != nil {
				t.Errorf("the library refuses it: %v", err)
			}
			var a struct{ ID string }
			if err := json.Unmarshal(m.Data, &a); err != nil || r.Header.Get("webhook-id") != a.ID+"_1" || r.Header.Get("User-Agent") != "noroshi/test" {
				t.Errorf("headers %v, %v", r.Header, err)
			}
			return []string{string(m.Data)}
		},
	}
}

func TestContract(t *testing.T) { subject(t).Contract(t) }

// TestSecretsAreReadAgain: a key that is replaced in its file signs the next attempt.
func TestSecretsAreReadAgain(t *testing.T) {
	var signed http.Header
	var body []byte
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed = r.Header
		body, _ = io.ReadAll(r.Body)
	}))
	now := ""
	s := sink(t, srv.URL, func(c *Config) {
		c.Secrets = []remote.Secret{func() (string, error) {
			if now == "" {
				return oldSecret, nil
			}
			return now, nil
		}}
	})
	now = newSecret
	if err := s.Send(t.Context(), []sinks.Message{sinktest.Message(1)}); err != nil {
		t.Error(err)
	}
	srv.Close() // its goroutine has ended
	verify, err := standardwebhooks.NewWebhook(newSecret)
	if err == nil {
		err = verify.Verify(body, signed)
	}
	if err != nil {
		t.Error(err)
	}
	now = "broken"
	if err := s.Send(t.Context(), []sinks.Message{sinktest.Message(1)}); err == nil || !strings.Contains(err.Error(), "secret 1: a secret is whsec_") {
		t.Errorf("a secret that is broken later: %v", err)
	}
}

func TestTwoSecretsSignDuringRotation(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		for _, s := range []string{oldSecret, newSecret} {
			verify, err := standardwebhooks.NewWebhook(s)
			if err != nil {
				t.Fatal(err)
			}
			if err := verify.Verify(body, r.Header); err != nil {
				t.Errorf("a receiver with one of the secrets refuses it: %v", err)
			}
		}
	}))
	defer srv.Close()
	if err := sink(t, srv.URL, func(c *Config) { c.Secrets = secretsOf(newSecret, oldSecret) }).Send(t.Context(), []sinks.Message{sinktest.Message(1)}); err != nil {
		t.Fatal(err)
	}
}

func TestAddressesThatAreRefused(t *testing.T) {
	rows := []struct {
		url     string
		private bool
		want    string
	}{
		{"http://127.0.0.1:1/", false, "allow_private"}, {"http://[::1]:1/", false, "allow_private"}, {"http://localhost:1/", false, "allow_private"}, {"http://10.0.0.1:1/", false, "allow_private"}, {"http://[::ffff:127.0.0.1]:1/", false, "allow_private"},
		{"http://192.168.1.1:1/", false, "allow_private"}, {"http://169.254.169.254/latest", true, "credentials"}, {"http://168.63.129.16/", true, "credentials"}, {"http://[fd00:ec2::254]/", true, "credentials"}, {"http://100.100.100.200/", true, "credentials"},
		{"http://[::ffff:169.254.169.254]/", true, "credentials"}, {"http://[64:ff9b::a9fe:a9fe]/", true, "credentials"}, {"http://[64:ff9b:1::a9fe:a9fe]/", true, "credentials"}, {"http://[2002:a9fe:a9fe::1]/", true, "credentials"},
		{"http://[2001:0:4136:e378:8000:63bf:5601:5601]/", true, "credentials"}, {"http://[2001:db8::5efe:a9fe:a9fe]/", true, "credentials"}, {"http://[::ffff:0:a9fe:a9fe]/", true, "credentials"}, {"http://[::a9fe:a9fe]/", true, "credentials"},
		{"http://[64:ff9b::a00:1]/", false, "allow_private"}, {"http://[2002:7f00:1::]/", false, "allow_private"}, {"http://[2002:a00:1::1]:1/", false, "allow_private"},
	}
	for _, r := range rows {
		err := sink(t, r.url+"?token=hidden", func(c *Config) { c.AllowPrivate = r.private }).Send(t.Context(), []sinks.Message{sinktest.Message(1)})
		if err == nil || !strings.Contains(err.Error(), r.want) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: %v", r.url, err)
		}
	}
}

// TestAddressesAreCheckedWhenRead: what the guard refuses of a literal address is told with the configuration, before anything is sent.
func TestAddressesAreCheckedWhenRead(t *testing.T) {
	rows := map[string]struct{ url, more, want string }{
		"loopback":                {"https://127.0.0.1/", "", "allow_private"},
		"a private address":       {"https://10.0.0.1:8443/hook", "", "allow_private"},
		"a private one in IPv6":   {"https://[fd00::1]/", "", "allow_private"},
		"localhost":               {"https://LocalHost:8443/", "", "allow_private"},
		"a short one":             {"https://127.1/", "", "127.0.0.1"},
		"a hexadecimal one":       {"https://0x7f.1/", "", "127.0.0.1"},
		"hexadecimal capitals":    {"https://0X7F000001/", "", "127.0.0.1"},
		"an octal one":            {"https://0177.0.0.01/", "", "127.0.0.1"},
		"one number":              {"https://2130706433/", "", "127.0.0.1"},
		"nought":                  {"https://0/", "", "0.0.0.0"},
		"three numbers":           {"https://10.1.515/", "", "10.1.2.3"},
		"mapped into IPv6":        {"https://[::ffff:127.0.0.1]/", "", "127.0.0.1"},
		"with a zone":             {"https://[fe80::1%25eth0]/", "", "fe80::1"},
		"with a last dot":         {"https://127.0.0.1./", "", "127.0.0.1"},
		"full-width digits":       {"https://１２７。０。０。１/", "", "127.0.0.1"},
		"below localhost":         {"https://hook.localhost./", "", "127.0.0.1"},
		"of the file of hosts":    {"https://ip6-localhost/", "", "127.0.0.1"},
		"credentials, one number": {"https://2852039166/", ", allow_private: true", "credentials"},
		"a short one is allowed":  {"https://127.1/", ", allow_private: true", ""},
		"a public one as number":  {"https://134744072/", "", ""},
		"too large for one":       {"https://4294967296/", "", ""},
		"five numbers":            {"https://1.2.3.4.5/", "", ""},
		"a part too large":        {"https://127.256.1/", "", ""},
		"no octal number":         {"https://08.1/", "", ""},
		"a name of digits":        {"https://127.1.example.com/", "", ""},
		"it is allowed":           {"https://127.0.0.1/", ", allow_private: true", ""},
		"a cloud's credentials":   {"https://169.254.169.254/", ", allow_private: true", "credentials"},
		"a public address":        {"https://8.8.8.8/", "", ""},
		"a name":                  {"https://alerts.example.com/", "", ""},
	}
	for name, r := range rows {
		d := strictyaml.Parse("noroshi.yaml", []byte(`{url: "`+r.url+`", secrets: [`+oldSecret+`]`+r.more+`}`))
		Read(remote.Reader{Doc: d, Secret: func(n *yaml.Node) remote.Secret { return remote.Fixed(n.Value) }}, d.Root)
		got := ""
		for _, p := range d.Problems {
			got += p.Message
		}
		if (got == "") != (r.want == "") || !strings.Contains(got, r.want) {
			t.Errorf("%s: %q; want %q", name, got, r.want)
		}
	}
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	of := func(url string, secrets ...string) Config {
		return Config{Config: remote.Config{URL: url}, Secrets: secretsOf(secrets...)}
	}
	const good = "https://alerts.example.com/"
	authority := of(good, oldSecret)
	authority.CAFile = "nowhere.pem"
	rows := map[string]Config{
		"no address": of("alerts", oldSecret), "no TLS": of("http://alerts.example.com/", oldSecret), "a password in it": of("https://u:p@alerts.example.com/", oldSecret),
		"no secret": of(good), "three secrets": of(good, oldSecret, oldSecret, oldSecret), "a short secret": of(good, "whsec_c2hvcnQ="),
		"a bare secret": of(good, strings.TrimPrefix(oldSecret, "whsec_")), "no such authority": authority,
	}
	for name, c := range rows {
		if _, err := New(c, sinks.Env{}); err == nil {
			t.Errorf("%s is accepted", name)
		} else if strings.Contains(err.Error(), strings.TrimPrefix(oldSecret, "whsec_")) {
			t.Errorf("%s: the secret is in %q", name, err)
		}
	}
}
