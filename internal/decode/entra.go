package decode

import (
	"strings"

	"noroshi/internal/decode/projector"
	"noroshi/internal/event"
)

// Operations of Identity Protection's records, which carry none where Microsoft Graph returns them.
const (
	riskDetection = "User Risk Detection"
	riskyUser     = "Risky user"
)

// risk is the operation of a record of Identity Protection as Microsoft Graph returns it, "" of any other.
func (r *Reader) risk() string {
	switch {
	case r.view.shape != event.Graph || !r.detectsRisk() || r.present(markActivityName) || r.signsIn():
		return ""
	case r.present(markActivity), r.present(markDetected), r.present(markRiskEvent):
		return riskDetection
	}
	return riskyUser
}

// ofServicePrincipal reports whether the record at hand names a service principal and no user.
func (r *Reader) ofServicePrincipal() bool {
	return !(placeholder(r.at("servicePrincipalId")) && placeholder(r.at("appId"))) && placeholder(r.at("userPrincipalName")) && placeholder(r.at("userId"))
}

// detectsRisk reports whether the record at hand has what tells a risk.
func (r *Reader) detectsRisk() bool {
	return r.present(markRiskLevel) && r.present(markRiskState) || r.present(markRiskEvent) && r.present(markDetected)
}

// signsIn reports whether the record at hand has what only a sign-in has. Users, devices, service principals and much else of the
// directory have a time of creation and a name, too. Tables may have few of a sign-in's members.
// Source: Microsoft Graph, signIn and the other resource types that have createdDateTime.
func (r *Reader) signsIn() bool {
	if !r.present(markCreated) || r.present(markRiskEvent) {
		return false
	}
	for mark := markAccess; mark < markSignInEnd; mark++ {
		if r.present(mark) {
			return true
		}
	}
	switch {
	case signInCategory(r.scalar(markCategory)):
		return true
	case r.present(markUser) && r.present(markApp):
		return true
	case r.present(markUser) || r.present(markApp):
		return r.present(markAddress) || r.coded()
	}
	return false
}

// coded reports whether the record at hand tells how a sign-in ended: by a code, or by a word for one.
func (r *Reader) coded() bool {
	if r.present(markErrorCode) || r.present(markResult) || r.kind(markStatus) == projector.Object || r.kind(markStatus) == projector.Number {
		return true
	}
	switch status := strings.TrimSpace(r.scalar(markStatus)); {
	case status == "":
		return false
	case status[0] == '{', status[0] == '@', strings.Contains(status, "SignInStatus"): // as objects are written in cells
		return true
	case status[0] >= '0' && status[0] <= '9':
		return true
	default:
		return strings.EqualFold(status, "success") || strings.EqualFold(status, "failure") || strings.EqualFold(status, "interrupted")
	}
}

// provisioned is the account that was provisioned: as the source knows it, else the target.
func provisioned(r *Reader) string {
	if name := firstName(r.enveloped("properties.sourceIdentity.details.UserPrincipalName"), r.enveloped("properties.targetIdentity.details.UserPrincipalName")); name != "" {
		return name
	}
	for _, p := range [...]string{"properties.sourceIdentity.Name", "properties.sourceIdentity.displayName"} {
		if name := nameOf(r.enveloped(p)); isAddress(name) {
			return name
		}
	}
	return ""
}

// agentActs reports whether an agent acts by itself: it is known by the application that it is, unless it has an account of its own
// and a name there.
// Source: Microsoft Graph, agentSignIn resource type; Microsoft Entra, Agent ID logs.
func (r *Reader) agentActs() bool {
	kind := r.enveloped("properties.agent.agentType")
	return !placeholder(kind) && !strings.EqualFold(kind, "notAgentic") && placeholder(r.enveloped("properties.userPrincipalName")) && placeholder(r.enveloped("properties.userId"))
}

// resource is the resource signed in to. Rows of Log Analytics have an id of Azure Resource Manager under that name; sign-ins of the
// unified audit log name the resource as their object, and say Unknown of one that the tenant does not have.
func resource(r *Reader, id string) string {
	if r.view.shape == event.UAL {
		id = r.at("ResourceId")
		if action := r.Event.Text(event.Action); id == "" && (action == loggedIn || action == loginFailed) && isGUID(r.object()) {
			id = event.Lower(r.object())
		}
		return id
	}
	if strings.HasPrefix(id, "/tenants/") {
		return ""
	}
	return id
}
