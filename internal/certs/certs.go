// Package certs reads files of certificates to trust.
package certs

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"

	"noroshi/internal/regular"
)

// maxFile is far above the certificates of a whole system.
const maxFile = 16 << 20

// Read reads the certificates of a PEM file, which the key ca_file names. Errors do not name the file:
// what a configuration says is not shown.
func Read(file string) (*x509.CertPool, error) {
	pem, err := regular.Read(file, maxFile)
	if err != nil {
		var at *fs.PathError
		if errors.As(err, &at) {
			err = at.Err
		}
		return nil, fmt.Errorf("read ca_file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("ca_file holds no certificate")
	}
	return pool, nil
}

// All gives the certificates of a PEM file, in their order; keys beside them are passed over.
func All(file string) (all []*x509.Certificate, err error) {
	rest, err := regular.Read(file, maxFile)
	if err != nil {
		return nil, err
	}
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, errors.New("the file holds no certificate")
	}
	return all, nil
}
