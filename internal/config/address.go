package config

import (
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/strictyaml"
)

var hostPattern = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$`)

// hostName reads the name of a namespace. What stands there may be a connection string, so it is not told.
func hostName(d *strictyaml.Doc, n *yaml.Node) string {
	name := d.Text(n)
	d.Expect(n, strictyaml.Form{Type: strictyaml.TypeText, As: "a host name"})
	if name != "" && !hostPattern.MatchString(name) {
		d.At(n, "value", "expected a host name such as contoso.servicebus.windows.net")
	}
	return name
}

// Brokers reads host names or addresses with ports.
func Brokers(d *strictyaml.Doc, n *yaml.Node) (all []string) {
	for _, item := range d.Items(n) {
		all = append(all, hostPort(d, item))
	}
	return all
}

var hostPortPattern = regexp.MustCompile(`^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.%a-z]+\]|[0-9A-Fa-f:.]+)(:[0-9]{1,5})?$`)

// hostPort reads a host with or without a port. A whole URL, which may hold a password, is no such thing and not told.
func hostPort(d *strictyaml.Doc, n *yaml.Node) string {
	text := d.Text(n)
	d.Expect(n, strictyaml.Form{Type: strictyaml.TypeText, As: "a host and port"})
	if text != "" && !(hostPortPattern.MatchString(text) && soundAddress(text)) {
		d.At(n, "value", "expected a host and port such as kafka.example.com:9092")
	}
	return text
}

// soundAddress reports whether what looks like an IPv6 address is one, and a port is one.
func soundAddress(text string) bool {
	host, port, err := net.SplitHostPort(text)
	if err != nil { // there is no port
		host, port = strings.Trim(text, "[]"), "1"
	}
	n, err := strconv.Atoi(port)
	if err != nil || n < 1 || n > 65535 {
		return false
	}
	_, err = netip.ParseAddr(host)
	return err == nil || !strings.Contains(host, ":")
}

// connectionString reads a reference to a connection string and checks what it leads to.
func connectionString(d *strictyaml.Doc, n *yaml.Node, folder string) string {
	text := Secret(d, n, folder)
	if text == "" {
		return ""
	}
	u, err := url.Parse(member(text, "Endpoint"))
	key := member(text, "SharedAccessKeyName") != "" && member(text, "SharedAccessKey") != "" || member(text, "SharedAccessSignature") != ""
	if err != nil || !hostPattern.MatchString(u.Hostname()) || !key {
		d.At(n, "secret", "the secret is no connection string: Endpoint=sb://…, SharedAccessKeyName and SharedAccessKey; copy it whole from the shared access policies")
	}
	return text
}

// entityPath is the event hub that a connection string names, "" where it names none.
func entityPath(connectionString string) string { return member(connectionString, "EntityPath") }

// member is a member of a connection string, or "" if there is none.
func member(connectionString, name string) string {
	for part := range strings.SplitSeq(connectionString, ";") {
		if k, v, _ := strings.Cut(strings.TrimSpace(part), "="); strings.EqualFold(k, name) {
			return v
		}
	}
	return ""
}

// Proxy reads the address of a proxy, whose user and password are secret.
func Proxy(d *strictyaml.Doc, n *yaml.Node) string {
	text := d.Text(n)
	d.Expect(n, strictyaml.Form{Type: strictyaml.TypeText, As: "an address of http, https or socks5"})
	if text == "" {
		return ""
	}
	u, err := url.Parse(text)
	port := 0
	if err == nil && u.Port() != "" {
		port, err = strconv.Atoi(u.Port())
	}
	switch {
	case err != nil || u.Hostname() == "" || port < 0 || port > 65535 || strings.HasSuffix(u.Host, ":"):
		d.At(n, "value", "expected an address such as http://proxy.example.com:3128")
		return ""
	case u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "socks5" && u.Scheme != "socks5h":
		d.At(n, "value", "a proxy's address begins with http://, https:// or socks5://")
		return ""
	}
	d.Secrets.AddURL(u)
	return text
}
