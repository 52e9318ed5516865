//go:build linux

package main

import (
	"bytes"
	"encoding/base64"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const directory = "aaaabbbb-0000-cccc-1111-dddd2222eeee"

// planted are secrets by where they lie. Whatever of them is shown is a leak.
var planted = map[string]string{
	"SASL_PASSWORD": "Pl4nted-Sasl.Password_01", "ENTRA_SECRET": "Pl4nted~Entra.Secret-02", "AZURE_CLIENT_SECRET": "Pl4nted~Default.Secret-03",
	"CONNECTION": "Endpoint=sb://contoso.servicebus.windows.net/;SharedAccessKeyName=listen;SharedAccessKey=UGw0bnRlZEtleTA0UGw0bnRlZEtleTA0;EntityPath=audit",
	"TOKEN_OF":   "Pl4nted~Token.Secret-05", "HOOK_HEADER": "Bearer Pl4nted-Header-06", "HOOK_KEY": "whsec_UGw0bnRlZC1Ib29rLUtleS0wNy1QbDRudGVkLTA3",
}

const (
	proxyPassword = "Pl4nted-Proxy-08"
	systemProxy   = "Pl4nted-System-09"
	inPath        = "Pl4nted-Path-10"
)

// token is one that Entra ID gives: a header, claims and a signature.
var token = base64.RawURLEncoding.EncodeToString([]byte(`{"typ":"JWT","alg":"RS256"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"aud":"https://eventhubs.azure.net","secret":"Pl4nted-Token-11"}`)) + "." + base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte("s1gnature"), 20))

// shown are the secrets, or long parts of them, that a text holds.
func shown(text string) (all []string) {
	pieces := []string{"Pl4nted", token[40:60], token[80:100], token[len(token)-30:], "UGw0bnRl", base64.StdEncoding.EncodeToString([]byte("bob:" + proxyPassword))[:12]}
	for _, p := range pieces {
		if strings.Contains(strings.ToLower(text), strings.ToLower(p)) {
			all = append(all, p)
		}
	}
	return all
}

const secretConf = `
sources:
  - file: {paths: [audit.ndjson], poll: 20ms}
  - kafka: {name: sasl, topic: t, brokers: ["PLAIN"], sasl: {mechanism: plain, user: bob, password: "${env:SASL_PASSWORD}"}}
  - kafka: {name: connection, topic: t, brokers: ["TLS"], ca_file: ca.pem, connection_string: "${env:CONNECTION}"}
  - kafka: {name: entra, topic: t, brokers: ["TLS"], ca_file: ca.pem, namespace: contoso.servicebus.windows.net,
      credential: {kind: client_secret, tenant: DIRECTORY, client: refused, secret: "${env:ENTRA_SECRET}"}}
  - kafka: {name: given, topic: t, brokers: ["TLS"], ca_file: ca.pem, namespace: contoso.servicebus.windows.net,
      credential: {kind: client_secret, tenant: DIRECTORY, client: given, secret: "${env:TOKEN_OF}"}}
  - kafka: {name: default, topic: t, brokers: ["TLS"], ca_file: ca.pem, namespace: contoso.servicebus.windows.net, credential: {kind: default}}
  - eventhub: {name: proxied, connection_string: "${env:CONNECTION}", proxy: "http://bob:PASSWORD@PROXY"}
sinks:
  - {name: refusing, webhook: {url: "HOOK/refuse/PATH?token=PATH", secrets: ["${env:HOOK_KEY}"], headers: {Authorization: "${env:HOOK_HEADER}"}, allow_private: true, allow_http: true}}
  - {name: failing, webhook: {url: "HOOK/fail/PATH?token=PATH", secrets: ["${env:HOOK_KEY}"], headers: {Authorization: "${env:HOOK_HEADER}"}, allow_private: true, allow_http: true}}
  - {name: out, file: {path: alerts.ndjson}}
`

// TestNothingThatIsRepeatedShowsASecret: brokers, proxies, Entra ID and webhooks that repeat what they are sent leave nothing of it in
// the log, in dead letters, in status, in alerts or on the disk.
func TestNothingThatIsRepeatedShowsASecret(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs a Kafka")
	}
	dir := t.TempDir()
	login, loginPEM := certificate(t, "login.microsoftonline.com")
	broker, brokerPEM := certificate(t, "127.0.0.1")
	plain := listen(t, echoingBroker)
	secure := listen(t, secured(broker, echoingBroker))
	proxy := echoingProxy(t, login, entra{"given", token})
	conf := strings.NewReplacer("PLAIN", plain, "TLS", secure, "DIRECTORY", directory, "PASSWORD@PROXY", proxyPassword+"@"+proxy, "HOOK/", echoingHook(t)+"/", "/PATH", "/"+inPath, "=PATH", "="+inPath).Replace(secretConf)
	writeFiles(t, dir, map[string]string{"noroshi.yaml": conf, "audit.ndjson": "{broken\n" + audit(0), "login.pem": string(loginPEM), "ca.pem": string(brokerPEM)})
	env := []string{"SSL_CERT_FILE=" + filepath.Join(dir, "login.pem"), "HTTPS_PROXY=http://bob:" + systemProxy + "@" + proxy, "AZURE_TENANT_ID=" + directory, "AZURE_CLIENT_ID=refused"}
	for name, v := range planted {
		env = append(env, name+"="+v)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	run := noroshi("run", "--config", "noroshi.yaml", "--data", "data")
	run.Dir, run.Env, run.Stdout, run.Stderr = dir, append(run.Env, env...), log, log
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- run.Wait() }()
	defer func() { _ = run.Process.Kill() }() // where the test fails first
	said := func() string {
		b, _ := os.ReadFile(log.Name()) // what is not there yet comes
		return string(b)
	}
	for _, want := range []string{"source=sasl", "source=connection", "source=entra", "source=given", "source=default", "source=proxied", "sink=refusing", "sink=failing", "AADSTS7000215", "auth=Bearer", "407"} {
		for deadline := time.Now().Add(time.Minute); !strings.Contains(said(), want); time.Sleep(50 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("the log never tells %s:\n%s", want, said())
			}
		}
	}
	var printed bytes.Buffer
	for _, args := range [][]string{{"dead-letters", "list"}, {"dead-letters", "list", "--json"}, {"dead-letters", "show", "0:0"}, {"dead-letters", "show", "1:0"}, {"dead-letters", "show", "2:0"}, {"dead-letters", "show", "3:0"},
		{"status"}, {"status", "--json"}, {"check", "--config", "noroshi.yaml"}} {
		if args[0] != "check" {
			args = append(args, "--data", "data")
		}
		c := noroshi(args...)
		c.Dir, c.Env = dir, append(c.Env, env...)
		out, _ := c.CombinedOutput() // places of letters are tried
		printed.Write(out)
	}
	_ = run.Process.Signal(syscall.SIGTERM)
	if err := <-ended; err != nil {
		t.Errorf("run: %v", err)
	}
	if !strings.Contains(printed.String(), "status 400") {
		t.Errorf("no letter tells of the refusal:\n%s", &printed)
	}
	for what, text := range map[string]string{"log": said(), "what commands print": printed.String()} {
		if s := shown(text); s != nil {
			t.Errorf("%q in the %s:\n%s", s, what, text)
		}
	}
	unshown(t, dir, "noroshi.yaml", "login.pem", "log")
}

// unshown looks for secrets in all files of a folder but some.
func unshown(t *testing.T, dir string, but ...string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		for _, name := range but {
			if e.Name() == name {
				return nil
			}
		}
		b, err := os.ReadFile(path)
		if s := shown(string(b)); s != nil {
			t.Errorf("%q in %s", s, path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
