package event

import (
	"slices"
	"strconv"
	"strings"
)

// Lists are the Name/Value lists of the unified audit log that param looks into, in this order.
var Lists = []string{"Parameters", "OperationProperties", "ExtendedProperties", "DeviceProperties"}

// familyPaths are the paths of raw.A.B, param[Name] and change[Name].old or .new.
func familyPaths(name string, s Shape) []string {
	if path, ok := strings.CutPrefix(name, "raw"); ok {
		return []string{strings.TrimPrefix(path, ".")}
	}
	key := name[strings.IndexByte(name, '[')+1:]
	key, member, _ := cutLast(key, "]")
	switch {
	case strings.HasPrefix(name, "param["):
		switch s {
		case UAL:
			var paths []string
			for _, l := range Lists {
				paths = append(paths, l+"["+key+"]")
			}
			return paths
		case Entra:
			return []string{"properties.additionalDetails[" + key + "]"}
		case Graph:
			return []string{"additionalDetails[" + key + "]"}
		}
	case s == UAL && member == ".old":
		return []string{"ModifiedProperties[" + key + "].OldValue"}
	case s == UAL:
		return []string{"ModifiedProperties[" + key + "].NewValue"}
	case s == Entra:
		return []string{"properties.targetResources[*].modifiedProperties[" + key + "]" + changeMember(member)}
	case s == Graph:
		return []string{"targetResources[*].modifiedProperties[" + key + "]" + changeMember(member)}
	}
	return nil
}

func changeMember(member string) string {
	if member == ".old" {
		return ".oldValue"
	}
	return ".newValue"
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// flattened are members of the envelope that rows of Log Analytics have beside those of its properties.
var flattened = []string{"operationName", "resultType", "resultDescription", "location", "identity"}

// bare are Entra's paths as Graph and rows of Log Analytics have them: without the envelope. A table of either may have the whole
// path as the name of a column, as in Status.ErrorCode.
func bare(paths []string) []string {
	var out []string
	for _, path := range paths {
		rest, ok := strings.CutPrefix(path, "properties.")
		if ok || slices.Contains(flattened, path) {
			out = append(out, rest)
			if strings.Contains(rest, ".") && !strings.Contains(rest, "[") {
				out = append(out, "["+strconv.Quote(rest)+"]")
			}
		}
	}
	return out
}
