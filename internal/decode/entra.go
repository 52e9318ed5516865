package decode

import (
	"strings"

	"noroshi/internal/event"
)

// Operations of Identity Protection's records, which carry none where Microsoft Graph returns them.
const (
	riskDetection = "User Risk Detection"
	riskyUser     = "Risky user"
)

// risk is the operation of a record of Identity Protection as Microsoft Graph returns it, "" of any other.
func (r *Reader) risk() string {
	if r.view.shape != event.Graph || !r.present(markRiskLevel) || !r.present(markRiskState) || r.present(markActivityName) || r.present(markCreated) {
		return ""
	}
	if r.present(markActivity) {
		return riskDetection
	}
	return riskyUser
}

// provisioned is the account that was provisioned: as the source knows it, else the target.
func provisioned(r *Reader) string {
	for _, p := range [...]string{"sourceIdentity.details.UserPrincipalName", "sourceIdentity.details.userPrincipalName", "targetIdentity.details.UserPrincipalName", "sourceIdentity.Name", "sourceIdentity.displayName"} {
		if name := r.property(p); name != "" {
			return event.Lower(name)
		}
	}
	return ""
}

// resource is the resource signed in to. Rows of Log Analytics have an id of Azure Resource Manager under that name.
func resource(_ *Reader, id string) string {
	if strings.HasPrefix(id, "/tenants/") {
		return ""
	}
	return id
}
