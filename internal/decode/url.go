package decode

import (
	"strings"

	"noroshi/internal/event"
)

// ownSite tells of an object in somebody's OneDrive whether it is the actor's own. The site is named for the user, with an underscore
// for each character that is neither a letter nor a digit.
// Source: Microsoft SharePoint, URL of a user's OneDrive.
func ownSite(r *Reader, _ string) string {
	_, rest, ok := strings.Cut(r.lower(r.object()), "/personal/")
	if !ok || r.view.shape != event.UAL {
		return ""
	}
	site, _, _ := strings.Cut(rest, "/")
	return truth(site != "" && isSiteOf(site, r.Event.Text(event.UserName)))
}

// isSiteOf reports whether a site is a user's OneDrive: it has the user's name, with an underscore for each ASCII character that is no
// small letter and no digit.
func isSiteOf(site, user string) bool {
	if len(site) != len(user) {
		return false
	}
	for i := range len(user) {
		c := user[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c <= 127 {
			c = '_'
		}
		if site[i] != c {
			return false
		}
	}
	return true
}
