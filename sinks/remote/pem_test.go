package remote

import (
	"encoding/pem"
	"net/http/httptest"
)

// pemOf is the certificate of a server for tests.
func pemOf(srv *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
}
