package o365test

import (
	"crypto/x509"

	"noroshi/internal/counterpart"
)

// Hosts are the names that the server answers for: the API's and the sign-in hosts' of the clouds.
var Hosts = []string{"manage.office.com", "manage-gcc.office.com", "manage.office365.us", "manage.protection.apps.mil",
	"login.microsoftonline.com", "login.microsoftonline.us"}

// certificateOf is the certificate of a PEM text, or a new one where that is empty.
func certificateOf(text []byte) (*counterpart.Certificate, error) {
	if len(text) == 0 {
		return counterpart.NewCertificate("o365test", Hosts...)
	}
	return counterpart.CertificateOf(text)
}

// PEM are the certificate and its key, so that another server can be taken for this one.
func (s *Server) PEM() ([]byte, error) { return s.cert.WithKey() }

// Roots trust the server's certificate and nothing else.
func (s *Server) Roots() *x509.CertPool { return s.cert.Roots() }

// CertificatePEM is the certificate, for clients that read their roots from a file.
func (s *Server) CertificatePEM() []byte { return s.cert.PEM() }
