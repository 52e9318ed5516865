package eventhubstest

import (
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// claims are the claims of a token that are looked at (RFC 7519, section 4.1), times in Unix seconds.
type claims struct {
	Issuer    string `json:"iss,omitempty"`
	Audience  string `json:"aud"`
	Expires   int64  `json:"exp"`
	NotBefore int64  `json:"nbf,omitempty"`
}

type header struct {
	Algorithm string `json:"alg"`
	Type      string `json:"typ,omitempty"`
}

// Token makes a JSON web token that the namespace accepts until a time, for clients with a token credential. It is signed
// with HS256 and so refused where Tokens has a public key alone.
func (s *Server) Token(until time.Time) string {
	t := s.config.Tokens
	signed := segment(header{Algorithm: "HS256", Type: "JWT"}) + "." + segment(claims{Issuer: t.Issuer, Audience: t.Audience, Expires: until.Unix()})
	return signed + "." + base64.RawURLEncoding.EncodeToString(t.sign(signed))
}

func segment(v any) string {
	b, err := json.Marshal(v)
	if err != nil { // neither type has a field that fails
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func (t Tokens) sign(text string) []byte {
	mac := hmac.New(sha256.New, t.Secret)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// check verifies a token and returns when it expires.
func (t Tokens) check(token string, now time.Time) (time.Time, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}, errors.New("the token has not three parts")
	}
	var h header
	var c claims
	if err := errors.Join(unsegment(parts[0], &h), unsegment(parts[1], &c)); err != nil {
		return time.Time{}, fmt.Errorf("the token: %w", err)
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return time.Time{}, fmt.Errorf("the signature of the token: %w", err)
	}
	if err := t.verify(h.Algorithm, parts[0]+"."+parts[1], signature); err != nil {
		return time.Time{}, err
	}
	until := time.Unix(c.Expires, 0)
	switch {
	case t.Issuer != "" && c.Issuer != t.Issuer:
		return time.Time{}, fmt.Errorf("the token is issued by %q", c.Issuer)
	case strings.TrimSuffix(c.Audience, "/") != strings.TrimSuffix(t.Audience, "/"):
		return time.Time{}, fmt.Errorf("the token is for %q", c.Audience)
	case !now.Before(until):
		return time.Time{}, errors.New("the token has expired")
	case now.Before(time.Unix(c.NotBefore, 0)):
		return time.Time{}, errors.New("the token is not valid yet")
	}
	return until, nil
}

// verify checks a signature with the key of the algorithm's kind, so that a public key is never taken for a secret.
func (t Tokens) verify(algorithm, text string, signature []byte) error {
	switch {
	case algorithm == "HS256" && len(t.Secret) > 0:
		if hmac.Equal(t.sign(text), signature) {
			return nil
		}
	case algorithm == "RS256" && t.Public != nil:
		sum := sha256.Sum256([]byte(text))
		if rsa.VerifyPKCS1v15(t.Public, crypto.SHA256, sum[:], signature) == nil {
			return nil
		}
	default:
		return fmt.Errorf("no key for the algorithm %q", algorithm)
	}
	return errors.New("the signature of the token does not match")
}

func unsegment(s string, v any) error {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}
