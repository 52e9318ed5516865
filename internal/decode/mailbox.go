package decode

import (
	"encoding/json"
	"strconv"
	"strings"
)

func messageID(_ *Reader, text string) string {
	return strings.TrimSuffix(strings.TrimPrefix(text, "<"), ">")
}

// items counts what a mailbox record names: the affected items, or those in folders of an aggregated record.
func items(r *Reader, _ string) string {
	if n := r.at("OperationCount"); n != "" {
		return n
	}
	var affected []json.RawMessage
	if raw := r.span("AffectedItems"); raw != nil && json.Unmarshal(raw, &affected) == nil {
		return strconv.Itoa(len(affected))
	}
	var folders []struct{ FolderItems []json.RawMessage }
	if raw := r.span("Folders"); raw != nil && json.Unmarshal(raw, &folders) == nil {
		n := 0
		for _, f := range folders {
			n += len(f.FolderItems)
		}
		return strconv.Itoa(n)
	}
	return ""
}

func logon(_ *Reader, text string) string {
	switch text {
	case "0", "Owner":
		return "owner"
	case "1", "Admin":
		return "admin"
	case "2", "Delegated", "Delegate":
		return "delegate"
	}
	return ""
}
