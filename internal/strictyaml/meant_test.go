package strictyaml

import "testing"

// TestWhichKeyAMessageMisses: a key that was probably meant takes back the message that it is missing, and no other.
func TestWhichKeyAMessageMisses(t *testing.T) {
	for message, keys := range map[string]map[string]bool{
		"the rule needs the key severity":                                      {"severity": true, "title": false},
		"an exception needs the key until, its last day, such as 2027-03-31":   {"until": true, "its": false},
		"expected one of the keys count, distinct and sum: how much is enough": {"count": true, "distinct": true, "sum": true, "how": false},
		"sasl needs the keys mechanism, user and password":                     {"mechanism": false, "user": false},
		"a test needs the key events, with a record at least":                  {"events": true, "with": false},
	} {
		for key, want := range keys {
			if needs(message, key) != want {
				t.Errorf("%q, %s: %v", message, key, !want)
			}
		}
	}
}
