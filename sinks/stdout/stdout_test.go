package stdout

import (
	"bytes"
	"strings"
	"testing"

	"noroshi/sinks/sinktest"
)

func TestStdout(t *testing.T) {
	var b bytes.Buffer
	sinktest.Run(t, New(&b), func() []string { return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n") })
}
