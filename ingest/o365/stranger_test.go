package o365

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"noroshi/ingest/feed"
)

// answering gives each request to a function, and counts them.
type answering struct {
	asked  []string
	answer func(w http.ResponseWriter, r *http.Request)
}

func (a *answering) RoundTrip(r *http.Request) (*http.Response, error) {
	a.asked = append(a.asked, r.URL.String())
	w := httptest.NewRecorder()
	a.answer(w, r)
	return w.Result(), nil
}

func asks(t *testing.T, a *answering) *client {
	t.Helper()
	c := Config{Tenant: "aaaabbbb-0000-cccc-1111-dddd2222eeee", Host: "manage.office.com", Content: Contents[1:2], Now: time.Now, Transport: a,
		Credential: func() (Token, error) { return func(context.Context) (string, error) { return "token", nil }, nil }}
	s, err := New(c.Quick())
	if err != nil {
		t.Fatal(err)
	}
	return s.client
}

// opened is a stream of a client's configuration, with a cursor until the end of the test.
func opened(t *testing.T, k *client) (*Stream, feed.Cursor) {
	t.Helper()
	s, err := New(k.config)
	if err != nil {
		t.Fatal(err)
	}
	cursor, err := s.OpenWith(t.Context(), 1, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cursor.Close(context.WithoutCancel(t.Context())) })
	return s, cursor
}

func get(t *testing.T, a *answering, address string) error {
	t.Helper()
	res, err := asks(t, a).do(t.Context(), 1, http.MethodGet, address)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

func zip(text string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return b.Bytes()
}

// An answer that leads to a stranger gets no token, and no request at all.
func TestTokensGoToTheAPIAlone(t *testing.T) {
	for _, address := range []string{"http://manage.office.com/x", "https://manage.office.com.example.com/x", "https://example.com/x", "https://manage.office.com@example.com/x",
		"https://user:word@manage.office.com/x", "https://manage.office.com:444/x", "//manage.office.com/x", "/x", "", "https://manage.office.com\\@example.com/x", "https://[::1]/x"} {
		a := &answering{answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }}
		if err := get(t, a, address); !errors.Is(err, errElsewhere) || len(a.asked) > 0 {
			t.Errorf("%q: %v, and it asks %q", address, err, a.asked)
		}
	}
	a := &answering{answer: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "https://example.com/x")
		w.WriteHeader(http.StatusFound)
	}}
	if err := get(t, a, "https://MANAGE.office.com:443/x"); err == nil || len(a.asked) != 1 {
		t.Errorf("a redirect: %v, and it asks %q", err, a.asked)
	}
}

// A blob that lies on another host costs that blob alone: it is a dead letter, is tried again where it is listed with another address, and no
// request goes there.
func TestABlobOnAStrangersHostStandsAlone(t *testing.T) {
	host := "example.com"
	a := &answering{answer: func(w http.ResponseWriter, r *http.Request) {
		if blob, is := strings.CutPrefix(r.URL.Path, "/blob/"); is {
			_, _ = fmt.Fprintf(w, `[{"Id":"of %s"}]`, blob)
			return
		}
		at := time.Now().Add(-time.Minute).UTC().Format(time.RFC3339)
		_, _ = fmt.Fprintf(w, `[{"contentId":"a","contentUri":"https://%s/blob/a","contentCreated":"%s"},{"contentId":"b","contentUri":"https://manage.office.com/blob/b","contentCreated":"%s"}]`, host, at, at)
	}}
	k := asks(t, a)
	k.config.Since = time.Now().Add(-time.Hour)
	s, cursor := opened(t, k)
	var all []string
	for len(all) < 3 {
		got, err := cursor.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range got {
			switch {
			case m.Refused != nil:
				all = append(all, m.Part+": "+m.Refused.Detail[:46])
			case !m.Mark:
				all = append(all, string(m.Body))
			}
		}
		if len(all) == 2 {
			if n := s.Counts()[0].Failing; n != 1 {
				t.Errorf("%d blobs fail", n)
			}
			host = "manage.office.com"
		}
	}
	if want := `blob a: an answer leads to another host than manage.of [{"Id":"of b"}] [{"Id":"of a"}]`; strings.Join(all, " ") != want {
		t.Errorf("%q", all)
	}
	for _, address := range a.asked {
		if !strings.HasPrefix(address, "https://manage.office.com/") {
			t.Errorf("it asks %s", address)
		}
	}
}

// Where the API says how long to wait, in seconds or as a time by its clock, it is waited so long; what is no such thing says nothing.
func TestHowLongToWait(t *testing.T) {
	said := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for text, want := range map[string]time.Duration{"7": 7 * time.Second, "99999999": longestPause, "-3": 0, "": 0, "soon": 0, "1.5": 0,
		said.Add(90 * time.Second).Format(http.TimeFormat): 90 * time.Second, said.Add(-time.Second).Format(http.TimeFormat): 0} {
		res := &http.Response{Header: http.Header{"Retry-After": {text}, "Date": {said.Format(http.TimeFormat)}}}
		if got := asks(t, &answering{}).retryAfter(res); got != want {
			t.Errorf("%q: %v, expected %v", text, got, want)
		}
	}
}

// A listing whose pages lead round in a circle ends at once.
func TestListingsInACircleEnd(t *testing.T) {
	a := &answering{}
	a.answer = func(w http.ResponseWriter, r *http.Request) {
		page := map[string]string{"": "b", "b": "c", "c": "b"}[r.URL.Query().Get("nextPage")]
		w.Header().Set("NextPageUri", "https://manage.office.com/x?nextPage="+page)
		_, _ = w.Write([]byte("[]"))
	}
	now := time.Now()
	pages, err := asks(t, a).list(t.Context(), 1, Contents[1], now.Add(-time.Hour), now, func(row) error { return nil })
	if err == nil || pages != 3 || len(a.asked) != 3 {
		t.Errorf("%d pages in %d requests: %v", pages, len(a.asked), err)
	}
}

// What an error says is read in any encoding: a 403 that stands for the quota is no lack of a right.
func TestErrorsAreReadWhenTheyAreZipped(t *testing.T) {
	n := 0
	a := &answering{answer: func(w http.ResponseWriter, _ *http.Request) {
		if n++; n == 1 {
			w.Header().Set("Content-Encoding", "gzip")
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write(zip(`{"error":{"code":"AF429","message":"Too many requests."}}`))
		}
	}}
	if err := get(t, a, "https://manage.office.com/x"); err != nil || n != 2 {
		t.Errorf("%v after %d requests", err, n)
	}
}

// A window beyond what the API takes is told with the clocks: they are the cause where windows are right by this machine's.
func TestAClockThatIsOffIsTold(t *testing.T) {
	for by, want := range map[time.Duration]string{-3 * time.Hour: "3h0m0s ahead of the API's", 3 * time.Hour: "3h0m0s behind the API's", 0: ""} {
		a := &answering{answer: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", time.Now().Add(by).UTC().Format(http.TimeFormat))
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"error":{"code":"AF20030","message":"times"}}`))
		}}
		err := get(t, a, "https://manage.office.com/x")
		if err == nil {
			t.Fatal("no error")
		}
		said := strings.Contains(denied(err).Error(), "clock")
		if said != (want != "") || !strings.Contains(denied(err).Error(), want) {
			t.Errorf("%v: %v", by, denied(err))
		}
	}
}

// A blob that is listed with times of long ago is read once, however often it is listed.
func TestABlobOfLongAgoIsReadOnce(t *testing.T) {
	var ahead time.Duration
	blobs, lists := 0, 0
	a := &answering{answer: func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/b") {
			blobs++
			_, _ = w.Write([]byte(`[{"Id":"r-0"}]`))
			return
		}
		lists++
		_, _ = w.Write([]byte(`[{"contentId":"b","contentUri":"https://manage.office.com/b","contentCreated":"2020-01-01T00:00:00Z","contentExpiration":"2020-01-08T00:00:00Z"}]`))
	}}
	k := asks(t, a)
	k.config.Since = time.Now().Add(-time.Minute)
	k.config.Now = func() time.Time { return time.Now().Add(ahead) }
	_, cursor := opened(t, k)
	for lists < 4 {
		if _, err := cursor.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
		ahead += 2 * time.Hour // old rows are taken away
	}
	if blobs != 1 {
		t.Errorf("it is read %d times in %d listings", blobs, lists)
	}
}
