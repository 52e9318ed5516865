package decode

import (
	"strconv"
	"strings"

	"noroshi/internal/event"
)

// location is the first pair of coordinates that is a place. Of the field's paths the first half are those of latitudes, the others
// in the same order those of longitudes.
func location(r *Reader, _ string) string {
	feeds := r.view.slots[r.plan.location].feeds
	half := len(feeds) / 2
	for i := range half {
		lat, wrong := strconv.ParseFloat(strings.TrimSpace(r.scalar(feeds[i])), 64)
		lon, alsoWrong := strconv.ParseFloat(strings.TrimSpace(r.scalar(feeds[half+i])), 64)
		if wrong != nil || alsoWrong != nil {
			continue
		}
		if at := event.Location(lat, lon); at != "" {
			return at
		}
	}
	return ""
}
