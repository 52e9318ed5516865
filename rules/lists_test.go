package rules

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"noroshi/internal/list"
	"noroshi/internal/strictyaml"
)

// warned are the warnings of loading a rule with a configuration's lists, without their folder.
func warned(t *testing.T, when string, files map[string]string) (all []string) {
	t.Helper()
	files["r.yaml"] = "id: one\ntitle: A rule\nseverity: low\nwhen: |\n  " + when + "\n"
	dir := put(t, files)
	d := strictyaml.Parse(filepath.Join(dir, "c.yaml"), []byte(files["c.yaml"]))
	lists, ps := list.Read(d, d.Root.Content[1], dir)
	if ps = append(ps, d.Problems...); len(ps) > 0 {
		t.Fatal(formatted(ps))
	}
	set, ps := Load(Options{Paths: []string{filepath.Join(dir, "r.yaml")}, Lists: lists})
	if len(set.Rules) != 1 {
		t.Fatal(formatted(ps))
	}
	for _, p := range ps {
		all = append(all, strings.ReplaceAll(p.Format(), dir+"/", ""))
	}
	return all
}

// TestKnownListsAreEmpty: rules may name the lists of shipped rules without a configuration, and no others.
func TestKnownListsAreEmpty(t *testing.T) {
	l := &loader{}
	for name, want := range map[string]bool{"vip": true, "vpi": false} {
		of, ok := l.list(name)
		if ok != want || ok && len(of.Texts()) > 0 {
			t.Errorf("list %s: got %v, want %v", name, ok, want)
		}
	}
}

// TestEntriesThatNothingMatches: by what the rules look up, with their place in the configuration or in the list's file.
func TestEntriesThatNothingMatches(t *testing.T) {
	rows := []struct {
		name, when, list string
		want             []string // what each warning holds
	}{
		{"names with an asterisk", `user.name in lists.x`, `["*@contoso.example", taro@contoso.example]`,
			[]string{`c.yaml:2:7: warning: user.name in lists.x is hardly ever "*@contoso.example": it is compared as a whole, and * stands for itself; did you mean ` + "`endsWith \"@contoso.example\"`"}},
		{"networks with an asterisk", `in_net(source.ip, lists.x)`, `["198.51.100.*", 203.0.113.0/24, 2001:db8::1]`,
			[]string{`c.yaml:2:7: warning: lists.x is asked for networks by in_net, and "198.51.100.*" is not a network such as 203.0.113.0/24 or an address; did you mean "198.51.100.0/24"?`}},
		{"ranges and names", `in_net(source.ip, lists.x)`, `[198.51.100.1-198.51.100.9, vpn.contoso.example, 10.0.0.0 / 8]`,
			[]string{`"198.51.100.1-198.51.100.9" is not a network`, `"vpn.contoso.example" is not`, `did you mean "10.0.0.0/8"?`}},
		{"a network that in asks for", `source.ip in lists.x`, `[10.0.0.0/8, 203.0.113.7]`, []string{`"10.0.0.0/8": it is an address without port, network`}},
		{"an address with its port", `source.ip in lists.x`, `["203.0.113.7:443"]`, []string{`did you mean "203.0.113.7"?`}},
		{"a network among names", `user.name in lists.x || raw.UserId in lists.x`, `[10.0.0.0/8]`, []string{`networks are asked for by in_net`}},
		{"quotes in an entry", `user.name in lists.x`, `['"taro@contoso.example"', "'hanako@contoso.example'"]`, []string{`did you mean "taro@contoso.example"?`, `did you mean "hanako@contoso.example"?`}},
		{"blanks in an address", `raw.UserId in lists.x`, `["taro @contoso.example", "a@b.example, c@b.example"]`, []string{`"taro @contoso.example"`, `"a@b.example, c@b.example"`}},
		{"values of an enumeration", `event.outcome in lists.x`, `[Success, failed]`, []string{`"failed": it is success or failure; did you mean "failure"?`}},
		{"domains of list elements", `any(forward.to, domain(#) in lists.x)`, `["@mail.example", mail.example]`, []string{`"@mail.example"`}},
		{"capitals are folded", `user.name in lists.x`, `[Taro@Contoso.example]`, nil},
		{"countries", `source.geo.country_iso_code in lists.x`, `[JP, Russia]`, []string{`"Russia": it is two capital letters, such as NL; did you mean "ru"?`}},
		{"one use can match it", `in_net(source.ip, lists.x) || user.name in lists.x`, `[10.0.0.0/8, taro@contoso.example]`, nil},
		{"no use at all", `user.name == "taro@contoso.example"`, `["*@contoso.example", 198.51.100.*]`, nil},
		{"a use that no entry suits", `user.name in lists.x || in_net(source.ip, lists.x)`, `[taro@contoso.example, hanako@contoso.example]`,
			[]string{`c.yaml:2:7: warning: no entry can match: lists.x is asked for networks by in_net, and "taro@contoso.example" is not`}},
		{"networks that one use compares", `in_net(source.ip, lists.x) || source.ip in lists.x`, `[203.0.113.0/24]`, []string{`no entry can match: source.ip in lists.x is never "203.0.113.0/24"`}},
		{"a network that is wider than its address", `in_net(source.ip, lists.x)`, `[203.0.113.7/24]`,
			[]string{`"203.0.113.7/24" in lists.x stands for all of 203.0.113.0/24; for the address alone, write 203.0.113.7; did you mean "203.0.113.0/24"?`}},
		{"other spellings of addresses", `user.name in lists.x`, `["SMTP:Box@example.net", "?oi@contoso.example", /aoi/, "*", a@b.example;x]`,
			[]string{`hardly ever "SMTP:Box@example.net": it is an address without smtp:; did you mean "box@example.net"?`, `? stands for itself`, `not as a pattern`, `* stands for itself`, `no blanks, commas, semicolons`}},
		{"operations", `event.action in lists.x`, `["Send.", Send]`, []string{`never "Send.": it is an operation's name without a dot`}},
		{"text that may be anything", `inbox_rule.name in lists.x`, `["*", "...", "a b", "it's"]`, nil},
		{"application names have blanks", `user.name in lists.x`, `[Microsoft Teams Services]`, nil},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			got := warned(t, r.when, map[string]string{"c.yaml": "lists:\n  x: " + r.list + "\n"})
			if len(got) != len(r.want) {
				t.Fatalf("got %d warnings\n%s", len(got), strings.Join(got, "\n"))
			}
			for i, want := range r.want {
				if !strings.Contains(got[i], want) || !strings.Contains(got[i], "warning: ") {
					t.Errorf("got  %s\nwant %s", got[i], want)
				}
			}
		})
	}
}

// TestEntriesOfFilesHaveTheirLine: comments and blank lines count.
func TestEntriesOfFilesHaveTheirLine(t *testing.T) {
	got := warned(t, `user.name in lists.x`, map[string]string{"c.yaml": "lists: {x: {file: x.txt}}\n", "x.txt": "# people\n\n  *@contoso.example # all\ntaro@contoso.example\n\"hanako@contoso.example\"\n"})
	want := []string{
		`x.txt:3:3: warning: user.name in lists.x is hardly ever "*@contoso.example": it is compared as a whole, and * stands for itself; did you mean ` + "`endsWith \"@contoso.example\"`? [value]",
		`x.txt:5:1: warning: user.name in lists.x is never "\"hanako@contoso.example\"": it is text without the quotes, which are part of the entry; did you mean "hanako@contoso.example"? [value]`,
	}
	if d := cmp.Diff(got, want); d != "" {
		t.Error(d)
	}
}

// TestManyEntriesAreCounted: a long list of the wrong kind fills no screen.
func TestManyEntriesAreCounted(t *testing.T) {
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, "host-%d.contoso.example\n", i)
	}
	got := warned(t, `in_net(source.ip, lists.x)`, map[string]string{"c.yaml": "lists: {x: {file: x.txt}}\n", "x.txt": b.String()})
	if len(got) != maxEntries || !strings.Contains(got[maxEntries-1], "; 980 more entries of lists.x match nothing") {
		t.Errorf("%d warnings, the last is %s", len(got), got[len(got)-1])
	}
}

// TestSubdomainsCountInExternalAlone: in compares whole domains.
func TestSubdomainsCountInExternalAlone(t *testing.T) {
	domains := "lists:\n  accepted_domains: [contoso.example, \"*.Contoso.example\"]\n"
	want := `c.yaml:2:39: warning: user.domain in lists.accepted_domains is never "*.Contoso.example": it is compared as a whole; sub-domains count in external() alone [value]`
	if got := warned(t, `user.domain in lists.accepted_domains`, map[string]string{"c.yaml": domains}); len(got) != 1 || got[0] != want {
		t.Errorf("got %q", got)
	}
	if got := warned(t, `external(forward.to)`, map[string]string{"c.yaml": domains}); len(got) > 0 {
		t.Errorf("got %q", got)
	}
}
