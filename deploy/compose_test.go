package deploy

import (
	"testing"

	"noroshi/internal/config"
	"noroshi/sinks/catalog"
)

// TestTheConfigurationOfComposeIsRead: each key of it is known.
func TestTheConfigurationOfComposeIsRead(t *testing.T) {
	c, _, wrong := config.Read("compose/noroshi/noroshi.yaml", catalog.Kinds())
	for _, p := range wrong {
		t.Error(p.Format())
	}
	if len(c.Sources) != 1 || len(c.Sinks) != 1 {
		t.Errorf("%d sources and %d sinks are read", len(c.Sources), len(c.Sinks))
	}
}
