package cli

import "noroshi/sinks/catalog"

// sinkKinds are the keys of a sink in the configuration.
func sinkKinds() []string { return catalog.Kinds() }
