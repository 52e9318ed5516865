package decode

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"noroshi/internal/event"
)

// TestPlaceOfTheRecord: the record's own words for where the client is, in every shape that has some.
func TestPlaceOfTheRecord(t *testing.T) {
	diagnostic := func(properties string) string {
		return `{"time":"2026-01-02T03:04:05Z","category":"SignInLogs","tenantId":"t","properties":{"id":"1","createdDateTime":"2026-01-02T03:04:05Z","userPrincipalName":"taro@contoso.example",` + properties + `}}`
	}
	place := func(coordinates string) string {
		return `{"city":"Amsterdam","state":"Noord-Holland","countryOrRegion":"NL","geoCoordinates":` + coordinates + `}`
	}
	nameOnly := []string{"NL", "Noord-Holland", "Amsterdam", ""}
	whole := []string{"NL", "Noord-Holland", "Amsterdam", "52.3676,4.9041"}
	for _, c := range []struct {
		name, rec string
		want      []string // country, region, city, location
	}{
		{"diagnostic setting", diagnostic(`"location":` + place(`{"altitude":0,"latitude":52.3676,"longitude":4.9041}`)), whole},
		{"diagnostic setting, numbers as text", diagnostic(`"location":` + place(`{"latitude":"52.3676","longitude":" 4.9041 "}`)), whole},
		{"Microsoft Graph", `{"id":"1","createdDateTime":"2026-01-02T03:04:05Z","userPrincipalName":"taro@contoso.example","appId":"a","status":{"errorCode":0},"ipAddress":"203.0.113.7","location":` + place(`{"latitude":52.3676,"longitude":4.9041}`) + `}`, whole},
		{"table of Log Analytics", `{"Type":"SigninLogs","TimeGenerated":"2026-01-02T03:04:05Z","Id":"1","CreatedDateTime":"2026-01-02T03:04:05Z","UserPrincipalName":"taro@contoso.example","ResultType":"0","Location":"NL","LocationDetails":` + place(`{"latitude":52.3676,"longitude":4.9041}`) + `}`, whole},
		{"table of Log Analytics, exported", `{"Type":"SigninLogs","TimeGenerated":"2026-01-02T03:04:05Z","Id":"1","CreatedDateTime":"2026-01-02T03:04:05Z","UserPrincipalName":"taro@contoso.example","ResultType":"0","Location":"NL","LocationDetails":` +
			fmt.Sprintf("%q", place(`{"latitude":52.3676,"longitude":4.9041}`)) + `}`, whole},
		{"both are 0", diagnostic(`"location":` + place(`{"latitude":0,"longitude":0}`)), nameOnly},
		{"latitude alone", diagnostic(`"location":` + place(`{"latitude":52.3676}`)), nameOnly},
		{"longitude is null", diagnostic(`"location":` + place(`{"latitude":52.3676,"longitude":null}`)), nameOnly},
		{"out of range", diagnostic(`"location":` + place(`{"latitude":152.3676,"longitude":4.9041}`)), nameOnly},
		{"coordinates are no object", diagnostic(`"location":` + place(`"52.3676,4.9041"`)), nameOnly},
		{"empty texts", diagnostic(`"location":{"city":"","state":"","countryOrRegion":"","geoCoordinates":{}}`), []string{"", "", "", ""}},
		{"the envelope's country alone", `{"time":"2026-01-02T03:04:05Z","category":"SignInLogs","location":"nl","properties":{"id":"1","createdDateTime":"2026-01-02T03:04:05Z"}}`, []string{"NL", "", "", ""}},
		{"region of a data centre", `{"time":"2026-01-02T03:04:05Z","category":"MicrosoftGraphActivityLogs","location":"West Europe","properties":{"requestId":"1","timeGenerated":"2026-01-02T03:04:05Z"}}`, []string{"", "", "", ""}},
		{"logon to a domain", `{"time":"2026-01-02T03:04:05Z","category":"AdvancedHunting-IdentityLogonEvents","properties":{"Timestamp":"2026-01-02T03:04:05Z","ActionType":"LogonSuccess","AccountUpn":"taro@contoso.example","Application":"Active Directory","Location":"FR"}}`, []string{"FR", "", "", ""}},
	} {
		r := read(t, c.rec)
		for i, field := range []string{"source.geo.country_iso_code", "source.geo.region_name", "source.geo.city_name", "source.geo.location"} {
			if got := r.field(field); got != c.want[i] {
				t.Errorf("%s: %s is %q, want %q", c.name, field, got, c.want[i])
			}
			slot, _ := r.plan.layout.Find(field)
			if r.Event.Has(slot) != (c.want[i] != "") && field == "source.geo.location" {
				t.Errorf("%s: has(%s) is wrong", c.name, field)
			}
		}
	}
}

// TestLocationAsNumbers: what needs the distance asks the event for two numbers.
func TestLocationAsNumbers(t *testing.T) {
	r := read(t, `{"time":"2026-01-02T03:04:05Z","category":"SignInLogs","properties":{"id":"1","createdDateTime":"2026-01-02T03:04:05Z","location":{"geoCoordinates":{"latitude":52.3676,"longitude":4.9041}}}}`)
	slot, ok := r.plan.layout.Find("source.geo.location")
	lat, lon, there := r.Event.Location(slot)
	if !ok || !there || lat != 52.3676 || lon != 4.9041 {
		t.Errorf("got %v, %v, %v", lat, lon, there)
	}
	if _, _, there := r.Event.Location(event.Account); there {
		t.Error("an account is a place")
	}
}

// placed reads a record beside a database that knows one address: a part of Amsterdam, in the network of Example Telecom.
func placed(t *testing.T, rec string, know func(p *event.Place)) *Reader {
	t.Helper()
	p := event.Place{Country: "NL", Regions: []event.Region{{Code: "NL-NH", Name: "North Holland"}, {Code: "NL-AMS", Name: "Groot-Amsterdam"}}, City: "Amsterdam", Location: "52.3676,4.9041",
		From: "City", Number: "64500", Organization: "Example Telecom", NumberFrom: "ASN"}
	if know != nil {
		know(&p)
	}
	l := event.NewLayout()
	for _, f := range event.Fields() {
		l.Slot(f.Name)
	}
	r := NewPlan(l, Options{Place: func(ip string) event.Place {
		if ip != "203.0.113.7" {
			return event.Place{}
		}
		return p
	}}).Reader()
	if err := r.ReadAlone([]byte(rec), time.Time{}); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestDatabaseAddsToTheRecordAndNeverContradictsIt: what the record says counts, and the database adds to it only where it says the
// same of all that the record tells.
func TestDatabaseAddsToTheRecordAndNeverContradictsIt(t *testing.T) {
	signIn := func(location string) string {
		return `{"time":"2026-01-02T03:04:05Z","category":"SignInLogs","properties":{"id":"1","createdDateTime":"2026-01-02T03:04:05Z","ipAddress":"203.0.113.7","location":{` + location + `}}}`
	}
	row := func(columns string) string {
		return `{"time":"2026-01-02T03:04:05Z","category":"AdvancedHunting-CloudAppEvents","properties":{"Timestamp":"2026-01-02T03:04:05Z","ActionType":"x","IPAddress":"203.0.113.7",` + columns +
			`"RawEventData":{"CreationTime":"2026-01-02T03:04:05","Id":"1","Operation":"MailItemsAccessed","RecordType":2,"ClientIP":"203.0.113.7"}}}`
	}
	const audit = `{"CreationTime":"2026-01-02T03:04:05","Id":"1","Operation":"UserLoggedIn","RecordType":15,"ClientIP":"203.0.113.7"}`
	const all = "NL|NL-AMS|Groot-Amsterdam|Amsterdam|52.3676,4.9041|City"
	for _, c := range []struct {
		name, rec string
		know      func(p *event.Place)
		want      string // country, region's code and name, city, location, database
	}{
		{"the record says nothing", audit, nil, all},
		{"another address", strings.Replace(audit, "203.0.113.7", "198.51.100.7", 1), nil, "|||||"},
		{"no address", strings.Replace(audit, "203.0.113.7", "", 1), nil, "|||||"},
		{"the same country", signIn(`"countryOrRegion":"NL"`), nil, all},
		{"another country", signIn(`"countryOrRegion":"DE"`), nil, "DE|||||"},
		{"another country with a city", signIn(`"countryOrRegion":"DE","city":"Amsterdam"`), nil, "DE|||Amsterdam||"},
		{"a city of that name", signIn(`"countryOrRegion":"NL","city":"amsterdam"`), nil, "NL|NL-AMS|Groot-Amsterdam|amsterdam|52.3676,4.9041|City"},
		{"another city", signIn(`"countryOrRegion":"NL","city":"Haarlem"`), nil, "NL|||Haarlem||"},
		{"the wider region", signIn(`"countryOrRegion":"NL","state":"north holland"`), nil, "NL|NL-NH|north holland|Amsterdam|52.3676,4.9041|City"},
		{"the wider region's code", signIn(`"countryOrRegion":"NL","state":"NH"`), nil, "NL|NL-NH|NH|Amsterdam|52.3676,4.9041|City"},
		{"another region", signIn(`"countryOrRegion":"NL","state":"Utrecht"`), nil, "NL||Utrecht|||"},
		{"coordinates without a city", signIn(`"countryOrRegion":"NL","geoCoordinates":{"latitude":51,"longitude":4}`), nil, "NL||||51,4|"},
		{"coordinates of the city", signIn(`"countryOrRegion":"NL","city":"Amsterdam","geoCoordinates":{"latitude":52.4,"longitude":4.9}`), nil, "NL|NL-AMS|Groot-Amsterdam|Amsterdam|52.4,4.9|City"},
		{"coordinates that Microsoft does not know", signIn(`"countryOrRegion":"NL","city":"Amsterdam","geoCoordinates":{"latitude":0,"longitude":0}`), nil, "NL|NL-AMS|Groot-Amsterdam|Amsterdam|52.3676,4.9041|City"},
		{"the row around says the country", row(`"CountryCode":"NL",`), nil, all},
		{"the row around says another country", row(`"CountryCode":"DE","City":"Berlin",`), nil, "DE|||Berlin||"},
		{"a database of countries", audit, func(p *event.Place) { p.Regions, p.City, p.Location = nil, "", "" }, "NL|||||City"},
		{"a database of countries beside a city", signIn(`"city":"Amsterdam"`), func(p *event.Place) { p.Regions, p.City, p.Location = nil, "", "" }, "|||Amsterdam||"},
	} {
		r := placed(t, c.rec, c.know)
		from, _ := r.databases()
		got := strings.Join([]string{r.field("source.geo.country_iso_code"), r.field("source.geo.region_iso_code"), r.field("source.geo.region_name"), r.field("source.geo.city_name"), r.field("source.geo.location"), from}, "|")
		if got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// TestNetworkOfTheRecordAndOfTheDatabase: a name never stands beside the number of another network.
func TestNetworkOfTheRecordAndOfTheDatabase(t *testing.T) {
	signIn := func(more string) string {
		return `{"time":"2026-01-02T03:04:05Z","category":"SignInLogs","properties":{"id":"1","createdDateTime":"2026-01-02T03:04:05Z","ipAddress":"203.0.113.7"` + more + `}}`
	}
	const row = `{"time":"2026-01-02T03:04:05Z","category":"AdvancedHunting-CloudAppEvents","properties":{"Timestamp":"2026-01-02T03:04:05Z","ActionType":"x","IPAddress":"203.0.113.7","ISP":"Example Cable"}}`
	for _, c := range []struct{ name, rec, want string }{
		{"the record says nothing", signIn(""), "64500|Example Telecom|ASN"},
		{"the same number", signIn(`,"autonomousSystemNumber":64500`), "64500|Example Telecom|ASN"},
		{"another number", signIn(`,"autonomousSystemNumber":64501`), "64501||"},
		{"no number", signIn(`,"autonomousSystemNumber":0`), "64500|Example Telecom|ASN"},
		{"a name", row, "64500|Example Cable|ASN"},
	} {
		r := placed(t, c.rec, nil)
		_, from := r.databases()
		if got := strings.Join([]string{r.field("source.as.number"), r.field("source.as.organization.name"), from}, "|"); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
	if got := read(t, signIn(`,"autonomousSystemNumber":0`)).field("source.as.number"); got != "" {
		t.Errorf("an unknown network has the number %s", got)
	}
}

// TestPlacesAreAskedForOnce: of each address, and only where a field is wanted that the record lacks.
func TestPlacesAreAskedForOnce(t *testing.T) {
	asked := 0
	l := event.NewLayout()
	r := NewPlan(l, Options{Place: func(string) event.Place {
		asked++
		return event.Place{Country: "NL", From: "City"}
	}}).Reader()
	read := func(ip string) {
		rec := `{"CreationTime":"2026-01-02T03:04:05","Id":"1","Operation":"UserLoggedIn","RecordType":15,"ClientIP":"` + ip + `"}`
		if err := r.ReadAlone([]byte(rec), time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	read("203.0.113.7")
	r.Identity()
	if asked != 0 {
		t.Errorf("asked %d times for what nobody wants", asked)
	}
	for range 3 {
		read("203.0.113.7")
		r.field("source.geo.country_iso_code")
		r.field("source.geo.location")
	}
	if asked != 1 {
		t.Errorf("asked %d times for one address", asked)
	}
	if n := testing.AllocsPerRun(100, func() {
		r.atAddress, r.addition = nil, nil
		_ = r.added().Country
	}); n != 0 {
		t.Errorf("%v allocations for an address that has been asked for", n)
	}
	for i := range 2 * maxPlaces {
		read(fmt.Sprintf("198.51.%d.%d", i/256%256, i%256))
		r.field("source.geo.country_iso_code")
	}
	if len(r.remembered) > maxPlaces {
		t.Errorf("%d places are remembered", len(r.remembered))
	}
}
