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
	listForm = "2006-01-02T15:04:05"
	// maxPage bounds a page of a listing, in bytes.
	maxPage = 64 << 20
	// maxPages bounds a listing, so that it ends where pages are made up.
	maxPages = 20_000
)

// list gives the blobs of a content type that became available from a time until before another, page by page.
func (c *client) list(ctx context.Context, partition int32, content string, from, to time.Time, each func(row)) (pages int, err error) {
	q := url.Values{"contentType": {content}, "startTime": {from.UTC().Format(listForm)}, "endTime": {to.UTC().Format(listForm)}}
	given := map[string]bool{}
	for next := c.root + "subscriptions/content?" + q.Encode(); next != ""; pages++ {
		if pages == maxPages || given[next] {
			return pages, fmt.Errorf("the listing of %s does not end: after %d pages it leads to another, or to one of them", content, pages)
		}
		given[next] = true
		var rows []row
		err := c.again(ctx, func() (err error) {
			rows, next, err = c.page(ctx, partition, next)
			return err
		})
		if err != nil {
			return pages, err
		}
		for _, r := range rows {
			each(r)
		}
	}
	return pages, nil
}

// page gives a page, and where the next one is; "" where it is the last. After an error the page itself is where it is.
func (c *client) page(ctx context.Context, partition int32, address string) (rows []row, next string, err error) {
	res, err := c.do(ctx, partition, http.MethodGet, address)
	if err != nil {
		return nil, address, err
	}
	defer res.Body.Close()
	from, err := unzipped(res.Body)
	if err == nil {
		d := json.NewDecoder(io.LimitReader(from, maxPage))
		if err = d.Decode(&rows); err == nil {
			_, err = d.Token() // the end, or what does not belong there
			if errors.Is(err, io.EOF) {
				err = nil
			} else {
				err = cmp.Or(err, errors.New("more than a list"))
			}
		}
	}
	if err != nil {
		return nil, address, fmt.Errorf("the listing cannot be read: %w", err)
	}
	for _, r := range rows {
		if r.ID == "" || r.URI == "" || r.Created.IsZero() {
			return nil, address, errors.New("the listing names a blob without contentId, contentUri or contentCreated")
		}
	}
	return rows, cmp.Or(res.Header.Get("NextPageUri"), res.Header.Get("NextPageUrl")), nil
}
