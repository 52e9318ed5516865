package cli

import (
	"fmt"
	"strings"

	"noroshi/internal/config"
)

// lacks tells what a run needs and the operating system does not give; nil where nothing is missing.
func lacks(system string, c *config.Config) error {
	if system != "windows" {
		return nil
	}
	var all []string
	if len(c.Kafka.Brokers) == 0 {
		all = append(all, "the embedded Kafka, which cannot lock its data folder there: name Kafka brokers of your own (kafka: {brokers: […]})")
	}
	for _, s := range c.Sources {
		if s.Kind == "file" {
			all = append(all, "file sources, which know a file by its inode: read event hubs or Kafka topics")
			break
		}
	}
	if len(all) == 0 {
		return nil
	}
	return fmt.Errorf("noroshi run on Windows lacks %s. On Linux, on macOS and under WSL nothing is missing; replay, decode, explain, check and test work on Windows", strings.Join(all, "; and "))
}
