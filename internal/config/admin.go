package config

import (
	"crypto/tls"
	"net"
	"net/netip"
	"strconv"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/strictyaml"
)

// Admin is the listener for those who operate an instance. Without addresses nothing listens.
type Admin struct {
	Listen string // host and port
	Probes string // of a listener that answers /livez and /readyz alone, with ok or not ok
	// Token reads the token again each time, as Reference does. It is nil without a token.
	Token        func() (string, error)
	CertFile     string // with KeyFile: TLS
	KeyFile      string
	ClientCAFile string // clients need a certificate of this authority
}

// leastToken is how many characters a token has: a shorter one can be guessed.
const leastToken = 16

// hiddenToken is the length from which on messages hide a token. A shorter one is a word, which our messages may hold.
const hiddenToken = 8

func (c *Config) admin(d *strictyaml.Doc, n *yaml.Node) {
	a, before := &c.Admin, d.Errors()
	var listen, probes *yaml.Node
	d.Fields(n, map[string]func(*yaml.Node){
		"listen": func(n *yaml.Node) { a.Listen, listen = listening(d, n), n },
		"probes": func(n *yaml.Node) { a.Probes, probes = listening(d, n), n },
		"token":  func(n *yaml.Node) { a.Token = adminToken(d, n, c.Folder) },
		"tls":    func(n *yaml.Node) { c.adminTLS(d, n) },
	})
	if d.Errors() > before {
		return
	}
	switch {
	case listen == nil && probes == nil:
		d.At(n, "missing", "the listener has no address: give the key listen, such as 127.0.0.1:9464")
	case listen == nil && (a.Token != nil || a.CertFile != ""):
		d.At(n, "missing", "a token and TLS are for the key listen, which is missing; probes need none")
	case probes != nil && a.Probes == a.Listen && !anyPort(a.Probes):
		d.At(probes, "value", "probes has the address of listen, which answers /livez and /readyz, too; give it another port or leave it out")
	case listen != nil && !loopback(a.Listen) && (a.Token == nil || a.CertFile == ""):
		d.At(listen, "value", "this address can be reached from other machines, so the listener needs the keys token and tls; "+
			"or listen on 127.0.0.1. For probes of a container without both there is the key probes")
	}
}

// listening reads an address to listen on. Without a host it is all addresses of the machine; the port 0 is any that is free.
func listening(d *strictyaml.Doc, n *yaml.Node) string {
	text := d.Text(n)
	host, port, err := net.SplitHostPort(text)
	number, wrong := strconv.Atoi(port)
	_, noAddress := netip.ParseAddr(host)
	if err != nil || wrong != nil || number < 0 || number > 65535 || host != "" && host != "localhost" && noAddress != nil {
		d.At(n, "value", "expected an address and a port to listen on, such as 127.0.0.1:9464")
		return ""
	}
	return text
}

func anyPort(address string) bool {
	_, port, err := net.SplitHostPort(address)
	return err == nil && port == "0"
}

// loopback reports whether an address is reached from this machine alone.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

func adminToken(d *strictyaml.Doc, n *yaml.Node, folder string) func() (string, error) {
	before := d.Errors()
	read := reference(d, n, folder, hiddenToken)
	if token, _ := read(); d.Errors() == before && len(token) < leastToken {
		d.At(n, "secret", "the token is short enough to be guessed; expected at least 16 characters, as `openssl rand -hex 24` prints them")
	}
	return read
}

func (c *Config) adminTLS(d *strictyaml.Doc, n *yaml.Node) {
	a, before := &c.Admin, d.Errors()
	d.Fields(n, map[string]func(*yaml.Node){
		"cert_file":      func(n *yaml.Node) { a.CertFile = c.keyFile(d, n) },
		"key_file":       func(n *yaml.Node) { a.KeyFile = c.keyFile(d, n) },
		"client_ca_file": func(n *yaml.Node) { a.ClientCAFile = c.certificates(d, n) },
	})
	if d.Errors() > before {
		return
	}
	if a.CertFile == "" || a.KeyFile == "" {
		d.At(n, "missing", "TLS needs the keys cert_file and key_file")
		return
	}
	if _, err := tls.LoadX509KeyPair(a.CertFile, a.KeyFile); err != nil {
		d.At(n, "read", "cert_file and key_file are no certificate with its key, in PEM: "+err.Error())
	}
}
