package file

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"noroshi/ingest"
)

// BenchmarkLines reads a log of records of 1.25 KB.
func BenchmarkLines(b *testing.B) {
	path := filepath.Join(b.TempDir(), "a")
	rec := `{"Id":"1","pad":"` + strings.Repeat("x", 1250) + "\"}\n"
	if err := os.WriteFile(path, bytes.Repeat([]byte(rec), 40_000), 0o600); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(40_000 * len(rec)))
	b.ReportAllocs()
	for b.Loop() {
		s, err := New(Config{Paths: []string{path}, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		if err := s.Run(b.Context(), nil, func(_ context.Context, batch ingest.Batch) error {
			n += len(batch.Records)
			return nil
		}); err != nil || n != 40_000 {
			b.Fatal(n, err)
		}
	}
}
