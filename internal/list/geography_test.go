package list

import (
	"bytes"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
	"github.com/oschwald/maxminddb-golang/v2"

	"noroshi/internal/event"
	"noroshi/internal/strictyaml"
)

// built is when the databases of these tests were built: 2026-01-02T03:04:05Z.
const built = 1767323045

type entries = map[string]mmdbtype.DataType

// mmdb is a database of networks.
func mmdb(t testing.TB, kind string, ipVersion int, all entries) []byte {
	t.Helper()
	w, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: kind, IPVersion: ipVersion, RecordSize: 24, BuildEpoch: built, IncludeReservedNetworks: true})
	if err != nil {
		t.Fatal(err)
	}
	for text, data := range all {
		_, network, err := net.ParseCIDR(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Insert(network, data); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if _, err := w.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func named(en string) mmdbtype.Map {
	return mmdbtype.Map{"names": mmdbtype.Map{"en": mmdbtype.String(en), "ja": mmdbtype.String("都市")}}
}

// amsterdam is an entry as MaxMind's city databases have it.
func amsterdam() mmdbtype.Map {
	part := named("North Holland")
	part["iso_code"] = mmdbtype.String("NH")
	return mmdbtype.Map{
		"city": named("Amsterdam"), "country": mmdbtype.Map{"iso_code": mmdbtype.String("NL")}, "subdivisions": mmdbtype.Slice{part},
		"location": mmdbtype.Map{"latitude": mmdbtype.Float64(52.3676), "longitude": mmdbtype.Float64(4.9041), "accuracy_radius": mmdbtype.Uint16(20)},
	}
}

func system(n uint32, name string) mmdbtype.Map {
	return mmdbtype.Map{"autonomous_system_number": mmdbtype.Uint32(n), "autonomous_system_organization": mmdbtype.String(name)}
}

// geography reads databases by their file names.
func geography(t testing.TB, files map[string][]byte, order ...string) (*Geography, *strictyaml.Doc) {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d := strictyaml.Parse("noroshi.yaml", []byte("- "+strings.Join(order, "\n- ")+"\n"))
	return ReadGeography(d, d.Root, dir), d
}

const from = " 2026-01-02T03:04:05Z"

// TestEveryMakersDatabaseSaysTheSame: the entries as MaxMind, DB-IP and IPinfo lay them out.
func TestEveryMakersDatabaseSaysTheSame(t *testing.T) {
	type text = mmdbtype.String
	city := func(kind string, code string) event.Place {
		return event.Place{Country: "NL", Regions: []event.Region{{Code: code, Name: "North Holland"}}, City: "Amsterdam", Location: "52.3676,4.9041", From: kind + from}
	}
	network := func(kind string) event.Place {
		return event.Place{Number: "64500", Organization: "Example Telecom", NumberFrom: kind + from}
	}
	for _, c := range []struct {
		kind  string
		entry mmdbtype.Map
		want  event.Place
	}{
		{"GeoLite2-City", amsterdam(), city("GeoLite2-City", "NL-NH")},
		{"GeoLite2-Country", mmdbtype.Map{"country": mmdbtype.Map{"iso_code": text("NL")}, "registered_country": mmdbtype.Map{"iso_code": text("US")}}, event.Place{Country: "NL", From: "GeoLite2-Country" + from}},
		{"GeoLite2-ASN", system(64500, "Example Telecom"), network("GeoLite2-ASN")},
		{"GeoIP2-Enterprise", mmdbtype.Map{"traits": system(64500, "Example Telecom")}, network("GeoIP2-Enterprise")},
		{"DBIP-City-Lite", mmdbtype.Map{"city": named("Amsterdam"), "country": mmdbtype.Map{"iso_code": text("NL")}, "subdivisions": mmdbtype.Slice{named("North Holland")},
			"location": mmdbtype.Map{"latitude": mmdbtype.Float32(52.3676), "longitude": mmdbtype.Float32(4.9041)}}, city("DBIP-City-Lite", "")},
		{"ipinfo standard_location.mmdb", mmdbtype.Map{"city": text("Amsterdam"), "region": text("North Holland"), "country": text("NL"), "lat": text("52.3676"), "lng": text("4.9041"), "postal_code": text("1012")}, city("ipinfo standard_location.mmdb", "")},
		{"ipinfo generic_plus.mmdb", mmdbtype.Map{"city": text("Amsterdam"), "region": text("North Holland"), "region_code": text("NH"), "country": text("Netherlands"), "country_code": text("NL"), "latitude": mmdbtype.Float64(52.3676), "longitude": mmdbtype.Float64(4.9041)}, city("ipinfo generic_plus.mmdb", "NL-NH")},
		{"ipinfo standard_asn.mmdb", mmdbtype.Map{"asn": text("AS64500"), "name": text("Example Telecom"), "type": text("isp")}, network("ipinfo standard_asn.mmdb")},
		{"of unknown countries", mmdbtype.Map{"country": mmdbtype.Map{"iso_code": text("ZZ")}, "asn": text("AS64500")}, event.Place{Number: "64500", NumberFrom: "of unknown countries" + from}},
		{"of a country's middle", mmdbtype.Map{"country": mmdbtype.Map{"iso_code": text("US")}, "location": mmdbtype.Map{"latitude": mmdbtype.Float64(37.751), "longitude": mmdbtype.Float64(-97.822), "accuracy_radius": mmdbtype.Uint16(1000)}},
			event.Place{Country: "US", From: "of a country's middle" + from}},
		{"of odd types", mmdbtype.Map{"country": mmdbtype.Slice{text("NL")}, "city": mmdbtype.Uint16(7), "location": text("here"), "asn": mmdbtype.Map{}, "country_code": text("nl")}, event.Place{Country: "NL", From: "of odd types" + from}},
	} {
		g, d := geography(t, map[string][]byte{"a.mmdb": mmdb(t, c.kind, 6, entries{"203.0.113.0/24": c.entry, "2001:db8::/32": c.entry})}, "a.mmdb")
		if len(d.Problems) > 0 {
			t.Errorf("%s: %v", c.kind, d.Problems)
			continue
		}
		for _, ip := range []string{"203.0.113.7", "2001:db8::7", "::ffff:203.0.113.7"} {
			got := g.Place(ip)
			if strings.Contains(c.kind, "DBIP") {
				got.Location = strings.ReplaceAll(got.Location, "52.367599,4.9041", "52.3676,4.9041") // its numbers are short
			}
			if diff := cmp.Diff(got, c.want); diff != "" {
				t.Errorf("%s, %s: %s", c.kind, ip, diff)
			}
		}
		for _, ip := range []string{"198.51.100.7", "2001:db9::7", "", "host.example"} {
			if diff := cmp.Diff(g.Place(ip), event.Place{}); diff != "" {
				t.Errorf("%s, %s: %s", c.kind, ip, diff)
			}
		}
	}
}

// TestPlacesOfTwoDatabasesAreNotMixed: each of place and network is one database's alone, the first that knows the address.
func TestPlacesOfTwoDatabasesAreNotMixed(t *testing.T) {
	country := func(code string) mmdbtype.Map {
		return mmdbtype.Map{"country": mmdbtype.Map{"iso_code": mmdbtype.String(code)}}
	}
	files := map[string][]byte{
		"country.mmdb": mmdb(t, "Country", 4, entries{"203.0.113.0/24": country("DE")}),
		"city.mmdb":    mmdb(t, "City", 6, entries{"203.0.113.0/24": amsterdam(), "198.51.100.0/24": amsterdam(), "2001:db8::/32": amsterdam()}),
		"asn.mmdb":     mmdb(t, "ASN", 6, entries{"203.0.113.0/24": system(64500, "Example Telecom")}),
	}
	g, d := geography(t, files, "country.mmdb", "city.mmdb", "asn.mmdb")
	if len(d.Problems) > 0 {
		t.Fatal(d.Problems)
	}
	want := event.Place{Country: "DE", From: "Country" + from, Number: "64500", Organization: "Example Telecom", NumberFrom: "ASN" + from}
	if diff := cmp.Diff(g.Place("203.0.113.7"), want); diff != "" {
		t.Error(diff)
	}
	for _, ip := range []string{"198.51.100.7", "2001:db8::1"} {
		if p := g.Place(ip); p.City != "Amsterdam" || p.NumberFrom != "" || p.From != "City"+from {
			t.Errorf("%s: %+v", ip, p)
		}
	}
	if got := g.Databases(); len(got) != 3 || got[1] != "City"+from {
		t.Error(got)
	}
}

func TestBrokenDatabasesAreTold(t *testing.T) {
	whole := mmdb(t, "GeoLite2-City", 6, entries{"203.0.113.0/24": amsterdam()})
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "its end is missing"},
		{"text", []byte("203.0.113.0/24,NL\n"), "this is no MaxMind DB file (.mmdb)"},
		{"cut off", whole[:len(whole)/2], "its end is missing"},
		{"a byte short", whole[:len(whole)-1], "the database is broken"},
		{"begins too late", whole[200:], "the database is broken"},
		{"tells something else", mmdb(t, "GeoIP2-Anonymous-IP", 6, entries{"203.0.113.0/24": mmdbtype.Map{"is_anonymous": mmdbtype.Bool(true)}}), "(GeoIP2-Anonymous-IP 2026-01-02T03:04:05Z) tells neither places nor autonomous systems"},
		{"holds nothing", mmdb(t, "GeoLite2-City", 6, nil), "tells neither places"},
	} {
		_, d := geography(t, map[string][]byte{"a.mmdb": c.data}, "a.mmdb")
		if len(d.Problems) != 1 || !strings.Contains(d.Problems[0].Message, c.want) || d.Problems[0].Line != 1 || d.Problems[0].Column != 3 {
			t.Errorf("%s: %+v", c.name, d.Problems)
		}
	}
	_, d := geography(t, nil, "none.mmdb", ".")
	if len(d.Problems) != 2 {
		t.Error(d.Problems)
	}
}

// TestHugeDatabaseIsRefusedUnread: a file with a hole takes no room on the disk, and must take none in memory.
func TestHugeDatabaseIsRefusedUnread(t *testing.T) {
	path := filepath.Join(t.TempDir(), "huge.mmdb")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(MaxDatabase + 1); err != nil {
		t.Skip("the file system has no files with holes:", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	d := strictyaml.Parse("noroshi.yaml", []byte("- '"+path+"'"))
	ReadGeography(d, d.Root, "")
	if len(d.Problems) != 1 || !strings.Contains(d.Problems[0].Message, "it has more than 2147483647 bytes") {
		t.Error(d.Problems)
	}
}

// TestDatabaseOutlivesItsFile: it is read as a whole, so what becomes of the file changes nothing.
func TestDatabaseOutlivesItsFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.mmdb")
	if err := os.WriteFile(path, mmdb(t, "GeoLite2-City", 6, entries{"203.0.113.0/24": amsterdam()}), 0o600); err != nil {
		t.Fatal(err)
	}
	read := func() *Geography {
		d := strictyaml.Parse("noroshi.yaml", []byte("[a.mmdb]"))
		g := ReadGeography(d, d.Root, dir)
		if len(d.Problems) > 0 {
			t.Fatal(d.Problems)
		}
		return g
	}
	old := read()
	if err := os.Truncate(path, 100); err != nil {
		t.Fatal(err)
	}
	if got := old.Place("203.0.113.7").City; got != "Amsterdam" {
		t.Errorf("got %q", got)
	}
	moved := amsterdam()
	moved["city"] = named("Haarlem")
	if err := os.WriteFile(path, mmdb(t, "GeoLite2-City", 6, entries{"203.0.113.0/24": moved}), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := read().Place("203.0.113.7").City; got != "Haarlem" {
		t.Errorf("read anew: got %q", got)
	}
	if got := old.Place("203.0.113.7").City; got != "Amsterdam" {
		t.Errorf("the old one: got %q", got)
	}
}

// TestSpoiltDatabasesNeverPanic: whatever bytes are spoilt, reading and looking up end, with an answer or without.
func TestSpoiltDatabasesNeverPanic(t *testing.T) {
	whole := mmdb(t, "GeoLite2-City", 6, entries{"203.0.113.0/24": amsterdam(), "198.51.100.0/24": system(64500, "Example Telecom"), "2001:db8::/32": amsterdam()})
	r := rand.New(rand.NewPCG(1, 2))
	opened := 0
	for range 20_000 {
		data := bytes.Clone(whole)
		for range 1 + r.IntN(4) {
			at := r.IntN(len(data))
			if r.IntN(2) == 0 { // the data lies behind the tree
				at = len(data) - 1 - r.IntN(min(len(data), 700))
			}
			data[at] = byte(r.Uint32())
		}
		if one, wrong := openDatabase(data); wrong == "" {
			opened++
			g := &Geography{databases: []*database{one}}
			for _, ip := range []string{"203.0.113.7", "198.51.100.7", "2001:db8::1", "::1"} {
				g.Place(ip)
			}
		}
	}
	if opened == 0 {
		t.Error("no spoilt database could be opened")
	}
}

// TestSpoiltTreeEnds: each node leads twice to the next one, so that there are more ways through the tree than anybody can go.
func TestSpoiltTreeEnds(t *testing.T) {
	data := mmdb(t, "GeoLite2-City", 6, entries{"203.0.113.0/24": amsterdam(), "2001:db8::/32": amsterdam()})
	r, err := maxminddb.OpenBytes(data)
	if err != nil {
		t.Fatal(err)
	}
	nodes := int(r.Metadata.NodeCount)
	const deep = 60
	for i := range deep {
		next := i + 1
		if next == deep {
			next = nodes // nothing
		}
		for side := range 2 {
			at := data[6*i+3*side:]
			at[0], at[1], at[2] = byte(next>>16), byte(next>>8), byte(next)
		}
	}
	if _, wrong := openDatabase(data); !strings.Contains(wrong, "tells neither places") && !strings.Contains(wrong, "broken") {
		t.Errorf("got %q", wrong)
	}
}

// FuzzDatabase: whatever the bytes, reading and looking up end, and what is told is short and in range.
func FuzzDatabase(f *testing.F) {
	f.Add(mmdb(f, "GeoLite2-City", 6, entries{"203.0.113.0/24": amsterdam(), "2001:db8::/32": amsterdam()}))
	f.Add(mmdb(f, "GeoLite2-ASN", 4, entries{"203.0.113.0/24": system(64500, "Example Telecom")}))
	f.Fuzz(func(t *testing.T, data []byte) {
		one, wrong := openDatabase(data)
		if wrong != "" {
			return
		}
		g := &Geography{databases: []*database{one}}
		for _, ip := range []string{"203.0.113.7", "2001:db8::1"} {
			p := g.Place(ip)
			_, _, ok := event.ParseLocation(p.Location)
			if len(p.City) > maxWords || p.Country != "" && len(p.Country) != 2 || p.Location != "" && !ok {
				t.Errorf("%+v", p)
			}
		}
	})
}

func BenchmarkPlace(b *testing.B) {
	g, d := geography(b, map[string][]byte{"a.mmdb": mmdb(b, "GeoLite2-City", 6, entries{"203.0.113.0/24": amsterdam()})}, "a.mmdb")
	if len(d.Problems) > 0 {
		b.Fatal(d.Problems)
	}
	b.ReportAllocs()
	for b.Loop() {
		g.Place("203.0.113.7")
	}
}
