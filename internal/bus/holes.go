package bus

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
)

// damagedDir is where segments lie that were damaged, and what is missing.
func (d *disk) damagedDir() string { return filepath.Join(filepath.Dir(d.dir), "damaged") }

// setAside keeps a damaged segment, and says where.
func (d *disk) setAside(p *logPart, base int64) (string, error) {
	dir := filepath.Join(d.damagedDir(), filepath.Base(p.dir))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	for n := 1; ; n++ {
		kept := filepath.Join(dir, fmt.Sprintf("%d.%d%s", base, n, segmentExt))
		if err := os.Link(p.file(base, segmentExt), kept); !errors.Is(err, fs.ErrExist) {
			return kept, err
		}
	}
}

const holesFile = "missing.json"

// holes are the gaps that earlier looks have found.
func (d *disk) holes() (all []Gap, err error) {
	raw, err := os.ReadFile(filepath.Join(d.damagedDir(), holesFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &all)
	}
	if err != nil {
		d.log.Warn("what was damaged earlier is not known", slog.Any("err", err))
	}
	return all, nil
}

func (d *disk) keepHoles(all []Gap) error {
	raw, err := json.Marshal(all)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(d.damagedDir(), 0o700); err != nil {
		return err
	}
	return replace(filepath.Join(d.damagedDir(), holesFile), raw)
}

// holed says whether anything is known to be missing.
func (d *disk) holed() bool { return d != nil && len(d.lost) > 0 }

// missing is the part of a run of offsets that is damaged.
func (d *disk) missing(topic string, partition int32, from, to int64) (g Gap, found bool) {
	if d == nil {
		return g, false
	}
	for _, h := range d.lost {
		if h.Topic == topic && h.Partition == partition && h.From <= to && h.To >= from {
			h.From, h.To = max(h.From, from), min(h.To, to)
			return h, true
		}
	}
	return g, false
}

// lastMissing is the last offset of a run that is damaged, if any is. Where the log's beginning is damaged, the log begins behind it.
func (d *disk) lastMissing(topic string, partition int32, from, to int64) (last int64, found bool) {
	if d == nil {
		return 0, false
	}
	for _, h := range d.lost {
		if h.Topic == topic && h.Partition == partition && h.From < to && h.To >= from-1 && (!found || h.To > last) {
			last, found = h.To, true
		}
	}
	return last, found
}

// damagedAt says whether the batch at an offset is damaged now, and where what can be read goes on; 0: at the end of the log.
func (d *disk) damagedAt(topic string, partition int32, at int64) (to int64, damaged bool, err error) {
	all, err := d.parts()
	if err != nil {
		return 0, false, err
	}
	i := slices.IndexFunc(all, func(p *logPart) bool { return p.topic == topic && p.partition == partition })
	if i < 0 {
		return 0, false, nil
	}
	p := all[i]
	n, found := slices.BinarySearch(p.bases, at)
	if !found {
		n--
	}
	if n < 0 {
		return 0, false, nil
	}
	raw, err := os.ReadFile(p.file(p.bases[n], segmentExt))
	if err != nil {
		return 0, false, err
	}
	for _, s := range scan(raw, p.bases[n], p.behind(p.bases[n]), d.order(topic)).sound {
		for _, b := range s {
			switch {
			case b.first <= at && at <= b.last:
				return 0, false, nil
			case b.first > at:
				return b.first, true, nil
			}
		}
	}
	return p.behind(p.bases[n]), true, nil
}
