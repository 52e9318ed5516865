package decode

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"noroshi/internal/event"
)

// privilegedRoles are the directory roles that can take over others, by template id.
// Source: Microsoft Entra built-in roles, those marked privileged, and the ones that manage mail, sites and devices.
var privilegedRoles = map[string]string{
	"62e90394-69f5-4237-9190-012177145e10": "Global Administrator",
	"e8611ab8-c189-46e8-94e1-60213ab1f814": "Privileged Role Administrator",
	"7be44c8a-adaf-4e2a-84d6-ab2649e08a13": "Privileged Authentication Administrator",
	"194ae4cb-b126-40b2-bd5b-6091b380977d": "Security Administrator",
	"29232cdf-9323-42fd-ade2-1d097af3e4de": "Exchange Administrator",
	"f28a1f50-f6e7-4571-818b-6a12f2af6b6c": "SharePoint Administrator",
	"fe930be7-5e62-47db-91af-98c3a49a38b1": "User Administrator",
	"b1be1c3e-b65d-4f19-8427-f6fa0d97feb9": "Conditional Access Administrator",
	"9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3": "Application Administrator",
	"158c047a-c907-4556-b7ef-446551a6b5f7": "Cloud Application Administrator",
	"c4e39bd9-1100-46d3-8c65-fb160da0071f": "Authentication Administrator",
	"729827e3-9c14-49f7-bb1b-9608f156bbb8": "Helpdesk Administrator",
	"8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2": "Hybrid Identity Administrator",
	"966707d0-3269-4727-9be2-8c3a10f19b9d": "Password Administrator",
	"3a2c62db-5318-420d-8d74-23affee5d9d5": "Intune Administrator",
	"9360feb5-f418-4baa-8175-e2a00bac4301": "Directory Writers",
	"be2f45a1-457d-42af-a067-6ec1fa63bc45": "External Identity Provider Administrator",
	"8329153b-31d0-4727-b945-745eb3bc5f31": "Domain Name Administrator",
	"17315797-102d-40b4-93e0-432062caca18": "Compliance Administrator",
	"0526716b-113d-4c15-b2c8-68e3c22b9f80": "Authentication Policy Administrator",
	"25a516ed-2fa0-40ea-a2d0-12923a21473a": "Authentication Extensibility Administrator",
	"d29b2b05-8046-44ba-8758-1e26182fcf32": "Directory Synchronization Accounts",
	"e00e864a-17c5-4a4b-9c06-f5b95a8d5bd8": "Partner Tier2 Support",
	"4ba39ca4-527c-499a-b93d-d9b492c50246": "Partner Tier1 Support",
	"aaf43236-0c0d-4d5f-883a-6955382ac081": "B2C IEF Keyset Administrator",
	"f2ef992c-3afb-46b9-b7cf-a126ee74c451": "Global Reader",
	"5d6b6bb7-de71-4623-b4af-96380a352509": "Security Reader",
	"5f2222b1-57c3-48ba-8ad5-d4759f1fde6f": "Security Operator",
	"cf1c38e5-3621-4004-a7cb-879624dced7c": "Application Developer",
	"7698a772-787b-4ac8-901f-60d6b08affd2": "Cloud Device Administrator",
}

// privilegedNames are those roles' names, older names, and the role groups of Exchange and Purview, lower case.
var privilegedNames = namesOf(privilegedRoles, "company administrator", "tenantadmins", "exchange service administrator", "sharepoint service administrator", "user account administrator",
	"organization management", "recipient management", "discovery management", "ediscovery manager", "security administrator", "hygiene management", "compliance management",
	"applicationimpersonation", "mailbox import export", "role management", "mail recipients", "transport rules")

func namesOf(roles map[string]string, more ...string) map[string]bool {
	m := map[string]bool{}
	for _, n := range roles {
		m[strings.ToLower(n)] = true
	}
	for _, n := range more {
		m[n] = true
	}
	return m
}

// target is one of the things that a directory audit is about.
type target struct {
	Type               string          `json:"type"`
	ID                 string          `json:"id"`
	DisplayName        string          `json:"displayName"`
	UserPrincipalName  string          `json:"userPrincipalName"`
	ModifiedProperties json.RawMessage `json:"modifiedProperties"`
}

func (r *Reader) targets() (all []target) {
	raw := bytes.TrimSpace(r.targetsJSON())
	if len(raw) > 0 && raw[0] == '{' { // one without its list
		raw = slices.Concat([]byte("["), raw, []byte("]"))
	}
	if json.Unmarshal(raw, &all) != nil {
		return nil
	}
	return all
}

// targetsJSON are the targets as the record has them.
func (r *Reader) targetsJSON() []byte {
	if raw := r.span("properties.targetResources"); raw != nil {
		return raw
	}
	return r.span("targetResources")
}

// target is the first of the targets of a type whose properties changed, else the first of the type.
func (r *Reader) target(typ string) (found target, ok bool) {
	for _, t := range r.targets() {
		if !strings.EqualFold(t.Type, typ) || ok && !t.changes() {
			continue
		}
		if found, ok = t, true; t.changes() {
			break
		}
	}
	return found, ok
}

// changes reports whether a target has properties that changed.
func (t *target) changes() bool {
	raw := bytes.TrimSpace(t.ModifiedProperties)
	return len(raw) > len("[]") && string(raw) != "null" && string(raw) != `"[]"`
}

// changedTarget is the first of several targets whose properties changed.
func (r *Reader) changedTarget() (target, bool) {
	raw := r.targetsJSON()
	if bytes.Count(raw, []byte("odified"))+bytes.Count(raw, []byte("ODIFIED")) < 2 { // of one target there is no choice
		return target{}, false
	}
	for _, t := range r.targets() {
		if t.changes() && t.UserPrincipalName != "" {
			return t, true
		}
	}
	return target{}, false
}

// changed is the new, else the old value of a modified property, on every road.
func (r *Reader) changed(name string) string {
	if r.view.shape == event.UAL {
		return changedIn(r.entries("ModifiedProperties"), name)
	}
	for _, t := range r.targets() {
		entries, _ := r.entriesOf(nil, t.ModifiedProperties)
		if v := changedIn(entries, name); v != "" {
			return v
		}
	}
	return ""
}

func changedIn(all []entry, name string) string {
	for _, e := range all {
		if strings.EqualFold(e.Name, name) {
			return first(unwrap(e.New), unwrap(e.Old))
		}
	}
	return ""
}

// replaced are the old and the new value of a modified property, on every road.
func (r *Reader) replaced(name string) (before, after string) {
	if r.view.shape == event.UAL {
		return replacedIn(r.entries("ModifiedProperties"), name)
	}
	for _, t := range r.targets() {
		entries, _ := r.entriesOf(nil, t.ModifiedProperties)
		if before, after = replacedIn(entries, name); before != "" || after != "" {
			break
		}
	}
	return before, after
}

func replacedIn(all []entry, name string) (before, after string) {
	for _, e := range all {
		if strings.EqualFold(e.Name, name) {
			return unwrap(e.Old), unwrap(e.New)
		}
	}
	return "", ""
}

func roleName(r *Reader, _ string) string {
	if !r.acts("role.name") {
		return ""
	}
	if name := first(strings.TrimSpace(r.changed("Role.DisplayName")), strings.TrimSpace(r.changed("Role.WellKnownObjectName"))); name != "" {
		return name
	}
	if t, ok := r.target("Role"); ok {
		return strings.TrimSpace(t.DisplayName)
	}
	switch r.Event.Text(event.Action) {
	case "New-ManagementRoleAssignment":
		v, _ := r.parameter("Role")
		return strings.TrimSpace(v)
	case "Add-RoleGroupMember", "Remove-RoleGroupMember", "Update-RoleGroupMember":
		id, _ := r.parameter("Identity")
		id = first(id, r.object())
		return strings.TrimSpace(id[strings.LastIndexAny(id, `\/`)+1:])
	}
	return ""
}

func roleTemplateID(r *Reader, _ string) string {
	if !r.acts("role.template_id") {
		return ""
	}
	id := first(r.changed("Role.TemplateId"), r.changed("RoleDefinitionOriginId"), r.changed("TemplateId"))
	return event.Lower(strings.TrimSpace(id[strings.LastIndexByte(id, '/')+1:]))
}

func rolePrivileged(r *Reader, _ string) string {
	if !r.acts("role.privileged") {
		return ""
	}
	_, known := privilegedRoles[r.field("role.template_id")]
	return truth(known || privilegedNames[strings.ToLower(r.field("role.name"))])
}
