package cli

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"

	"noroshi/ingest/eventhub"
	"noroshi/ingest/file"
	"noroshi/internal/app"
	"noroshi/internal/config"
)

// makeSources makes the sources of the configuration.
func makeSources(s Streams, conf *config.Config, r *app.Run, log *slog.Logger) error {
	names := map[string]bool{}
	for _, one := range conf.Sources {
		switch one.Kind {
		case "file":
			f, err := file.New(file.Config{Paths: one.File.Paths, Follow: one.File.Follow, Poll: one.File.Poll, Log: log})
			if err != nil {
				return err
			}
			r.Sources = append(r.Sources, f)
		case "eventhub":
			stream, err := makeEventHub(s, one.EventHub)
			if err != nil {
				return fmt.Errorf("line %d: source eventhub: %w", one.At.Line, err)
			}
			if names[stream.Name()] {
				return fmt.Errorf("line %d: there is a source %s already; each has a place of its own in the stream, so give one of them another name", one.At.Line, stream.Name())
			}
			names[stream.Name()] = true
			r.Feeds = append(r.Feeds, app.Feed{Stream: stream, Tenants: one.EventHub.Tenants})
		}
	}
	return nil
}

func makeEventHub(s Streams, h config.EventHub) (*eventhub.Stream, error) {
	c := eventhub.Config{Name: h.Name, ConnectionString: h.ConnectionString, Namespace: h.Namespace, Hub: h.Hub, Group: h.ConsumerGroup, Start: eventhub.Start{Latest: h.Latest, Time: h.Since},
		WebSocket: h.WebSocket, Proxy: h.Proxy, Endpoint: h.Endpoint, Now: s.Now}
	if k := h.Credential; k.Kind != "" {
		var err error
		if c.Credential, err = (eventhub.Identity{Kind: k.Kind, Cloud: k.Cloud, Tenant: k.Tenant, Client: k.Client, Secret: k.Secret, Certificate: k.Certificate, Password: k.Password, TokenFile: k.TokenFile}).Credential(); err != nil {
			return nil, err
		}
	}
	if h.CAFile != "" {
		pem, err := os.ReadFile(h.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read ca_file: %w", err)
		}
		c.TLS = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: x509.NewCertPool()}
		if !c.TLS.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", h.CAFile)
		}
	}
	return eventhub.New(c)
}
