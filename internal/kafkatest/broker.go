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
	brokerWithin = 5 * time.Minute // after a SIGKILL the broker waits for its old session to end: 14 s on a quiet machine
	stopWithin   = 30 * time.Second
)

// Broker is a node of an Apache Kafka on 127.0.0.1, as a rule the only one.
type Broker struct {
	Address string // without TLS and users
	Secure  string // with both

	java       string
	jars       string
	dir        string
	controller string   // its address
	compiler   string   // of the Java machine
	users      []string // none: there are no rights, and anybody may do all
	cmd        *exec.Cmd
	done       chan struct{} // closed when the process has ended
}

// Apache starts an Apache Kafka of one node and ends it with the test. Its jars are fetched by Maven once. The test is skipped where
// there is no java or mvn, but never in CI.
func Apache(t testing.TB) *Broker {
	t.Helper()
	return apache(t, 1, "-XX:TieredStopAtLevel=4")[0]
}

// Guarded is Apache where some users, with Password by SCRAM, have no rights until they are given some. Without a user, at Address, all is
// allowed.
func Guarded(t testing.TB, users ...string) *Broker {
	t.Helper()
	return apache(t, 1, "-XX:TieredStopAtLevel=1", users...)[0]
}

// ApacheOf is Apache with so many nodes that are killed and started again: they start sooner, and serve more slowly. What is written lies
// on all of them, and is acknowledged when all but one have it.
func ApacheOf(t testing.TB, nodes int) []*Broker {
	t.Helper()
	return apache(t, nodes, "-XX:TieredStopAtLevel=1")
}

func apache(t testing.TB, nodes int, compiler string, users ...string) (all []*Broker) {
	t.Helper()
	java, err := java()
	var jars string
	if err == nil {
		jars, err = resolve()
	}
	var lacks missing
	if errors.As(err, &lacks) && os.Getenv("CI") == "" {
		t.Skipf("without Apache Kafka: %v", err)
	}
	for range nodes {
		all = append(all, &Broker{dir: t.TempDir(), java: java, jars: jars, compiler: compiler, users: users})
	}
	if err == nil {
		err = format(all)
	}
	if err != nil {
		t.Fatalf("start Apache Kafka: %v", err)
	}
	for _, b := range all {
		t.Cleanup(func() { b.end(syscall.SIGKILL) }) // its data goes with the test
		b.launch(t)
	}
	for _, b := range all { // a node serves when most are there
		b.await(t)
	}
	return all
}

// Config is how to reach the broker.
func (b *Broker) Config(prefix string, partitions int) bus.Config {
	return bus.Config{Brokers: []string{b.Address}, Prefix: prefix, Partitions: partitions, Log: slog.New(slog.DiscardHandler)}
}

// Start starts the broker on the data that is there and waits until it serves.
func (b *Broker) Start(t testing.TB) {
	t.Helper()
	b.launch(t)
	b.await(t)
}

func (b *Broker) log() string { return filepath.Join(b.dir, "log") }

func (b *Broker) launch(t testing.TB) {
	t.Helper()
	out, err := os.Create(b.log())
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	b.cmd = exec.CommandContext(context.Background(), b.java, "-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", b.compiler,
		"-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true",
		"-Dlog4j2.configurationFile="+filepath.Join(b.dir, "log4j2.properties"), "-cp", filepath.Join(b.jars, "*"), "kafka.Kafka", b.properties())
	b.cmd.Stdout, b.cmd.Stderr = out, out
	if b.done, err = launch(b.cmd); err != nil {
		t.Fatalf("start Apache Kafka: %v", err)
	}
}

// await waits until the broker serves.
func (b *Broker) await(t testing.TB) {
	t.Helper()
	// The line comes after the controller has let the broker in; an open port comes earlier and means nothing.
	late := time.After(brokerWithin)
	for look := time.Tick(50 * time.Millisecond); ; <-look {
		text, err := os.ReadFile(b.log())
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
node.id=%[6]d
controller.quorum.voters=%[7]s
listeners=PLAINTEXT://%[1]s,SECURE://%[4]s,CONTROLLER://%[2]s
advertised.listeners=PLAINTEXT://%[1]s,SECURE://%[4]s
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL
log.dirs=%[3]s
default.replication.factor=%[8]d
min.insync.replicas=%[9]d
offsets.topic.replication.factor=%[8]d
transaction.state.log.replication.factor=%[8]d
transaction.state.log.min.isr=%[9]d
share.coordinator.state.topic.replication.factor=%[8]d
share.coordinator.state.topic.min.isr=%[9]d
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

// guarded gives rights to who has none but the brokers and who has no user.
const guarded = `
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
`

func (b *Broker) properties() string { return filepath.Join(b.dir, "server.properties") }

// format writes the settings of the nodes of a cluster and prepares their folders.
func format(all []*Broker) error {
	listen, err := freePorts(3 * len(all))
	if err != nil {
		return err
	}
	var voters []string
	for i, b := range all {
		b.Address, b.controller, b.Secure = listen[3*i], listen[3*i+1], listen[3*i+2]
		voters = append(voters, fmt.Sprintf("%d@%s", i+1, b.controller))
	}
	id := base64.RawURLEncoding.EncodeToString([]byte(rand.Text())[:16])
	for i, b := range all {
		if err := b.format(id, i+1, voters); err != nil {
			return err
		}
	}
	return nil
}

func (b *Broker) format(cluster string, node int, voters []string) error {
	secured, err := b.secure()
	if err != nil {
		return err
	}
	text := fmt.Appendf(nil, settings, b.Address, b.controller, filepath.Join(b.dir, "data"), b.Secure, secured, node, strings.Join(voters, ","),
		len(voters), max(1, len(voters)-1))
	if len(b.users) > 0 {
		text = append(text, guarded...)
	}
	if err := os.WriteFile(b.properties(), text, 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(b.dir, "log4j2.properties"), log4j2, 0o600); err != nil {
		return err
	}
	args := []string{"-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-cp", filepath.Join(b.jars, "*"), "kafka.tools.StorageTool", "format", "-t", cluster, "-c", b.properties()}
	for _, user := range append([]string{User}, b.users...) {
		for _, mechanism := range []string{"SCRAM-SHA-256", "SCRAM-SHA-512"} {
			args = append(args, "--add-scram", fmt.Sprintf("%s=[name=%s,password=%s]", mechanism, user, Password))
		}
	}
	out, err := exec.CommandContext(context.Background(), b.java, args...).CombinedOutput()
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
