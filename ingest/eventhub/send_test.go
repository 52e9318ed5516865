package eventhub_test

import (
	"testing"

	"noroshi/ingest/eventhub"
	"noroshi/internal/eventhubstest"
)

// TestAMessageIsSent, by each way to a namespace: it is read where records are.
func TestAMessageIsSent(t *testing.T) {
	const name = "contoso.servicebus.windows.net"
	one := []eventhubstest.Hub{{Name: "audit", Partitions: 1}}
	plain := eventhubstest.Start(t, eventhubstest.Config{Hubs: one})
	safe := eventhubstest.Start(t, eventhubstest.Config{Hubs: one, TLS: true, Namespace: name})
	for way, c := range map[string]eventhub.Config{
		"TCP":                   {ConnectionString: plain.ConnectionString("audit")},
		"hub beside the string": {ConnectionString: plain.ConnectionString(""), Hub: "audit"},
		"WebSocket, a token":    {Namespace: name, Hub: "audit", Credential: token{safe}, Endpoint: safe.Addr(), TLS: safe.ClientTLS(), WebSocket: true},
	} {
		s := stream(t, c)
		before, err := s.State(within(t), 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Send(within(t), []byte("drill")); err != nil {
			t.Errorf("%s: %v", way, err)
			continue
		}
		if after, err := s.State(within(t), 0); err != nil || after.Last != before.Last+1 {
			t.Errorf("%s: %+v became %+v, %v", way, before, after, err)
		}
	}
}
