package decode

import (
	"encoding/json"
	"slices"
	"strings"

	"noroshi/internal/event"
)

// licenseRemoved are the licenses that a user had before a change and has no more, by their product names.
func licenseRemoved(r *Reader) (gone []string) {
	if !r.acts("license.removed") {
		return nil
	}
	was, is := r.replaced("AssignedLicense")
	left := licensesOf(is)
	for _, l := range licensesOf(was) {
		if !slices.ContainsFunc(left, func(o license) bool { return o.id == l.id }) {
			gone = append(gone, first(l.name, l.id))
		}
	}
	return gone
}

// licensePlansRemoved are the service plans that a user had before a change and has no more: those that licenses leave out since, and
// those that are assigned no more, as the record names them: by id, or by name.
func licensePlansRemoved(r *Reader) (gone []string) {
	if !r.acts("license.plans_removed") {
		return nil
	}
	was, is := r.replaced("AssignedLicense")
	before := licensesOf(was)
	for _, l := range licensesOf(is) {
		at := slices.IndexFunc(before, func(o license) bool { return o.id == l.id })
		for _, plan := range l.without {
			if at >= 0 && !slices.Contains(before[at].without, plan) {
				gone = append(gone, plan)
			}
		}
	}
	was, is = r.replaced("AssignedPlan")
	left := plansOf(is)
	for _, plan := range plansOf(was) {
		if !slices.Contains(left, plan) && !slices.Contains(gone, plan) {
			gone = append(gone, plan)
		}
	}
	return gone
}

// license is a product that is assigned to a user.
type license struct {
	id, name string
	without  []string // the plans that are switched off, lower case
}

// licensesOf are the licenses in a property: an array of texts like
// [SkuName=ENTERPRISEPREMIUM, AccountId=…, SkuId=…, DisabledPlans=[…]], or one such text.
func licensesOf(value string) (all []license) {
	for value != "" {
		_, rest, ok := strings.Cut(value, "SkuName=")
		if !ok {
			break
		}
		one, next, _ := strings.Cut(rest, "SkuName=")
		if next != "" {
			next = "SkuName=" + next
		}
		l := license{name: member("SkuName="+one, "SkuName="), id: event.Lower(member(one, "SkuId="))}
		if _, plans, ok := strings.Cut(one, "DisabledPlans=["); ok {
			plans, _, _ = strings.Cut(plans, "]")
			l.without = strings.FieldsFunc(event.Lower(plans), func(c rune) bool { return strings.ContainsRune(` ,;"\`, c) })
		}
		l.id = first(l.id, l.name)
		all, value = append(all, l), next
	}
	return all
}

// member is what stands behind a name, up to the next comma or bracket.
func member(text, name string) string {
	_, rest, ok := strings.Cut(text, name)
	if !ok {
		return ""
	}
	if end := strings.IndexAny(rest, ",]"); end >= 0 {
		rest = rest[:end]
	}
	return strings.TrimSpace(rest)
}

// plansOf are the ids of the service plans in a property that are in force.
// Source: Azure AD Graph, assignedPlan: CapabilityStatus is Enabled (0), Warning (1), Suspended (2), Deleted (3) or LockedOut (4).
func plansOf(value string) (all []string) {
	var plans []struct {
		ID     string          `json:"ServicePlanId"`
		Status json.RawMessage `json:"CapabilityStatus"`
	}
	if value = strings.TrimSpace(value); strings.HasPrefix(value, "{") { // an array of one, unwrapped
		value = "[" + value + "]"
	}
	if json.Unmarshal([]byte(value), &plans) != nil {
		return nil
	}
	for _, p := range plans {
		if status := strings.Trim(string(p.Status), `"`); status == "0" || status == "1" || strings.EqualFold(status, "Enabled") || strings.EqualFold(status, "Warning") {
			all = append(all, event.Lower(p.ID))
		}
	}
	return all
}
