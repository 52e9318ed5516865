package decode

import (
	"net/netip"
	"strings"

	"noroshi/internal/event"
)

// account is the account that the record is about, the one function for every road: the actor where a person acts, so that
// what an attacker does to others stays with the account it was done from; for applications the mailbox owner, else the
// application; for service actors and alerts the entity named, else the actor.
func account(r *Reader, _ string) string {
	if r.view.shape == event.Trace {
		return traceAccount(r)
	}
	if e := r.field("alert.entity"); e != "" {
		return r.known(e)
	}
	target := r.known(r.field("user.target.name"))
	switch r.field("user.kind") {
	case "app":
		return firstName(r.known(r.field("mailbox.owner")), r.field("app.name"), r.field("user.name"), r.field("app.id"), r.field("user.id"))
	case "service":
		return firstName(target, r.name(), r.field("app.name"), r.field("app.id"))
	case "user", "guest":
		return first(r.name(), target)
	}
	return first(target, r.name()) // the application is not who acted
}

// name is the actor's name, else its id.
func (r *Reader) name() string {
	return r.known(first(r.field("user.name"), r.field("user.id")))
}

// known is a name as the directory has it: a user principal name stays; of a path or a domain account the last part is looked
// up, then the whole.
func (r *Reader) known(name string) string {
	if name == "" || strings.Contains(name, "@") && !strings.ContainsAny(name, `/\`) {
		return name
	}
	last := name[strings.LastIndexAny(name, `/\`)+1:]
	if r.plan.options.Directory != nil {
		for _, n := range [...]string{name, last} {
			if upn, ok := r.plan.options.Directory(n); ok {
				return event.Lower(upn)
			}
		}
	}
	if last == "" {
		return name
	}
	return last
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// userKind classifies the actor. service is Microsoft's own: data centre and system user types, Windows service accounts,
// provisioning mailboxes, PIM and self-service password reset. An application is no service: attackers act through them.
func userKind(r *Reader, _ string) string {
	name := r.field("user.name")
	switch r.view.shape {
	case event.UAL:
		switch r.field("user.type") {
		case "3", "4", "DcAdmin", "System":
			return "service"
		}
		if serviceName(name) {
			return "service"
		}
		switch r.field("user.type") {
		case "5", "6", "Application", "ServicePrincipal":
			return "app"
		}
	case event.Entra, event.Graph:
		if serviceName(name) {
			return "service"
		}
		switch r.named() {
		case servicePrincipals, managedIdentities, servicePrincipalRisks, riskyServicePrincipals:
			return "app"
		case provisioning:
			return "service"
		case graphActivity:
			if r.property("userId") == "" && r.property("UserPrincipalObjectID") == "" {
				return "app"
			}
		}
		if r.initiatedByApp() || r.agentActs() {
			return "app"
		}
	case event.Defender:
		switch r.table() {
		case "AlertInfo", "AlertEvidence", "EmailPostDeliveryEvents":
			return "service"
		}
		switch r.field("user.type") {
		case "Application":
			return "app"
		case "System":
			return "service"
		}
		if serviceName(name) {
			return "service"
		}
		if name == "" && r.field("user.id") == "" {
			return ""
		}
	case event.Trace:
		return ""
	case event.Security:
		return "service"
	}
	if strings.Contains(name, "#ext#") || r.field("user.type") == "Guest" || r.field("user.type") == "guest" {
		return "guest"
	}
	if name == "" && r.view.shape == event.Other {
		return ""
	}
	return "user"
}

func serviceName(name string) bool {
	switch name {
	case "ms-pim", "azure mfa strongauthenticationservice", "microsoft.azure.syncfabric", "microsoft managed policy manager", "s-1-5-18", "securitycompliancealerts",
		"fim_password_service@support.onmicrosoft.com":
		return true
	}
	return strings.HasPrefix(name, `nt authority\`) || strings.HasPrefix(name, `nt service\`) || strings.HasSuffix(Domain(name), "prod.outlook.com")
}

// initiatedByApp reports whether an application, and no user, began what the directory audit tells.
func (r *Reader) initiatedByApp() bool { return !r.any(userInitiators[:]) && r.any(appInitiators[:]) }

// Where a directory audit, with and without its envelope, names who began it.
var (
	userInitiators = [...]string{"properties.initiatedBy.user.userPrincipalName", "properties.initiatedBy.user.id", "initiatedBy.user.userPrincipalName", "initiatedBy.user.id"}
	appInitiators  = [...]string{"properties.initiatedBy.app.displayName", "properties.initiatedBy.app.appId", "properties.initiatedBy.app.servicePrincipalId",
		"initiatedBy.app.displayName", "initiatedBy.app.appId", "initiatedBy.app.servicePrincipalId"}
)

// any reports whether one of the paths that the plan projects names something.
func (r *Reader) any(paths []string) bool {
	for _, p := range paths {
		if !placeholder(r.at(p)) {
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
		for _, p := range [...]string{"properties.targetResources[*].userPrincipalName", "targetResources[*].userPrincipalName"} {
			if upn := r.at(p); upn != "" {
				return event.Lower(upn)
			}
		}
		return ""
	}
	if owner := r.at("MailboxOwnerUPN"); owner != "" {
		return event.Lower(owner)
	}
	object := r.object()
	switch code(r, r.recordType()) {
	case "1":
		return event.Lower(first(r.at("Parameters[Identity]"), object))
	case "40":
		return event.Lower(object)
	case "8":
		if strings.Contains(object, "@") {
			return event.Lower(object)
		}
	}
	return ""
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
	ip := r.field("source.ip")
	if ip == "" {
		return "none"
	}
	a, err := netip.ParseAddr(ip)
	if err == nil && (a.IsPrivate() || a.IsLinkLocalUnicast()) {
		return "private"
	}
	if r.field("user.kind") == "service" {
		return "microsoft"
	}
	return "client"
}
