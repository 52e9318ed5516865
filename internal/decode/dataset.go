package decode

import (
	"maps"
	"strings"

	"noroshi/internal/event"
)

// recordTypes are the names of the unified audit log's record types.
// Source: Office 365 Management Activity API schema, AuditLogRecordType.
var recordTypes = map[string]string{
	"1": "exchange_admin", "2": "exchange_item", "3": "exchange_item_group", "4": "sharepoint", "6": "sharepoint_file_operation",
	"7": "onedrive", "8": "azure_active_directory", "9": "azure_active_directory_account_logon", "10": "data_center_security_cmdlet",
	"11": "compliance_dlp_sharepoint", "13": "compliance_dlp_exchange", "14": "sharepoint_sharing_operation", "15": "azure_active_directory_sts_logon",
	"16": "skype_for_business_pstn_usage", "18": "security_compliance_center_eop_cmdlet", "19": "exchange_aggregated_operation", "20": "power_bi_audit",
	"21": "crm", "22": "yammer", "24": "discovery", "25": "microsoft_teams", "28": "threat_intelligence", "30": "microsoft_flow", "31": "aed",
	"32": "microsoft_stream", "35": "project", "36": "sharepoint_list_operation", "38": "data_governance", "40": "security_compliance_alerts",
	"41": "threat_intelligence_url", "42": "security_compliance_insights", "44": "workplace_analytics", "45": "power_apps_app", "47": "threat_intelligence_atp_content",
	"48": "label_content_explorer", "49": "teams_healthcare", "50": "exchange_item_aggregated", "51": "hygiene_event", "52": "data_insights_rest_api_audit",
	"54": "sharepoint_list_item_operation", "55": "sharepoint_content_type_operation", "56": "sharepoint_field_operation", "57": "microsoft_teams_admin",
	"59": "information_worker_protection", "61": "quarantine", "62": "microsoft_forms", "64": "air_investigation", "65": "quarantine_metadata",
	"66": "microsoft_forms_events", "68": "compliance_supervision_exchange", "71": "mip_label", "72": "mip_auto_label_item", "82": "sensitivity_label_action",
	"83": "sensitivity_labeled_file_action", "90": "security_compliance_rbac", "98": "security_compliance_user_change", "106": "ms_teams_shifts", "113": "ms_defender_custom_detection",
}

// auditDatasets are the datasets by record type, named once, so that naming one costs nothing.
var auditDatasets = datasetsOf(recordTypes)

func datasetsOf(types map[string]string) (all [128]string) {
	for code, name := range types {
		if n, ok := number(code); ok && n < len(all) {
			all[n] = "ual." + name
		}
	}
	return all
}

// auditDataset is the dataset of a record type, "" where it has no name.
func auditDataset(code string) string {
	if n, ok := number(code); ok && n < len(auditDatasets) {
		return auditDatasets[n]
	}
	return ""
}

// codes are the numbers of record types that some exports write as words.
var codes = codesOf(recordTypes)

func codesOf(types map[string]string) map[string]string {
	m := make(map[string]string, len(types))
	for code, name := range types {
		m[strings.ReplaceAll(name, "_", "")] = code
	}
	return m
}

func code(r *Reader, text string) string {
	if r.view.shape == event.Graph {
		return r.category()
	}
	if text == "" && r.view.shape == event.UAL {
		text = r.recordType()
	}
	if r.view.shape == event.UAL && text != "" && (text[0] < '0' || text[0] > '9') {
		if c, ok := codes[strings.ToLower(text)]; ok {
			return c
		}
	}
	return text
}

// recordType is the type of a record of the unified audit log, by whichever of its names.
func (r *Reader) recordType() string {
	if own := first(r.scalar(markRecordType), r.scalar(markAuditType)); own != "" || r.view.shape != event.UAL {
		return own
	}
	for _, a := range r.around {
		if a.view.shape == event.UAL {
			back := r.stepInto(a)
			around := first(r.scalar(markRecordType), r.scalar(markAuditType))
			back()
			return around
		}
	}
	return ""
}

// Categories of sign-ins and audits in Entra's diagnostic settings.
const (
	signIns            = "SignInLogs"
	nonInteractive     = "NonInteractiveUserSignInLogs"
	servicePrincipals  = "ServicePrincipalSignInLogs"
	managedIdentities  = "ManagedIdentitySignInLogs"
	directoryAudits    = "AuditLogs"
	federated          = "ADFSSignInLogs"
	riskDetections     = "UserRiskEvents"
	riskyUsers         = "RiskyUsers"
	provisioning       = "ProvisioningLogs"
	graphActivity      = "MicrosoftGraphActivityLogs"
	datasetAudit       = "entra.audit"
	datasetSignIn      = "entra.signin"
	datasetNonInteract = "entra.signin_noninteractive"
	datasetRisk        = "entra.risk_detection"
	datasetRisky       = "entra.risky_user"
	datasetGraph       = "entra.graph_activity"

	datasetAdministrative = "azure.administrative" // of the activity log of an Azure subscription

	servicePrincipalRisks  = "ServicePrincipalRiskEvents"
	riskyServicePrincipals = "RiskyServicePrincipals"
)

// Source: Microsoft Entra, log categories of diagnostic settings.
var categories = map[string]string{
	signIns: datasetSignIn, nonInteractive: datasetNonInteract, servicePrincipals: "entra.signin_serviceprincipal",
	managedIdentities: "entra.signin_managedidentity", federated: "entra.signin_adfs", directoryAudits: datasetAudit,
	riskDetections: datasetRisk, riskyUsers: datasetRisky, servicePrincipalRisks: "entra.risk_detection_serviceprincipal", riskyServicePrincipals: "entra.risky_serviceprincipal",
	provisioning: "entra.provisioning", graphActivity: datasetGraph,
}

// asListed is a category as categories has it, whatever its case; others stay.
func asListed(category string) string {
	if _, ok := categories[category]; ok || category == "" {
		return category
	}
	return first(categoriesFolded[event.Lower(category)], category)
}

// foldedKeys are the keys of a table by their lower case.
func foldedKeys[V any](table map[string]V) map[string]string {
	all := make(map[string]string, len(table))
	for k := range table {
		all[event.Lower(k)] = k
	}
	return all
}

var categoriesFolded = foldedKeys(categories)

func dataset(r *Reader, _ string) string {
	switch r.view.shape {
	case event.UAL:
		c := code(r, r.recordType())
		if name := auditDataset(c); name != "" {
			return name
		}
		if c == "" {
			return "ual.unknown"
		}
		return "ual.record_type_" + event.Lower(c)
	case event.Entra:
		c := r.named()
		if name, ok := categories[c]; ok {
			return name
		}
		return "azure." + event.Lower(c)
	case event.Graph:
		return categories[r.category()]
	case event.Defender:
		c := r.scalar(markCategory)
		if t := tableNamed(c); t.dataset != "" {
			return t.dataset
		}
		return "azure." + event.Lower(c)
	case event.Trace:
		return "exchange.message_trace"
	case event.Security:
		return r.securityDataset()
	}
	return DatasetUnknown
}

// Dataset is the kind of the record at hand; the text is constant for known kinds.
func (r *Reader) Dataset() string { return r.Event.Text(event.Dataset) }

// named is the category that an Entra record names: in its envelope, or without one by its table or in a column. Of directory
// audits the column holds something else.
func (r *Reader) named() string {
	switch r.view.shape {
	case event.Entra:
		return asListed(r.scalar(markCategory))
	case event.Graph:
		if c := r.tableCategory(); c != "" {
			return c
		}
		if c := asListed(r.scalar(markCategory)); signInCategory(c) || c == provisioning {
			return c
		}
		return r.eventType()
	}
	return ""
}

// eventType is the category of a sign-in whose kind Microsoft Graph names, "" where it does not.
// Source: Microsoft Graph, signIn, signInEventTypes.
func (r *Reader) eventType() string {
	if !r.present(markSignInTypes) {
		return ""
	}
	types := event.Lower(r.x.View(int(markSignInTypes)))
	switch {
	case strings.Contains(types, "noninteractiveuser"):
		return nonInteractive
	case strings.Contains(types, "serviceprincipal"):
		return servicePrincipals
	case strings.Contains(types, "managedidentity"):
		return managedIdentities
	case strings.Contains(types, "interactiveuser"):
		return signIns
	}
	return ""
}

// category is the category that diagnostic settings file a record of Microsoft Graph's or of a workspace under.
func (r *Reader) category() string {
	if c := r.named(); c != "" || r.view.shape != event.Graph {
		return c
	}
	switch r.risk() {
	case riskDetection:
		if r.ofServicePrincipal() {
			return servicePrincipalRisks
		}
		return riskDetections
	case riskyUser:
		if r.ofServicePrincipal() {
			return riskyServicePrincipals
		}
		return riskyUsers
	}
	if r.present(markActivity) {
		return directoryAudits
	}
	return signIns
}

// Datasets are the datasets of the categories that are read, for tests about the documentation.
func Datasets() map[string]string {
	all := maps.Clone(categories)
	all["Administrative"] = datasetAdministrative // rows of a workspace do not become such records
	for c, t := range tables {
		all[c] = t.dataset
	}
	return all
}

// signIn reports whether the record at hand is a sign-in of Entra.
func (r *Reader) signIn() bool {
	switch r.view.shape {
	case event.Entra:
		return signInCategory(r.named())
	case event.Graph:
		if c := r.named(); c != "" {
			return signInCategory(c)
		}
		return !r.present(markActivity) && r.risk() == ""
	}
	return false
}

func signInCategory(category string) bool {
	switch asListed(category) {
	case signIns, nonInteractive, servicePrincipals, managedIdentities, federated:
		return true
	}
	return false
}
