package decode

import (
	"encoding/json"
	"net/netip"
	"strings"

	"noroshi/internal/event"
)

// account is the account that the record is about, the one function for every road: the actor where a person acts, so that
// what an attacker does to others stays with the account it was done from; for applications the mailbox owner, else the
// application; for service actors the entity named, else the actor. An alert is about the entity named alone, never about the
// service that wrote it.
func account(r *Reader, _ string) string {
	if r.view.shape == event.Trace {
		return traceAccount(r)
	}
	if r.isAlert() {
		return r.known(r.Event.Text(event.AlertEntity))
	}
	switch r.Event.Text(event.UserKind) {
	case "app":
		return firstName(r.known(r.Event.Text(event.MailboxOwner)), noAddress(r.Event.Text(event.AppName)),
			noAddress(r.Event.Text(event.UserName)), r.Event.Text(event.AppID), r.Event.Text(event.UserID))
	case "service":
		return firstName(r.otherSide(), r.name(), noAddress(r.Event.Text(event.AppName)), r.Event.Text(event.AppID))
	case "user", "guest":
		if name := r.name(); name != "" {
			return name
		}
	}
	return first(r.otherSide(), r.name()) // the application is not who acted
}

// noAddress is the name of an application unless it is an address: anyone can give an application the name of a person's account.
func noAddress(name string) string {
	if strings.Contains(name, "@") && isAddress(nameOf(name)) {
		return ""
	}
	return name
}

// name is the actor's name, else its id.
func (r *Reader) name() string {
	return r.known(first(r.Event.Text(event.UserName), r.Event.Text(event.UserID)))
}

// otherSide is whom or what it was done to, as the directory has it.
func (r *Reader) otherSide() string { return r.known(r.Event.Text(event.TargetName)) }

// known is a name as the directory has it: a user principal name stays; of a path or a domain account the last part is looked
// up, then the whole.
func (r *Reader) known(name string) string {
	if name == "" || strings.Contains(name, "@") && !strings.ContainsAny(name, `/\`) {
		return name
	}
	last := name[strings.LastIndexAny(name, `/\`)+1:]
	return first(r.inDirectory(name, last), last, name)
}

// inDirectory is the user principal name that the directory has for the first of the names that it knows.
func (r *Reader) inDirectory(names ...string) string {
	if r.plan.options.Directory == nil {
		return ""
	}
	for _, n := range names {
		if upn, ok := r.plan.options.Directory(r.Event.Text(event.Tenant), n); ok {
			return event.Lower(upn)
		}
	}
	return ""
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// any reports whether one of the places names something.
func (r *Reader) any(places []int32) bool {
	for _, i := range places {
		if !placeholder(r.scalar(i)) {
			return true
		}
	}
	return false
}

// targetName is the other side: whose mailbox it was; what a command names in Identity; the user of a directory record.
func targetName(r *Reader, _ string) string {
	switch r.view.shape {
	case event.Defender:
		return firstName(r.at("properties.TargetAccountUpn"), r.at("properties.RecipientEmailAddress"))
	case event.Trace:
		return event.Lower(r.at("RecipientAddress"))
	}
	if r.view.shape != event.UAL {
		if r.named() == provisioning {
			return provisioned(r)
		}
		if t, ok := r.changedTarget(); ok && t.UserPrincipalName != "" {
			return event.Lower(t.UserPrincipalName)
		}
		for _, p := range [...]string{"properties.targetResources[*].userPrincipalName", "targetResources[*].userPrincipalName"} {
			if upn := r.at(p); upn != "" {
				return event.Lower(upn)
			}
		}
		return ""
	}
	if owner := r.Event.Text(event.MailboxOwner); owner != "" {
		return owner
	}
	object := r.object()
	switch code(r, r.recordType()) {
	case "1":
		return event.Lower(first(r.at("Parameters[Identity]"), object))
	case "8", "40":
		if strings.Contains(object, "@") {
			return event.Lower(object)
		}
	case "14": // sharing
		return event.Lower(r.at("TargetUserOrGroupName"))
	}
	return ""
}

// targetDisplayName is the name of what was changed. Directory changes in the unified audit log have it among Target, as an entry of
// type 1, beside ids; ObjectId holds ids, too. The activity log of Azure names the resource.
// Source: Office 365 Management Activity API schema, IdentityTypeValuePair: 1 is Name.
func targetDisplayName(r *Reader, recorded string) string {
	if r.view.shape != event.UAL {
		if strings.HasPrefix(recorded, "/") && r.Dataset() != datasetAdministrative { // the directory itself
			return ""
		}
		return recorded
	}
	if code(r, r.recordType()) != "8" {
		return r.object()
	}
	var targets []struct {
		ID   string          `json:"ID"`
		Type json.RawMessage `json:"Type"`
	}
	if json.Unmarshal(r.span("Target"), &targets) == nil {
		for _, t := range targets {
			if name := strings.TrimSpace(t.ID); name != "" && strings.Trim(string(t.Type), `"`) == "1" {
				return name
			}
		}
	}
	return r.object()
}

// sourcePort is the port of the place that gave the address.
func sourcePort(r *Reader, _ string) string {
	for _, i := range r.view.slots[event.SourceIP].feeds {
		if ip, port := Address(r.scalar(i)); ip != "" {
			return port
		}
	}
	return ""
}

// sourceKind tells whose address it is.
func sourceKind(r *Reader, _ string) string {
	ip := r.Event.Text(event.SourceIP)
	if ip == "" {
		return "none"
	}
	a, err := netip.ParseAddr(ip)
	if err == nil && (a.IsPrivate() || a.IsLinkLocalUnicast()) {
		return "private"
	}
	if r.Event.Text(event.UserKind) == "service" && !syncAccount(r.Event.Text(event.UserName)) { // these write from the customer's servers
		return "microsoft"
	}
	return "client"
}
