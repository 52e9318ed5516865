package decode

import (
	"noroshi/internal/decode/projector"
	"noroshi/internal/event"
)

// Rows of Log Analytics: what lay in an envelope's properties stands in columns of the row, beside columns of the workspace.
// Source: Azure Monitor Logs, reference of tables.

// workspaceTables are the categories of the tables that Entra's diagnostic settings fill.
var workspaceTables = map[string]string{
	"SigninLogs": signIns, "AADNonInteractiveUserSignInLogs": nonInteractive, "AADServicePrincipalSignInLogs": servicePrincipals, "AADManagedIdentitySignInLogs": managedIdentities,
	"ADFSSignInLogs": federated, "AuditLogs": directoryAudits, "AADUserRiskEvents": riskDetections, "AADRiskyUsers": riskyUsers, "AADServicePrincipalRiskEvents": servicePrincipalRisks,
	"AADRiskyServicePrincipals": riskyServicePrincipals, "AADProvisioningLogs": provisioning, "MicrosoftGraphActivityLogs": graphActivity,
}

// operations are those of categories whose rows need not tell.
var operations = map[string]string{
	riskDetections: riskDetection, riskyUsers: riskyUser, servicePrincipalRisks: "Service principal risk detection", riskyServicePrincipals: "Risky service principal",
	provisioning: "Provisioning activity", graphActivity: "Microsoft Graph Activity",
}

// tableCategory is the category of the table that a row is of, "" of records that are no row of Entra's tables.
func (r *Reader) tableCategory() string {
	if marked[r.view.shape] < markSignInEnd {
		return ""
	}
	if r.kind(markType) != projector.Text {
		return r.rowCategory()
	}
	name := r.scalar(markType)
	if c, ok := workspaceTables[name]; ok {
		return c
	}
	return workspaceTables[workspaceFolded[event.Lower(name)]]
}

// rowCategory is the category that a row without Type names in a column of that name.
func (r *Reader) rowCategory() string {
	if r.kind(markCategory) != projector.Text || r.kind(markProperties) != projector.None || r.at("TimeGenerated") == "" {
		return ""
	}
	if c := asListed(r.scalar(markCategory)); categories[c] != "" {
		return c
	}
	return ""
}

var workspaceFolded = foldedKeys(workspaceTables)

// tenant is the tenant's id. TenantId of a workspace's row is the workspace's, and the home tenant of a guest is not the one that was
// signed in to.
func tenant(r *Reader, text string) string {
	switch r.view.shape {
	case event.Graph:
		if r.tableCategory() == "" && r.at("timeGenerated") == "" {
			return text
		}
	case event.Other:
		if !r.present(markType) || !r.present(markGenerated) {
			return text
		}
	default:
		return text
	}
	return event.Lower(first(r.at("AADTenantId"), r.at("resourceTenantId"), r.at("homeTenantId")))
}

// enveloped is the text at a path that begins with "properties.", be these in an envelope or the record itself.
func (r *Reader) enveloped(path string) string {
	if r.view.shape == event.Entra {
		return r.at(path)
	}
	return r.at(path[len("properties."):])
}

// object is what a record of the unified audit log was about, which OfficeActivity has under a name of its own.
func (r *Reader) object() string { return first(r.at("ObjectId"), r.at("OfficeObjectId")) }
