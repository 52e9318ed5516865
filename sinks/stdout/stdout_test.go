package stdout

import (
	"bytes"
	"strings"
	"testing"

	"noroshi/sinks"
	"noroshi/sinks/sinktest"
)

func TestStdout(t *testing.T) {
	var b bytes.Buffer
	sinktest.Run(t, New(&b), func() []string { return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n") })
}

// TestStrangersTextMovesNothing: what a stranger wrote neither moves a terminal's cursor nor turns text around.
func TestStrangersTextMovesNothing(t *testing.T) {
	var b bytes.Buffer
	m := sinks.Message{Body: []byte("{\"summary\":\"\u009b31m\u202e\u200b\u2028\ufeff\U000e0041\u00e9\"}")}
	if err := New(&b).Send(t.Context(), []sinks.Message{m}); err != nil {
		t.Fatal(err)
	}
	if want := `{"summary":"\u009b31m\u202e\u200b\u2028\ufeff\udb40\udc41é"}` + "\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}
