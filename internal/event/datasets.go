package event

import (
	"slices"
	"strings"
	"unicode"

	"noroshi/internal/diag"
)

// Datasets are the kinds of records that are known, sorted: what event.dataset holds.
var Datasets = []string{
	"azure.administrative",
	"defender.alert_evidence", "defender.alert_info", "defender.cloud_app_events", "defender.email_events",
	"defender.email_post_delivery_events", "defender.identity_directory_events", "defender.identity_logon_events",
	"defender.identity_query_events", "defender.url_click_events",
	"entra.audit", "entra.graph_activity", "entra.provisioning", "entra.risk_detection", "entra.risk_detection_serviceprincipal",
	"entra.risky_serviceprincipal", "entra.risky_user", "entra.signin", "entra.signin_adfs", "entra.signin_managedidentity",
	"entra.signin_noninteractive", "entra.signin_serviceprincipal",
	"exchange.message_trace",
	"graph.security_alert", "graph.security_incident",
	"ual.aed", "ual.air_investigation", "ual.azure_active_directory", "ual.azure_active_directory_account_logon",
	"ual.azure_active_directory_sts_logon", "ual.compliance_dlp_exchange", "ual.compliance_dlp_sharepoint",
	"ual.compliance_supervision_exchange", "ual.crm", "ual.data_center_security_cmdlet", "ual.data_governance",
	"ual.data_insights_rest_api_audit", "ual.discovery", "ual.exchange_admin", "ual.exchange_aggregated_operation", "ual.exchange_item",
	"ual.exchange_item_aggregated", "ual.exchange_item_group", "ual.hygiene_event", "ual.information_worker_protection",
	"ual.label_content_explorer", "ual.microsoft_flow", "ual.microsoft_forms", "ual.microsoft_forms_events", "ual.microsoft_stream",
	"ual.microsoft_teams", "ual.microsoft_teams_admin", "ual.mip_auto_label_item", "ual.mip_label", "ual.ms_defender_custom_detection",
	"ual.ms_teams_shifts", "ual.onedrive", "ual.power_apps_app", "ual.power_bi_audit", "ual.project", "ual.quarantine",
	"ual.quarantine_metadata", "ual.security_compliance_alerts", "ual.security_compliance_center_eop_cmdlet",
	"ual.security_compliance_insights", "ual.security_compliance_rbac", "ual.security_compliance_user_change",
	"ual.sensitivity_label_action", "ual.sensitivity_labeled_file_action", "ual.sharepoint", "ual.sharepoint_content_type_operation",
	"ual.sharepoint_field_operation", "ual.sharepoint_file_operation", "ual.sharepoint_list_item_operation",
	"ual.sharepoint_list_operation", "ual.sharepoint_sharing_operation", "ual.skype_for_business_pstn_usage", "ual.teams_healthcare",
	"ual.threat_intelligence", "ual.threat_intelligence_atp_content", "ual.threat_intelligence_url", "ual.unknown",
	"ual.workplace_analytics", "ual.yammer",
	"unknown",
}

// unlisted is how the datasets begin of records whose type or category is not known by name.
var unlisted = []string{"azure.", "ual.record_type_"}

// otherDatasets are what a record's source and other products call a dataset, letters and digits alone.
var otherDatasets = map[string]string{
	"signinlogs": "entra.signin", "azureadsignin": "entra.signin", "azuresigninlogs": "entra.signin", "entrasignins": "entra.signin",
	"noninteractiveusersigninlogs": "entra.signin_noninteractive", "azurenoninteractiveusersigninlogs": "entra.signin_noninteractive",
	"serviceprincipalsigninlogs": "entra.signin_serviceprincipal", "azureserviceprincipalsigninlogs": "entra.signin_serviceprincipal",
	"managedidentitysigninlogs": "entra.signin_managedidentity", "azuremanagedidentitysigninlogs": "entra.signin_managedidentity",
	"adfssigninlogs": "entra.signin_adfs", "azureadfssigninlogs": "entra.signin_adfs",
	"auditlogs": "entra.audit", "azureauditlogs": "entra.audit", "azureadaudit": "entra.audit", "directoryaudits": "entra.audit", "entraaudits": "entra.audit",
	"userriskevents": "entra.risk_detection", "azureuserriskevents": "entra.risk_detection", "azureidentityprotection": "entra.risk_detection",
	"riskyusers": "entra.risky_user", "azureriskyusers": "entra.risky_user", "provisioninglogs": "entra.provisioning", "azureprovisioninglogs": "entra.provisioning",
	"microsoftgraphactivitylogs": "entra.graph_activity", "azuremicrosoftgraphactivitylogs": "entra.graph_activity", "azuregraphactivitylogs": "entra.graph_activity",
	"azureactivity": "azure.administrative", "activitylogs": "azure.administrative", "azureactivitylogs": "azure.administrative",
	"messagetrace": "exchange.message_trace", "exchangeadmin": "ual.exchange_admin", "exchange": "ual.exchange_admin", "ualexchange": "ual.exchange_admin",
	"cloudappevents": "defender.cloud_app_events", "azuread": "ual.azure_active_directory", "azureactivedirectory": "ual.azure_active_directory",
}

// DatasetMeant is the dataset that a name most likely means, "" where nobody can tell.
func DatasetMeant(name string) string {
	word := letters(name)
	if meant, ok := otherDatasets[word]; ok {
		return meant
	}
	for _, d := range Datasets {
		_, last, _ := strings.Cut(d, ".")
		if word != "" && (letters(d) == word || letters(last) == word) {
			return d
		}
	}
	return diag.Suggest(name, Datasets)
}

// DatasetKnown reports whether records can be of a dataset.
func DatasetKnown(name string) bool {
	if slices.Contains(Datasets, name) {
		return true
	}
	_, otherwise := otherDatasets[letters(name)]
	return !otherwise && Lower(name) == name && slices.ContainsFunc(unlisted, func(p string) bool { return strings.HasPrefix(name, p) && len(name) > len(p) })
}

// letters are the letters and digits of a name, lower case.
func letters(name string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}

// datasetDoubts tells whether event.dataset can compare so with a text.
func datasetDoubts(c Comparison, constant string) Doubt {
	switch {
	case c == Equals && DatasetKnown(constant), c == EndsWith, c == Contains:
		return Doubt{}
	case c == StartsWith && slices.ContainsFunc(slices.Concat(Datasets, unlisted), func(d string) bool {
		return strings.HasPrefix(d, constant) || slices.Contains(unlisted, d) && strings.HasPrefix(constant, d)
	}):
		return Doubt{}
	}
	d := Doubt{Why: "one of the known datasets, such as entra.signin or ual.exchange_admin", Meant: DatasetMeant(constant), Certain: true}
	family, _, _ := strings.Cut(constant, ".")
	if d.Meant == "" && c == Equals {
		d.Why += inFamily(family)
	}
	if c == StartsWith {
		d.Meant = diag.Suggest(constant, []string{"azure.", "defender.", "entra.", "exchange.", "graph.", "ual."})
	}
	return d
}

// inFamily lists the datasets of a family where they are few.
func inFamily(family string) string {
	var all []string
	for _, d := range Datasets {
		if strings.HasPrefix(d, family+".") {
			all = append(all, d)
		}
	}
	if len(all) == 0 || len(all) > 15 {
		return ""
	}
	return "; of " + family + " there are " + strings.Join(all, ", ")
}
