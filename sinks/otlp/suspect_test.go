package otlp

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"noroshi/sinks"
	"noroshi/sinks/sinktest"
)

// TestAReceiverThatBreaks: an alert on which a receiver breaks again and again is refused, where the receiver takes an empty request; one
// that breaks on everything is waited for.
func TestAReceiverThatBreaks(t *testing.T) {
	for _, protocol := range []Protocol{HTTP, GRPC} {
		for name, row := range map[string]struct {
			everything bool
			want       string
		}{"on the alert": {false, "again again again again refused"}, "on everything": {true, "again again again again again"}} {
			t.Run(string(protocol)+" "+name, func(t *testing.T) {
				empty := 0
				srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					b, err := io.ReadAll(r.Body)
					if err != nil {
						t.Error(err)
					}
					none := len(b) < 40 // gzip of nothing
					if none {
						empty++
					}
					breaks := !none || row.everything
					if protocol == GRPC {
						w.Header().Set("Content-Type", grpcType)
						if breaks {
							ends(w, nil, internal, "panic", "")
						} else {
							ends(w, []byte{}, 0, "", "")
						}
						return
					}
					w.Header().Set("Content-Type", protobuf)
					if breaks {
						w.WriteHeader(http.StatusInternalServerError)
						_, _ = w.Write(status(0, 0))
					}
				}))
				srv.Config.Protocols = &http.Protocols{}
				srv.Config.Protocols.SetHTTP1(true)
				srv.Config.Protocols.SetUnencryptedHTTP2(true)
				srv.Start()
				defer srv.Close()
				s := sink(t, sinktest.Options{URL: srv.URL}, func(c *Config) { c.Protocol = protocol })
				if err := s.Send(t.Context(), []sinks.Message{sinktest.Message(1), sinktest.Message(2)}); kind(err) != "again" {
					t.Errorf("of two: %v", err)
				}
				var got []string
				for range mostBreaks {
					got = append(got, kind(s.Send(t.Context(), []sinks.Message{sinktest.Message(1)})))
				}
				if text := strings.Join(got, " "); text != row.want || empty != 1 {
					t.Errorf("%s, want %s; %d empty requests", text, row.want, empty)
				}
			})
		}
	}
}
