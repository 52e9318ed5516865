package decode

import (
	"strings"

	"noroshi/internal/event"
)

// consentScopes are the permissions of a consent. They lie in text: [] => [[Id: …, ConsentType: …, Scope: Mail.Read Mail.Send]].
func consentScopes(r *Reader) (all []string) {
	if !r.acts("consent.scopes") {
		return nil
	}
	text := r.changed("ConsentAction.Permissions")
	if _, after, ok := strings.Cut(text, "=>"); ok {
		text = after
	}
	for text != "" {
		_, rest, ok := strings.Cut(text, "Scope:")
		if !ok {
			break
		}
		end := strings.IndexAny(rest, "],;")
		if end < 0 {
			end = len(rest)
		}
		all = append(all, strings.Fields(rest[:end])...)
		text = rest[end:]
	}
	if len(all) == 0 {
		all = strings.Fields(first(r.changed("DelegatedPermissionGrant.Scope"), r.changed("AppRole.Value")))
	}
	return all
}

// consentApp is whom the permissions are for, the same whatever the operation: its own object id, since that of the application and
// its name are not everywhere.
func consentApp(r *Reader, _ string) string {
	if !r.acts("consent.app") {
		return ""
	}
	text := r.changed("ConsentAction.Permissions")
	if _, after, ok := strings.Cut(text, "=>"); ok {
		text = after
	}
	_, id, _ := strings.Cut(text, "ClientId:")
	id, _, _ = strings.Cut(id, ",")
	return event.Lower(first(strings.TrimSpace(id), strings.TrimSpace(r.changed("ServicePrincipal.ObjectID"))))
}

func consentAllPrincipals(r *Reader, _ string) string {
	if !r.acts("consent.all_principals") {
		return ""
	}
	return truth(r.Event.Text(event.Action) == "Add app role assignment to service principal" || isTrue(r.changed("ConsentContext.OnBehalfOfAll")) || strings.EqualFold(r.changed("DelegatedPermissionGrant.ConsentType"), "AllPrincipals") ||
		strings.Contains(r.changed("ConsentAction.Permissions"), "ConsentType: AllPrincipals"))
}

func consentAdmin(r *Reader, _ string) string {
	if !r.acts("consent.admin") {
		return ""
	}
	return truth(isTrue(r.changed("ConsentContext.IsAdminConsent")))
}
