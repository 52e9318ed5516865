package eventhubstest

import (
	"crypto/tls"
	"errors"

	"noroshi/internal/counterpart"
)

// newCertificate makes one for loopback and a name.
func newCertificate(name string) (*counterpart.Certificate, error) {
	if name == "" {
		return counterpart.NewCertificate("eventhubstest")
	}
	return counterpart.NewCertificate("eventhubstest", name)
}

// ClientTLS trusts the namespace's certificate and nothing else; nil without TLS.
func (s *Server) ClientTLS() *tls.Config {
	if s.cert == nil {
		return nil
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: s.cert.Roots()}
}

// CertificatePEM is the namespace's certificate, for clients that read their roots from a file.
func (s *Server) CertificatePEM() ([]byte, error) {
	if s.cert == nil {
		return nil, errors.New("the namespace has no TLS")
	}
	return s.cert.PEM(), nil
}
