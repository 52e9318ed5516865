package decode

import (
	"strings"

	"noroshi/internal/event"
)

// roleVia is how a role is given. Privileged Identity Management writes several records of one matter, for roles of the directory
// and of Azure and for groups, under names such as "Add eligible member to role in PIM requested (timebound)"; beside them the
// directory has records of its own, whose actor is MS-PIM. An activation is a member's own use of a role that was approved
// before; one for somebody else is none.
// Source: Microsoft Entra, Audit log categories and activities, PIM; View audit history for Microsoft Entra roles in PIM.
func roleVia(r *Reader, _ string) string {
	if !r.acts("role.via") {
		return ""
	}
	a := r.Event.Text(event.Action)
	switch {
	case strings.Contains(a, "outside of PIM"):
		return "outside_pim"
	case activation(a):
		if r.givesToAnother() {
			return "pim"
		}
		return "pim_activation"
	case strings.Contains(a, "PIM"), strings.Contains(a, "eligible"), r.Event.Text(event.UserName) == "ms-pim" && r.Event.Text(event.UserKind) == "service":
		return "pim"
	}
	return "direct"
}

// activation reports whether an operation is a step of an activation, or its end.
func activation(action string) bool {
	for _, words := range [...]string{"(PIM activat", "(PIM deactivat", "approval requested", "request approved", "request denied"} {
		if strings.Contains(action, words) {
			return true
		}
	}
	return false
}

// roleStates are the words of operations by what they say became of a role; of others it is completed.
var roleStates = [...]struct{ word, state string }{
	{"requested", "requested"}, {"approved", "approved"}, {"denied", "denied"}, {"canceled", "canceled"}, {"cancelled", "canceled"}, {"expired", "expired"},
}

// roleState is what became of a role by the record. A request has given nobody anything.
func roleState(r *Reader, _ string) string {
	if !r.acts("role.state") {
		return ""
	}
	a := r.Event.Text(event.Action)
	for _, s := range roleStates {
		if strings.Contains(a, s.word) {
			return s.state
		}
	}
	if strings.HasPrefix(a, "Remove") {
		return "removed"
	}
	return "completed"
}

// givesToAnother reports whether the record says that the member is somebody else than the actor. Names and ids are compared
// with their like: a display name is not held against a user name.
func (r *Reader) givesToAnother() bool {
	id, name := r.member()
	actorID, actor := r.Event.Text(event.UserID), r.Event.Text(event.UserName)
	switch {
	case id != "" && id == actorID, name != "" && atHome(name) == atHome(actor):
		return false
	case strings.Contains(name, "@") && strings.Contains(actor, "@"):
		return true
	}
	return isGUID(id) && isGUID(actorID)
}

// member is who was given the role, lower case, as far as the record has an id and a name.
func (r *Reader) member() (id, name string) {
	for _, typ := range [...]string{"User", "ServicePrincipal", "Group"} {
		if t, ok := r.target(typ); ok {
			return event.Lower(t.ID), event.Lower(first(t.UserPrincipalName, t.DisplayName, t.ID))
		}
	}
	if r.view.shape != event.UAL {
		return "", ""
	}
	for _, parameter := range [...]string{"Member", "Members", "User"} {
		if m, _ := r.parameter(parameter); m != "" {
			return "", event.Lower(m)
		}
	}
	if strings.Contains(r.Event.Text(event.Action), "-") { // a command: its object is the role
		return "", ""
	}
	name = event.Lower(r.object())
	if isGUID(name) {
		if id = name; r.isRole(id) {
			return "", ""
		}
	}
	return id, name
}

// isRole reports whether an id is a role's: one that is known, or the one that the record gives the role.
func (r *Reader) isRole(id string) bool {
	if _, ok := privilegedRoles[id]; ok {
		return true
	}
	for _, name := range [...]string{"RoleDefinitionOriginId", "Role.TemplateId", "Role.ObjectID", "TemplateId"} {
		if v := r.changed(name); strings.EqualFold(v[strings.LastIndexByte(v, '/')+1:], id) {
			return true
		}
	}
	return false
}

// atHome is a guest's name as its own organisation has it, of x_home.example#ext#@here x@home.example; any other stays.
func atHome(name string) string {
	before, _, ok := strings.Cut(name, "#ext#")
	if i := strings.LastIndexByte(before, '_'); ok && i > 0 {
		return before[:i] + "@" + before[i+1:]
	}
	return name
}

func roleMember(r *Reader, _ string) string {
	if !r.acts("role.member") {
		return ""
	}
	_, name := r.member()
	return name
}
