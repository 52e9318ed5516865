package decode

import (
	"encoding/json"
	"slices"
	"strings"

	"noroshi/internal/event"
)

// policy is what of a policy of Conditional Access decides whom it stops.
// Source: Microsoft Graph, conditionalAccessPolicy resource type, as audit records hold it.
type policy struct {
	State         string                     `json:"state"`
	Conditions    map[string]json.RawMessage `json:"conditions"`
	GrantControls struct {
		Operator string          `json:"operator"`
		Controls []string        `json:"builtInControls"`
		Strength json.RawMessage `json:"authenticationStrength"`
	} `json:"grantControls"`
}

// policyWeakened is how a change of a policy weakens it. A policy that was not in force protected nobody.
func policyWeakened(r *Reader) (how []string) {
	if !r.acts("policy.weakened") {
		return nil
	}
	oldText, newText := r.replaced("ConditionalAccessPolicy")
	var was, is policy
	known := json.Unmarshal([]byte(oldText), &was) == nil && was.State != ""
	if strings.HasPrefix(r.Event.Text(event.Action), "Delete") {
		if !known || was.enforced() {
			return []string{"deleted"}
		}
		return nil
	}
	if !known || !was.enforced() || json.Unmarshal([]byte(newText), &is) != nil {
		return nil
	}
	switch {
	case is.enforced():
	case strings.EqualFold(is.State, "disabled"):
		how = append(how, "disabled")
	default:
		how = append(how, "report_only")
	}
	narrowed, excluded := compareConditions(was.Conditions, is.Conditions)
	if excluded {
		how = append(how, "exclusion_added")
	}
	if narrowed {
		how = append(how, "scope_narrowed")
	}
	if dropsGrant(&was, &is) {
		how = append(how, "grant_dropped")
	}
	return how
}

func (p *policy) enforced() bool { return strings.EqualFold(p.State, "enabled") }

// compareConditions reports whether a policy holds for fewer than before, and whether it leaves out more. Its conditions are lists
// in objects, whose names begin with include and exclude.
func compareConditions(was, is map[string]json.RawMessage) (narrowed, excluded bool) {
	for of, raw := range is {
		now, before := listsOf(raw), listsOf(was[of])
		for name, all := range now {
			switch {
			case strings.HasPrefix(name, "exclude"):
				excluded = excluded || lacks(before[name], all)
			case strings.HasPrefix(name, "include") && len(before[name]) > 0 && !slices.Contains(all, "All"):
				narrowed = narrowed || lacks(all, before[name])
			}
		}
	}
	return narrowed, excluded
}

// listsOf are the lists of texts in an object, by name.
func listsOf(raw json.RawMessage) map[string][]string {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return nil
	}
	lists := map[string][]string{}
	for name, v := range members {
		var list []string
		if json.Unmarshal(v, &list) == nil {
			lists[name] = list
		}
	}
	return lists
}

// lacks reports whether some of others is not in the list.
func lacks(list, others []string) bool {
	return slices.ContainsFunc(others, func(s string) bool { return !slices.Contains(list, s) })
}

// dropsGrant reports whether the policy asks for less than before: for fewer controls, no strength any more, or one of several
// instead of all.
func dropsGrant(was, is *policy) bool {
	before, now := &was.GrantControls, &is.GrantControls
	strength := func(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }
	switch {
	case strength(before.Strength) && !strength(now.Strength):
		return !slices.Contains(now.Controls, "mfa") && !slices.Contains(now.Controls, "block")
	case lacks(now.Controls, before.Controls):
		return !strength(now.Strength) && !slices.Contains(now.Controls, "block")
	}
	return len(before.Controls) > 1 && strings.EqualFold(before.Operator, "AND") && strings.EqualFold(now.Operator, "OR")
}
