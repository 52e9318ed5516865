package diag

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

// Hidden stands for a secret in a text.
const Hidden = "…"

// The bounds of what is looked for.
const (
	gram     = 12 // so many bytes of a secret in a row are hidden: texts are cut and wrapped
	leastIn  = 4  // bytes of a secret that are hidden also inside a word
	leastOf  = 6  // bytes of a part of a secret that is hidden by itself
	leastURL = 4  // bytes of a part of a URL that is hidden by itself
)

// Secrets hides known secrets in texts: as they are, encoded in the usual ways, and long parts of them, whatever their case. The
// zero value knows none, and so does nil. It may be used from any goroutine.
type Secrets struct {
	mu    sync.RWMutex
	grams map[string]struct{} // every gram bytes of the long ones
	short map[string]struct{}
}

// keys are the members of a connection string that are secret.
var keys = regexp.MustCompile(`(?i)(?:SharedAccessKey|SharedAccessSignature|AccountKey|Password)=([^;\s]+)`)

// schemes are those of addresses that are secret for their path, user or query, such as that of an incoming webhook.
var schemes = []string{"http", "https", "socks5", "socks5h"}

// Add makes a text known: a password, a header's value, a connection string.
func (s *Secrets) Add(text string) {
	if found := keys.FindAllStringSubmatch(text, -1); found != nil { // the rest of a connection string names the namespace
		for _, m := range found {
			s.add(m[1])
		}
		return
	}
	if u, err := url.Parse(strings.TrimSpace(text)); err == nil && u.Host != "" && slices.Contains(schemes, strings.ToLower(u.Scheme)) {
		s.addBut(text, u.Scheme+"://"+u.Host+"/") // others may have the same host, which is in their errors
		s.AddURL(u)
		return
	}
	s.add(text)
	words := strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || r == ',' || r == ';' })
	for i, w := range words {
		if i == 0 && len(words) > 1 && strings.IndexFunc(w, func(r rune) bool { return !unicode.IsLetter(r) }) < 0 {
			continue // the scheme of an Authorization header
		}
		s.part(w, leastOf)
		if _, value, ok := strings.Cut(w, "="); ok {
			s.part(strings.Trim(value, `"'`), leastOf)
		}
		s.part(strings.TrimPrefix(w, "whsec_"), leastOf)
		if pair, err := base64.StdEncoding.DecodeString(w); err == nil && i > 0 && strings.EqualFold(words[i-1], "basic") {
			if _, password, ok := strings.Cut(string(pair), ":"); ok {
				s.add(string(pair))
				s.part(password, 1)
			}
		}
	}
}

// AddURL makes known what may be secret in an address: user, password, path and query, whole and in parts.
func (s *Secrets) AddURL(u *url.URL) {
	if u.User != nil {
		password, _ := u.User.Password()
		s.add(u.User.Username() + ":" + password)
		s.part(u.User.Username(), leastURL)
		s.part(password, 1)
	}
	for _, path := range []string{u.Path, u.EscapedPath()} {
		s.part(path, 2) // not / alone
		for part := range strings.SplitSeq(path, "/") {
			if strings.EqualFold(part, "noroshi") { // our own name, which alerts hold
				continue
			}
			s.part(part, leastURL)
		}
	}
	s.part(u.RawQuery, 1)
	for name, values := range u.Query() {
		s.part(name, gram)
		for _, v := range values {
			s.part(v, leastURL)
		}
	}
	s.part(u.Fragment, leastURL)
}

// Include makes known what others know.
func (s *Secrets) Include(others *Secrets) {
	if s == nil || others == nil || s == others {
		return
	}
	others.mu.RLock()
	defer others.mu.RUnlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.init()
	for t := range others.grams {
		s.grams[t] = struct{}{}
	}
	for t := range others.short {
		s.short[t] = struct{}{}
	}
}

func (s *Secrets) init() {
	if s.grams == nil {
		s.grams, s.short = map[string]struct{}{}, map[string]struct{}{}
	}
}

// part adds a text that is at least so long.
func (s *Secrets) part(text string, least int) {
	if len(text) >= least {
		s.add(text)
	}
}

// add makes a text and its encodings known.
func (s *Secrets) add(text string) { s.addBut(text, "") }

// addBut is add without what lies in an open part of the text.
func (s *Secrets) addBut(text, open string) {
	if strings.TrimSpace(text) == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.init()
	bare := forms(open)
	for n, t := range forms(text) {
		if len(t) < gram {
			s.short[t] = struct{}{}
		}
		for i := 0; i+gram <= len(t); i++ {
			if one := t[i : i+gram]; !strings.Contains(bare[n], one) {
				s.grams[one] = struct{}{}
			}
		}
	}
}

// forms are a text and its usual encodings, in lower case.
func forms(text string) []string {
	quoted, _ := json.Marshal(text) // a text always has a JSON form
	all := []string{text, inner(strconv.Quote(text)), inner(string(quoted)), strings.ReplaceAll(text, "/", `\/`), url.QueryEscape(text), url.PathEscape(text), html.EscapeString(text),
		base64.StdEncoding.EncodeToString([]byte(text)), base64.URLEncoding.EncodeToString([]byte(text)), hex.EncodeToString([]byte(text))}
	for i := range all {
		all[i] = lower(all[i])
	}
	return all
}

// inner is a quoted text without its quotes.
func inner(quoted string) string { return quoted[1 : len(quoted)-1] }

// lower folds ASCII alone, so that no place moves.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// Hide writes Hidden for each secret in a text, and for what looks like one.
func (s *Secrets) Hide(text string) string {
	if s == nil {
		return text
	}
	return hideCredentials(s.known(text))
}

// known hides the secrets that are known.
func (s *Secrets) known(text string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if len(s.grams)+len(s.short) == 0 {
		return text
	}
	hide, found := s.find(lower(text))
	if !found {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case !hide[i]:
			b.WriteByte(text[i])
		case i == 0 || !hide[i-1]:
			b.WriteString(Hidden)
		}
	}
	return b.String()
}

// find marks the bytes of a text that belong to secrets.
func (s *Secrets) find(text string) (hide []bool, found bool) {
	hide = make([]bool, len(text))
	mark := func(from, n int) {
		found = true
		for i := range n {
			hide[from+i] = true
		}
	}
	for i := 0; i+gram <= len(text); i++ {
		if _, ok := s.grams[text[i:i+gram]]; ok {
			mark(i, gram)
		}
	}
	for t := range s.short {
		for from := 0; ; {
			i := strings.Index(text[from:], t)
			if i < 0 {
				break
			}
			if i += from; len(t) >= leastIn || alone(text, i, len(t)) {
				mark(i, len(t))
			}
			from = i + 1
		}
	}
	return hide, found
}

// alone reports whether letters and digits surround a part of a text on no side.
func alone(text string, at, n int) bool {
	word := func(i int) bool {
		return i >= 0 && i < len(text) && (text[i] >= 'a' && text[i] <= 'z' || text[i] >= '0' && text[i] <= '9' || text[i] >= 0x80)
	}
	return !word(at-1) && !word(at+n)
}

// Writer hides secrets in each text that is written, such as a line of a log.
func (s *Secrets) Writer(to io.Writer) io.Writer { return hiding{s, to} }

type hiding struct {
	secrets *Secrets
	to      io.Writer
}

// Write implements io.Writer.
func (h hiding) Write(b []byte) (int, error) {
	if _, err := io.WriteString(h.to, h.secrets.Hide(string(b))); err != nil {
		return 0, err
	}
	return len(b), nil
}
