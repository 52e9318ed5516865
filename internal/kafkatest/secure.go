package kafkatest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"noroshi/internal/bus"
)

// User and Password are those of SASL PLAIN and SCRAM.
const (
	User     = "noroshi"
	Password = "hush/hush+hush"
)

// Reauthenticate is how long a session with SASL lasts before the client must say again who it is.
const Reauthenticate = 2 * time.Second

// secured is the listener with TLS and SASL. The tokens of OAUTHBEARER are JSON web tokens without a signature.
const secured = `listener.name.secure.ssl.keystore.type=PEM
listener.name.secure.ssl.keystore.location=%[1]s
listener.name.secure.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER
listener.name.secure.connections.max.reauth.ms=%[2]d
listener.name.secure.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_%[3]s="%[4]s";
listener.name.secure.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.secure.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.secure.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;
`

// secure makes the certificate of the broker and gives the settings of its listener.
func (b *Broker) secure() (string, error) {
	file, err := b.certificate()
	if err != nil {
		return "", fmt.Errorf("make certificate: %w", err)
	}
	return fmt.Sprintf(secured, file, Reauthenticate.Milliseconds(), User, Password), nil
}

// certificate writes a key with its certificate for 127.0.0.1, and the certificate alone.
func (b *Broker) certificate() (file string, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "127.0.0.1"}, NotBefore: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		return "", err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", err
	}
	chain := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(b.trust(), chain, 0o600); err != nil {
		return "", err
	}
	file = filepath.Join(b.dir, "keystore.pem")
	return file, os.WriteFile(file, append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), chain...), 0o600)
}

// trust is the file that clients trust.
func (b *Broker) trust() string { return filepath.Join(b.dir, "ca.pem") }

// SecureConfig is how to reach the broker by TLS and SASL. With oauthbearer the tokens are those that token gives; see Token.
func (b *Broker) SecureConfig(prefix string, partitions int, mechanism string, token func(ctx context.Context) (string, error)) bus.Config {
	c := b.Config(prefix, partitions)
	c.Brokers, c.TLS, c.CAFile = []string{b.Secure}, true, b.trust()
	c.Mechanism, c.User, c.Password, c.Token = mechanism, User, Password, token
	return c
}

// Token is a token that the broker takes until a time.
func Token(until time.Time) string {
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	return part(`{"alg":"none"}`) + "." + part(fmt.Sprintf(`{"sub":%q,"iat":%d,"exp":%d}`, User, until.Add(-time.Hour).Unix(), until.Unix())) + "."
}
