package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"noroshi/ingest/feed"
	"noroshi/ingest/file"
	"noroshi/ingest/o365"
	"noroshi/internal/app"
	"noroshi/internal/bus"
	"noroshi/sinks"
)

// kafka looks at the brokers, or at the data of the embedded Kafka, and asks running instances.
func (d *doctor) kafka(ctx context.Context) {
	k := d.conf.Kafka
	c := bus.Config{Brokers: k.Brokers, Prefix: k.Prefix, Partitions: k.Partitions, TLS: k.TLS, CAFile: k.CAFile, Mechanism: k.Mechanism,
		User: k.User, Password: k.Password, Log: slog.New(slog.DiscardHandler)}
	where := strings.Join(k.Brokers, ", ")
	if len(k.Brokers) == 0 {
		where = k.Data
		var err error
		c, err = bus.FromData(k.Data, c.Log)
		c.Partitions = k.Partitions
		if errors.Is(err, bus.ErrNotRunning) {
			d.add(finding{Part: partKafka, Level: fine, Where: where, What: "the embedded Kafka is not running; run will start it"})
			return
		}
		if err != nil {
			d.add(finding{partKafka, wrong, "kafka-data", where, err.Error(), "name the folder of noroshi run with --data, and be a user who may read it"})
			return
		}
	}
	b, err := bus.Connect(c)
	if err == nil {
		defer b.Close()
		within, cancel := context.WithTimeout(ctx, d.within)
		err = b.Await(within)
		cancel()
	}
	if err != nil {
		d.add(finding{partKafka, wrong, "kafka-unreachable", where, err.Error(), "the message says what; look at kafka.brokers, tls and sasl, and whether the brokers run"})
		return
	}
	within, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	d.topics(within, b, where, len(k.Brokers) > 0)
	d.instances(within, b)
}

// topics tells of topics and rights.
func (d *doctor) topics(ctx context.Context, b *bus.Bus, where string, theirs bool) {
	x, err := b.Examine(ctx, app.Rights(d.roles))
	if err != nil {
		d.add(finding{partKafka, wrong, "kafka-unreachable", where, err.Error(), "look at the brokers' own log"})
		return
	}
	for _, text := range x.Refused {
		d.add(finding{partKafka, wrong, "topic", where, text, "run does not start before it is mended; the message names the command"})
	}
	for _, text := range x.Doubts {
		d.add(finding{partKafka, warning, "topic", where, text, "the message names the command"})
	}
	for _, right := range x.Denied {
		d.add(finding{partKafka, wrong, "rights", where, "the user may not do this: " + right, "give the user this right; docs/operating.md has a table of all"})
	}
	if n := len(x.Missing); n > 0 {
		d.add(finding{Part: partKafka, Level: note, Code: "topics-missing", Where: where, What: plural(n, "topic") + " not there yet: " + fmt.Sprint(x.Missing),
			Do: "run makes them, with the brokers' default.replication.factor; make them yourself if that is 1"})
	}
	if theirs && d.conf.Kafka.Transactions {
		switch yes, err := b.Transactional(ctx, app.TransactionNames(d.roles)...); {
		case err != nil:
			d.add(finding{partKafka, wrong, "transactions", where, err.Error(), "give the right, or set kafka.transactions to false"})
		case !yes:
			d.add(finding{partKafka, warning, "transactions", where, "the brokers have no transactions: records come at least once, and again after a crash", "take brokers that have them, if each alert is to come once"})
		}
	}
	if theirs && x.Brokers == 1 {
		d.add(finding{Part: partKafka, Level: note, Code: "one-broker", Where: where, What: "there is one broker: what is stored has one copy", Do: "docs/operating.md tells how three are set up"})
	}
	if !d.has(partKafka) {
		d.add(finding{Part: partKafka, Level: fine, Where: where, What: plural(x.Brokers, "broker") + ", " + plural(len(bus.Topics)-len(x.Missing), "topic")})
	}
}

// clocksDiffer is how far clocks may be apart.
const clocksDiffer = time.Minute

// instances asks what running instances have told: whose clock differs, and which rules no source wakes.
func (d *doctor) instances(ctx context.Context, b *bus.Bus) {
	all, err := app.ReadStatus(ctx, b)
	if err != nil { // before the first start there is no topic
		return
	}
	newest := func(all []app.Status) (at time.Time, s *app.Status) {
		for i := range all {
			if one := &all[i]; !one.Ended && one.At.After(at) {
				at, s = one.At, one
			}
		}
		return at, s
	}
	began := time.Now()
	at, last := newest(all)
	if last == nil {
		return
	}
	if d.now.Sub(at) > clocksDiffer { // it has ended, or the clocks are apart
		wait, cancel := context.WithTimeout(ctx, d.again)
		defer cancel()
		_ = feed.Pause(wait, d.again) // it ends in any case
		if all, err = app.ReadStatus(ctx, b); err != nil {
			return
		}
		before := at
		if at, last = newest(all); !at.After(before) {
			return
		}
	}
	d.clock("the instance "+last.Instance, d.now.Add(time.Since(began)).Sub(at))
	d.asleep(last)
}

// clock tells how far the clock of this machine is ahead of another's.
func (d *doctor) clock(of string, ahead time.Duration) {
	if ahead.Abs() <= clocksDiffer {
		return
	}
	ahead = ahead.Round(time.Minute)
	text := ago(ahead.Abs()) + " ahead of"
	if ahead < 0 {
		text = ago(-ahead) + " behind"
	}
	d.add(finding{partClock, wrong, "clock", of, "the clock of this machine is " + text + " that of " + of,
		"set both by a time server: what is decided late waits for clocks, tokens and certificates are refused, and alerts have wrong times"})
}

// asleep tells of rules that cannot fire on what sources have shown.
func (d *doctor) asleep(s *app.Status) {
	n := 0
	lacks := map[string]bool{}
	for _, one := range s.Asleep {
		n += len(one.Rules)
		for _, l := range one.Lacks {
			for _, dataset := range l.Datasets {
				lacks[dataset] = true
			}
		}
	}
	if n == 0 {
		return
	}
	d.add(finding{partRules, warning, "rules-asleep", s.Instance, plural(n, "rule") + " cannot fire: no source has shown " + someOf(lacks),
		"connect a source of these records, as docs/sources.md tells, or switch the rules off; noroshi status names them"})
}

// sources asks each source whether it can be read.
func (d *doctor) sources(ctx context.Context) {
	if err := lacks(runtime.GOOS, d.conf); err != nil {
		d.add(finding{partSources, wrong, "system", d.path, err.Error(), "run it on another system"})
	}
	if err := lacksFor(d.path, d.run, d.conf); err != nil {
		d.add(finding{partSources, wrong, "nothing-to-do", d.path, err.Error(), "the message says which key is missing"})
	}
	if len(d.run.Sinks) == 0 && (len(d.roles) == 0 || slices.Contains(d.roles, app.Deliver)) {
		d.add(finding{partSinks, warning, "sinks-none", d.path, "there are no sinks: alerts are stored, and nobody is told", "name some under sinks"})
	}
	for _, one := range d.conf.Sources {
		for _, pattern := range one.File.Paths {
			d.files(pattern)
		}
	}
	for _, f := range d.run.Feeds {
		d.stream(ctx, f.Stream)
	}
	if !d.has(partSources) {
		d.add(finding{Part: partSources, Level: fine, What: plural(len(d.conf.Sources), "source") + " can be read"})
	}
}

// mostFiles is how many files of a pattern are tried.
const mostFiles = 1000

func (d *doctor) files(pattern string) {
	found, err := filepath.Glob(pattern)
	if err == nil && len(found) == 0 {
		d.add(finding{partSources, warning, "files-none", pattern, "no file is there", "check the path; what comes there later is read"})
	}
	for _, name := range found[:min(len(found), mostFiles)] {
		if info, err := os.Stat(name); err == nil && file.CheckKind(info.Mode()) != nil {
			d.noFile(pattern, name, info)
			continue
		}
		f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			d.add(finding{partSources, wrong, "file-unreadable", name, err.Error(), "let the user of noroshi read it"})
			continue
		}
		_ = f.Close() // nothing was written
	}
}

// noFile tells of what is no file, as a source does: not of a folder that a pattern matches.
func (d *doctor) noFile(pattern, name string, info fs.FileInfo) {
	what := "it is not read: " + file.CheckKind(info.Mode()).Error()
	switch {
	case name == pattern:
		d.add(finding{partSources, wrong, "file-kind", name, what, "name a file, or a pattern of files such as logs/*.ndjson; let what writes to a pipe write a file"})
	case !info.IsDir():
		d.add(finding{partSources, warning, "file-kind", name, what, "let what writes there write a file, or give a pattern that does not match it"})
	}
}

// checker is a source that can be asked more than how many partitions it has.
type checker interface {
	Check(ctx context.Context) (o365.Checked, error)
}

func (d *doctor) stream(ctx context.Context, stream feed.Stream) {
	ctx, cancel := context.WithTimeout(ctx, d.within)
	defer cancel()
	name := stream.Name()
	denied := func(err error) {
		d.add(finding{partSources, wrong, "source-unreadable", name, err.Error(), "the message says what to check: address, key or credential, and its rights on the source"})
	}
	if c, ok := stream.(checker); ok {
		got, err := c.Check(ctx)
		d.clock("the API of "+name, got.Ahead)
		switch {
		case err != nil:
			denied(err)
		case len(got.Off) > 0:
			d.add(finding{Part: partSources, Level: note, Code: "subscription", Where: name, What: "no subscription to " + strings.Join(got.Off, ", "),
				Do: "run starts them; the first records come up to 12 hours later"})
		}
		return
	}
	n, err := stream.Partitions(ctx)
	if err == nil && n > 0 {
		_, err = stream.State(ctx, 0)
	}
	if err != nil {
		denied(err)
		return
	}
	if n == 0 {
		d.add(finding{partSources, wrong, "source-unreadable", name, "it has no partition", "check its name"})
	}
}

// sinks tries whether the destination of each sink can be reached.
func (d *doctor) sinks(ctx context.Context) {
	for _, one := range d.run.Sinks {
		p, ok := one.Sink.(sinks.Prober)
		if !ok {
			continue
		}
		within, cancel := context.WithTimeout(ctx, d.within)
		ends, err := p.Probe(within)
		cancel()
		if err != nil {
			do := advice(err.Error())
			if do == "" {
				do = "noroshi sinks test " + one.Name + " sends a test alert and says what comes back"
			}
			d.add(finding{partSinks, wrong, "sink-unreachable", one.Name, err.Error(), do})
			continue
		}
		d.ends("the certificate that the destination shows", one.Name, ends)
	}
	if !d.has(partSinks) {
		d.add(finding{Part: partSinks, Level: fine, What: plural(len(d.run.Sinks), "sink") + " can be reached"})
	}
}
