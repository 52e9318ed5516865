// Package certs reads files of certificates to trust.
package certs

import (
	"crypto/x509"
	"fmt"
	"os"
)

// Read reads the certificates of a PEM file, which the key ca_file names.
func Read(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read ca_file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("ca_file %s holds no certificate", file)
	}
	return pool, nil
}
