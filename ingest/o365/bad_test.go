package o365_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noroshi/ingest/feed"
	"noroshi/ingest/o365"
	"noroshi/internal/bus"
	"noroshi/internal/o365test"
)

func zipped(b []byte) []byte {
	var to bytes.Buffer
	z := gzip.NewWriter(&to)
	_, _ = z.Write(b)
	_ = z.Close()
	return to.Bytes()
}

// took gives what a cursor's messages become, until enough says so.
func took(t *testing.T, s *o365test.Server, c o365.Config, enough func(all []string) bool) (all []string) {
	t.Helper()
	stream, err := o365.New(c)
	if err != nil {
		t.Fatal(err)
	}
	cursor, err := stream.OpenWith(t.Context(), 1, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer cursor.Close(t.Context())
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !enough(all) {
		got, err := cursor.Next(ctx)
		if err != nil {
			t.Fatalf("%v; so far %q", err, all)
		}
		for _, m := range got {
			if m.Mark {
				continue
			}
			for _, r := range prepare(nil, m, feed.NewTally()) {
				all = append(all, map[bus.Topic]string{bus.Events: "", bus.DeadLetters: "letter: ", bus.Alerts: "lost: "}[r.Topic]+string(r.Value))
			}
		}
	}
	return all
}

// A blob that is no list, or one record that is broken, does not stop the others. It alone becomes a dead letter that names it.
func TestBadBlobsStandAlone(t *testing.T) {
	sound := records(0, 3)
	for name, one := range map[string]struct {
		blob o365test.Blob
		want []string // ID stands for the blob's id
	}{
		"a broken record": {o365test.Blob{Body: []byte(`[{"Id":"r-0","Operation":"a"},{"Id":"r-1" "b"},{"Id":"r-2","Operation":"a"}]`)},
			[]string{"r-0", `letter: blob ID: json: not a JSON object: expected "," or "}", found a quote at byte 12: {"Id":"r-1" "b"}`, "r-2"}},
		"a number":                       {o365test.Blob{Body: []byte(`[{"Id":"r-0","Operation":"a"},17]`)}, []string{"r-0", `letter: blob ID: json: not a JSON object: expected "{", found "17": 17`}},
		"an object":                      {o365test.Blob{Body: []byte(`{"error":"x"}`)}, []string{`letter: blob ID: blob: it is no list of records: expected "[", found "{\"error\":\"x\"}"; it is tried again until TIME: `}},
		"a web page":                     {o365test.Blob{Body: []byte("<html>Sign in</html>")}, []string{`letter: blob ID: blob: it is no list of records: expected "[", found a web page; look for a proxy between here and the API; it is tried again until TIME: `}},
		"nothing":                        {o365test.Blob{}, []string{"letter: blob ID: blob: it is no list of records: it is empty; it is tried again until TIME: "}},
		"no record":                      {o365test.Blob{Body: []byte(" [ ] ")}, nil},
		"a list that breaks off":         {o365test.Blob{Body: []byte(`[{"Id":"r-0","Operation":"a"},{"Id":"r-1","Oper`)}, []string{"r-0", "letter: blob ID: blob: the list breaks off; it is tried again until TIME: "}},
		"a list cut behind an inner one": {o365test.Blob{Body: []byte(`[{"Id":"r-0","Operation":"a"},{"Id":"r-1","Parameters":[{"Name":"x"}]`)}, []string{"r-0", "letter: blob ID: blob: the list breaks off; it is tried again until TIME: "}},
		"gzip":                           {o365test.Blob{Body: zipped(sound), Header: http.Header{"Content-Encoding": {"gzip"}}}, []string{"r-0", "r-1", "r-2"}},
		"gzip that is not said":          {o365test.Blob{Body: zipped(sound)}, []string{"r-0", "r-1", "r-2"}},
		"text that is said to be gzip":   {o365test.Blob{Body: sound, Header: http.Header{"Content-Encoding": {"gzip"}}}, []string{"r-0", "r-1", "r-2"}},
		"gzip whose header is damaged":   {o365test.Blob{Body: []byte("\x1f\x8b\x07and the rest")}, []string{"letter: blob ID: blob: it is no list of records: its gzip header is damaged: gzip: invalid header; it is tried again until TIME: "}},
		"a byte order mark":              {o365test.Blob{Body: append([]byte("\xef\xbb\xbf"), sound...)}, []string{"r-0", "r-1", "r-2"}},
		"a blob that is much too long":   {o365test.Blob{Write: func(to io.Writer) { _, _ = io.Copy(to, io.MultiReader(bytes.NewReader(records(0, 3)[:90]), endless{})) }}, []string{"r-0", "r-1", long(`{"Id":"r-2","Operation":"x`), "letter: blob ID: blob: it is longer than 16 MiB; what lies behind is not read: "}},
		"a record that is 5 MiB long":    {o365test.Blob{Body: []byte(`[{"Id":"r-0","Operation":"a"},{"Id":"` + strings.Repeat("x", 5<<20) + `"},{"Id":"r-1","Operation":"a"}]`)}, []string{"r-0", long(`{"Id":"x`), "r-1"}},
		"more than is given at a time":   {o365test.Blob{Body: records(0, 2500)}, numbered(2500)},
	} {
		t.Run(name, func(t *testing.T) {
			s := o365test.Start(t, o365test.Config{})
			one.blob.Content, one.blob.Created = exchange, time.Now().Add(-time.Hour)
			id := s.Add(one.blob)
			s.Add(o365test.Blob{Content: exchange, Created: time.Now().Add(-time.Minute), Body: []byte(`[{"Id":"r-last","Operation":"a"}]`)})
			c := o365.Of(s, exchange).Quick().Bounded(16 << 20)
			c.Since = time.Now().Add(-2 * time.Hour)
			got := took(t, s, c, func(all []string) bool { return slices.Contains(all, "r-last") })
			for i := range got {
				got[i] = untilPattern.ReplaceAllString(strings.ReplaceAll(got[i], id, "ID"), "until TIME")
				got[i] = got[i][:min(len(got[i]), 300)]
			}
			if diff := cmp.Diff(append(slices.Clone(one.want), "r-last"), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

var untilPattern = regexp.MustCompile(`until [-0-9T:]+Z`)

// long is the letter of what is too long, as far as it is looked at.
func long(begins string) string {
	text := "letter: blob ID: size: longer than 4194304 bytes: " + begins
	return text + strings.Repeat("x", 300-len(text))
}

// endless is text without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func numbered(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprint("r-", i))
	}
	return all
}

// Blobs of 100 MB are held in pieces, however slowly what they give is taken.
func TestLargeBlobsAreNotHeld(t *testing.T) {
	const size, blobs = 100 << 20, 1
	s := o365test.Start(t, o365test.Config{})
	body := []byte(`,{"Id":"r-0","Operation":"` + strings.Repeat("x", 2000) + `"}`)
	n := 0
	for range blobs {
		s.Add(o365test.Blob{Content: exchange, Created: time.Now().Add(-time.Minute), Write: func(to io.Writer) {
			_, _ = to.Write([]byte(`[{"Id":"r-0","Operation":"first"}`))
			for left := size; left > 0; left -= len(body) {
				if _, err := to.Write(body); err != nil {
					return
				}
			}
			_, _ = to.Write([]byte("]"))
		}})
	}
	c := o365.Of(s, exchange).Quick()
	c.Since = time.Now().Add(-time.Hour)
	stream, err := o365.New(c)
	if err != nil {
		t.Fatal(err)
	}
	cursor, err := stream.OpenWith(t.Context(), 1, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer cursor.Close(t.Context())
	var most uint64
	for read, i := 0, 0; read < blobs; i++ {
		got, err := cursor.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		held := 0
		for _, m := range got {
			n += bytes.Count(m.Body, []byte(`"Id"`))
			held += len(m.Body)
			read += len(m.Rows)
		}
		if held > feed.MaxBytes+feed.MaxBytes/2 {
			t.Errorf("%d bytes at once", held)
		}
		if i%10 == 0 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
		}
	}
	t.Logf("%d records of %d MiB; at most %.1f MiB in use", n, blobs*size>>20, float64(most)/(1<<20))
	if want := blobs * (1 + (size+len(body)-1)/len(body)); n != want || most > 64<<20 {
		t.Errorf("%d records, expected %d; at most %.1f MiB in use, expected 64", n, want, float64(most)/(1<<20))
	}
}
