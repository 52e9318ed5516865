package bus

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// The embedded broker drops, without a word, what lies in a segment behind a batch that is damaged, and the mark of a transaction
// that reached one partition and not the other. So the log is looked through before the broker reads it.

// logPart is a partition on the disk.
type logPart struct {
	topic     string
	partition int32
	dir       string
	bases     []int64 // of its segments, in order
}

// logCheck is one look through the log.
type logCheck struct {
	disk  *disk
	holes []Gap // told in an earlier look

	found []Gap
	open  map[transaction][]openPart
	ended map[transaction]bool // by a commit, in some partition
}

// transaction is known by its producer and the producer's epoch, which each one raises.
type transaction struct {
	producer int64
	term     int16
}

// openPart is a partition in which a transaction has no end.
type openPart struct {
	part *logPart
	last batch
}

// check looks through the log, and mends and tells what is damaged. What was damaged is kept beside the log.
func (d *disk) check() error {
	holes, err := d.holes()
	if err != nil {
		return err
	}
	c := &logCheck{disk: d, holes: holes, open: map[transaction][]openPart{}, ended: map[transaction]bool{}}
	parts, err := d.parts()
	if err != nil {
		return err
	}
	for _, p := range parts {
		if err := c.partition(p); err != nil {
			return fmt.Errorf("check %s-%d: %w", p.topic, p.partition, err)
		}
	}
	if err := c.finish(); err != nil {
		return err
	}
	d.lost = append(holes, c.found...)
	if len(c.found) > 0 {
		if err := d.keepHoles(d.lost); err != nil {
			return err
		}
	}
	return d.checkGroups()
}

// order is that of a topic's offsets.
func (d *disk) order(topic string) order {
	if strings.HasPrefix(topic, d.prefix+string(Checkpoints)) {
		return sparse
	}
	return dense
}

// parts are the partitions on the disk.
func (d *disk) parts() (all []*logPart, err error) {
	root := filepath.Join(d.dir, "partitions")
	dirs, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range dirs {
		i := strings.LastIndexByte(e.Name(), '-')
		if i < 0 || !e.IsDir() {
			continue
		}
		n, err1 := strconv.ParseInt(e.Name()[i+1:], 10, 32)
		topic, err2 := url.PathUnescape(e.Name()[:i])
		if err1 != nil || err2 != nil {
			continue
		}
		p := &logPart{topic: topic, partition: int32(n), dir: filepath.Join(root, e.Name())}
		if err := p.list(); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// list finds the segments.
func (p *logPart) list() error {
	files, err := os.ReadDir(p.dir)
	if err != nil {
		return err
	}
	p.bases = nil
	for _, f := range files {
		if base, ok := baseOf(f.Name()); ok && filepath.Ext(f.Name()) == segmentExt {
			p.bases = append(p.bases, base)
		}
	}
	slices.Sort(p.bases)
	return nil
}

func (p *logPart) file(base int64, ext string) string {
	return filepath.Join(p.dir, strconv.FormatInt(base, 10)+ext)
}

// behind is the first offset of the segment behind another, 0 for the last.
func (p *logPart) behind(base int64) int64 {
	if i, _ := slices.BinarySearch(p.bases, base+1); i < len(p.bases) {
		return p.bases[i]
	}
	return 0
}

// partition looks through one.
func (c *logCheck) partition(p *logPart) error {
	open := map[int64]batch{} // the last batch of the transaction that a producer has open
	next := int64(-1)
	for _, base := range p.bases {
		if next >= 0 && base > next && c.disk.order(p.topic) == dense {
			c.hole(p, next, base-1, "a segment is gone")
		}
		raw, err := os.ReadFile(p.file(base, segmentExt))
		if err != nil {
			return err
		}
		s := scan(raw, base, p.behind(base), c.disk.order(p.topic))
		if err := c.segment(p, base, raw, s); err != nil {
			return err
		}
		for _, all := range s.sound {
			for _, b := range all {
				c.follow(open, raw, b)
			}
			next = all.next()
		}
		if before := p.behind(base); before > 0 {
			next = before // what is missing up to there has been told
		}
	}
	for _, last := range open {
		t := transaction{last.producer, last.term}
		c.open[t] = append(c.open[t], openPart{p, last})
	}
	return nil
}

// follow keeps in mind which transactions are open.
func (c *logCheck) follow(open map[int64]batch, raw []byte, b batch) {
	switch {
	case b.control():
		if committed(raw[b.at : b.at+b.size]) {
			c.ended[transaction{b.producer, b.term}] = true
		}
		delete(open, b.producer)
	case b.transactional():
		open[b.producer] = b
	}
}

// segment mends one.
func (c *logCheck) segment(p *logPart, base int64, raw []byte, s scanned) error {
	before := p.behind(base)
	if s.tail > 0 && s.torn && before == 0 && len(s.sound) <= 1 {
		c.disk.log.Warn("the log ends within a record, as when the machine or the process stops while it writes; that part is cut off",
			slog.String("topic", p.topic), slog.Int("partition", int(p.partition)), slog.Int("bytes", s.tail))
		if err := os.Truncate(p.file(base, segmentExt), int64(len(raw)-s.tail)); err != nil {
			return err
		}
		s.tail = 0
	}
	if len(s.sound) == 0 && len(raw) == 0 || len(s.sound) == 1 && s.tail == 0 && s.sound[0][0].at == 0 {
		return c.index(p, base, s)
	}
	if len(s.sound) == 0 && s.tail == 0 {
		return nil
	}
	return c.salvage(p, base, raw, s)
}

// index makes the index of a segment again where it is not the segment's.
func (c *logCheck) index(p *logPart, base int64, s scanned) error {
	var all stretch
	if len(s.sound) > 0 {
		all = s.sound[0]
	}
	have, err := os.ReadFile(p.file(base, indexExt))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if indexFits(have, len(all)) {
		return nil
	}
	return replace(p.file(base, indexExt), index(all))
}

// salvage puts the stretches of a damaged segment into segments of their own, and the damaged one beside the log.
func (c *logCheck) salvage(p *logPart, base int64, raw []byte, s scanned) error {
	kept, err := c.disk.setAside(p, base)
	if err != nil {
		return err
	}
	before := p.behind(base)
	next := base
	type content struct {
		first int64
		raw   []byte
		all   stretch
	}
	var out []content
	for _, all := range s.sound {
		if all.first() > next {
			c.hole(p, next, all.first()-1, kept)
		}
		l := all[len(all)-1]
		out = append(out, content{all.first(), raw[all[0].at : l.at+l.size], all})
		next = all.next()
	}
	switch {
	case before > next:
		c.hole(p, next, before-1, kept)
	case before == 0 && s.tail > 0:
		to := next + lostAtEnd(raw[len(raw)-s.tail:])
		c.hole(p, next, to, kept)
		filler := fill(next, to)
		b, _ := readBatch(filler)
		out = append(out, content{next, filler, stretch{b}})
	}
	overwritten := false
	for _, o := range slices.Backward(out) { // the damaged one goes last: until then all is still in it
		if err := errors.Join(replace(p.file(o.first, segmentExt), o.raw), replace(p.file(o.first, indexExt), index(o.all))); err != nil {
			return err
		}
		overwritten = overwritten || o.first == base
	}
	if overwritten {
		return nil
	}
	return errors.Join(os.Remove(p.file(base, segmentExt)), os.RemoveAll(p.file(base, indexExt)))
}

// hole keeps in mind what is missing and tells it, unless that was done in an earlier look.
func (c *logCheck) hole(p *logPart, from, to int64, kept string) {
	g := Gap{Topic: p.topic, Partition: p.partition, From: from, To: to, Damaged: true}
	if slices.ContainsFunc(c.holes, func(h Gap) bool { return h.covers(g) }) {
		return
	}
	c.found = append(c.found, g)
	c.disk.log.Error("records of the log are damaged and cannot be read", slog.String("topic", p.topic), slog.Int("partition", int(p.partition)),
		slog.Int64("from", from), slog.Int64("to", to), slog.Int64("records", g.Len()), slog.String("kept", kept))
}

// covers says whether a gap is part of another.
func (g Gap) covers(o Gap) bool {
	return g.Topic == o.Topic && g.Partition == o.Partition && g.From <= o.From && g.To >= o.To
}

// lostAtEnd is how many offsets more than one the damaged batch at the end of a log had, as far as that can be read.
func lostAtEnd(raw []byte) int64 {
	if len(raw) < batchHead {
		return 0
	}
	delta, n := int64(binary.BigEndian.Uint32(raw[23:])), int64(binary.BigEndian.Uint32(raw[57:]))
	if n != delta+1 || n > int64(len(raw)) {
		return 0
	}
	return delta
}

// fill is a batch without records, so that no new ones get the offsets of those that are missing.
func fill(from, to int64) []byte {
	b := kmsg.RecordBatch{FirstOffset: from, Magic: 2, LastOffsetDelta: int32(to - from), ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1}
	raw := b.AppendTo(nil)
	b.Length = int32(len(raw) - 12)
	raw = b.AppendTo(nil)
	b.CRC = int32(crc32.Checksum(raw[21:], castagnoli))
	return b.AppendTo(nil)
}

// finish puts the mark of a commit where a transaction has it in another partition: they belong together.
func (c *logCheck) finish() error {
	for t, all := range c.open {
		if !c.ended[t] {
			continue
		}
		for _, o := range all {
			if err := o.part.end(o.last); err != nil {
				return fmt.Errorf("end a transaction in %s-%d: %w", o.part.topic, o.part.partition, err)
			}
			c.disk.log.Warn("a transaction was ended in some of its partitions when the machine or the process stopped; it is ended in the others",
				slog.String("topic", o.part.topic), slog.Int("partition", int(o.part.partition)))
		}
	}
	return nil
}

// end puts a mark behind the last batch.
func (p *logPart) end(open batch) error {
	if err := p.list(); err != nil { // salvage may have made more
		return err
	}
	base := p.bases[len(p.bases)-1]
	raw, err := os.ReadFile(p.file(base, segmentExt))
	if err != nil {
		return err
	}
	s := scan(raw, base, 0, sparse)
	if len(s.sound) != 1 || s.tail > 0 {
		return errors.New("the last segment is not in order")
	}
	mark := commitMark(s.sound[0].next(), open)
	b, ok := readBatch(mark)
	if !ok {
		return errors.New("the mark is not in order")
	}
	return errors.Join(replace(p.file(base, segmentExt), append(raw, mark...)), replace(p.file(base, indexExt), index(append(s.sound[0], b))))
}

// replace writes a file so that it is whole or as before.
func replace(path string, body []byte) error {
	part := path + ".part"
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(body)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return named(err)
	}
	return os.Rename(part, path)
}
