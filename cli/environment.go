package cli

import (
	"net/url"
	"os"
	"strings"

	"noroshi/internal/config"
	"noroshi/internal/diag"
	"noroshi/internal/strictyaml"
	"noroshi/internal/telemetry"
)

// secretVariables are variables of the environment with secrets that libraries read by themselves.
// Source: azidentity, EnvironmentCredential and managed identities of App Service.
var secretVariables = []string{"AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "AZURE_PASSWORD", "IDENTITY_HEADER", "MSI_SECRET"}

// proxyVariables name proxies, whose addresses may hold a password.
var proxyVariables = []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"}

// knowEnvironment makes known the secrets of the environment.
func knowEnvironment(s *diag.Secrets) {
	for _, name := range secretVariables {
		s.Add(os.Getenv(name))
	}
	for _, name := range telemetry.Env {
		for pair := range strings.SplitSeq(os.Getenv(name), ",") {
			_, value, _ := strings.Cut(pair, "=")
			s.Add(value)
			if plain, err := url.PathUnescape(strings.TrimSpace(value)); err == nil {
				s.Add(plain)
			}
		}
	}
	for _, name := range proxyVariables {
		if u, err := url.Parse(os.Getenv(name)); err == nil && u.User != nil {
			s.AddURL(&url.URL{User: u.User})
		}
	}
}

// readConfiguration reads a configuration file. What it holds of secrets, and the environment, is shown by nothing from then on.
func readConfiguration(s Streams, path string, kinds []string, without ...string) (*config.Config, *strictyaml.Doc, []diag.Problem) {
	c, doc, ps := config.Read(path, kinds, without...)
	knowEnvironment(c.Secrets)
	s.Secrets.Include(c.Secrets)
	return c, doc, ps
}
