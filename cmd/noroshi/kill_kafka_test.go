//go:build unix

package main

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"noroshi/internal/eventhubstest"
	"noroshi/internal/kafkatest"
)

const (
	// zombieFor is how long an instance is held: longer than its session in the group lasts.
	zombieFor = 14 * time.Second
	pauseFor  = time.Minute
)

// TestWhateverIsKilledEachFindingIsToldOnce: some instances share an Apache Kafka and an event hub. Instances are killed, come, go, and are
// held for longer than their session lasts; brokers are killed. In the end each revision of each alert lies on the topic once, and the
// alerts are those that a replay of the same records gives, and say the same.
func TestWhateverIsKilledEachFindingIsToldOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes minutes")
	}
	for _, c := range []struct {
		name  string
		nodes int
		do    func(f *fleet, nodes []*kafkatest.Broker)
	}{
		{"instances", 1, killInstances},
		{"broker", 1, killBrokers(1, 8)},
		{"leaders of three brokers", 3, killBrokers(2, 9)},
	} {
		t.Run(c.name, func(t *testing.T) {
			nodes := kafkatest.ApacheOf(t, c.nodes)
			dir, hub := fleetDir(t)
			f := newFleet(t, dir, "noroshi.", nodes)
			s := newStream(t, hub, filepath.Join(dir, "signins.ndjson"))
			f.join()
			f.join()
			f.awaitTopic()
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			ended := make(chan error)
			go func() { ended <- s.run(ctx) }()
			time.Sleep(5 * time.Second)
			c.do(f, nodes)
			time.Sleep(5 * time.Second)
			stop()
			if err := errors.Join(<-ended, s.close()); err != nil {
				t.Fatal(err)
			}
			f.agrees(f.replay(s.log.Name()), s)
		})
	}
}

// TestOneInstanceThreeAndAReplayFindTheSame, on the same records, and say the same.
func TestOneInstanceThreeAndAReplayFindTheSame(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a minute")
	}
	nodes := kafkatest.ApacheOf(t, 1)
	dir, hub := fleetDir(t)
	s := newStream(t, hub, filepath.Join(dir, "signins.ndjson"))
	for i := range often(10_000, 50_000) {
		if err := s.add(time.Duration(i) * time.Second * streamFaster / streamRate); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	want := newFleet(t, dir, "none.", nodes).replay(s.log.Name())
	for prefix, instances := range map[string]int{"one.": 1, "three.": 3} {
		t.Run(prefix, func(t *testing.T) {
			f := newFleet(t, dir, prefix, nodes)
			for range instances {
				f.join()
			}
			f.awaitTopic()
			f.agrees(want, s)
		})
	}
}

// fleetDir is a folder with the fleet's rules and the way to an event hub.
func fleetDir(t *testing.T) (string, *eventhubstest.Server) {
	t.Helper()
	dir := t.TempDir()
	hub := eventhubstest.Start(t, eventhubstest.Config{Hubs: []eventhubstest.Hub{{Partitions: hubs, Endless: true}}})
	writeRules(t, dir, fleetRules)
	writeFiles(t, dir, map[string]string{"cs": hub.ConnectionString("audit")})
	return dir, hub
}

// awaitTopic waits until the alerts can be read.
func (f *fleet) awaitTopic() {
	f.t.Helper()
	var err error
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if _, err = f.told(); err == nil {
			return
		}
	}
	f.t.Fatalf("there is no topic of alerts: %v\n%s", err, f.all[0].tail())
}

// killInstances kills, holds, adds and ends instances.
func killInstances(f *fleet, _ []*kafkatest.Broker) {
	for i := range often(1, kills(40)/5) {
		f.kill()
		f.between()
		f.join()
		f.did["instances added"]++
		f.kill()
		f.between()
		f.kill()
		f.hold(zombieFor)
		f.between()
		f.leave()
		f.kill()
		f.between()
		f.kill()
		if i%4 == 2 {
			f.hold(pauseFor)
		}
		if i%3 == 1 { // now three or four are there
			f.join()
			f.did["instances added"]++
		}
		if i%3 == 2 {
			f.leave()
		}
		f.between()
	}
}

// killBrokers kills the nodes in turn, so many times, and starts them again. Where there are three, each leads its share of the partitions
// when its turn comes: what it led before has moved to the two others, and moved back with their ends.
func killBrokers(usual, soak int) func(f *fleet, nodes []*kafkatest.Broker) {
	return func(f *fleet, nodes []*kafkatest.Broker) {
		for i := range often(usual, soak) {
			node := nodes[i%len(nodes)]
			node.Kill()
			time.Sleep(time.Duration(f.random.IntN(5000)) * time.Millisecond)
			node.Start(f.t)
			f.did["brokers killed"]++
			time.Sleep(time.Duration(often(3, 10)) * time.Second)
			f.kill()
			time.Sleep(time.Duration(often(2, 5)) * time.Second)
		}
	}
}
