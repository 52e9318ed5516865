package cli

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"noroshi/ingest/file"
	"noroshi/internal/app"
	"noroshi/internal/bus"
	"noroshi/internal/config"
	"noroshi/internal/strictyaml"
)

// writer is a sink that writes files here.
type writer interface{ Writes() []string }

// echoes refuses sources that read what this noroshi writes: an alert would come back as a record.
func echoes(conf *config.Config, doc *strictyaml.Doc, sinks []app.NamedSink) {
	for i := range conf.Sources {
		one := &conf.Sources[i]
		for k, pattern := range one.File.Paths {
			if echo := echoOfFile(conf, sinks, pattern); echo != "" {
				doc.At(one.File.At[k], "echo", echo)
			}
		}
		if one.Kind == "kafka" && sameKafka(one.Topic.Kafka.Brokers, conf.Kafka.Brokers) && one.Topic.EventHubs == (config.EventHubsEndpoint{}) {
			if rest, ours := strings.CutPrefix(one.Topic.Topic, conf.Kafka.Prefix); ours && bus.Own(bus.Topic(rest)) {
				doc.At(one.At, "echo", fmt.Sprintf("the topic %s is one that noroshi itself writes; a source reads a topic of others", one.Topic.Topic))
			}
		}
	}
}

// echoOfFile says what of ours a path of a source reads, "" where it is nothing.
func echoOfFile(conf *config.Config, sinks []app.NamedSink, pattern string) string {
	for _, sink := range sinks {
		w, ok := sink.Sink.(writer)
		if !ok {
			continue
		}
		if n := slices.IndexFunc(w.Writes(), func(path string) bool { return file.Covers(pattern, path) }); n >= 0 {
			return fmt.Sprintf("this path reads %s, which the sink %s in line %d writes: its alerts would come back as records; keep them in different folders",
				filepath.Base(w.Writes()[n]), sink.Name, lineOf(conf, sink.Name))
		}
	}
	if len(conf.Kafka.Brokers) == 0 && file.CoversInside(pattern, conf.Kafka.Data, bus.Files...) {
		return fmt.Sprintf("this path reads files of the embedded Kafka, which lie in %s as kafka.data or --data says; keep them in different folders", conf.Kafka.Data)
	}
	return ""
}

// lineOf is the line of a sink in the configuration.
func lineOf(conf *config.Config, name string) int {
	for i := range conf.Sinks {
		if conf.Sinks[i].Name == name {
			return conf.Sinks[i].Node.Line
		}
	}
	return 0
}

// sameKafka reports whether brokers of a source are those of the topics; without any they are.
func sameKafka(source, ours []string) bool {
	full := func(broker string) string {
		if _, _, err := net.SplitHostPort(broker); err != nil {
			broker = net.JoinHostPort(strings.Trim(broker, "[]"), "9092")
		}
		return strings.ToLower(broker)
	}
	return len(ours) > 0 && (len(source) == 0 || slices.ContainsFunc(source, func(b string) bool {
		return slices.ContainsFunc(ours, func(o string) bool { return full(o) == full(b) })
	}))
}

// overwrites reports that the file of a flag is one that the command reads.
func overwrites(flag, path string, inputs []string) error {
	return overwritesAs(flag, path, ours[flag], inputs)
}

// overwritesAs is overwrites for a file whose earlier outputs begin in a way of their own.
func overwritesAs(flag, path, begins string, inputs []string) error {
	out, err := os.Stat(path)
	if path == "" || err != nil {
		return nil // it is not there
	}
	for _, name := range inputs {
		if in, err := os.Stat(name); err == nil && os.SameFile(in, out) && in.Mode().IsRegular() {
			return fmt.Errorf("--%s %s: the command reads this file, and would write over it; expected another one", flag, path)
		}
	}
	if out.Mode().IsRegular() && out.Size() > 0 && !beginsAs(path, begins) {
		return fmt.Errorf("--%s %s: this file holds something else than an earlier output, and would be lost; name another file, or remove it first", flag, path)
	}
	return nil
}

// ours is how a file begins that a flag has had written.
var ours = map[string]string{"stats": "{\n  \"records\":", "junit": "<?xml"}

func beginsAs(path, beginning string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, len(beginning))
	_, err = io.ReadFull(f, head)
	return err == nil && string(head) == beginning
}

// filled is the value of a flag that names where to write. Empty, as it comes of a variable of the shell that is not set, it is refused:
// what somebody asks for would not be written.
type filled struct{ to *string }

func (f filled) String() string {
	if f.to == nil {
		return ""
	}
	return *f.to
}

func (f filled) Type() string { return "string" }

func (f filled) Set(text string) error {
	if text == "" {
		return errors.New("expected a name; is a variable of the shell empty?")
	}
	*f.to = text
	return nil
}
