package list

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"noroshi/internal/diag"
	"noroshi/internal/strictyaml"
)

// read reads lists out of YAML; files stand beside it.
func readLists(t *testing.T, text string, files map[string]string) (Set, []diag.Problem) {
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
	s, ps := readLists(t, `accepted_domains: [Contoso.example, "*.corp.example", 例え.example]`, nil)
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
	s, ps := readLists(t, "vip: {file: vip.txt}\nvpn: [203.0.113.0/24, '2001:db8::/32', 198.51.100.7]", map[string]string{"vip.txt": "\ufeffTaro@contoso.example # the boss\n\n# nobody\nhanako@contoso.example"})
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
	s, ps := readLists(t, "directory: {file: people.csv}", map[string]string{"people.csv": "alias,upn,object id\nTaro,Taro@contoso.example,11112222-3333-4444-5555-666677778888\n"})
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	for _, n := range []string{"taro", "TARO", "11112222-3333-4444-5555-666677778888"} {
		if upn, ok := s["directory"].Resolve("", n); !ok || upn != "taro@contoso.example" {
			t.Errorf("%s is %q", n, upn)
		}
	}
}

// TestTheDirectoryByItsHeader: columns are found by name, whatever their order.
func TestTheDirectoryByItsHeader(t *testing.T) {
	s, ps := readLists(t, "directory: {file: people.csv}", map[string]string{"people.csv": "\ufeffObject ID,Name,UPN\r\nABC-1,Taro,taro@contoso.example\r\n\r\n\"abc-2\",\"Hana, the boss\",HANA@contoso.example\r\n"})
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	for id, want := range map[string]string{"abc-1": "taro@contoso.example", "ABC-2": "hana@contoso.example", "taro": "", "object id": "", "": ""} {
		if upn, ok := s["directory"].Resolve("", id); upn != want || ok != (want != "") {
			t.Errorf("%s is %q", id, upn)
		}
	}
}

func TestBrokenEntriesAreNamed(t *testing.T) {
	rows := []struct{ text, file, want string }{
		{"vpn: [203.0.113.0/99]", "", "lists.yaml:1:7: \"203.0.113.0/99\" is no network [list]"},
		{"accepted_domains: ['@contoso.example', localhost]", "", "lists.yaml:1:20: \"@contoso.example\" is no domain; write example.com, or *.example.com for its sub-domains [list]"},
		{"vip: {file: gone.txt}", "", "lists.yaml:1:13: "},
		{"vip: {fil: x}", "", `no key "fil" here; did you mean "file"? [key]`},
		{"vip: {file: f}", "a\n203.0.113.0/77\n\xff\n", "f:2:1: \"203.0.113.0/77\" is no network [list]"},
		{"vip: {file: f}", "a\n\xff\n", "f:2:1: this is not UTF-8 [list]"},
		{"vip: {file: f}", strings.Repeat("x", maxLine+1), "f:1:1: the entry has 1025 bytes; at most 1024 are read [list]"},
		{"directory: {file: f}", "taro\n", "f:1:1: expected alias, upn, object id; \"\" is not a user principal name [list]"},
		{"directory: {file: f}", "taro,taro@contoso.example\nta\"ro,x\nhana,hana\n", "f:2:3: bare \" in non-quoted-field [list]"},
		{"directory: {file: f}", "taro,taro@contoso.example\nta\"ro,x\nhana,hana\n", "f:3:1: expected alias, upn, object id; \"hana\" is not a user principal name [list]"},
		{"directory: {file: f}", "taro,taro@contoso.example\ntaro,other@contoso.example\n", "f:2:1: taro is already the name of taro@contoso.example [list]"},
		{"directory: {file: f}", "taro,t@c.example,\xff\n", "f:1:1: this is not UTF-8 [list]"},
		{"directory: [taro]", "", "lists.yaml:1:12: the directory is a CSV file; write directory: {file: people.csv} [list]"},
		{"vip: {file: f}", "  日本 203.0.113.0/24\n\t10.0/8 # 日\n", "f:2:2: \"10.0/8\" is no network [list]"},
		{"vip: {file: f}", "a\x00b\n", "f:1:1: a control character has no place in an entry [list]"},
		{"vip: {file: f}", "\xff\xfea\x00\n\x00", "f:1:1: the file is UTF-16; write it as UTF-8 [list]"},
		{"vip: {file: f}", strings.Repeat("10.0.0.0/33\n", maxProblems+7), "f:100:1: \"10.0.0.0/33\" is no network; 7 more lines are broken [list]"},
		{"vip: {file: .}", "", "is not a plain file [list]"},
		{"vip: {}", "", "lists.yaml:1:6: a list needs entries, or the key file [missing]"},
		{"vip: [\"a\\0b\"]", "", "lists.yaml:1:7: a control character has no place in an entry [list]"},
		{"accepted_domains: [a..example, 'exa mple.org', '*.', 'a/b.example', \"例え .example\"]", "", "\"a..example\" is no domain"},
		{"accepted_domains: ['*.']", "", "\"*.\" is no domain"},
		{"accepted_domains: ['例え .example']", "", "\"例え .example\" is no domain"},
		{"[a]", "", "expected names of lists, got a list [type]"},
		{"vip: 7", "", "expected a list such as [contoso.example], or {file: PATH}, got the number 7 [type]"},
	}
	for _, r := range rows {
		_, ps := readLists(t, r.text, map[string]string{"f": r.file})
		var all strings.Builder
		for _, p := range ps {
			all.WriteString(p.Format() + "\n")
		}
		if !strings.Contains(all.String(), r.want) {
			t.Errorf("%s: got %s, want %s", r.text, all.String(), r.want)
		}
	}
}

// TestTooManyEntries: the bound is told once, whatever the kind of list, and what stands before it is read.
func TestTooManyEntries(t *testing.T) {
	rows := map[string]func(i int) string{
		"vip":       func(i int) string { return fmt.Sprintf("user%d@contoso.example", i) },
		"vpn":       func(i int) string { return fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255) },
		Accepted:    func(i int) string { return fmt.Sprintf("*.c%d.example", i) },
		"directory": func(i int) string { return fmt.Sprintf("a%d,a%d@contoso.example", i, i) },
	}
	for name, entry := range rows {
		var file strings.Builder
		for i := range MaxEntries + 50 {
			file.WriteString(entry(i) + "\n")
		}
		s, ps := readLists(t, name+": {file: f}", map[string]string{"f": file.String()})
		if len(ps) != 1 || ps[0].Line != MaxEntries+1 || ps[0].Message != "more than 200000 entries; the rest is not read" {
			t.Errorf("%s: got %d problems, %v", name, len(ps), ps[:min(len(ps), 1)])
		}
		if l := s[name]; max(len(l.Texts()), len(l.ids)) != MaxEntries {
			t.Errorf("%s: %d entries", name, max(len(l.Texts()), len(l.ids)))
		}
	}
}

func TestAFileTooLarge(t *testing.T) {
	_, ps := readLists(t, "vip: {file: f}", map[string]string{"f": strings.Repeat("a\n", MaxFile/2+1)})
	if len(ps) != 1 || !strings.Contains(ps[0].Message, "has more than 16777216 bytes") || ps[0].Column != 13 {
		t.Errorf("got %v", ps)
	}
}

// TestCommentsDoNotCutGuests: the names of guests hold a number sign.
func TestCommentsDoNotCutGuests(t *testing.T) {
	s, ps := readLists(t, "vip: {file: f}", map[string]string{"f": "Hana_example.com#EXT#@contoso.example# not a comment\r\nb\t# one\r\n#c\r\n  # d\r\n"})
	want := []string{"b", "hana_example.com#ext#@contoso.example# not a comment"}
	if len(ps) > 0 || !slices.Equal(s["vip"].Texts(), want) {
		t.Errorf("got %q and %v, want %q", s["vip"].Texts(), ps, want)
	}
}

// TestTextsWithASlashAreNoNetworks: only what begins like an address is one.
func TestTextsWithASlashAreNoNetworks(t *testing.T) {
	s, ps := readLists(t, "apps: ['https://mail.corp.contoso.example/x', 'a.b.c.d/e', 'urn:app/1', 'Mail/1.0', 16.0.1.20454]", nil)
	if len(ps) > 0 || len(s["apps"].Texts()) != 5 || len(s["apps"].nets) != 0 {
		t.Errorf("got %v, %v", s["apps"], ps)
	}
}

// TestNetworksAgreeWithATrialOfEach: overlapping, doubled, mapped and nested networks, looked up among all.
func TestNetworksAgreeWithATrialOfEach(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var all []netip.Prefix
	var text []string
	for range 400 {
		b := [4]byte{10, byte(r.IntN(3)), byte(r.IntN(256)), byte(r.IntN(256))}
		p := netip.PrefixFrom(netip.AddrFrom4(b), 12+r.IntN(21))
		if r.IntN(3) == 0 {
			six := netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, b[1], b[2], b[3]})
			p = netip.PrefixFrom(six, 36+r.IntN(93))
		}
		all, text = append(all, p.Masked()), append(text, p.String())
	}
	text, all = append(text, "::ffff:192.0.2.0/120"), append(all, netip.MustParsePrefix("192.0.2.0/24"))
	s, ps := readLists(t, "vpn: {file: f}", map[string]string{"f": strings.Join(text, "\n")})
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	hits := 0
	for range 20_000 {
		a := netip.AddrFrom4([4]byte{10, byte(r.IntN(4)), byte(r.IntN(256)), byte(r.IntN(256))})
		switch r.IntN(4) {
		case 0:
			a = netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, byte(r.IntN(4)), byte(r.IntN(256))})
		case 1:
			a = netip.AddrFrom4([4]byte{192, 0, byte(1 + r.IntN(3)), 7})
		}
		want := slices.ContainsFunc(all, func(p netip.Prefix) bool { return p.Contains(a) })
		if want {
			hits++
		}
		for _, form := range []netip.Addr{a, netip.AddrFrom16(a.As16())} {
			if got := s["vpn"].HasAddress(form); got != want {
				t.Fatalf("%s: got %v, want %v", form, got, want)
			}
		}
	}
	if hits < 2000 || hits > 18_000 {
		t.Errorf("%d hits prove little", hits)
	}
	if !s["vpn"].HasAddress(netip.MustParseAddr("192.0.2.7")) || s["vpn"].HasAddress(netip.Addr{}) {
		t.Error("a mapped network is the network, and no address lies in none")
	}
}

// TestLookUpsDoNotAllocate: they happen for every record.
func TestLookUpsDoNotAllocate(t *testing.T) {
	s, _ := readLists(t, "accepted_domains: [contoso.example, '*.corp.example']\nvpn: [203.0.113.0/24, 198.51.100.7]", nil)
	a := netip.MustParseAddr("203.0.113.9")
	if n := testing.AllocsPerRun(100, func() {
		_ = s[Accepted].Has("mail.corp.example") && len(s[Accepted].Texts()) > 0 && s["vpn"].HasAddress(a)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzFile: whatever the file, each problem has a place in it, and what is read can be found again.
func FuzzFile(f *testing.F) {
	for _, text := range []string{"a\n203.0.113.0/24\n", "alias,upn,object id\nt,t@c.example,1\n", "*.corp.example\n例え.example", "\ufeffx # y\r\n", "\"a,b\n", "\xff\xfe"} {
		for name := range uint8(3) {
			f.Add(name, []byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, data []byte) {
		l, found := empty([]string{"vip", Accepted, Directory}[kind%3]), &findings{file: "f"}
		if l.name == Directory {
			l.directory(data, found)
		} else {
			l.lines(data, found)
		}
		l.seal()
		for _, p := range found.problems() {
			if p.Line < 1 || p.Line > bytes.Count(data, []byte("\n"))+1 || p.Column < 1 || p.Message == "" {
				t.Fatalf("%q: %+v", data, p)
			}
		}
		for _, text := range l.Texts() {
			if !strings.HasPrefix(text, "*.") && !l.Has(text) {
				t.Fatalf("%q: %q is not found", data, text)
			}
		}
		for _, p := range l.nets {
			if !l.HasAddress(p.Addr()) {
				t.Fatalf("%q: %s is not found", data, p)
			}
		}
	})
}

// TestWhatTenantsAdd: it stands beside what is common, apart from what others add, and knows its place.
func TestListsOfTenants(t *testing.T) {
	s, ps := readLists(t, "vip: [taro@contoso.example]\ndirectory: {file: common.csv}", map[string]string{"common.csv": "taro,taro@contoso.example,\nken,ken@contoso.example,\n"})
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.csv"), []byte("taro,taro@fabrikam.example,\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := strictyaml.Parse("tenant.yaml", []byte("vip: [Hana@fabrikam.example]\nvpn: [203.0.113.0/24]\ndirectory: {file: a.csv}"))
	if ps := append(s.ReadTenant(d, d.Root, dir, "a"), d.Problems...); len(ps) > 0 {
		t.Fatal(ps)
	}
	if got := s.Names(); !slices.Equal(got, []string{"directory", "vip", "vpn"}) {
		t.Error(got)
	}
	vip := s["vip"]
	if own := vip.Own("a"); vip.Has("hana@fabrikam.example") || !own.Has("hana@fabrikam.example") || own.Has("taro@contoso.example") || vip.Own("b") != nil || !slices.Equal(vip.Tenants(), []string{"a"}) {
		t.Errorf("vip: %+v", vip)
	}
	if a := netip.MustParseAddr("203.0.113.7"); s["vpn"].HasAddress(a) || !s["vpn"].Own("a").HasAddress(a) {
		t.Error("vpn")
	}
	for _, c := range [][3]string{{"a", "taro", "taro@fabrikam.example"}, {"b", "taro", "taro@contoso.example"}, {"", "TARO", "taro@contoso.example"}, {"a", "ken", ""}, {"b", "ken", "ken@contoso.example"}, {"a", "hana", ""}} {
		if upn, _ := s["directory"].Resolve(c[0], c[1]); upn != c[2] {
			t.Errorf("%s of tenant %q is %q", c[1], c[0], upn)
		}
	}
	var entries []string
	vip.Entries(func(e Entry) {
		entries = append(entries, fmt.Sprintf("%s:%d:%d %s", e.File, e.Line, e.Column, e.Written))
	})
	slices.Sort(entries)
	if want := []string{"lists.yaml:1:7 taro@contoso.example", "tenant.yaml:1:7 Hana@fabrikam.example"}; !slices.Equal(entries, want) {
		t.Errorf("got %q, want %q", entries, want)
	}
}
