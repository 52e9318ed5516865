package decode

import (
	"fmt"
	"testing"

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
