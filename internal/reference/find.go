package reference

import (
	"slices"
	"strings"
)

// ofSinks are the kinds of sinks that reach out over the network, and so have the keys of HTTP.
const ofSinks = "sinks[]."

// known are the entries by their paths.
var known = func() map[string]*entry {
	all := map[string]*entry{}
	for i := range entries {
		all[entries[i].path] = &entries[i]
	}
	return all
}()

// find gives the entry of a path: its own one, or that of its group. It is nil where nobody has written one.
func find(path string) *entry {
	if e := known[path]; e != nil {
		return e
	}
	parts := strings.Split(path, ".")
	if len(parts) < 2 {
		return nil
	}
	above, key := parts[len(parts)-2], parts[len(parts)-1]
	if slices.Contains([]string{groupCredential, groupSASL, groupTemplates}, above) {
		return known[above+"."+key]
	}
	if strings.HasPrefix(path, ofSinks) && len(parts) == 3 {
		return known[groupHTTP+"."+key]
	}
	return nil
}

// grouped reports whether an entry is of a group.
func grouped(e *entry) bool {
	of, _, _ := strings.Cut(e.path, ".")
	return slices.Contains([]string{groupHTTP, groupCredential, groupSASL, groupTemplates}, of)
}

// shapes are the shapes of all entries. Of a group it is that of the first place.
func shapes() (all map[*entry]*shape, missing []string) {
	all = map[*entry]*shape{}
	walk(trace(), "", func(path string, s *shape) {
		switch e := find(path); {
		case e == nil:
			missing = append(missing, path)
		case all[e] == nil:
			all[e] = s
		}
	})
	return all, missing
}
