package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"noroshi/internal/certs"
	"noroshi/internal/disk"
)

// disks looks at the disks that a run writes to.
func (d *doctor) disks() {
	if len(d.conf.Kafka.Brokers) == 0 {
		data := d.conf.Kafka.Data
		if err := disk.Writable(disk.There(data)); err != nil {
			d.add(finding{partDisk, wrong, "data-folder", data, "the folder of the embedded Kafka cannot be written: " + err.Error(), "make the folder and give it to the user of noroshi"})
		}
	}
	for _, one := range d.run.Disks() {
		free := fmt.Sprintf("%d MiB of %d are free", one.Free>>20, one.Total>>20)
		switch {
		case one.Full():
			d.add(finding{partDisk, wrong, "disk-full", one.Path, free, "make room before the start: the log needs kafka.cap_mib and a quarter more"})
		case one.Filling():
			d.add(finding{partDisk, warning, "disk-filling", one.Path, free, "make room, or lower kafka.cap_mib or the files that a sink keeps"})
		case len(d.conf.Kafka.Brokers) == 0 && one.Path == d.conf.Kafka.Data && one.Free < uint64(d.conf.Kafka.Cap):
			d.add(finding{partDisk, warning, "disk-small", one.Path, free + fmt.Sprintf("; the log may take %d MiB (kafka.cap_mib)", d.conf.Kafka.Cap>>20), "make room, or lower kafka.cap_mib"})
		}
	}
}

// certificates looks at all files of certificates that the configuration names.
func (d *doctor) certificates() {
	for _, path := range d.conf.Certificates {
		all, err := certs.All(path)
		if err != nil { // what cannot be read has been told; a PKCS#12 file needs its password
			continue
		}
		for _, c := range all {
			d.ends("the certificate of "+c.Subject.CommonName, path, c.NotAfter)
			if d.now.Before(c.NotBefore) {
				d.add(finding{partCertificates, wrong, "certificate-early", path, "a certificate holds only from " + at(c.NotBefore), "look at the clock of this machine"})
			}
		}
	}
}

// ends tells of a certificate that has ended, or ends soon; zero: it does not.
func (d *doctor) ends(what, where string, end time.Time) {
	switch left := end.Sub(d.now); {
	case end.IsZero() || left > endsSoon:
	case left <= 0:
		d.add(finding{partCertificates, wrong, "certificate-ended", where, what + " ended at " + at(end), "renew it; if it is in order, look at the clock of this machine"})
	default:
		d.add(finding{partCertificates, warning, "certificate-ends", where, fmt.Sprintf("%s ends in %d days, at %s", what, int(left.Hours()/24), at(end)), "renew it before that"})
	}
}

// someOf names a few of many.
func someOf(all map[string]bool) string {
	names := slices.Sorted(maps.Keys(all))
	const most = 4
	if more := len(names) - most; more > 0 {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(names, ", ")
}
