package remote

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"noroshi/sinks"
)

// show writes a request, with its body as it is before it is compressed, and without secrets.
func (c *Client) show(req *http.Request, body []byte) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\nHost: %s\n", req.Method, req.URL.RequestURI(), req.URL.Host)
	for _, name := range slices.Sorted(maps.Keys(req.Header)) {
		for _, value := range req.Header[name] {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	fmt.Fprintf(&b, "\n%s\n", bytes.TrimSuffix(body, []byte("\n")))
	if _, err := fmt.Fprint(c.env.Preview, c.secrets.Hide(b.String())); err != nil {
		return fmt.Errorf("show request: %w", err)
	}
	return sinks.ErrPreview
}
