package app

import (
	"context"
	"log/slog"
	"time"

	"noroshi/internal/telemetry"
)

// flushWithin is how long readers of telemetry may take at the end for what they have not told yet.
const flushWithin = 5 * time.Second

// openTelemetry makes the instruments. What it gives back ends them, and has its own time for that: ctx has ended by then.
func (r *Run) openTelemetry(ctx context.Context) (closeAll func(), err error) {
	r.telemetry, err = telemetry.New(telemetry.Options{Version: r.Version, Observe: r.observe, Log: r.Log})
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
