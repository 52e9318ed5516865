package o365

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// row is a blob as it is listed.
type row struct {
	ID      string    `json:"contentId"`
	URI     string    `json:"contentUri"`
	Created time.Time `json:"contentCreated"`
	Expires time.Time `json:"contentExpiration"`
}

const (
	// maxID and maxURI bound what is stored of a blob's row, in bytes. The API's own have some hundred.
	maxID  = 1 << 10
	maxURI = 4 << 10

	listForm = "2006-01-02T15:04:05"
	// maxPage bounds a page of a listing, in bytes.
	maxPage = 16 << 20
	// maxPages bounds a listing, so that it ends where pages are made up.
	maxPages = 20_000
	// mostListed bounds what is held of a listing, in blobs. Of a window that has more a part is listed.
	mostListed = 20_000
)

// errMany is a listing of more than mostListed blobs.
var errMany = errors.New("the listing names too many blobs")

// list gives the blobs of a content type that became available from a time until before another, page by page, until one is refused. After an
// error in the middle of a page its blobs may come again.
func (c *client) list(ctx context.Context, partition int32, content string, from, to time.Time, each func(row) error) (pages int, err error) {
	q := url.Values{"contentType": {content}, "startTime": {from.UTC().Format(listForm)}, "endTime": {to.UTC().Format(listForm)}}
	given := map[string]bool{}
	for next := c.root + "subscriptions/content?" + q.Encode(); next != ""; pages++ {
		if pages == maxPages || given[next] {
			return pages, fmt.Errorf("the listing of %s does not end: after %d pages it leads to another, or to one of them", content, pages)
		}
		given[next] = true
		err := c.again(ctx, func() (err error) {
			next, err = c.page(ctx, partition, next, each)
			return err
		})
		if err != nil {
			return pages, err
		}
	}
	return pages, nil
}

// page gives the blobs of a page, and where the next one is; "" where it is the last. After an error the page itself is where it is.
func (c *client) page(ctx context.Context, partition int32, address string, each func(row) error) (next string, err error) {
	res, err := c.do(ctx, partition, http.MethodGet, address)
	if err != nil {
		return address, err
	}
	defer res.Body.Close()
	from, err := unzipped(res.Body)
	if err == nil {
		err = rows(json.NewDecoder(io.LimitReader(from, maxPage)), each)
	}
	switch {
	case errors.Is(err, errMany):
		return address, err
	case err != nil:
		return address, fmt.Errorf("the listing cannot be read: %w", err)
	}
	return cmp.Or(res.Header.Get("NextPageUri"), res.Header.Get("NextPageUrl")), nil
}

// rows gives the rows of a page one by one.
func rows(d *json.Decoder, each func(row) error) error {
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return cmp.Or(err, errors.New("expected a list"))
	}
	for d.More() {
		var r row
		if err := d.Decode(&r); err != nil {
			return err
		}
		if r.ID == "" || r.URI == "" || r.Created.IsZero() {
			return errors.New("it names a blob without contentId, contentUri or contentCreated")
		}
		if err := each(r); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil { // the bracket that ends it
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return cmp.Or(err, errors.New("more than a list"))
	}
	return nil
}

// blob is the blob of a row, such that it can be stored. A contentId that is too long is cut and told apart by its hash. A contentUri that is
// too long is left out: the fetch refuses the blob, and a dead letter stands for it.
func (r row) blob() *blob {
	if len(r.ID) > maxID {
		r.ID = strings.ToValidUTF8(r.ID[:maxID/2], "") + "..." + idOf(r.ID).key()
	}
	if len(r.URI) > maxURI {
		r.URI = ""
	}
	if r.Expires.Before(r.Created) {
		r.Expires = r.Created.Add(kept)
	}
	return &blob{id: idOf(r.ID), failing: failing{ID: r.ID, URI: r.URI, Created: writable(r.Created), Expires: writable(r.Expires)}}
}

// The first and the last second that JSON can write.
var (
	firstTime = time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC)
	lastTime  = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
)

// writable is the time nearest to another that JSON can write. A zone may move a time out of the years 1 to 9999.
func writable(t time.Time) time.Time { return earlier(later(t.UTC(), firstTime), lastTime) }
