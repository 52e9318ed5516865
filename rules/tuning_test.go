package rules

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/cond"
	"noroshi/internal/event"
	"noroshi/internal/list"
	"noroshi/internal/strictyaml"
)

const ofTenant = `
- rules: [all]
  tenant: aaaabbbb-0000-cccc-1111-dddd2222eeee
  because: tries
  owner: soc
  until: 2100-12-31
  when: `

func TestExceptionsForATenant(t *testing.T) {
	many := strings.Repeat(`account == "a" or `, 124)
	for name, c := range map[string]struct{ when, want string }{
		"plain":             {`account == "a"`, ""},
		"either":            {`account == "b" or account == "a"`, ""},
		"a comment behind":  {`account == "a" // of the red team`, ""},
		"a comment beneath": {"|-\n    account == \"a\"\n    // of the red team", ""},
		"a comment between": {`account == "a" /* of the red team */`, ""},
		"too deep":          {strings.Repeat("(", 50) + `account == "a"` + strings.Repeat(")", 50), "nesting"},
		"too many parts":    {many + `account == "a"`, "nodes"},
	} {
		t.Run(name, func(t *testing.T) {
			d := strictyaml.Parse("noroshi.yaml", []byte(ofTenant+c.when+"\n"))
			set, ps := Load(Options{Library: true, Now: time.Now(), Tuning: Tuning{Doc: d, Exceptions: d.Root}})
			if c.want != "" {
				if len(ps) != 1 || ps[0].Code != c.want {
					t.Errorf("got %v, want one problem [%s]", ps, c.want)
				}
				return
			}
			if len(ps) > 0 {
				t.Fatal(ps)
			}
			all := set.Find("inbox-rule-hides-mail").Unless
			if len(all) == 0 || !all[len(all)-1].Outside {
				t.Fatal("the rule has no exception")
			}
			for tenant, want := range map[string]bool{"aaaabbbb-0000-cccc-1111-dddd2222eeee": true, "aaaabbbb-0000-cccc-1111-dddd2222eeef": false} {
				if got := holdsFor(t, set, &all[len(all)-1], tenant); got != want {
					t.Errorf("tenant %s: got %v", tenant, got)
				}
			}
		})
	}
}

// row is a record of texts.
type row struct {
	layout *event.Layout
	texts  map[string]string
}

func (r row) Text(s event.Slot) string { return r.texts[r.layout.Def(s).Name] }
func (r row) List(event.Slot) []string { return nil }
func (r row) Has(s event.Slot) bool    { return r.Text(s) != "" }

// holdsFor reports whether an exception holds for an event of the account a in a tenant.
func holdsFor(t *testing.T, set *Set, x *Exception, tenant string) bool {
	t.Helper()
	ev := event.New(set.Scope.Layout, row{set.Scope.Layout, map[string]string{"organization.id": tenant, "account": "a"}})
	ev.Next()
	holds, err := cond.NewMachine(ev, set.Scope).Holds(x.When)
	if err != nil {
		t.Fatal(err)
	}
	return holds
}

func TestNetworksThatAreIgnoredBesideAComment(t *testing.T) {
	many := strings.Repeat(`user.name == "a" or `, 123)
	for when, want := range map[string]string{
		`event.action == "UserLoggedIn" // of people`: "",
		many + `user.name == "b"`:                     "nodes",
	} {
		file := filepath.Join(t.TempDir(), "far.yaml")
		text := "id: far\ntitle: Far\nseverity: low\nkind: travel\nwithin: 90m\nleast_km: 500\nleast_kmh: 800\nignore: [lists.vpn]\nwhen: " + when + "\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		d := strictyaml.Parse("noroshi.yaml", []byte("vpn: [203.0.113.0/24]\n"))
		lists, ps := list.Read(d, d.Root, ".")
		if ps = append(ps, d.Problems...); len(ps) > 0 {
			t.Fatal(ps)
		}
		set, ps := Load(Options{Paths: []string{file}, Lists: lists})
		if want != "" {
			if len(ps) != 1 || ps[0].Code != want {
				t.Errorf("got %v, want one problem [%s]", ps, want)
			}
			continue
		}
		if len(ps) > 0 || !strings.Contains(set.Find("far").Kind.Clauses[0].When.Source, "in_net") {
			t.Errorf("%s: the networks are not ignored: %v", when, ps)
		}
	}
}

// TestAListOfRulesNamesRules: a sink for a rule that nobody has would tell nothing, without a word.
func TestAListOfRulesNamesRules(t *testing.T) {
	for text, want := range map[string]string{
		"[role-granted, noroshi-log-gap, mine]": "", "[role-grantd]": "no rule \"role-grantd\"; did you mean \"role-granted\"?", "[mine, yours]": "no rule \"yours\"",
	} {
		d := strictyaml.Parse("noroshi.yaml", []byte(text+"\n"))
		_, ps := Load(Options{Library: true, Untested: true, Now: now, Paths: []string{put(t, map[string]string{"r.yaml": fmt.Sprintf(good, "mine")})},
			Tuning: Tuning{Doc: d, Named: []*yaml.Node{d.Root}}})
		if got := formatted(ps); (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %s", text, got)
		}
	}
}
