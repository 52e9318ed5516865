package webhook

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"noroshi/sinks"
	"noroshi/sinks/sinktest"
)

// TestAnAnswerThatRepeatsTheRequest is told as that, however it is written. What a destination says of the request is told.
func TestAnAnswerThatRepeatsTheRequest(t *testing.T) {
	for name, one := range map[string]struct {
		say  func(w io.Writer, r *http.Request, body string)
		want string
	}{
		"headers, as JSON":     {func(w io.Writer, r *http.Request, _ string) { _ = json.NewEncoder(w).Encode(r.Header) }, "repeats the request"},
		"headers, quoted":      {func(w io.Writer, r *http.Request, _ string) { fmt.Fprintf(w, "%q", r.Header) }, "repeats the request"},
		"headers, as they are": {func(w io.Writer, r *http.Request, _ string) { _ = r.Header.Write(w) }, "repeats the request"},
		"the signature":        {func(w io.Writer, r *http.Request, _ string) { fmt.Fprintf(w, "bad: %s", r.Header["Webhook-Signature"]) }, "repeats the request"},
		"the body":             {func(w io.Writer, _ *http.Request, body string) { fmt.Fprint(w, "cannot read ", body) }, "repeats the request"},
		"the body, as text in JSON": {func(w io.Writer, _ *http.Request, body string) {
			_ = json.NewEncoder(w).Encode(map[string]string{"got": body})
		}, "repeats the request"},
		"a header that lacks": {func(w io.Writer, _ *http.Request, _ string) { fmt.Fprint(w, "no header webhook-signature") }, "no header webhook-signature"},
		"a time":              {func(w io.Writer, _ *http.Request, _ string) { fmt.Fprint(w, "webhook-timestamp is too old") }, "webhook-timestamp is too old"},
		"a type": {func(w io.Writer, _ *http.Request, _ string) { fmt.Fprint(w, "unknown type noroshi.alert.firing") },
			"unknown type noroshi.alert.firing"},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			w.WriteHeader(http.StatusInternalServerError)
			one.say(w, r, string(body))
		}))
		err := sink(t, srv.URL, nil).Send(t.Context(), []sinks.Message{sinktest.Message(1)})
		srv.Close()
		if err == nil || !strings.Contains(err.Error(), one.want) || strings.Contains(err.Error(), "v1,") || strings.Contains(err.Error(), "timestamp\":") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
