package o365

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"noroshi/ingest/feed"
	"noroshi/internal/o365test"
)

// Of large blobs one content type at a time goes on with one, so that what is held does not grow with their number. The others wait, and then
// read theirs to the end.
func TestOneLargeBlobAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := o365test.New(o365test.Config{Quota: -1})
		if err != nil {
			t.Fatal(err)
		}
		record := `{"Id":"r","Operation":"` + strings.Repeat("x", 1000) + `"}`
		const records = 3 * largeBlob / 1000
		body := []byte("[" + strings.Repeat(record+",", records-1) + record + "]")
		c := Of(s, Contents[1], Contents[2])
		c.Transport, c.Since = inMemory{s}, time.Now().Add(-30*time.Minute)
		for _, content := range c.Content {
			s.Add(o365test.Blob{Content: content, Created: time.Now().Add(-time.Minute), Body: body})
		}
		stream, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		opened := func(p int32) feed.Cursor {
			cursor, err := stream.OpenWith(t.Context(), p, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			return cursor
		}
		read := func(cursor feed.Cursor, has *int, until int) {
			for *has < until {
				got, err := cursor.Next(context.WithoutCancel(t.Context()))
				if err != nil {
					t.Error(err)
					return
				}
				for _, m := range got {
					*has += bytes.Count(m.Body, []byte(`"Id"`))
				}
			}
		}
		first, second := opened(1), opened(2)
		var one, other int
		read(first, &one, largeBlob/1000+2000)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			read(second, &other, records)
		}()
		synctest.Wait() // it is blocked
		if other == 0 || other > (largeBlob+2*mostCarried)/1000 {
			t.Errorf("the other has read %d of %d records while the first holds a large blob", other, records)
		}
		read(first, &one, records)
		if _, err := first.Next(t.Context()); err != nil { // the end of the blob
			t.Error(err)
		}
		<-ended
		if one != records || other != records {
			t.Errorf("%d and %d records, expected %d", one, other, records)
		}
		first.Close(t.Context())
		second.Close(t.Context())
		if len(stream.large) > 0 {
			t.Error("nobody reads, and a large blob is said to be read")
		}
	})
}
