package remote

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"noroshi/internal/alert"
	"noroshi/internal/diag"
	"noroshi/sinks"
)

// Vault keeps a sink's secrets out of what it says. It is used from one goroutine.
type Vault struct {
	host    string // the destination's, for messages
	log     *slog.Logger
	secrets *diag.Secrets
	warned  map[string]bool // what could not be read again, since it could last
}

// NewVault makes a vault of a sink that speaks to a host.
func NewVault(host string, env sinks.Env) *Vault {
	return &Vault{host: host, log: env.Log, secrets: &diag.Secrets{}, warned: map[string]bool{}}
}

// Host is the destination's, for messages.
func (v *Vault) Host() string { return v.host }

// Hide makes a secret known that requests hold, so that no error shows it.
func (v *Vault) Hide(secret string) { v.secrets.Add(secret) }

// Secret is what a secret holds now, which no error shows.
func (v *Vault) Secret(name string, s Secret) string {
	text, err := s()
	v.warn(name, err)
	v.secrets.Add(text)
	return text
}

// warn tells once that something cannot be read again.
func (v *Vault) warn(what string, err error) {
	if err != nil && !v.warned[what] && v.log != nil {
		v.log.Warn("what a sink reads again cannot be read; the one of before is used", slog.String("what", what), slog.String("host", v.host), slog.Any("err", err))
	}
	v.warned[what] = err != nil
}

// Said is the first line of what a destination says, as far as it is short text without secrets. They are hidden before the text is
// cut, so that none is cut in two. Of an answer that repeats the request nothing is told but that.
func (v *Vault) Said(text string) string {
	if repeats.MatchString(text) {
		return "the answer repeats the request"
	}
	line, _, _ := strings.Cut(strings.TrimSpace(v.secrets.Hide(strings.ToValidUTF8(text, ""))), "\n")
	return alert.OneLine(strings.TrimSpace(line), maxText)
}

// Hidden is an error without the secrets that it may repeat.
func (v *Vault) Hidden(doing string, err error) error {
	var u *url.Error
	if errors.As(err, &u) { // it names the URL
		err = u.Err
	}
	return fmt.Errorf("%s: %s: %s", doing, v.host, v.Said(err.Error()))
}

// Fault is an error of the destination without the secrets that it may repeat, and without its causes, which hold them still.
func (v *Vault) Fault(doing string, err error) error {
	return &sinks.Fault{Cause: v.Hidden(doing, err)}
}
