package o365test

import (
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// The bounds of listings, and how long blobs live.
const (
	longest = 24 * time.Hour
	lives   = 7 * 24 * time.Hour
)

var forms = []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"}

func parse(text string) (time.Time, bool) {
	for _, form := range forms {
		if t, err := time.Parse(form, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// window reads the times of a listing: both or none, at most a day apart, the first at most seven days ago.
func (s *Server) window(q url.Values) (from, to time.Time, ok bool) {
	now := s.config.Now().UTC()
	if q.Get("startTime") == "" && q.Get("endTime") == "" {
		return now.Add(-longest), now, true
	}
	from, first := parse(q.Get("startTime"))
	to, second := parse(q.Get("endTime"))
	ok = first && second && to.After(from) && to.Sub(from) <= longest && now.Sub(from) < lives
	return from, to, ok
}

// list lists the blobs of a type that became available in a window, a page of them.
func (s *Server) list(w http.ResponseWriter, r *http.Request, content string, fault Fault) {
	q := r.URL.Query()
	from, to, ok := s.window(q)
	page, err := strconv.Atoi(either(q.Get("nextPage"), "0"))
	s.mu.Lock()
	s.stats.Lists++
	subscribed, disabled := s.subscribed[content], s.disabled[content]
	s.mu.Unlock()
	switch {
	case disabled:
		fail(w, failure{http.StatusBadRequest, "AF20023", "The subscription was disabled by an administrator."})
		return
	case !subscribed:
		fail(w, failure{http.StatusBadRequest, "AF20022", "No subscription found for the specified content type."})
		return
	case !ok:
		fail(w, failure{http.StatusBadRequest, "AF20030", "Start time and end time must both be specified (or both omitted) and must be less than or equal to 24 hours apart, with the start time no more than 7 days in the past."})
		return
	case err != nil || page < 0:
		fail(w, failure{http.StatusBadRequest, "AF20031", "Invalid nextPage Input."})
		return
	}
	all := s.within(content, from, to)
	first := min(page*s.config.PageSize, len(all))
	last := min(first+s.config.PageSize, len(all))
	if last < len(all) {
		q.Set("nextPage", strconv.Itoa(page+1))
		q.Del("PublisherIdentifier")
		w.Header().Set("NextPageUri", "https://"+r.Host+r.URL.Path+"?"+q.Encode())
	}
	rows := []object{}
	for _, b := range all[first:last] {
		rows = append(rows, b.row(r))
		if fault == Repeats {
			rows = append(rows, b.row(r))
		}
	}
	write(w, http.StatusOK, rows)
}

// within are the blobs that a window shows now.
func (s *Server) within(content string, from, to time.Time) (all []*blob) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.config.Now()
	for _, b := range s.blobs {
		if b.Content == content && !b.Created.Before(from) && b.Created.Before(to) && !b.Visible.After(now) {
			all = append(all, b)
		}
	}
	return all
}

func (b *blob) row(r *http.Request) object {
	const form = "2006-01-02T15:04:05.000Z"
	return object{"contentType": b.Content, "contentId": b.id, "contentUri": "https://" + r.Host + "/" + root(r.URL.Path) + "audit/" + b.id,
		"contentCreated": b.Created.UTC().Format(form), "contentExpiration": b.Created.UTC().Add(lives).Format(form)}
}

// root is the path of the tenant's feed.
func root(path string) string { return path[1 : len(path)-len("subscriptions/content")] }
