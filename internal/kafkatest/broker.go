package kafkatest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"noroshi/internal/bus"
)

const (
	brokerWithin = 2 * time.Minute // after a SIGKILL the broker waits for its old session to end: 14 s on a quiet machine
	stopWithin   = 30 * time.Second
)

// Broker is an Apache Kafka of one node on 127.0.0.1.
type Broker struct {
	Address string // without TLS and users
	Secure  string // with both

	java string
	jars string
	dir  string
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
}

// Apache starts an Apache Kafka and ends it with the test. Its jars are fetched by Maven once. The test is skipped where there
// is no java or mvn, but never in CI.
func Apache(t testing.TB) *Broker {
	t.Helper()
	b := &Broker{dir: t.TempDir()}
	var err error
	if b.java, err = java(); err == nil {
		b.jars, err = resolve()
	}
	var lacks missing
	if errors.As(err, &lacks) && os.Getenv("CI") == "" {
		t.Skipf("without Apache Kafka: %v", err)
	}
	if err == nil {
		err = b.format()
	}
	if err != nil {
		t.Fatalf("start Apache Kafka: %v", err)
	}
	t.Cleanup(func() { b.end(syscall.SIGKILL) }) // its data goes with the test
	b.Start(t)
	return b
}

// Config is how to reach the broker.
func (b *Broker) Config(prefix string, partitions int) bus.Config {
	return bus.Config{Brokers: []string{b.Address}, Prefix: prefix, Partitions: partitions, Log: slog.New(slog.DiscardHandler)}
}

// Start starts the broker on the data that is there and waits until it serves.
func (b *Broker) Start(t testing.TB) {
	t.Helper()
	log := filepath.Join(b.dir, "log")
	out, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	b.cmd = exec.CommandContext(context.Background(), b.java, "-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true",
		"-Dlog4j2.configurationFile="+filepath.Join(b.dir, "log4j2.properties"), "-cp", filepath.Join(b.jars, "*"), "kafka.Kafka", filepath.Join(b.dir, "server.properties"))
	b.cmd.Stdout, b.cmd.Stderr = out, out
	if b.done, err = launch(b.cmd); err != nil {
		t.Fatalf("start Apache Kafka: %v", err)
	}
	// The line comes after the controller has let the broker in; an open port comes earlier and means nothing.
	late := time.After(brokerWithin)
	for look := time.Tick(50 * time.Millisecond); ; <-look {
		text, err := os.ReadFile(log)
		if err == nil && bytes.Contains(text, []byte("Kafka Server started")) {
			return
		}
		select {
		case <-b.done:
			t.Fatalf("Apache Kafka ended while starting:\n%s", tail(text))
		case <-late:
			t.Fatalf("Apache Kafka was not ready within %v:\n%s", brokerWithin, tail(text))
		default:
		}
	}
}

// Kill ends the broker by SIGKILL; its data stays.
func (b *Broker) Kill() { b.end(syscall.SIGKILL) }

// Stop ends the broker cleanly; its data stays.
func (b *Broker) Stop() { b.end(syscall.SIGTERM) }

func (b *Broker) end(s syscall.Signal) {
	if b.cmd == nil {
		return
	}
	_ = b.cmd.Process.Signal(s) // it may have ended by itself
	select {
	case <-b.done:
	case <-time.After(stopWithin):
		_ = b.cmd.Process.Kill()
		<-b.done
	}
	b.cmd = nil
}

// settings make a small broker. Heaps under 256 MiB need the small buffer of the cleaner; groups would wait 3 s for more
// members; a new broker session would wait 9 s for the old one's end.
const settings = `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@%[2]s
listeners=PLAINTEXT://%[1]s,SECURE://%[4]s,CONTROLLER://%[2]s
advertised.listeners=PLAINTEXT://%[1]s,SECURE://%[4]s
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL
log.dirs=%[3]s
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
offsets.topic.num.partitions=6
transaction.state.log.num.partitions=6
share.coordinator.state.topic.num.partitions=3
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
num.network.threads=2
num.io.threads=4
log.segment.bytes=134217728
log.cleaner.dedupe.buffer.size=8388608
%[5]s`

// format writes the broker's settings and prepares its folder.
func (b *Broker) format() error {
	listen, err := freePorts(3)
	if err != nil {
		return err
	}
	b.Address, b.Secure = listen[0], listen[2]
	secured, err := b.secure()
	if err != nil {
		return err
	}
	properties := filepath.Join(b.dir, "server.properties")
	if err := os.WriteFile(properties, fmt.Appendf(nil, settings, listen[0], listen[1], filepath.Join(b.dir, "data"), listen[2], secured), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(b.dir, "log4j2.properties"), log4j2, 0o600); err != nil {
		return err
	}
	id := base64.RawURLEncoding.EncodeToString([]byte(rand.Text())[:16])
	out, err := exec.CommandContext(context.Background(), b.java, "-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", filepath.Join(b.jars, "*"), "kafka.tools.StorageTool", "format", "-t", id, "-c", properties,
		"--add-scram", fmt.Sprintf("SCRAM-SHA-256=[name=%s,password=%s]", User, Password), "--add-scram", fmt.Sprintf("SCRAM-SHA-512=[name=%s,password=%s]", User, Password)).CombinedOutput()
	if err != nil {
		return fmt.Errorf("format storage: %w\n%s", err, tail(out))
	}
	return nil
}

// freePorts finds addresses on 127.0.0.1 that nobody listens on.
func freePorts(n int) (all []string, err error) {
	for range n {
		l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, l.Close()) }()
		all = append(all, l.Addr().String())
	}
	return all, nil
}

func tail(text []byte) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}
