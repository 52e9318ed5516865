package decode

import (
	"encoding/json"
	"strings"

	"noroshi/internal/event"
)

// userKind classifies the actor. service is Microsoft's own: data centre and system user types, Windows service accounts,
// provisioning mailboxes, synchronisation accounts, PIM and self-service password reset. An application is no service:
// attackers act through them. A record that names nobody has no kind.
func userKind(r *Reader, _ string) string {
	switch r.view.shape {
	case event.UAL:
		if kind := r.auditKind(); kind != "" {
			return kind
		}
	case event.Entra, event.Graph:
		if kind := r.entraKind(); kind != "" {
			return kind
		}
	case event.Defender:
		if kind := r.rowKind(); kind != "" {
			return kind
		}
	case event.Security:
		return "service"
	case event.Trace:
		return ""
	}
	name, typ := r.Event.Text(event.UserName), r.Event.Text(event.UserType)
	switch {
	case strings.Contains(name, "#ext#"), strings.HasPrefix(name, "urn:spo:guest#"), strings.EqualFold(typ, "guest"):
		return "guest"
	case name == "" && (r.view.shape == event.Other || r.Event.Text(event.UserID) == ""):
		return ""
	}
	return "user"
}

// auditKind is the kind of a record of the unified audit log, "" for a person.
func (r *Reader) auditKind() string {
	if strings.HasPrefix(r.Event.Text(event.UserName), "serviceprincipal_") { // of whatever type: the log calls them system
		if r.actorIsMicrosofts() {
			return "service"
		}
		return "app"
	}
	switch event.Lower(r.Event.Text(event.UserType)) {
	case "3", "4", "dcadmin", "system":
		return "service"
	case "5", "6", "application", "serviceprincipal":
		return "app"
	}
	if r.serviceAccount(r.Event.Text(event.UserName)) {
		return "service"
	}
	if r.Event.Text(event.UserName) == "app@sharepoint" { // whichever application acts in SharePoint without a person
		return "app"
	}
	return ""
}

// entraKind is the kind of a record of Entra, "" for a person.
func (r *Reader) entraKind() string {
	switch r.category() {
	case servicePrincipals, managedIdentities, servicePrincipalRisks, riskyServicePrincipals:
		return "app"
	case provisioning:
		return "service"
	case graphActivity:
		if r.enveloped("properties.userId") == "" && r.enveloped("properties.UserPrincipalObjectID") == "" {
			return "app"
		}
	}
	if r.initiatedByApp() {
		if r.microsoftsApp() {
			return "service"
		}
		return "app"
	}
	if r.agentActs() || r.Dataset() == datasetAdministrative && r.Event.Text(event.UserName) == "" && r.Event.Text(event.AppID) != "" {
		return "app"
	}
	if r.serviceAccount(r.Event.Text(event.UserName)) {
		return "service"
	}
	return ""
}

// rowKind is the kind of a row of Defender XDR, "" for a person.
func (r *Reader) rowKind() string {
	switch r.table() {
	case "AlertInfo", "AlertEvidence", "EmailPostDeliveryEvents":
		return "service"
	}
	switch event.Lower(r.Event.Text(event.UserType)) {
	case "application":
		return "app"
	case "system":
		return "service"
	}
	if r.serviceAccount(r.Event.Text(event.UserName)) {
		return "service"
	}
	return ""
}

// serviceAccount reports whether a user name is a service's. Nobody else can have one of these; names of applications, which
// anyone can choose, are not asked for here. A synchronisation account is a service in the work of synchronisation alone: whoever
// knows its password, or gives an account such a name, signs in with it, forwards mail and gives roles as any user does.
func (r *Reader) serviceAccount(name string) bool {
	switch name {
	case "s-1-5-18", "securitycompliancealerts", "fim_password_service@support.onmicrosoft.com", `microsoft\serviceoperator`, `sharepoint\system`:
		return true
	}
	if strings.HasPrefix(name, `nt authority\`) || strings.HasPrefix(name, `nt service\`) || strings.HasSuffix(Domain(name), "prod.outlook.com") {
		return true
	}
	return syncAccount(name) && r.mayBeOurs(name) && synchronises(r.Event.Text(event.Action))
}

// syncAccount reports whether a user name, lower case, is that of an account under which directory synchronisation writes:
// Sync_ and the server's name of Entra Connect, the one account of cloud sync, both in the tenant's first domain.
// Source: Microsoft Entra Connect, Accounts and permissions; ADSync PowerShell reference.
func syncAccount(name string) bool {
	local, domain, ok := strings.Cut(name, "@")
	if !ok || !firstDomain(domain) || strings.Contains(local, "#ext#") {
		return false
	}
	return strings.HasPrefix(local, "sync_") || local == "adtoaadsyncserviceaccount"
}

// firstDomain reports whether a domain is one that Microsoft gives to tenants, in whatever cloud.
func firstDomain(domain string) bool {
	for _, d := range [...]string{".onmicrosoft.com", ".onmicrosoft.us", ".partner.onmschina.cn"} {
		if strings.HasSuffix(domain, d) {
			return true
		}
	}
	return false
}

// mayBeOurs reports whether a name in a first domain may be of the tenant, by the name that the record gives the tenant.
func (r *Reader) mayBeOurs(name string) bool {
	organization := r.Event.Text(event.OrganizationName)
	return !firstDomain(organization) || Domain(name) == organization
}

// synchronised are the activities of the directory that synchronisation brings about, lower case.
// Source: Microsoft Entra, Audit log categories and activities, core directory; Connect Sync, object and attribute flow.
var synchronised = map[string]bool{
	"add user": true, "update user": true, "delete user": true, "hard delete user": true, "restore user": true, "disable account": true, "enable account": true, "change user license": true,
	"update stsrefreshtokenvalidfrom timestamp": true, "add group": true, "update group": true, "delete group": true, "hard delete group": true, "restore group": true, "add member to group": true, "remove member from group": true,
	"add owner to group": true, "remove owner from group": true, "add device": true, "update device": true, "delete device": true, "add registered owner to device": true, "remove registered owner from device": true,
	"add registered users to device": true, "remove registered users from device": true, "add contact": true, "update contact": true, "delete contact": true,
	"set company information": true, "set dirsyncenabled flag": true, "set dirsyncenabled flag on company": true, "set dirsync feature": true, "set directory feature on tenant": true,
}

// synchronises reports whether an operation is one of those that synchronisation brings about.
func synchronises(action string) bool { return synchronised[event.Lower(action)] }

// microsoftsApps are the applications of Microsoft's own that change directories, by id.
// Source: Microsoft Entra, first-party applications in audit logs; Connect Sync, application identity.
var microsoftsApps = map[string]bool{
	"01fc33a7-78ba-4d2f-a4b7-768e336e890e": true, // MS-PIM
	"b5a60e17-278b-4c92-a4e2-b9262e66bb28": true, // Azure MFA StrongAuthenticationService
	"00000014-0000-0000-c000-000000000000": true, // Microsoft.Azure.SyncFabric
	"6bf85cfa-ac8a-4be5-b5de-425a0d0dc016": true, // Microsoft Entra AD Synchronization Service
	"93625bc8-bfe2-437a-97e0-3d0060024faa": true, // Microsoft password reset service
}

// microsoftsApp reports whether the application that began what a directory audit tells is Microsoft's own. Anyone can give an
// application its name, so its id decides. Many records have none; then a name counts for the work alone that Microsoft's
// application does under it.
func (r *Reader) microsoftsApp() bool {
	if ids := r.appIDs(); len(ids) > 0 {
		for _, id := range ids {
			if !microsoftsApps[id] {
				return false
			}
		}
		return true
	}
	switch r.Event.Text(event.UserName) {
	case "ms-pim":
		return strings.Contains(r.Event.Text(event.Action), "member")
	case "azure mfa strongauthenticationservice":
		return r.changesStrongAuthentication()
	}
	return false
}

// actorIsMicrosofts reports whether a record of the unified audit log has, among the actor's ids, one of Microsoft's own. The
// entries of type 1 are names, which anyone can choose.
func (r *Reader) actorIsMicrosofts() bool {
	var actors []struct {
		ID   string
		Type json.RawMessage
	}
	if json.Unmarshal(r.span("Actor"), &actors) != nil {
		return false
	}
	for _, a := range actors {
		if string(a.Type) == "2" && microsoftsApps[event.Lower(a.ID)] {
			return true
		}
	}
	return false
}

// appIDs are the ids that the record gives of the application that began it.
func (r *Reader) appIDs() (ids []string) {
	if id := r.enveloped("properties.initiatedBy.app.appId"); id != "" {
		return []string{event.Lower(id)}
	}
	for _, name := range [...]string{"ActorId.ServicePrincipalNames", "SPN"} {
		for one := range strings.SplitSeq(r.changed(name), ";") {
			if one = strings.TrimSpace(one); isGUID(one) {
				ids = append(ids, event.Lower(one))
			}
		}
	}
	return ids
}

// changesStrongAuthentication reports whether the record changes a user's methods of authentication, and nothing else.
func (r *Reader) changesStrongAuthentication() bool {
	methods := false
	for _, t := range r.targets() {
		entries, _ := r.entriesOf(nil, t.ModifiedProperties)
		for _, e := range entries {
			switch {
			case strings.HasPrefix(e.Name, "StrongAuthentication"):
				methods = true
			case e.Name != "Included Updated Properties" && !strings.HasPrefix(e.Name, "TargetId.") && !strings.HasPrefix(e.Name, "ActorId."):
				return false
			}
		}
	}
	return methods
}

// isGUID reports whether a text is a GUID without brackets.
func isGUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
				return false
			}
		}
	}
	return true
}

// initiatedByApp reports whether an application, and no user, began what the directory audit tells.
func (r *Reader) initiatedByApp() bool { return !r.any(r.view.users) && r.any(r.view.apps) }

// Where a directory audit, with and without its envelope, names who began it.
var (
	userInitiators = [...]string{"properties.initiatedBy.user.userPrincipalName", "properties.initiatedBy.user.id", "initiatedBy.user.userPrincipalName", "initiatedBy.user.id"}
	appInitiators  = [...]string{"properties.initiatedBy.app.displayName", "properties.initiatedBy.app.appId", "properties.initiatedBy.app.servicePrincipalId",
		"initiatedBy.app.displayName", "initiatedBy.app.appId", "initiatedBy.app.servicePrincipalId"}
)
