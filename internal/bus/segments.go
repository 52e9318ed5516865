package bus

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// The files of the embedded broker's log: segments, which are batches of records as the protocol has them, and beside each an index
// with an entry for each batch.
const (
	segmentExt = ".dat"
	indexExt   = ".idx"

	batchHead  = 61 // bytes before the first record
	indexEntry = 15
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// batch is one that is in order.
type batch struct {
	at, size int // in the segment
	first    int64
	last     int64
	epoch    int32 // of the leader
	producer int64
	term     int16 // the producer's epoch
	flags    uint16
	newest   int64 // timestamp
}

func (b *batch) transactional() bool { return b.flags&0x10 != 0 }
func (b *batch) control() bool       { return b.flags&0x20 != 0 }

// readBatch reads the batch at the start of raw; it reports false if that batch is damaged or missing.
func readBatch(raw []byte) (b batch, ok bool) {
	if len(raw) < batchHead || raw[16] != 2 {
		return b, false
	}
	size := int64(binary.BigEndian.Uint32(raw[8:])) + 12
	if size < batchHead || size > int64(len(raw)) {
		return b, false
	}
	first := int64(binary.BigEndian.Uint64(raw))
	delta := int64(int32(binary.BigEndian.Uint32(raw[23:])))
	if first < 0 || delta < 0 || binary.BigEndian.Uint32(raw[17:]) != crc32.Checksum(raw[21:size], castagnoli) {
		return b, false
	}
	return batch{size: int(size), first: first, last: first + delta, epoch: int32(binary.BigEndian.Uint32(raw[12:])),
		producer: int64(binary.BigEndian.Uint64(raw[43:])), term: int16(binary.BigEndian.Uint16(raw[51:])), flags: binary.BigEndian.Uint16(raw[21:]),
		newest: int64(binary.BigEndian.Uint64(raw[35:]))}, true
}

// begun says whether raw is the beginning of a batch that was being written when its process or machine stopped.
func begun(raw []byte) bool {
	if len(raw) < batchHead {
		return true
	}
	return raw[16] == 2 && int64(binary.BigEndian.Uint32(raw[8:]))+12 > int64(len(raw))
}

// stretch is batches that lie one behind the other.
type stretch []batch

func (s stretch) first() int64 { return s[0].first }
func (s stretch) next() int64  { return s[len(s)-1].last + 1 }

// scanned is what a segment holds.
type scanned struct {
	sound []stretch // between them something is damaged
	tail  int       // bytes behind the last batch that is in order
	torn  bool      // they are a batch that was being written
}

// order is how offsets follow each other.
type order int

const (
	dense  order = iota // without one left out
	sparse              // compaction has left some out
)

// scan looks through a segment whose first batch begins at an offset or behind it, and whose last ends before another; 0: any.
// Checksums leave out where a batch lies in the log, so that its order counts.
func scan(raw []byte, from, before int64, o order) (s scanned) {
	next, open := from, false
	at := 0
	for at < len(raw) {
		b, ok := readBatch(raw[at:])
		ok = ok && b.first >= next && (before == 0 || b.last < before) && !misplaced(raw[at+max(b.size, 0):], next, b)
		if !ok {
			open = false
			if at = resync(raw, at+1, next); at < 0 {
				break
			}
			continue
		}
		if !open || o == dense && b.first > next {
			s.sound, open = append(s.sound, nil), true
		}
		b.at = at
		s.sound[len(s.sound)-1] = append(s.sound[len(s.sound)-1], b)
		next, at = b.last+1, at+b.size
	}
	end := 0
	if n := len(s.sound); n > 0 {
		l := s.sound[n-1][len(s.sound[n-1])-1]
		end = l.at + l.size
	}
	s.tail, s.torn = len(raw)-end, begun(raw[end:])
	return s
}

// misplaced says whether a batch leaves out offsets that the one behind it has.
func misplaced(rest []byte, next int64, b batch) bool {
	if b.first == next {
		return false
	}
	behind, ok := readBatch(rest)
	return ok && behind.first >= next && behind.first <= b.last
}

// resync finds the next batch that is in order, -1 if no more follows.
func resync(raw []byte, at int, next int64) int {
	for ; at+batchHead <= len(raw); at++ {
		if raw[at] != 0 || raw[at+16] != 2 {
			continue
		}
		if b, ok := readBatch(raw[at:]); ok && b.first >= next {
			return at
		}
	}
	return -1
}

// index makes the index of batches. The broker takes from it which are of a transaction.
func index(all stretch) []byte {
	out := make([]byte, 0, len(all)*indexEntry)
	for _, b := range all {
		var e [indexEntry]byte
		e[0] = 1
		binary.LittleEndian.PutUint32(e[2:], uint32(b.epoch))
		if b.transactional() && !b.control() {
			e[14] = 1
		}
		e[1] = byte(crc32.Checksum(e[2:], castagnoli))
		out = append(out, e[:]...)
	}
	return out
}

// indexFits says whether an index is of so many batches.
func indexFits(idx []byte, n int) bool {
	if len(idx) != n*indexEntry {
		return false
	}
	for ; len(idx) > 0; idx = idx[indexEntry:] {
		if idx[0] != 1 || idx[1] != byte(crc32.Checksum(idx[2:indexEntry], castagnoli)) {
			return false
		}
	}
	return true
}

// committed says whether a control batch is the mark of a commit.
func committed(raw []byte) bool {
	var r kmsg.Record
	if r.ReadFrom(raw[batchHead:]) != nil {
		return false
	}
	var key kmsg.ControlRecordKey
	return key.ReadFrom(r.Key) == nil && key.Type == kmsg.ControlRecordKeyTypeCommit
}

// commitMark is the mark at the end of a producer's transaction.
func commitMark(at int64, open batch) []byte {
	key := kmsg.ControlRecordKey{Type: kmsg.ControlRecordKeyTypeCommit}
	r := kmsg.Record{Key: key.AppendTo(nil), Value: (&kmsg.EndTxnMarker{}).AppendTo(nil)}
	r.Length = int32(len(r.AppendTo(nil)) - 1) // which is one byte itself
	b := kmsg.RecordBatch{FirstOffset: at, PartitionLeaderEpoch: open.epoch, Magic: 2, Attributes: 0x30, FirstTimestamp: open.newest, MaxTimestamp: open.newest,
		ProducerID: open.producer, ProducerEpoch: open.term, FirstSequence: -1, NumRecords: 1, Records: r.AppendTo(nil)}
	raw := b.AppendTo(nil)
	b.Length = int32(len(raw) - 12)
	raw = b.AppendTo(nil)
	b.CRC = int32(crc32.Checksum(raw[21:], castagnoli))
	return b.AppendTo(nil)
}
