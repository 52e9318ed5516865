package kafka_test

import (
	"testing"

	"noroshi/ingest/kafka"
	"noroshi/internal/bus"
	"noroshi/internal/kafkatest"
)

// TestAMessageIsSent: it is read where records are.
func TestAMessageIsSent(t *testing.T) {
	b := kafkatest.Start(t, 1)
	s, err := kafka.New(kafka.Config{Topic: string(bus.Alerts)}, b)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Send(t.Context(), []byte("drill")); err != nil {
		t.Fatal(err)
	}
	c, err := s.Open(t.Context(), 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	if all, err := c.Next(t.Context()); err != nil || len(all) != 1 || string(all[0].Body) != "drill" {
		t.Errorf("%+v, %v", all, err)
	}
}
