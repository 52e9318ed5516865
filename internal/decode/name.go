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
	both := r.any(r.view.apps) && r.any(r.view.users)
	if text == "" || isAddress(text) && !both || r.appActs() {
		return text
	}
	for _, i := range r.view.slots[event.UserName].feeds {
		text := nameOf(r.scalar(i))
		if text == "" || ofApp(r.view.paths[i]) {
			continue
		}
		if isAddress(text) || strings.EqualFold(lastStep(r.view.paths[i]), "userPrincipalName") {
			return text
		}
	}
	return ""
}

// userID is the actor's id. Beside a person the application is not who acted.
func userID(r *Reader, text string) string {
	if text == "" || r.view.shape != event.Entra && r.view.shape != event.Graph || !r.any(r.view.users) {
		return text
	}
	for _, i := range r.view.slots[event.UserID].feeds {
		if id := nameOf(r.scalar(i)); id != "" && !ofApp(r.view.paths[i]) {
			return id
		}
	}
	return ""
}

// ofApp reports whether a path leads to the application that began what a directory audit tells.
func ofApp(path string) bool { return strings.Contains(path, "initiatedBy.app.") }

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
	if placeholder(text) || text == r.at("identity") && (isAddress(text) || strings.HasPrefix(strings.TrimSpace(text), "{") || r.appActs()) {
		return ""
	}
	return text
}

// isAddress reports whether a name has the form of an address.
func isAddress(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	return ok && local != "" && domain != "" && !strings.ContainsAny(s, " \t<>,;")
}
