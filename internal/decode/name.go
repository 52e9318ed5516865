package decode

import (
	"strings"

	"noroshi/internal/event"
)

// userName is the actor's name. Of a person that is a user principal name or an address: a display name is not unique, and people
// choose it. What only names an application counts where an application acts.
func userName(r *Reader, text string) string {
	switch r.view.shape {
	case event.Defender:
		return rowUser(r, text)
	case event.Entra, event.Graph:
	default:
		return text
	}
	if text == "" || isAddress(text) || r.appActs() {
		return text
	}
	for _, i := range r.view.slots[event.UserName].feeds {
		text := nameOf(r.scalar(i))
		if text == "" {
			continue
		}
		if isAddress(text) || strings.EqualFold(lastStep(r.view.paths[i]), "userPrincipalName") {
			return text
		}
	}
	return ""
}

// appActs reports whether an application, and no person, acts in a record of Entra.
func (r *Reader) appActs() bool {
	switch r.category() {
	case servicePrincipals, managedIdentities, servicePrincipalRisks, riskyServicePrincipals, provisioning:
		return true
	}
	return r.initiatedByApp() || r.agentActs()
}

// fullName is the actor's display name. The envelope's identity holds one, or an address.
func fullName(r *Reader, text string) string {
	if placeholder(text) || text == r.at("identity") && (isAddress(text) || r.appActs()) {
		return ""
	}
	return text
}

// isAddress reports whether a name has the form of an address.
func isAddress(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	return ok && local != "" && domain != "" && !strings.ContainsAny(s, " \t<>,;")
}
