package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"noroshi/internal/certs"
	"noroshi/internal/config"
	"noroshi/internal/diag"
	"noroshi/sinks/catalog"
)

// probes are what may be asked, and the first is asked where nothing is named.
var probes = []string{"livez", "readyz", "healthz"}

func probeCommand(s Streams) *cobra.Command {
	var path string
	c := &cobra.Command{
		Use:   "probe [livez|readyz|healthz] --config FILE",
		Short: "Ask the noroshi run on this machine whether it lives, is ready, or is well",
		Long: `Probe asks the admin listener of the configuration, from the machine on which noroshi run works, and ends with 0 for yes and 1 for no
or no answer. It is the health check of a container, which has no other client.

  livez     the process works, and none of its loops hangs; the default
  readyz    what rules remember is read, and every source was opened
  healthz   no part of it fails; the answer is JSON, with what to do

Livez and readyz are asked at admin.probes where that key is there, else at admin.listen.`,
		Example:   "  noroshi probe readyz --config noroshi.yaml\n  noroshi probe healthz --config noroshi.yaml | jq '.parts[] | select(.state != \"ok\")'",
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: probes,
		RunE: interruptible(func(c *cobra.Command, args []string) error {
			if path == "" {
				return errors.New("--config is missing: it names the admin listener")
			}
			conf, _, ps := readConfiguration(s, path, catalog.Kinds(), "kafka", "sources", "rules", "geography", "lists", "tenants", "sinks", "telemetry", "library", "exceptions", "lateness")
			if diag.Errors(ps) > 0 {
				show(s.Err, ps)
				return errSaid
			}
			what := probes[0]
			if len(args) > 0 {
				what = args[0]
			}
			code, body, err := probe(c.Context(), &conf.Admin, what)
			if err != nil {
				return failed{err}
			}
			if _, err := io.WriteString(s.Out, diag.Escape(body)); err != nil {
				return failed{err}
			}
			if code != http.StatusOK {
				return failed{fmt.Errorf("%s: status %d", what, code)}
			}
			return nil
		}),
	}
	c.Flags().StringVar(&path, "config", "", "configuration `file`")
	return c
}

// The bounds of a probe.
const (
	probeWithin = 10 * time.Second
	probeBytes  = 1 << 20
)

// probe asks an admin listener of this machine.
func probe(ctx context.Context, a *config.Admin, what string) (code int, body string, err error) {
	address, secured := a.Listen, a.CertFile != ""
	if a.Probes != "" && what != "healthz" {
		address, secured = a.Probes, false
	}
	if address == "" {
		return 0, "", errors.New("the configuration has no admin listener that answers " + what + "; set admin.listen, such as 127.0.0.1:9464")
	}
	ctx, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	scheme, transport := "http", &http.Transport{DisableKeepAlives: true}
	if secured {
		scheme = "https"
		if transport.TLSClientConfig, err = trusting(a.CertFile); err != nil {
			return 0, "", err
		}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+here(address)+"/"+what, nil)
	if err != nil {
		return 0, "", err
	}
	if a.Token != nil && what == "healthz" {
		token, err := a.Token()
		if err != nil {
			return 0, "", err
		}
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := (&http.Client{Transport: transport}).Do(r)
	if errors.Is(err, syscall.ECONNREFUSED) {
		err = fmt.Errorf("nothing listens at %s; is noroshi run going on, with this configuration?", address)
	}
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, probeBytes))
	return answer.StatusCode, string(text), err
}

// here is the address at which this machine reaches what listens on an address.
func here(address string) string {
	host, port, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		if strings.Contains(host, ":") {
			return net.JoinHostPort("::1", port)
		}
		return net.JoinHostPort("127.0.0.1", port)
	}
	return address
}

// trusting trusts the certificate of a file and no other, whatever name it is for and whoever has signed it.
func trusting(file string) (*tls.Config, error) {
	all, err := certs.All(file)
	if err != nil {
		return nil, fmt.Errorf("read cert_file: %w", err)
	}
	ours := all[0]
	return &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true, // the name is not asked: the very certificate is
		VerifyConnection: func(c tls.ConnectionState) error {
			if len(c.PeerCertificates) == 0 || !c.PeerCertificates[0].Equal(ours) {
				return errors.New("what answers has another certificate than cert_file; is it another process?")
			}
			return nil
		}}, nil
}
