package o365

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A window with more blobs than are held is listed in parts, and all parts together have all blobs; then windows grow again.
func TestALongListingIsListedInParts(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second)
	const every = 100 * time.Millisecond // 36,000 an hour, as long as there are any
	until := now.Add(-2 * time.Hour)
	a := &answering{answer: func(w http.ResponseWriter, r *http.Request) {
		from, _ := time.Parse(listForm, r.URL.Query().Get("startTime"))
		to, _ := time.Parse(listForm, r.URL.Query().Get("endTime"))
		separator := ""
		_, _ = io.WriteString(w, "[")
		for at := from; at.Before(to) && at.Before(until); at = at.Add(every) {
			_, _ = fmt.Fprintf(w, `%s{"contentId":"%d","contentUri":"https://manage.office.com/b","contentCreated":"%s"}`, separator, at.UnixMilli(), at.Format(time.RFC3339Nano))
			separator = ","
		}
		_, _ = io.WriteString(w, "]")
	}}
	k := asks(t, a)
	k.config.Since = now.Add(-4 * time.Hour)
	s, err := New(k.config)
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.cursor(1, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	first, found, most := c.place.Reached, map[id]bool{}, time.Duration(0)
	for c.place.Reached.Before(now) {
		w, _, ok := c.place.plan(now, time.Time{}, time.Time{}, c.parts)
		if !ok {
			t.Fatalf("nothing is to be listed at %v", c.place.Reached)
		}
		if err := c.fill(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		most = max(most, c.parts)
		if c.window == nil {
			continue
		}
		for _, b := range c.queue {
			found[b.id] = true
		}
		c.place.done(*c.window)
		c.window, c.queue = nil, nil
	}
	if want := int(until.Sub(first) / every); len(found) != want || most != 4 || c.parts != 1 {
		t.Errorf("%d blobs, expected %d; windows are divided by %d at most, by %d in the end", len(found), want, most, c.parts)
	}
}

// A page is read one by one: nothing of it is held that is not taken.
func TestAPageIsNotHeld(t *testing.T) {
	from := &counting{Reader: strings.NewReader("[" + strings.Repeat(`{"contentId":"a","contentUri":"b","contentCreated":"2026-01-02T03:04:05Z"},`, 100_000))}
	n := 0
	err := rows(json.NewDecoder(from), func(row) error {
		if n++; n == 100 {
			return errMany
		}
		return nil
	})
	if !errors.Is(err, errMany) || from.read > 64<<10 {
		t.Errorf("%v after %d rows and %d bytes", err, n, from.read)
	}
	for text, want := range map[string]string{"": "EOF", "{}": "expected a list", "[]": "", "[] x": "invalid character", "[][]": "more than a list", "[{}]": "names a blob without", "[": "EOF", `[{"contentId":"a"`: "EOF", "17": "expected a list",
		`[{"contentId":"a","contentUri":"b","contentCreated":"2026-01-02T03:04:05Z"}]`: ""} {
		err := rows(json.NewDecoder(strings.NewReader(text)), func(row) error { return nil })
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

type counting struct {
	io.Reader
	read int
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.read += n
	return n, err
}

// When all of the past is read, that is stored at once, though no blob came: what waits for the source is not kept waiting.
func TestThatThePastIsReadIsStored(t *testing.T) {
	a := &answering{answer: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "[]") }}
	k := asks(t, a)
	k.config.Since = time.Now().Add(-9 * time.Hour)
	for _, k.config.Newest = range []bool{false, true} {
		s, err := New(k.config)
		if err != nil {
			t.Fatal(err)
		}
		c, err := s.OpenWith(t.Context(), 1, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		var through time.Time
		for range 2 { // the first mark says where it begins
			got, err := c.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			through = got[len(got)-1].Enqueued
		}
		c.Close(t.Context())
		if time.Since(through) > step {
			t.Errorf("newest first %v: it is stored that it is read up to %v", k.config.Newest, through)
		}
	}
}
