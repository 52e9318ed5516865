package bus

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Embedded is a Kafka in this process, for one machine: franz-go's kfake with its data in a folder. It speaks the same
// protocol to the same code. What it lacks is guarded here: it takes no lock, forgets to begin retention after a restart, drops
// what lies behind damage, and its compaction can lose a key while a transaction is open, so it never compacts.
type Embedded struct {
	options EmbeddedOptions
	lock    *os.File
	cluster *kfake.Cluster
	config  Config
	disk    *disk
	gate    gate
	used    atomic.Int64 // bytes of log
}

// EmbeddedOptions say where the embedded Kafka keeps its data and how much.
type EmbeddedOptions struct {
	Dir        string
	Prefix     string
	Partitions int
	Cap        int64 // bytes of log in all
	NoSync     bool  // positions are stored without waiting for the disk: a power cut may lose what came last
	Log        *slog.Logger
}

const (
	mechanism  = "SCRAM-SHA-512"
	user       = "noroshi"
	brokerFile = "broker.json"
	lockFile   = "lock"
	forever    = "3155760000000" // a hundred years, in milliseconds
)

// LogFolder is where the log lies in the data folder.
const LogFolder = "kafka"

// Files are names such as the files in the data folder have.
var Files = []string{brokerFile, lockFile, holesFile, "0" + segmentExt, "0.idx", "snapshot.json", "groups.log", "pids.log", "topics.json",
	"session_state.json", "meta.json", "sasl.json", "broker_configs.json", "seq_windows.json", "quotas.json", "acls.json"}

// credential is what broker.json tells our own commands.
type credential struct {
	Address  string `json:"address"`
	User     string `json:"user"`
	Password string `json:"password"`
	Prefix   string `json:"prefix"`
	PID      int    `json:"pid"`
	Boot     string `json:"boot"`
}

// StartEmbedded starts the broker on 127.0.0.1. Whoever wants to speak to it needs the credential in DIR/broker.json.
func StartEmbedded(o EmbeddedOptions) (*Embedded, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("start embedded Kafka: %w", err)
	}
	e := &Embedded{options: o}
	var err error
	if e.lock, err = lock(filepath.Join(o.Dir, lockFile)); err != nil {
		return nil, fmt.Errorf("start embedded Kafka: %w", err)
	}
	// The broker remembers credentials and prefers those to new ones; ours are for one run.
	if err := os.Remove(filepath.Join(o.Dir, LogFolder, "sasl.json")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		_ = e.lock.Close() // the first error is the one to tell
		return nil, fmt.Errorf("start embedded Kafka: %w", err)
	}
	password := rand.Text()
	e.disk = &disk{dir: filepath.Join(o.Dir, LogFolder), prefix: o.Prefix, log: o.Log, off: o.NoSync, folders: map[string]*folder{}}
	if err = e.disk.check(); err == nil {
		e.cluster, err = kfake.NewCluster(kfake.NumBrokers(1), kfake.DataDir(e.disk.dir), kfake.EnableSASL(), kfake.Superuser(mechanism, user, password),
			kfake.GroupMinSessionTimeout(time.Second), kfake.WithLogger(e.disk), kfake.BrokerConfigs(map[string]string{
				"log.cleaner.backoff.ms":    forever, // no compaction
				"offsets.retention.minutes": "52560000",
			}))
	}
	if err != nil {
		_ = e.lock.Close() // the broker's error is the one to tell
		return nil, fmt.Errorf("start embedded Kafka: %w", named(err))
	}
	debug.FreeOSMemory() // reading the log back leaves much behind
	e.config = Config{Brokers: e.cluster.ListenAddrs(), Prefix: o.Prefix, Partitions: o.Partitions, Mechanism: "scram-sha-512", User: user, Password: password, Boot: rand.Text(), Log: o.Log, disk: e.disk}
	if err := e.publish(password); err != nil {
		e.Close()
		return nil, fmt.Errorf("start embedded Kafka: %w", err)
	}
	o.Log.Info("embedded Kafka started; it is for one machine, name brokers for more", slog.String("data", o.Dir), slog.String("address", e.config.Brokers[0]))
	return e, nil
}

// publish writes broker.json so that it is whole or not there, and nobody else can read it.
func (e *Embedded) publish(password string) error {
	b, err := json.Marshal(credential{e.config.Brokers[0], user, password, e.options.Prefix, os.Getpid(), e.config.Boot})
	if err != nil {
		return err
	}
	path := filepath.Join(e.options.Dir, brokerFile)
	if err := os.WriteFile(path+".new", b, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// Config is how to reach the broker.
func (e *Embedded) Config() Config { return e.config }

// Close stops the broker; all that was acknowledged is on disk.
func (e *Embedded) Close() {
	_ = os.Remove(filepath.Join(e.options.Dir, brokerFile)) // the next start writes it anew
	e.cluster.Close()
	if err := e.disk.flush(); err != nil {
		e.options.Log.Error("the log may not be on the disk", slog.Any("err", err))
	}
	_ = e.lock.Close() // the lock ends with the process at the latest
}

// share is the part of the cap that a topic may take.
func (e *Embedded) share(t Topic) int64 {
	switch t {
	case Events:
		return e.options.Cap / 10 * 6
	case Alerts, DetectorState:
		return e.options.Cap / 10
	case Signals, SignalsState, DeadLetters, DeliveryResults:
		return e.options.Cap / 20
	}
	return 0
}

// stateSegment is how long a segment of a partition's state is. What is not needed any more is given back segment by segment.
func (e *Embedded) stateSegment(t Topic) int64 {
	return min(max(e.share(t)/int64(e.options.Partitions)/32, 1<<20), 16<<20)
}

// TopicSettings are what topics of the embedded broker need: nothing is deleted by age or size, since retention is ours, and
// segments are small enough to be given back.
func (e *Embedded) TopicSettings() map[Topic]map[string]string {
	all := map[Topic]map[string]string{}
	for _, t := range Topics {
		m := map[string]string{"retention.ms": "-1", "retention.bytes": "-1"}
		if s := e.share(t); s > 0 {
			m["segment.bytes"] = strconv.FormatInt(min(max(s/int64(e.options.Partitions)/8, 1<<20), 64<<20), 10)
		}
		switch t {
		case DetectorState, SignalsState:
			m["segment.bytes"] = strconv.FormatInt(e.stateSegment(t), 10)
		case Checkpoints:
			m["segment.bytes"] = strconv.Itoa(positionSegment)
		}
		all[t] = m
	}
	return all
}

// ErrNotRunning means that no process keeps a data folder.
var ErrNotRunning = errors.New("no noroshi run is going on this data folder")

// FromData is how our own commands reach the embedded broker of a running process.
func FromData(dir string, log *slog.Logger) (Config, error) {
	b, err := os.ReadFile(filepath.Join(dir, brokerFile))
	if errors.Is(err, fs.ErrNotExist) {
		return Config{}, fmt.Errorf("%s: %w", dir, ErrNotRunning)
	}
	if err != nil {
		return Config{}, fmt.Errorf("read %s: %w", brokerFile, err)
	}
	if !taken(filepath.Join(dir, lockFile)) { // it was killed: its file is old
		return Config{}, fmt.Errorf("%s: %w", dir, ErrNotRunning)
	}
	var c credential
	if err := json.Unmarshal(b, &c); err != nil {
		return Config{}, fmt.Errorf("read %s: %w", brokerFile, err)
	}
	return Config{Brokers: []string{c.Address}, Prefix: c.Prefix, Mechanism: "scram-sha-512", User: c.User, Password: c.Password, Boot: c.Boot, Log: log}, nil
}

// WaitRoom waits until the log has room for more records.
func (e *Embedded) WaitRoom(ctx context.Context) error { return e.gate.wait(ctx) }

// Holder is who keeps the log from being shortened, "" where there is room.
func (e *Embedded) Holder() string { return e.gate.holder() }

// Use is how many bytes the log takes, as last measured, and how many it may.
func (e *Embedded) Use() (used, limit int64) { return e.used.Load(), e.options.Cap }
