package decode

import (
	"strings"

	"noroshi/internal/event"
)

func grantRights(r *Reader) (all []string) {
	if !r.acts("grant.rights") {
		return nil
	}
	rights, _ := r.parameter("AccessRights")
	rights = first(rights, r.at("Item.ParentFolder.MemberRights"))
	for w := range strings.FieldsFuncSeq(strings.Trim(rights, "{}[]"), func(c rune) bool { return c == ',' || c == ';' }) {
		if w = strings.Trim(w, ` "`); w != "" {
			all = append(all, w)
		}
	}
	return all
}

func grantTrustee(r *Reader, _ string) string {
	if !r.acts("grant.trustee") {
		return ""
	}
	user, _ := r.parameter("User")
	trustee, _ := r.parameter("Trustee")
	name := event.Lower(first(user, trustee, r.at("Item.ParentFolder.MemberUpn")))
	if strings.Contains(name, "/") { // a path in Exchange's directory
		name = Recipient(name)
	}
	if r.isActor(name) {
		return r.Event.Text(event.UserName)
	}
	return name
}

func grantFolder(r *Reader, _ string) string {
	if !r.acts("grant.folder") {
		return ""
	}
	if path := r.at("Item.ParentFolder.Path"); path != "" {
		return path
	}
	id, _ := r.parameter("Identity")
	if _, folder, ok := strings.Cut(id, `:\`); ok {
		return folder
	}
	return ""
}
