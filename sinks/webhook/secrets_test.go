package webhook

import (
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/strictyaml"
	"noroshi/sinks"
	"noroshi/sinks/remote"
	"noroshi/sinks/sinktest"
)

// The secrets of a webhook, each distinct.
const (
	inPath   = "Pa7hT0ken-xyz"
	inQuery  = "Qu3ry+T0ken/abc"
	inHeader = "H3ader.T0ken~def"
	inBasic  = "Bas1cPassw0rd!"
)

// leak is the first secret, or long part of one, that a text holds.
func leak(text string) string {
	text = strings.ToLower(text)
	for _, s := range []string{inPath, inQuery, url.QueryEscape(inQuery), inHeader, inBasic, base64.StdEncoding.EncodeToString([]byte("bob:" + inBasic)), strings.TrimPrefix(oldSecret, "whsec_")} {
		if s = strings.ToLower(s); strings.Contains(text, s) || strings.Contains(text, s[:12]) || strings.Contains(text, s[len(s)-12:]) {
			return s
		}
	}
	return ""
}

// answers are what a destination may say, of what it was sent or of what it knows.
var answers = map[string]func(w http.ResponseWriter, r *http.Request, status int){
	"an echo of the headers": func(w http.ResponseWriter, r *http.Request, status int) {
		w.WriteHeader(status)
		fmt.Fprintf(w, "%q %s %s", r.Header, r.RequestURI, r.URL.Query())
	},
	"an echo of the path": func(w http.ResponseWriter, r *http.Request, status int) {
		http.Error(w, "no such path: "+r.URL.Path+" "+r.URL.RawQuery, status)
	},
	"secrets cut by the bound": func(w http.ResponseWriter, r *http.Request, status int) {
		http.Error(w, strings.Repeat("x", 190)+r.Header.Get("X-Token")+r.RequestURI, status)
	},
	"secrets in lines": func(w http.ResponseWriter, r *http.Request, status int) {
		b := base64.StdEncoding.EncodeToString([]byte("bob:" + inBasic))
		http.Error(w, b[:14]+"\n"+b[14:], status)
	},
	"a password": func(w http.ResponseWriter, _ *http.Request, status int) {
		http.Error(w, "bob may not use "+inBasic, status)
	},
	"the key": func(w http.ResponseWriter, _ *http.Request, status int) {
		http.Error(w, "signed with another key than "+oldSecret, status)
	},
	"an address to go to": func(w http.ResponseWriter, r *http.Request, _ int) {
		http.Redirect(w, r, "https://"+inBasic+".example.com/"+inHeader, http.StatusFound)
	},
	"no HTTP": func(w http.ResponseWriter, r *http.Request, _ int) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_, _ = c.Write([]byte("HTTP/1.1 " + r.Header.Get("X-Token") + " " + r.RequestURI + "\r\nbroken " + r.Header.Get("Authorization") + "\r\n\r\n"))
			_ = c.Close() // the test is about the other side
		}
	},
	"a broken header": func(w http.ResponseWriter, r *http.Request, _ int) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\n" + r.RequestURI + " " + r.Header.Get("Authorization") + "\r\n\r\n"))
			_ = c.Close() // the test is about the other side
		}
	},
}

// TestNoAnswerShowsASecret: whatever a destination says and whatever fails, an error holds the host and the status alone.
func TestNoAnswerShowsASecret(t *testing.T) {
	headers := map[string]remote.Secret{"X-Token": remote.Fixed(inHeader), "Authorization": remote.Fixed("Basic " + base64.StdEncoding.EncodeToString([]byte("bob:"+inBasic)))}
	path := "in/" + inPath + "?key=" + url.QueryEscape(inQuery)
	check := func(name, base string) {
		t.Helper()
		err := sink(t, base+path, func(c *Config) { c.Headers = headers }).Send(t.Context(), []sinks.Message{sinktest.Message(1)})
		if err == nil {
			t.Errorf("%s: no error", name)
			return
		}
		if s := leak(err.Error()); s != "" || len(err.Error()) > 400 || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %q is in %q", name, s, err)
		}
	}
	for name, answer := range answers {
		for _, status := range []int{400, 401, 403, 404, 410, 413, 422, 429, 500, 503} {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(w, r, status) }))
			check(fmt.Sprint(name, ", ", status), srv.URL+"/")
			srv.Close()
		}
	}
	srv := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer srv.Close()
	check("an unknown authority", srv.URL+"/")
	check("TLS to plain", strings.Replace(srv.URL, "https", "http", 1)+"/")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	check("refused", "http://"+l.Addr().String()+"/")
	check("no such host", "http://nowhere.invalid/")
}

// TestHeadersAreCheckedWhenTheyAreRead: what no request could carry is a mistake with its place, and its name is not told.
func TestHeadersAreCheckedWhenTheyAreRead(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "ca.pem"), []byte("no certificate "+inHeader), 0o600); err != nil {
		t.Fatal(err)
	}
	secret := func(n *yaml.Node) remote.Secret {
		return remote.Fixed(map[string]string{"key": oldSecret, "lines": inHeader + "\nX-Other: y", "ok": inHeader, "short": inHeader}[n.Value])
	}
	for headers, want := range map[string]string{
		"headers: [a, b]":                            `1:72: headers: expected names of headers with references, got a list [type]`,
		"headers: " + inHeader:                       `1:72: headers: expected names of headers with references, got text [type]`,
		"headers: {'Bad Name " + inHeader + "': ok}": `1:73: headers: this is no name of a header: letters, digits and hyphens, such as X-Api-Key [value]`,
		"headers: {X-A: lines}":                      `1:78: headers: the secret holds a newline or another control character, which no header can carry [value]`,
		"headers: {X-A: ok, x-a: ok}":                `1:82: headers: the header is named twice; case does not tell names apart [value]`,
		"headers: {webhook-signature: ok}":           `1:73: headers: the header is one that the sink itself sets [value]`,
		"headers: {X-A: ok}, ca_file: ca.pem":        `holds no certificate [read]`,
		"headers: {X-A: ok}":                         ``,
		"# a short key":                              "1:47: secrets[0]: a secret is whsec_ and the base64 of 24 to 64 bytes; `echo \"whsec_$(openssl rand -base64 32)\"` makes one [secret]",
	} {
		text := "{url: 'https://soc.example.com/in', secrets: [key],           " + headers + "}"
		if headers == "# a short key" {
			text = "{url: 'https://soc.example.com/in', secrets: [short]}"
		}
		d := strictyaml.ParsePrivate("f", []byte(text), "headers")
		Read(remote.Reader{Doc: d, Folder: folder, Secret: secret}, d.Root)
		got := ""
		for _, p := range d.Problems {
			got += p.Format() + "\n"
		}
		if leak(got) != "" || want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: got %s, want %s", headers, got, want)
		}
	}
}
