package decode

import (
	"strings"

	"noroshi/internal/event"
)

// ownSite tells of an object in somebody's OneDrive whether it is the actor's own. The site is named for the user, with an underscore
// for each character that is neither a letter nor a digit.
// Source: Microsoft SharePoint, URL of a user's OneDrive.
func ownSite(r *Reader, _ string) string {
	_, rest, ok := strings.Cut(event.Lower(r.object()), "/personal/")
	if !ok || r.view.shape != event.UAL {
		return ""
	}
	site, _, _ := strings.Cut(rest, "/")
	return truth(site != "" && site == siteOf(r.Event.Text(event.UserName)))
}

// siteOf is what a user's OneDrive is named.
func siteOf(user string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c > 127:
			return c
		}
		return '_'
	}, user)
}
