package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// blocked is an input from which nothing comes. Whoever reads it is interrupted.
type blocked struct{ interrupt func() }

func (b blocked) Read([]byte) (int, error) {
	b.interrupt()
	select {} // a read of a terminal knows no context
}

// TestAReportOfAReplayThatIsInterrupted: it is written, and says how far the replay has come.
func TestAReportOfAReplayThatIsInterrupted(t *testing.T) {
	dir := t.TempDir()
	records := write(t, dir, "records", strings.Repeat(`{"CreationTime":"2026-01-02T03:00:00","Id":"1","Operation":"x","RecordType":1,"UserId":"taro@contoso.example"}`+"\n", 3))
	ctx, interrupt := context.WithCancel(t.Context())
	var stderr bytes.Buffer
	code := Main(ctx, []string{"replay", "--report", filepath.Join(dir, "found"), records, "-"}, Streams{In: blocked{interrupt}, Out: &stderr, Err: &stderr, Now: time.Now})
	b, err := os.ReadFile(filepath.Join(dir, "found/report.txt"))
	if code != exitFailed || err != nil || !strings.Contains(string(b), "incomplete: the replay was interrupted after 3 records") {
		t.Errorf("exit %d, %v\n%s%s", code, err, b, stderr.String())
	}
	if !strings.Contains(stderr.String(), "it is incomplete") {
		t.Error(stderr.String())
	}
}
