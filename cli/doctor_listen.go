package cli

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"syscall"

	"noroshi/internal/bus"
)

// listeners tries to listen where run would: an address that cannot be listened on ends it.
func (d *doctor) listeners(ctx context.Context) {
	a := d.conf.Admin
	for _, one := range []struct{ key, address string }{{"admin.listen", a.Listen}, {"admin.probes", a.Probes}} {
		if one.address == "" {
			continue
		}
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", one.address)
		if err == nil {
			_ = l.Close() // nothing was taken on it
			continue
		}
		d.cannotListen(one.key, one.address, err)
	}
	if !d.has(partAdmin) && a.Listen+a.Probes != "" {
		d.add(finding{Part: partAdmin, Level: fine, What: "its addresses are free, or of the run of this data folder"})
	}
}

// occupied is the number that Windows has for an address that another process listens on.
const occupied = syscall.Errno(10048)

func (d *doctor) cannotListen(key, address string, err error) {
	var system syscall.Errno
	what := key + " cannot be listened on: "
	if errors.As(err, &system) {
		what += system.Error()
	} else {
		what += err.Error()
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, occupied):
		if len(d.conf.Kafka.Brokers) > 0 { // an instance of this configuration may run, and nothing here tells
			d.add(finding{partAdmin, warning, "listen-taken", address, what, "if noroshi run works here with this configuration, all is well; else run would end: give " + key + " another port"})
			return
		}
		if _, err := bus.FromData(d.conf.Kafka.Data, slog.New(slog.DiscardHandler)); !errors.Is(err, bus.ErrNotRunning) {
			return // the run of this data folder listens there
		}
		d.add(finding{partAdmin, wrong, "listen", address, what, "give " + key + " another port, or end the process that listens there (ss -ltnp names it)"})
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		d.add(finding{partAdmin, wrong, "listen", address, what, "this machine does not have the address: give " + key + " one that it has (ip addr names them), or 127.0.0.1"})
	case errors.Is(err, fs.ErrPermission):
		d.add(finding{partAdmin, wrong, "listen", address, what, "give " + key + " a port of 1024 or more: those below are for the superuser"})
	default:
		d.add(finding{partAdmin, wrong, "listen", address, what, "give " + key + " another address or port"})
	}
}
