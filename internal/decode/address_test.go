package decode

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"noroshi/internal/event"
)

func TestAddresses(t *testing.T) {
	const v4, v6 = "203.0.113.7", "2001:db8::21"
	rows := map[string][2]string{
		v4: {v4, ""}, v4 + ":51234": {v4, "51234"}, v4 + "-51234": {v4, "51234"}, "[" + v4 + "]:5": {v4, "5"}, "[" + v4 + "]": {v4, ""}, v4 + "/32": {v4, ""}, v4 + "/32:5": {v4, "5"},
		v6: {v6, ""}, "[" + v6 + "]": {v6, ""}, "[" + v6 + "]:443": {v6, "443"}, "[" + v6 + "]-443": {v6, "443"}, v6 + "-443": {v6, "443"}, v6 + "/64": {v6, ""}, "[" + v6 + "]/64": {v6, ""},
		"2001:DB8:0::21": {v6, ""}, "2001:db8:1:2:3:4:5:6:443": {"2001:db8:1:2:3:4:5:6", "443"}, v6 + ":51234": {v6, "51234"},
		"fe80::1%eth0": {"fe80::1", ""}, "[fe80::1%12]:443": {"fe80::1", "443"}, "::ffff:203.0.113.7": {v4, ""}, "::FFFF:203.0.113.7": {v4, ""}, "[::ffff:203.0.113.7]:1": {v4, "1"}, "::ffff:203.0.113.7-1": {v4, "1"},
		// ports
		v4 + ":0": {v4, "0"}, v4 + ":65535": {v4, "65535"}, v4 + ":65536": {v4, ""}, v4 + ":-443": {v4, ""}, v4 + ":+443": {v4, ""}, v4 + "--443": {v4, ""}, v4 + ":https": {v4, ""}, v4 + ":": {v4, ""}, v4 + ":0443": {v4, "443"}, v4 + ":000": {v4, "0"},
		"[" + v6 + "]:65536": {v6, ""}, "[" + v6 + "]:-1": {v6, ""}, "[" + v6 + "]--1": {v6, ""}, "[" + v6 + "]:x": {v6, ""}, v4 + ":99999999999999999999": {v4, ""}, v4 + ":1e3": {v4, ""},
		// blanks and line ends
		" " + v4 + " ": {v4, ""}, "\t" + v4 + ":5\r\n": {v4, "5"}, "\n[" + v6 + "]:5 ": {v6, "5"}, " " + v6 + "\n": {v6, ""},
		// lists
		"192.0.2.1, 198.51.100.21": {"192.0.2.1", ""}, "192.0.2.1,198.51.100.21:5": {"192.0.2.1", ""}, "unknown, 198.51.100.21": {"198.51.100.21", ""}, "127.0.0.1:5, 198.51.100.21:6": {"198.51.100.21", "6"},
		"192.0.2.1:5, 198.51.100.21": {"192.0.2.1", "5"}, ", ,[::1]:443,[" + v6 + "]:7": {v6, "7"}, "10.0.0.1, 198.51.100.21": {"10.0.0.1", ""},
		// none
		"": {}, "-": {}, "unknown": {}, "<null>": {}, "Not Available": {}, "localhost:99": {}, "mail.example.com": {}, "mail.example.com:443": {}, "https://203.0.113.7": {}, "203.0.113.007": {}, "256.0.0.1": {}, "256.0.0.1:443": {}, "203.0.113": {}, "203.0.113.7/33": {}, v6 + "/129": {}, v6 + "/x": {},
		"::1": {}, "[::1]": {}, "[::1]:443": {}, "[::1]-443": {}, "::1:443": {}, "::1-443": {}, "127.0.0.1": {}, "127.9.9.9:80": {}, "[127.0.0.1]:80": {}, "::ffff:127.0.0.1": {}, "[::ffff:127.0.0.1]:80": {}, "0.0.0.0": {}, "0.0.0.0:80": {}, "::": {}, "[::]:80": {}, "[::]": {}, ":::80": {}, "::ffff:0.0.0.0": {},
		"[" + v6: {}, "[" + v6 + "]443": {}, v6 + "]:443": {}, "[]": {}, "[]:443": {}, ":443": {}, ":": {}, ",": {}, "203.0.113.7%eth0": {}, "fe80::1%": {}, "203.0.113.7 443": {},
	}
	for s, want := range rows {
		if ip, port := Address(s); ip != want[0] || port != want[1] {
			t.Errorf("%q is %q %q, want %q", s, ip, port, want)
		}
	}
}

// TestAddressesInEveryDress: any address, its text in any shape, alone and in a list behind what is none.
func TestAddressesInEveryDress(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	blanks := []string{"", " ", "\t", "\r\n"}
	for range 20_000 {
		a := randomAddress(rnd)
		text, port := a.String(), ""
		if a.Is4() && rnd.IntN(4) == 0 {
			text = "::ffff:" + text
		}
		if rnd.IntN(3) == 0 {
			text = strings.ToUpper(text)
		}
		if rnd.IntN(4) == 0 {
			text += "/" + strconv.Itoa(rnd.IntN(33))
		}
		bracketed := rnd.IntN(2) == 0
		if bracketed {
			text = "[" + text + "]"
		}
		if rnd.IntN(2) == 0 {
			port = strconv.Itoa(rnd.IntN(65536))
			separator := "-"
			if rnd.IntN(2) == 0 && (bracketed || a.Is4()) {
				separator = ":"
			}
			text += separator + port
		}
		text = blanks[rnd.IntN(len(blanks))] + text + blanks[rnd.IntN(len(blanks))]
		if rnd.IntN(3) == 0 {
			text = []string{"unknown", "127.0.0.1:5", "[::1]:5", "mail.example.com", "", "-"}[rnd.IntN(6)] + "," + text + ",192.0.2.99:1"
		}
		if ip, p := Address(text); ip != a.String() || p != port {
			t.Fatalf("%q is %q %q, want %q %q", text, ip, p, a, port)
		}
	}
}

// randomAddress is an address that a client can have.
func randomAddress(rnd *rand.Rand) netip.Addr {
	if rnd.IntN(2) == 0 {
		return netip.AddrFrom4([4]byte{byte(1 + rnd.IntN(126)), byte(rnd.IntN(256)), byte(rnd.IntN(256)), byte(rnd.IntN(256))})
	}
	b := [16]byte{0x20, 0x01, 0x0d, 0xb8}
	for i := 4; i < 16; i++ {
		if rnd.IntN(2) == 0 {
			b[i] = byte(rnd.IntN(256))
		}
	}
	return netip.AddrFrom16(b)
}

// addressed are records of each shape with an address in each of its places.
var addressed = []struct {
	name, record string
	places       []string
}{
	{"audit log", admin(`"Operation":"x"%s`), []string{"ClientIP", "ClientIPAddress", "Client_IPAddress", "ActorIpAddress"}},
	{"diagnostic settings", `{"time":"2026-01-02T03:04:05Z","category":"SignInLogs"%[3]s,"properties":{"id":"1","userPrincipalName":"aoi@contoso.example"%[1]s,"initiatedBy":{"user":{"id":"u"%[2]s}}}}`, []string{"ipAddress", "ipAddress", "callerIpAddress"}},
	{"Microsoft Graph", `{"id":"1","activityDateTime":"2026-01-02T03:04:05Z","activityDisplayName":"x"%s,"initiatedBy":{"user":{"id":"u"%s}}}`, []string{"ipAddress", "ipAddress"}},
	{"Defender XDR", `{"time":"2026-01-02T03:04:05Z","category":"AdvancedHunting-CloudAppEvents","properties":{"Timestamp":"2026-01-02T03:04:05Z"%s}}`, []string{"IPAddress", "SenderIPv4", "SenderIPv6"}},
	{"message trace", `{"MessageTraceId":"1","Received":"2026-01-02T03:04:05Z","SenderAddress":"a@contoso.example","RecipientAddress":"b@contoso.example","Status":"Delivered"%s}`, []string{"FromIP"}},
	{"no known kind", `{"time":"2026-01-02T03:04:05Z"%[2]s%[3]s%[4]s,"properties":{"a":1%[1]s}}`, []string{"IPAddress", "callerIpAddress", "ClientIP", "ipAddress"}},
}

// filled puts values into the places of a record, "" leaves one away.
func filled(record string, places, values []string) string {
	var members []any
	for i, place := range places {
		member := ""
		if values[i] != "" {
			member = fmt.Sprintf(`,%q:%s`, place, values[i])
		}
		members = append(members, member)
	}
	if !strings.Contains(record, "%[") && strings.Count(record, "%s") < len(places) {
		all := ""
		for _, m := range members {
			all += m.(string)
		}
		return fmt.Sprintf(record, all)
	}
	return fmt.Sprintf(record, members...)
}

// TestTheFirstUsableAddressCounts: whatever stands in the places before it, and the port is its own.
func TestTheFirstUsableAddressCounts(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	none := []string{"", "null", `""`, `" "`, `"-"`, `"<null>"`, `"NULL"`, `"Not Available"`, `"Unknown"`, `"N/A"`, `"0.0.0.0"`, `"0.0.0.0:80"`, `"::"`, `"[::]:80"`, `"::1"`, `"[::1]:443"`, `"127.0.0.1"`, `"127.0.0.1:8080"`, `"mail.example.com"`, `"mail.example.com:443"`, `17`, `true`, `{}`, `[]`}
	usable := [][3]string{{`"198.51.100.21"`, "198.51.100.21", ""}, {`"198.51.100.21:40001"`, "198.51.100.21", "40001"}, {`"[2001:db8::21]-443"`, "2001:db8::21", "443"}, {`"10.0.0.8"`, "10.0.0.8", ""}}
	for _, shape := range addressed {
		r := reader()
		for range 500 {
			values, want := make([]string, len(shape.places)), [3]string{}
			for i := range values {
				if rnd.IntN(3) == 0 {
					u := usable[rnd.IntN(len(usable))]
					if values[i] = u[0]; want[1] == "" {
						want = u
					}
				} else {
					values[i] = none[rnd.IntN(len(none))]
				}
			}
			rec := filled(shape.record, shape.places, values)
			if err := r.ReadAlone([]byte(rec), time.Time{}); err != nil {
				t.Fatalf("%s: %v", rec, err)
			}
			if ip, port := r.field("source.ip"), r.field("source.port"); ip != want[1] || port != want[2] {
				t.Fatalf("%s: %s has %q %q, want %q", shape.name, rec, ip, port, want[1:])
			}
			s, _ := r.plan.layout.Find("source.ip")
			if r.Has(s) != (want[1] != "") || r.Event.Text(event.SourceIP) != want[1] {
				t.Fatalf("%s: %s has an address: %v", shape.name, rec, r.Has(s))
			}
		}
	}
}

// FuzzAddress: what comes out is an address as Go writes it and a port, and reads as itself.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{"203.0.113.7", "203.0.113.7:51234", "[2001:db8::21]-443", "[::1]:443", "192.0.2.1, 198.51.100.21", "fe80::1%eth0", "::ffff:203.0.113.7", "2001:db8::/64", "0.0.0.0:0", "<null>", "[2001:db8::21]:65536", "\r\n203.0.113.7-1 "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ip, port := Address(s)
		if ip == "" {
			if port != "" {
				t.Fatalf("%q has the port %q without an address", s, port)
			}
			return
		}
		a, err := netip.ParseAddr(ip)
		if err != nil || a.String() != ip || a.Zone() != "" || a.Is4In6() || a.IsLoopback() || a.IsUnspecified() {
			t.Fatalf("%q is %q: %v", s, ip, err)
		}
		if n, err := strconv.ParseUint(port, 10, 16); port != "" && (err != nil || strconv.FormatUint(n, 10) != port) {
			t.Fatalf("%q has the port %q", s, port)
		}
		if again, _ := Address(ip); again != ip {
			t.Fatalf("%q is %q, which is %q", s, ip, again)
		}
	})
}
