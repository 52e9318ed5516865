package cli

import (
	"errors"
	"io/fs"
	"testing"

	"noroshi/internal/config"
)

// Every kind of credential that a configuration may name can be made, in every cloud.
func TestEveryCredentialCanBeMade(t *testing.T) {
	t.Setenv("AZURE_FEDERATED_TOKEN_FILE", "/nowhere")
	for _, kind := range config.CredentialKinds {
		for _, cloud := range append([]string{""}, config.CredentialClouds...) {
			k := config.Credential{Kind: kind, Cloud: cloud, Tenant: "11112222-3333-4444-5555-666677778888", Client: "c", Secret: "s", Certificate: "/nowhere"}
			_, err := identity(k).Credential()
			if kind == "certificate" && errors.Is(err, fs.ErrNotExist) { // its file is read at once
				continue
			}
			if err != nil {
				t.Errorf("%s in %q: %v", kind, cloud, err)
			}
		}
	}
}
