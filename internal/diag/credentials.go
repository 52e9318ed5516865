package diag

import "regexp"

// credentials are what secrets look like whose text nobody here knows: tokens that others give, signatures made of keys, the users
// of addresses. What is kept of a match stands in its groups.
var credentials = []*regexp.Regexp{
	regexp.MustCompile(`()\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,4}`), // a JSON Web Token, or its beginning
	regexp.MustCompile(`(?i)\b((?:bearer|basic|negotiate|ntlm) +)[A-Za-z._~+/-]{0,64}[0-9][A-Za-z0-9._~+/-]{4,}=*`),
	regexp.MustCompile(`(?i)\b((?:client_secret|client_assertion|assertion|access_token|refresh_token|id_token|password|passwd|pwd|SharedAccessKey|AccountKey|sig)=)[^&;,\s"'…]+`),
	regexp.MustCompile(`(?i)("(?:client_secret|client_assertion|assertion|access_token|refresh_token|id_token|password)" *: *")[^"…]+`),
	regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://)[^/?#\s"'<>@…]+(@)`),
}

// hideCredentials writes Hidden for what looks like a secret.
func hideCredentials(text string) string {
	for _, c := range credentials {
		text = c.ReplaceAllString(text, "${1}"+Hidden+"${2}")
	}
	return text
}
