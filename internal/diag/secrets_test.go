package diag

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"strings"
	"testing"
)

// TestSecretsAreHiddenHoweverTheyAreWritten: as they are, in other case, escaped, encoded, cut and wrapped.
func TestSecretsAreHiddenHoweverTheyAreWritten(t *testing.T) {
	const secret = `C0rrect/Horse+Battery"Staple&x`
	var s Secrets
	s.Add("Bearer " + secret)
	quoted, err := json.Marshal(secret)
	if err != nil {
		t.Fatal(err)
	}
	encoded := base64.StdEncoding.EncodeToString([]byte(secret))
	rows := map[string]string{
		"as it is": secret, "with its scheme": "Bearer " + secret, "upper case": strings.ToUpper(secret), "JSON": string(quoted), "escaped slashes": strings.ReplaceAll(secret, "/", `\/`), "query": url.QueryEscape(secret), "path": url.PathEscape(secret),
		"HTML": html.EscapeString(secret), "base64": encoded, "hexadecimal": hex.EncodeToString([]byte(secret)), "cut": secret[:14], "wrapped": encoded[:20] + "\n" + encoded[20:], "inside a word": "x" + secret + "y",
	}
	for name, text := range rows {
		got := s.Hide("the answer was: " + text + " (status)")
		if !strings.HasPrefix(got, "the answer was:") || !strings.HasSuffix(got, " (status)") || strings.Contains(strings.ToLower(got), "horse") || strings.Contains(got, encoded[:gram]) || strings.Contains(got, "486f727365") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestPartsOfSecretsAreSecret: what an answer repeats is often a part of what was sent.
func TestPartsOfSecretsAreSecret(t *testing.T) {
	rows := map[string]string{
		"Basic " + base64.StdEncoding.EncodeToString([]byte("bob:hunter2")):                            "hunter2",
		"Endpoint=sb://contoso.servicebus.windows.net/;SharedAccessKeyName=n;SharedAccessKey=aG9yc2Vz": "aG9yc2Vz",
		"session=staple77; theme=dark": "staple77",
		"whsec_c3RhcGxlcw==":           "c3RhcGxlcw==",
		"pin":                          "pin",
	}
	for secret, part := range rows {
		var s Secrets
		s.Add(secret)
		if got := s.Hide("contoso.servicebus.windows.net says <" + part + ">"); got != "contoso.servicebus.windows.net says <…>" {
			t.Errorf("%s: %s", secret, got)
		}
	}
	var s Secrets
	s.Add("pin")
	if got := s.Hide("spinning"); got != "spinning" {
		t.Errorf("a short secret is hidden inside a word: %s", got)
	}
}

func TestURLsKeepTheirHost(t *testing.T) {
	u, err := url.Parse("https://bob:hunter2@soc.example.com/in/T0KEN?key=s3cr%20et&n=1#frag")
	if err != nil {
		t.Fatal(err)
	}
	var s Secrets
	s.AddURL(u)
	for _, text := range []string{u.String(), "/in/T0KEN", "T0KEN", "hunter2", "bob:hunter2", "key=s3cr%20et&n=1", "s3cr et", "s3cr%20et", "Ym9iOmh1bnRlcjI="} {
		got := s.Hide("soc.example.com refuses: " + text)
		for _, part := range []string{"hunter2", "T0KEN", "s3cr", "Ym9i"} {
			if !strings.HasPrefix(got, "soc.example.com refuses: ") || strings.Contains(got, part) {
				t.Errorf("%s: %s", text, got)
			}
		}
	}
}

// TestTheHostOfASecretAddressIsNone: others have the same host in their errors. What makes the address secret is hidden in each form.
func TestTheHostOfASecretAddressIsNone(t *testing.T) {
	const secret = "https://bob:hunter2@hooks.intern.example.com:8443/services/T0KENT0KEN/B0B?key=s3cret77\n"
	var s Secrets
	s.Add(secret)
	for _, open := range []string{"dial tcp hooks.intern.example.com:8443: connection refused", "https://hooks.intern.example.com:8443/ answers 500", "Post \"https:\\/\\/hooks.intern.example.com:8443\\/\"",
		"https%3A%2F%2Fhooks.intern.example.com%3A8443%2F"} {
		if got := s.Hide(open); got != open {
			t.Errorf("%s becomes %s", open, got)
		}
	}
	for n, form := range forms(secret) {
		for _, text := range []string{form, form[len(form)/3:], "x" + form + "y"} {
			got := lower(s.Hide(text))
			for _, part := range []string{"hunter2", "t0kent0ken", "s3cret77", "b0b", forms("t0kent0ken")[n]} {
				if strings.Contains(got, lower(part)) {
					t.Errorf("%s becomes %s", text, got)
				}
			}
		}
	}
}

// TestOurNameInAPathIsNoSecret: the usual address of a webhook ends in it, and what is shown of a request holds it elsewhere.
func TestOurNameInAPathIsNoSecret(t *testing.T) {
	var s Secrets
	s.AddURL(&url.URL{Scheme: "https", Host: "soc.example.com", Path: "/noroshi/T0KEN"})
	if got := s.Hide(`{"type":"noroshi.alert.firing"} T0KEN`); got != `{"type":"noroshi.alert.firing"} …` {
		t.Errorf("it becomes %s", got)
	}
}

// TestWhatLooksLikeASecretIsHidden: tokens, signatures and users that nobody here has been told of, and no more than them.
func TestWhatLooksLikeASecretIsHidden(t *testing.T) {
	const token = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwczovL2V4YW1wbGUifQ.czFnbmF0dXJl"
	for text, want := range map[string]string{
		"auth=Bearer " + token + "\x01":                       "auth=Bearer …\x01",
		"the token " + token[:30] + " is cut":                 "the token … is cut",
		`{"access_token":"` + token + `","x":1}`:              `{"access_token":"…","x":1}`,
		`{"client_secret": "a b","x":1}`:                      `{"client_secret": "…","x":1}`,
		"client_id=a&client_secret=b~c.d&grant_type=e":        "client_id=a&client_secret=…&grant_type=e",
		"SharedAccessSignature sr=sb%3a&sig=a%2Fb%3D&se":      "SharedAccessSignature sr=sb%3a&sig=…&se",
		"Endpoint=sb://x/;SharedAccessKey=aG9y=;E":            "Endpoint=sb://x/;SharedAccessKey=…;E",
		"dial http://bob:hunter2@proxy.example:3128/":         "dial http://…@proxy.example:3128/",
		"Proxy-Authorization:[Basic Ym9iOmh1bnRlcjI=]":        "Proxy-Authorization:[Basic …]",
		"use basic authentication, bearer tokens":             "use basic authentication, bearer tokens",
		"taro@contoso.example at https://contoso.example/a@b": "taro@contoso.example at https://contoso.example/a@b",
		"alert=alrt_JCESCRMQ3Y2KPRV6OZD7OHUD62 keyJson":       "alert=alrt_JCESCRMQ3Y2KPRV6OZD7OHUD62 keyJson",
	} {
		if got := new(Secrets).Hide(text); got != want {
			t.Errorf("%s\nbecomes  %s\nexpected %s", text, got, want)
		}
	}
}

// FuzzHide: whatever surrounds a secret, it is not there afterwards; without one, a text stays as it is.
func FuzzHide(f *testing.F) {
	f.Add("hunter2hunter2", "a", "b")
	f.Add("pin", "s", "ning")
	f.Fuzz(func(t *testing.T, secret, before, after string) {
		var s Secrets
		if got := s.Hide(before); got != before && hideCredentials(before) == before {
			t.Fatalf("%q becomes %q", before, got)
		}
		s.Add(secret)
		s.Include(&Secrets{})
		if strings.TrimSpace(secret) == "" || len(secret) < leastIn || keys.MatchString(secret) || strings.Contains(secret, Hidden) {
			return
		}
		if got := s.Hide(before + secret + after); strings.Contains(got, secret) {
			t.Fatalf("%q is in %q", secret, got)
		}
	})
}
