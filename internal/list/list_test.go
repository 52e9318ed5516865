package list

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"noroshi/internal/diag"
	"noroshi/internal/strictyaml"
)

// read reads lists out of YAML; files stand beside it.
func read(t *testing.T, text string, files map[string]string) (Set, []diag.Problem) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d := strictyaml.Parse("lists.yaml", []byte(text))
	if d.Root == nil {
		t.Fatal(d.Problems)
	}
	s, ps := Read(d, d.Root, dir)
	return s, append(d.Problems, ps...)
}

func TestAcceptedDomainsAreExact(t *testing.T) {
	s, ps := read(t, `accepted_domains: [Contoso.example, "*.corp.example", 例え.example]`, nil)
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	for domain, want := range map[string]bool{"contoso.example": true, "CONTOSO.example": true, "evilcontoso.example": false, "mail.contoso.example": false, "a.corp.example": true, "a.b.corp.example": true, "corp.example": false, ".corp.example": false, "例え.example": true, "xn--r8jz45g.example": true, "": false} {
		if got := s[Accepted].Has(domain); got != want {
			t.Errorf("%q: %v", domain, got)
		}
	}
}

func TestTextsAndNetworks(t *testing.T) {
	s, ps := read(t, "vip: {file: vip.txt}\nvpn: [203.0.113.0/24, '2001:db8::/32', 198.51.100.7]", map[string]string{"vip.txt": "\ufeffTaro@contoso.example # the boss\n\n# nobody\nhanako@contoso.example"})
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	if !s["vip"].Has("taro@CONTOSO.example") || !s["vip"].Has("hanako@contoso.example") || s["vip"].Has("nobody") || len(s["vip"].Texts()) != 2 {
		t.Errorf("vip holds %v", s["vip"].Texts())
	}
	for a, want := range map[string]bool{"203.0.113.9": true, "203.0.114.9": false, "2001:db8::1": true, "198.51.100.7": true, "198.51.100.8": false} {
		if got := s["vpn"].HasAddress(netip.MustParseAddr(a)); got != want {
			t.Errorf("%s: %v", a, got)
		}
	}
}

func TestTheDirectory(t *testing.T) {
	s, ps := read(t, "directory: {file: people.csv}", map[string]string{"people.csv": "alias,upn,object id\nTaro,Taro@contoso.example,11112222-3333-4444-5555-666677778888\n"})
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	for _, n := range []string{"taro", "TARO", "11112222-3333-4444-5555-666677778888"} {
		if upn, ok := s["directory"].Resolve(n); !ok || upn != "taro@contoso.example" {
			t.Errorf("%s is %q", n, upn)
		}
	}
}

func TestBrokenEntriesAreNamed(t *testing.T) {
	rows := []struct{ text, file, want string }{
		{"vpn: [203.0.113.0/99]", "", "lists.yaml:1:7: \"203.0.113.0/99\" is no network [list]"},
		{"accepted_domains: ['@contoso.example', localhost]", "", "lists.yaml:1:20: \"@contoso.example\" is no domain; write example.com, or *.example.com for its sub-domains [list]"},
		{"vip: {file: gone.txt}", "", "lists.yaml:1:6: open list: "},
		{"vip: {fil: x}", "", `no key "fil" here; did you mean "file"? [key]`},
		{"vip: {file: f}", "a\n203.0.113.0/77\n\xff\n", "f:2:1: \"203.0.113.0/77\" is no network [list]"},
		{"vip: {file: f}", "a\n\xff\n", "f:2:1: this is not UTF-8 [list]"},
		{"vip: {file: f}", strings.Repeat("x", maxLine+1), "f:1:1: the entry has 1025 bytes; at most 1024 are read [list]"},
		{"directory: {file: f}", "taro\n", "f:1:1: wanted are alias, upn, object id; the second is a user principal name [list]"},
		{"vip: 7", "", "wanted are keys with values [type]"},
	}
	for _, r := range rows {
		_, ps := read(t, r.text, map[string]string{"f": r.file})
		var all strings.Builder
		for _, p := range ps {
			all.WriteString(p.Format() + "\n")
		}
		if !strings.Contains(all.String(), r.want) {
			t.Errorf("%s: got %s, want %s", r.text, all.String(), r.want)
		}
	}
}

func TestTooManyEntries(t *testing.T) {
	l := &List{name: "vip", texts: map[string]struct{}{}, ids: map[string]string{}}
	for i := range MaxEntries {
		l.texts[string(rune(i))+"x"+strings.Repeat("y", i%3)] = struct{}{}
	}
	for len(l.texts) < MaxEntries {
		l.texts[strings.Repeat("z", len(l.texts)%50)+string(rune(len(l.texts)))] = struct{}{}
	}
	if m := l.add("one more"); !strings.Contains(m, "more than 200000") {
		t.Errorf("got %q", m)
	}
}
