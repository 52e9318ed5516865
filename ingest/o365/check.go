package o365

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

// Checked is what the API says of a source.
type Checked struct {
	Off   []string      // content types that are to be read and have no subscription that is enabled; one is started when they are read
	Ahead time.Duration // how far the clock of this machine is ahead of the API's, to a second
}

// maxList bounds the answer that lists subscriptions.
const maxList = 1 << 20

// Check asks for the subscriptions, with the token and the rights that reading needs. It changes nothing. Where the API refuses, Ahead is
// told as well if it is known.
func (s *Stream) Check(ctx context.Context) (got Checked, err error) {
	part := slices.IndexFunc(s.parts, func(p *part) bool { return p != nil })
	res, err := s.client.do(ctx, int32(part), http.MethodGet, s.client.root+"subscriptions/list")
	if err != nil {
		var r *refused
		if errors.As(err, &r) {
			got.Ahead = r.off
		}
		return got, denied(err)
	}
	defer res.Body.Close()
	got.Ahead, _ = s.client.off(res)
	var all []struct{ ContentType, Status string }
	from, err := unzipped(res.Body)
	if err == nil {
		err = json.NewDecoder(io.LimitReader(from, maxList)).Decode(&all)
	}
	if err != nil {
		return got, fmt.Errorf("list subscriptions: %w", err)
	}
	enabled := map[string]bool{}
	for _, one := range all {
		enabled[one.ContentType] = one.Status == "enabled"
	}
	for _, content := range s.config.Content {
		if !enabled[content] {
			got.Off = append(got.Off, content)
		}
	}
	return got, nil
}
