package o365test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"time"
)

// Hosts are the names that the server answers for: the API's and the sign-in hosts' of the clouds.
var Hosts = []string{"localhost", "manage.office.com", "manage-gcc.office.com", "manage.office365.us", "manage.protection.apps.mil",
	"login.microsoftonline.com", "login.microsoftonline.us"}

// certificate is one that signs itself.
type certificate struct {
	pair tls.Certificate
	leaf *x509.Certificate
}

func newCertificate() (*certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "o365test"}, DNSNames: Hosts,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		NotBefore:   time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2120, 1, 1, 0, 0, 0, 0, time.UTC),
		IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	return &certificate{tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, leaf}, err
}

// certificateOf is the certificate of a PEM text, or a new one where that is empty.
func certificateOf(text []byte) (*certificate, error) {
	if len(text) == 0 {
		return newCertificate()
	}
	pair, err := tls.X509KeyPair(text, text)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	return &certificate{pair, leaf}, err
}

// PEM are the certificate and its key, so that another server can be taken for this one.
func (s *Server) PEM() ([]byte, error) {
	key, err := x509.MarshalPKCS8PrivateKey(s.cert.pair.PrivateKey)
	if err != nil {
		return nil, err
	}
	return append(s.CertificatePEM(), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...), nil
}

// Roots trust the server's certificate and nothing else.
func (s *Server) Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(s.cert.leaf)
	return pool
}

// CertificatePEM is the certificate, for clients that read their roots from a file.
func (s *Server) CertificatePEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.cert.leaf.Raw})
}
