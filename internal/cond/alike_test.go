package cond

import (
	"fmt"
	"testing"
)

// TestAlike tells names that look or are read alike from those of other people.
func TestAlike(t *testing.T) {
	for name, c := range map[string]struct {
		a, b string
		want bool
	}{
		"case, blanks and width":                    {"hanako sato", "ＨＡＮＡＫＯ　 Sato", true},
		"the family name first":                     {"hanako sato", "SATO, Hanako", true},
		"accents":                                   {"jose nunez", "José Núñez", true},
		"an accent of its own":                      {"jose nunez", "Jose\u0301 Nunez", true},
		"a letter of another alphabet":              {"hanako sato", "Hаnako Satо", true}, // Cyrillic a and o
		"letters of Greek":                          {"hanako sato", "Ηanako Sατο", true},
		"a digit as a letter":                       {"hanako sato", "Hanak0 5ato", true},
		"a large i for an l":                        {"paul lindholm", "PauI LindhoIm", true},
		"rn for m":                                  {"tom mason", "Torn Mason", true},
		"in another alphabet":                       {"yuri ivanov", "Юрий Иванов", true},
		"in another alphabet, of which the list is": {"юрий иванов", "Yuriy Ivanov", true},
		"neighbours that have changed places":       {"hanako sato", "Hanaok Sato", true},
		"a letter less":                             {"hanako sato", "Hanako Sao", true},
		"a letter more":                             {"hanako sato", "Hannako Sato", true},
		"signs and what stands behind":              {"hanako sato", "Hanako.Sato (CEO) <x@mail.example>", true},
		"a name of Japan":                           {"佐藤 花子", "佐藤　花子", true},
		"another letter: another person":            {"hanako sato", "Hanako Kato", false},
		"a short name with a letter more":           {"ann lee", "Anne Lee", false},
		"two letters more":                          {"hanako sato", "Hannako Satoh", false},
		"a given name alone":                        {"hanako sato", "Hanako", false},
		"a name within a longer one":                {"hanako sato", "Hanako Sato Consulting", false},
		"another name of Japan":                     {"佐藤 花子", "佐藤 花", false},
		"nothing":                                   {"", "", false},
		"signs alone":                               {"-", ".", false},
		"an address is no name":                     {"sato@contoso.example", "sato@contoso.example", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := aliasesOf([]string{c.a}).have(c.b); got != c.want {
				t.Errorf("%q and %q: got %t, want %t (%q, %q)", c.a, c.b, got, c.want, forms(c.a), forms(c.b))
			}
		})
	}
}

// BenchmarkAlike looks for a name among many.
func BenchmarkAlike(b *testing.B) {
	var names []string
	for i := range 200 {
		names = append(names, fmt.Sprintf("given%d family%d", i, i*7))
	}
	all := aliasesOf(names)
	for b.Loop() {
		all.have("Hanako Sato")
	}
}
