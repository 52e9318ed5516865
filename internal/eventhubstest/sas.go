package eventhubstest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// checkSAS verifies a shared access signature for an audience and returns when it expires.
//
// The signature covers the resource sr as it was escaped, a line feed and the expiry (azure-docs,
// authenticate-shared-access-signature). azeventhubs writes sr in lower case, @azure/event-hubs does not: a signature over
// a normalised resource would fail one of them.
func (c *Config) checkSAS(audience, token string) (time.Time, error) {
	raw := map[string]string{}
	for field := range strings.SplitSeq(strings.TrimPrefix(token, "SharedAccessSignature "), "&") {
		k, v, _ := strings.Cut(field, "=")
		raw[k] = v
	}
	resource, err := url.QueryUnescape(raw["sr"])
	if err != nil {
		return time.Time{}, fmt.Errorf("the resource of the signature: %w", err)
	}
	signature, err := url.QueryUnescape(raw["sig"])
	if err != nil {
		return time.Time{}, fmt.Errorf("the signature: %w", err)
	}
	seconds, err := strconv.ParseInt(raw["se"], 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("the expiry of the signature: %w", err)
	}
	mac := hmac.New(sha256.New, []byte(c.Key))
	fmt.Fprintf(mac, "%s\n%s", raw["sr"], raw["se"])
	want := base64.StdEncoding.EncodeToString(mac.Sum(nil))
	until := time.Unix(seconds, 0)
	switch {
	case raw["skn"] != c.KeyName || !hmac.Equal([]byte(want), []byte(signature)):
		return time.Time{}, errors.New("the signature does not match")
	case !covers(resource, audience):
		return time.Time{}, fmt.Errorf("the signature is for %s", resource)
	case !c.Now().Before(until):
		return time.Time{}, errors.New("the signature has expired")
	}
	return until, nil
}

// covers tells whether a resource is the audience or a folder above it.
func covers(resource, audience string) bool {
	resource, audience = strings.ToLower(strings.TrimSuffix(resource, "/")), strings.ToLower(audience)
	rest, ok := strings.CutPrefix(audience, resource)
	return ok && (rest == "" || rest[0] == '/')
}
