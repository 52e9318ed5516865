package config

import (
	"crypto/x509"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"noroshi/internal/diag"
)

// pair writes a certificate with its key and gives their paths.
func pair(t *testing.T) (cert, key string) {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	private, err := x509.MarshalPKCS8PrivateKey(s.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, b := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: s.Certificate().Raw}, "key.pem": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
}

func TestWhereTheAdminListenerMayListen(t *testing.T) {
	t.Setenv("NOROSHI_TEST_TOKEN", "0123456789abcdef")
	cert, key := pair(t)
	secured := `token: "${env:NOROSHI_TEST_TOKEN}", tls: {cert_file: "` + cert + `", key_file: "` + key + `"}`
	const open = "can be reached from other machines"
	for name, c := range map[string]struct{ text, want string }{
		"loopback":                     {"listen: 127.0.0.1:9464", ""},
		"loopback by its name":         {"listen: localhost:9464", ""},
		"loopback of IPv6":             {`listen: "[::1]:9464"`, ""},
		"any free port":                {"listen: 127.0.0.1:0", ""},
		"everywhere, secured":          {`listen: ":9464", ` + secured, ""},
		"probes are open":              {"listen: 127.0.0.1:9464, probes: 0.0.0.0:9465", ""},
		"probes alone":                 {`probes: ":9465"`, ""},
		"everywhere":                   {`listen: ":9464"`, open},
		"everywhere by its address":    {"listen: 0.0.0.0:9464", open},
		"an address of a network":      {"listen: 192.0.2.1:9464", open},
		"everywhere without TLS":       {`listen: ":9464", token: "${env:NOROSHI_TEST_TOKEN}"`, open},
		"everywhere without a token":   {`listen: ":9464", tls: {cert_file: "` + cert + `", key_file: "` + key + `"}`, open},
		"no address":                   {`token: "${env:NOROSHI_TEST_TOKEN}"`, "give the key listen"},
		"a token for probes":           {`probes: ":9465", token: "${env:NOROSHI_TEST_TOKEN}"`, "listen, which is missing"},
		"one address for both":         {"listen: 127.0.0.1:9464, probes: 127.0.0.1:9464", "another port"},
		"no port":                      {"listen: 127.0.0.1", "expected an address and a port"},
		"a host name":                  {"listen: noroshi.example.com:9464", "expected an address and a port"},
		"an impossible port":           {"listen: 127.0.0.1:70000", "expected an address and a port"},
		"a token that can be guessed":  {`listen: 127.0.0.1:9464, token: "${file:key}"`, "at least 16 characters"},
		"a token that is a value":      {"listen: 127.0.0.1:9464, token: 0123456789abcdef", "is a reference"},
		"half of TLS":                  {`listen: 127.0.0.1:9464, tls: {cert_file: "` + cert + `"}`, "cert_file and key_file"},
		"a key that is none":           {`listen: 127.0.0.1:9464, tls: {cert_file: "` + cert + `", key_file: c.pem}`, "no certificate with its key"},
		"an authority without a file":  {`listen: 127.0.0.1:9464, tls: {cert_file: "` + cert + `", key_file: "` + key + `", client_ca_file: gone}`, "no such file"},
		"a key of the file that is no": {"listen: 127.0.0.1:9464, open: true", "known are listen, probes, tls, token"},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := read(t, "admin: {"+c.text+"}")
			if c.want == "" && problems != "" || !strings.Contains(problems, c.want) {
				t.Errorf("got %q, want %q", problems, c.want)
			}
			if strings.Contains(problems, "0123456789") {
				t.Error("the token is told")
			}
		})
	}
}

// TestARefusedTokenHidesNothing: a token that is far too short is a word of our messages, and a gap in them would tell it. One of eight
// characters is hidden although it is refused.
func TestARefusedTokenHidesNothing(t *testing.T) {
	for token, hidden := range map[string]bool{"short": false, "guessed": false, "hunter22": true} {
		t.Setenv("NOROSHI_TEST_TOKEN", token)
		c, problems := read(t, `admin: {listen: 127.0.0.1:9464, token: "${env:NOROSHI_TEST_TOKEN}"}`)
		if !strings.Contains(problems, "the token is short enough to be guessed; expected at least 16 characters") {
			t.Errorf("%s: got %q", token, problems)
		}
		if got := c.Secrets.Hide("it is " + token); (got == "it is …") != hidden {
			t.Errorf("%s: got %q", token, got)
		}
	}
}

// TestARenewedTokenNeedsNoRestart: the admin listener reads its token again by itself. Another reference, and another secret, need one.
func TestARenewedTokenNeedsNoRestart(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	conf := func() *Config {
		t.Helper()
		c, _, ps := Read(filepath.Join(dir, "noroshi.yaml"), []string{"stdout"})
		if diag.Errors(ps) > 0 {
			t.Fatal(ps)
		}
		return c
	}
	const admin = `admin: {listen: "127.0.0.1:0", token: "${file:token}"}` + "\n"
	put("noroshi.yaml", admin+`kafka: {brokers: ["127.0.0.1:9"], sasl: {mechanism: plain, user: u, password: "${file:password}"}}`+"\n")
	put("token", "0123456789abcdef")
	put("other", "0123456789abcdef")
	put("password", "hunter2hunter2")
	before := conf()
	put("token", "fedcba9876543210")
	if got := conf().Differs(before); len(got) > 0 {
		t.Errorf("a renewed token needs a restart for %v", got)
	}
	put("password", "hunter3hunter3")
	if got := conf().Differs(before); len(got) != 1 || got[0] != "kafka" {
		t.Errorf("another password: got %v", got)
	}
	put("noroshi.yaml", strings.Replace(admin, "token}", "other}", 1))
	if got := conf().Differs(before); len(got) != 2 || got[0] != "admin" {
		t.Errorf("another file of the token: got %v", got)
	}
}
