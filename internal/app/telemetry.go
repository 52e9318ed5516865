package app

import (
	"context"
	"crypto/tls"
	"log/slog"
	"time"

	"noroshi/internal/certs"
	"noroshi/internal/config"
	"noroshi/internal/telemetry"
)

// flushWithin is how long readers of telemetry may take at the end for what they have not told yet.
const flushWithin = 5 * time.Second

// openTelemetry makes the instruments. What it gives back ends them, and has its own time for that: ctx has ended by then.
func (r *Run) openTelemetry(ctx context.Context) (closeAll func(), err error) {
	to, err := collectorOf(&r.Config.Telemetry.OTLP)
	if err != nil {
		return nil, err
	}
	r.telemetry, err = telemetry.New(ctx, telemetry.Options{Version: r.Version, Instance: instance(), Observe: r.observe, Log: r.Log, OTLP: to})
	if err != nil {
		return nil, err
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushWithin)
		defer cancel()
		if err := r.telemetry.Close(ctx); err != nil {
			r.Log.Warn("not all telemetry was sent", slog.Any("err", err))
		}
	}, nil
}

// collectorOf is the collector that a configuration names.
func collectorOf(c *config.OTLP) (to telemetry.OTLP, err error) {
	to = telemetry.OTLP{Endpoint: c.Endpoint, Protocol: telemetry.Protocol(c.Protocol), Headers: c.Headers, Every: c.Interval, Timeout: c.Timeout}
	to.Off.Metrics = !c.Metrics
	if c.Sample != nil {
		share := float64(*c.Sample) / 100
		to.Sample, to.Off.Traces = &share, share == 0
	}
	if c.CAFile != "" {
		pool, err := certs.Read(c.CAFile)
		if err != nil {
			return to, err
		}
		to.TLS = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return to, nil
}
