package heartbeat

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"noroshi/sinks"
	"noroshi/sinks/remote"
	"noroshi/sinks/sinktest"
)

// TestOneRequestStandsForAll: the address is asked for once, and no answer is the heartbeat's fault.
func TestOneRequestStandsForAll(t *testing.T) {
	status, asked := 200, 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked++; r.Method != http.MethodGet || r.URL.Path != "/ping/S3cret" || r.ContentLength > 0 {
			t.Error(r.Method, r.URL, r.ContentLength)
		}
		w.WriteHeader(status)
	}))
	defer srv.Close()
	c := Config{Config: sinktest.Options{}.Remote(), Method: http.MethodGet}
	c.Address = remote.Fixed(srv.URL + "/ping/S3cret")
	s, err := New(c, sinktest.Env())
	if err != nil {
		t.Fatal(err)
	}
	for _, status = range []int{200, 204, 400, 404, 410, 413, 422, 500} {
		asked = 0
		err := s.Send(t.Context(), []sinks.Message{sinktest.Message(1), sinktest.Message(2)})
		if asked != 1 || (err == nil) != (status < 300) || err != nil && (!errors.As(err, new(*sinks.Fault)) || strings.Contains(err.Error(), "S3cret")) {
			t.Errorf("status %d: asked %d times, %v", status, asked, err)
		}
	}
	if err := s.Send(t.Context(), nil); err != nil || asked != 1 {
		t.Error("no heartbeat, and somebody hears one")
	}
}
