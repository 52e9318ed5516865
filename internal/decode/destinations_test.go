package decode

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noroshi/internal/event"
)

func TestDestinationsInManyForms(t *testing.T) {
	const exchange = "/o=org/ou=exchange administrative group/cn=recipients/cn=box"
	rows := map[string][]string{
		"a@mail.example": {"a@mail.example"}, "smtp:A@mail.example": {"a@mail.example"}, `"Name, First" [SMTP:a@mail.example]`: {"a@mail.example"}, "Name <a@mail.example>": {"a@mail.example"},
		"a@mail.example;b@mail.example": {"a@mail.example", "b@mail.example"}, "a@mail.example, b@mail.example": {"a@mail.example", "b@mail.example"}, "alias": {"alias"}, "": nil,
		"CN=Taro,OU=x": {"cn=taro,ou=x"},
		`"Box" [EX:/o=Org/ou=Exchange Administrative Group/cn=Recipients/cn=box]`:                            {exchange},
		`"ren@contoso.example" [EX:/o=Org/ou=Exchange Administrative Group/cn=Recipients/cn=box]`:            {exchange},
		`"Box" [EX:/o=Org/ou=Exchange Administrative Group/cn=Recipients/cn=box];ren@contoso.example`:        {exchange, "ren@contoso.example"},
		`"Box" [EX:/o=Org/ou=Exchange Administrative Group/cn=Recipients/cn=box], "B, C" [SMTP:B@x.example]`: {exchange, "b@x.example"},
		"EX:/o=Org/cn=box": {"/o=org/cn=box"}, `"Box"`: {"box"}, "Box": {"box"}, "Abe, Aoi": {"abe, aoi"}, "Abe, Aoi <a@mail.example>, b@mail.example": {"a@mail.example", "b@mail.example"},
		"box, a@mail.example": {"box", "a@mail.example"}, "a@mail.example, box": {"a@mail.example", "box"}, "Box [old]": {"box [old]"}, "<a@mail.example>": {"a@mail.example"},
		"contoso.example/Users/Box": {"contoso.example/users/box"}, "11112222-3333-4444-5555-66667777AAAA": {"11112222-3333-4444-5555-66667777aaaa"},
		`CN=Abe\, Aoi,OU=x,DC=example;a@mail.example`: {`cn=abe\, aoi,ou=x,dc=example`, "a@mail.example"},
		`["a@mail.example","Box"]`:                    {"a@mail.example", "box"}, `[]`: nil, `[null,""]`: nil, `{a@mail.example, b@mail.example}`: {"a@mail.example", "b@mail.example"},
		`[{"emailAddress":"A@mail.example"},{"DisplayName":"Box"}]`: {"a@mail.example", "box"}, `{"Address":"a@mail.example"}`: {"a@mail.example"},
		"a@mail.example\r\nb@mail.example": {"a@mail.example", "b@mail.example"}, `"Box;a@mail.example`: {"box", "a@mail.example"}, "[SMTP:a@mail.example": {"a@mail.example"}, "<a@mail.example": {"a@mail.example"},
		"a@contoso.example [SMTP:box@example.net] b@contoso.example": {"box@example.net", "b@contoso.example"}, `box@example.net\;a@contoso.example`: {"box@example.net", "a@contoso.example"},
		"Box <box@example.net> b@contoso.example": {"box@example.net", "b@contoso.example"}, `"Evil [SMTP:ok@contoso.example]" [SMTP:box@example.net]`: {"box@example.net"},
		"IMCEASMTP-box+40example+2Enet@contoso.example": {"box@example.net"}, "smtp:IMCEAEX-_O=ORG_CN=BOX@contoso.example": {"/o=org/cn=box"}, "IMCEAINVALID-x@contoso.example": {"imceainvalid-x@contoso.example"},
		"mailto:box@example.net": {"box@example.net"}, "[MAILTO:box@example.net]": {"box@example.net"}, "box@example.net (Box)": {"box@example.net"},
		"a@contoso.example (box@example.net)": {"a@contoso.example (box@example.net)"}, `[{"EmailAddress":{"Address":"box@example.net"}}]`: {"box@example.net"},
		"<null>": nil, "Not Available": nil, "null": nil, "null;a@mail.example": {"a@mail.example"},
		"$null": nil, " ; , ": nil, `\`: {`\`}, `"`: nil, "smtp:": nil,
	}
	for s, want := range rows {
		if d := cmp.Diff(want, Destinations(s)); d != "" {
			t.Errorf("%q: %s", s, d)
		}
	}
}

// TestDestinationsAreThoseThatWereWritten: whatever the forms and separators, the addresses come out whole and in order.
func TestDestinationsAreThoseThatWereWritten(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	of := func(all ...string) string { return all[rnd.IntN(len(all))] }
	name := func() string { return of("Box", "Abe, Aoi", "a; b", "ren@contoso.example", "x [old]", "smtp:y") }
	for range 20_000 {
		var list string
		var want []string
		for i := range 1 + rnd.IntN(4) {
			address := of("A@mail.example", "b.c@x.example", "o'neil@mail.example")
			dn := of("/o=Org/ou=Group (ABC)/cn=Recipients/cn=0a-box", "/O=ORG, Ltd/CN=B")
			one, is := "", address
			switch rnd.IntN(6) {
			case 0:
				one = address
			case 1:
				one = of("smtp:", "SMTP:") + address
			case 2:
				one = fmt.Sprintf(`"%s" [%s:%s]`, name(), of("SMTP", "smtp"), address)
			case 3:
				one = fmt.Sprintf(`"%s" <%s>`, name(), address)
			case 4:
				one, is = fmt.Sprintf(`"%s" [EX:%s]`, name(), dn), dn
			case 5:
				one, is = fmt.Sprintf(`"%s"`, of("Box", "Abe, Aoi")), ""
			}
			if is == "" {
				is = strings.Trim(one, `"`)
			}
			if i > 0 {
				list += of(";", "; ", ",", ", ")
			}
			list, want = list+one, append(want, strings.ToLower(is))
		}
		if d := cmp.Diff(want, Destinations(list)); d != "" {
			t.Fatalf("%s: %s", list, d)
		}
	}
}

// FuzzDestinations: nothing empty comes out, nothing with blanks or quotes around, and an address that stands alone stays.
func FuzzDestinations(f *testing.F) {
	for _, s := range []string{"a@mail.example", `"Name, First" [SMTP:a@mail.example]`, "CN=Taro,OU=x", `["a",{"Address":"b"}]`, `"Box" [EX:/o=Org/cn=box];c@d`, "{a, b}", `\`, `"`, "[", "<>;", "[ @0", "<0\r@0>0", "[[@0", "smtp:[smtp:a@b", "\"a\n@b\"", "[SMTP:a\n@b]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, d := range Destinations(s) {
			if d == "" || strings.TrimFunc(d, atTheEdge) != d {
				t.Errorf("%q gives %q", s, d)
			}
			if isAddress(d) {
				if again := Destinations(d); len(again) != 1 || again[0] != d {
					t.Errorf("%q gives %q, which gives %q", s, d, again)
				}
			}
		}
	})
}

// TestRecipients: what a directory is asked for.
func TestRecipients(t *testing.T) {
	for s, want := range map[string]string{
		"Ren@contoso.example": "ren@contoso.example", "ren": "ren", "x.example.com/Hosted/contoso.onmicrosoft.com/Ren": "ren", `CONTOSO\ren`: "ren", "CN=Ren,OU=contoso.onmicrosoft.com": "ren",
		"/o=Org/ou=Group/cn=Recipients/cn=00001111222233334444555566667777-ren": "ren", "/o=Org/cn=Recipients/cn=ren": "ren", "": "", "x.example.com/Hosted/ren@contoso.example": "ren@contoso.example",
	} {
		if got := Recipient(s); got != want {
			t.Errorf("%q is %q, want %q", s, got, want)
		}
	}
}

// TestDestinationsThatTheDirectoryKnowsAreResolved: an alias of somebody inside is an address inside.
func TestDestinationsThatTheDirectoryKnowsAreResolved(t *testing.T) {
	l := event.NewLayout()
	l.Slot("forward.to")
	r := NewPlan(l, Options{Directory: func(_, name string) (string, bool) { return "Hanako@contoso.example", name == "hanako" }}).Reader()
	if err := r.ReadAlone([]byte(admin(`"Operation":"Set-Mailbox","Parameters":[{"Name":"ForwardingAddress","Value":"contoso.example/Users/Hanako"}]`)), time.Time{}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"hanako@contoso.example"}, r.fieldList("forward.to")); d != "" {
		t.Error(d)
	}
}
