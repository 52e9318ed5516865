package cli

// sinkKinds are the keys of a sink in the configuration.
func sinkKinds() []string { return nil }
