package telemetry

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/otlptranslator"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	sdk "go.opentelemetry.io/otel/sdk/metric"
)

// Bounds of scrapes. Those that come while one is under way share what it finds.
const (
	mostScrapes  = 4
	scrapeWithin = 10 * time.Second
)

// registry makes the reader that scrapes ask. The names are those that Prometheus uses everywhere: underscores, the unit and _total at the
// end. The program is the one scope, so its name is not repeated on each series.
func (t *Telemetry) registry() (sdk.Reader, error) {
	t.scrapes = prometheus.NewRegistry()
	reader, err := exporter.New(exporter.WithRegisterer(t.scrapes), exporter.WithoutScopeInfo(),
		exporter.WithTranslationStrategy(otlptranslator.UnderscoreEscapingWithSuffixes))
	if err != nil {
		return nil, fmt.Errorf("make the reader of Prometheus: %w", err)
	}
	if err := t.scrapes.Register(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})); err != nil {
		return nil, fmt.Errorf("watch the process: %w", err)
	}
	return reader, nil
}

// Prometheus answers scrapes: all instruments, in the text format of Prometheus, or as OpenMetrics with exemplars where the client takes
// that. It asks nobody who it is; whoever serves it does. It may be called at any time, more than once.
func (t *Telemetry) Prometheus() http.Handler {
	return promhttp.HandlerFor(t.scrapes, promhttp.HandlerOpts{EnableOpenMetrics: true, ErrorHandling: promhttp.ContinueOnError,
		MaxRequestsInFlight: mostScrapes, Timeout: scrapeWithin, CoalesceGather: true, ErrorLog: scrapeErrors{t.log}})
}

// scrapeErrors logs what goes wrong with scrapes; the series that can be told are told nevertheless.
type scrapeErrors struct{ log *slog.Logger }

// Println implements promhttp.Logger.
func (s scrapeErrors) Println(v ...any) {
	s.log.Warn("not all metrics could be given to a scrape", slog.String("err", fmt.Sprint(v...)))
}
