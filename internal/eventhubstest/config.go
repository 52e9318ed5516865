package eventhubstest

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// Config describes a namespace. The zero value has one event hub "audit" of four partitions, listens on a free port of
// the loopback interface without TLS and keeps all events.
type Config struct {
	// Addr is where to listen, 127.0.0.1:0 where empty. AMQP and WebSocket share it.
	Addr string
	// Hubs are the event hubs of the namespace; none means one with the defaults of Hub.
	Hubs []Hub

	// KeyName and Key are the shared access policy, which may send, listen and manage.
	// They are RootManageSharedAccessKey and a random key where empty.
	KeyName, Key string
	// Tokens are the JSON web tokens that are accepted beside the key.
	Tokens Tokens

	// TLS makes the namespace speak TLS with a certificate of its own making; Server.ClientTLS trusts it.
	TLS bool
	// Namespace is the name that connection strings and the certificate carry, such as contoso.servicebus.windows.net;
	// the address where empty. Clients reach another name by their custom endpoint.
	Namespace string

	// MaxMessage limits a message in bytes, 1 MiB where 0: the limit of the Standard tier.
	MaxMessage uint64
	// MaxFrame limits an AMQP frame in bytes, 64 KiB where 0; at least 512.
	MaxFrame uint32

	// Now is the clock for enqueued times, retention and the expiry of tokens: the machine's where nil.
	Now func() time.Time
	// Log takes what the namespace refuses, at level debug; nothing is logged where nil.
	Log *slog.Logger
}

// Hub is an event hub.
type Hub struct {
	// Name is "audit" where empty. Upper and lower case are the same.
	Name string
	// Partitions is how many there are, four where 0. Their ids count from "0".
	Partitions int
	// Groups are the consumer groups beside $Default.
	Groups []string
	// Retention drops old events.
	Retention Retention
	// Endless partitions say that one event more lies in them than there is: nobody has read all, so that time is that of events alone, and
	// events of days ago may be told as if they were written now.
	Endless bool
}

// Retention bounds what each partition keeps. The oldest events go first; zero bounds nothing.
type Retention struct {
	Events int
	Bytes  int64
	// Age is by enqueued time. It is applied whenever the partition is written, read or asked about.
	Age time.Duration
}

// Tokens says which JSON web tokens the namespace accepts. The signature is always verified, and the times of expiry and
// of first use with it.
type Tokens struct {
	// Issuer is the claim iss, anything where empty.
	Issuer string
	// Audience is the claim aud: https://eventhubs.azure.net where empty, the scope that the SDKs ask for.
	Audience string
	// Secret verifies HS256; it is random where both keys are empty, so that only Server.Token makes tokens.
	Secret []byte
	// Public verifies RS256, as Microsoft Entra ID signs.
	Public *rsa.PublicKey
}

const (
	defaultAudience = "https://eventhubs.azure.net"
	maxPartitions   = 2000 // of the Dedicated tier, the largest there is (azure-docs, event-hubs-quotas)
)

// complete fills in the defaults and says what is wrong with the rest.
func (c *Config) complete() error {
	c.Addr = either(c.Addr, "127.0.0.1:0")
	c.KeyName = either(c.KeyName, "RootManageSharedAccessKey")
	c.Key = either(c.Key, base64.StdEncoding.EncodeToString(random()))
	c.Tokens.Audience = either(c.Tokens.Audience, defaultAudience)
	if c.Tokens.Secret == nil && c.Tokens.Public == nil {
		c.Tokens.Secret = random()
	}
	c.MaxMessage = either(c.MaxMessage, 1<<20)
	c.MaxFrame = either(c.MaxFrame, 64<<10)
	if c.Now == nil {
		c.Now = time.Now //nolint:forbidigo // it stands in for a service that has a clock of its own
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if len(c.Hubs) == 0 {
		c.Hubs = []Hub{{}}
	}
	switch {
	case c.MaxFrame < minFrame:
		return fmt.Errorf("frames of %d bytes: AMQP asks for %d at least", c.MaxFrame, minFrame)
	case strings.ContainsAny(c.KeyName+c.Key+c.Namespace, ";\n"):
		return errors.New("a key, its name or the namespace holds what ends a field of a connection string")
	}
	return nil
}

// complete is that of Config for one hub.
func (h *Hub) complete() error {
	h.Name = either(h.Name, "audit")
	h.Partitions = either(h.Partitions, 4)
	switch {
	case h.Partitions < 0 || h.Partitions > maxPartitions:
		return fmt.Errorf("event hub %s: %d partitions; there may be %d", h.Name, h.Partitions, maxPartitions)
	case strings.ContainsAny(h.Name, "/; "):
		return fmt.Errorf("event hub %q: a name holds letters, digits, dots, hyphens and underscores", h.Name)
	case h.Retention.Events < 0 || h.Retention.Bytes < 0 || h.Retention.Age < 0:
		return fmt.Errorf("event hub %s: a negative retention", h.Name)
	}
	return nil
}

// either is v, or fallback where v is zero.
func either[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}

func random() []byte {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // it never fails (crypto/rand)
	return b
}
