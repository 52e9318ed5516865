package bus_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"noroshi/internal/bus"
	"noroshi/internal/kafkatest"
)

// Every mechanism of SASL over TLS is let in by an Apache Kafka, also when it must say again who it is; one that is refused is
// told so at once.
func TestMechanisms(t *testing.T) {
	broker := kafkatest.Apache(t)
	ensured, err := bus.Connect(broker.Config("test.", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer ensured.Close()
	if err := ensured.Ensure(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	errEntra := errors.New("Entra ID says no")
	var given atomic.Int64
	fresh := func(context.Context) (string, error) {
		given.Add(1)
		return kafkatest.Token(time.Now().Add(time.Minute)), nil
	}
	for _, mechanism := range []string{"plain", "scram-sha-256", "scram-sha-512", "oauthbearer"} {
		t.Run(mechanism, func(t *testing.T) {
			t.Parallel()
			b, err := bus.Connect(broker.SecureConfig("test.", 1, mechanism, fresh))
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			w, err := b.Writer()
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			// Longer than a session lasts: of tokens one sees it, of passwords the clock tells.
			began, before, n := time.Now(), given.Load(), 0
			for look := time.Tick(20 * time.Millisecond); time.Since(began) < 2*kafkatest.Reauthenticate || mechanism == "oauthbearer" && given.Load() < before+4; <-look {
				if err := w.Write(t.Context(), []bus.Record{{Topic: bus.Events, Key: []byte(mechanism), Value: fmt.Append(nil, n)}}); err != nil {
					t.Fatal(err)
				}
				n++
			}
			next := 0
			if err := b.All(t.Context(), bus.Events, func(r bus.Record) error {
				if string(r.Key) != mechanism {
					return nil
				}
				if string(r.Value) != fmt.Sprint(next) {
					t.Errorf("record %q where %d should be", r.Value, next)
				}
				next++
				return nil
			}); err != nil || next != n {
				t.Errorf("%d of %d records, %v", next, n, err)
			}
		})
	}
	expired := func(context.Context) (string, error) { return kafkatest.Token(time.Now().Add(-time.Minute)), nil }
	none := func(context.Context) (string, error) { return "", errEntra }
	for name, refused := range map[string]func(context.Context) (string, error){"a later token has expired": expired, "a later token is not given": none} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var later atomic.Bool
			b, err := bus.Connect(broker.SecureConfig("later.", 1, "oauthbearer", func(ctx context.Context) (string, error) {
				if later.Load() {
					return refused(ctx)
				}
				return fresh(ctx)
			}))
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			topic := bus.CheckpointsOf(strings.ReplaceAll(name, " ", "-"))
			if err := b.EnsureCheckpoints(t.Context(), topic, 1); err != nil {
				t.Fatal(err)
			}
			c, err := b.Cursor(topic, 0, bus.Place{})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			w, err := b.Writer()
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			for _, value := range []string{"before", "after"} {
				if err := w.Write(ctx, []bus.Record{{Topic: topic, Key: []byte("k"), Value: []byte(value)}}); err != nil {
					t.Fatal(err)
				}
				if got, err := c.Poll(ctx, 1); err != nil || len(got) != 1 || string(got[0].Value) != value {
					t.Fatalf("read is %v, %v", got, err)
				}
				later.Store(true)
				_, err := c.Poll(ctx, 1)
				told(t, err, errEntra)
				later.Store(false)
			}
		})
	}
	for name, c := range map[string]bus.Config{
		"a wrong password": func() bus.Config {
			c := broker.SecureConfig("test.", 1, "plain", nil)
			c.Password = "guess"
			return c
		}(),
		"a wrong password, by SCRAM": func() bus.Config {
			c := broker.SecureConfig("test.", 1, "scram-sha-512", nil)
			c.Password = "guess"
			return c
		}(),
		"an expired token": broker.SecureConfig("test.", 1, "oauthbearer", expired),
		"no token":         broker.SecureConfig("test.", 1, "oauthbearer", none),
	} {
		t.Run(name, func(t *testing.T) {
			b, err := bus.Connect(c)
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, err = b.Partitions(ctx, bus.Events)
			told(t, err, errEntra)
		})
	}
}

// told checks that a refusal names what was refused, and tells no secret: the mechanism, or why there was no token.
func told(t *testing.T, err, none error) {
	t.Helper()
	var denied *bus.Denied
	if errors.Is(err, none) {
		return
	}
	if !errors.As(err, &denied) || !regexp.MustCompile(`OAUTHBEARER|SASL_AUTHENTICATION_FAILED`).MatchString(err.Error()) || regexp.MustCompile(`guess|eyJ`).MatchString(err.Error()) {
		t.Errorf("it is told %v", err)
	}
}
