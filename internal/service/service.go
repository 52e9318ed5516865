// Package service tells the service manager that started the process how it is.
package service

import (
	"context"
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// Manager is systemd, or another one that speaks as it does. A nil Manager is told nothing.
type Manager struct {
	watchdog time.Duration // 0: it does not watch
	log      *slog.Logger
}

// Find gives the manager of the environment, nil where there is none. Without NOTIFY_SOCKET nobody listens.
func Find(log *slog.Logger) *Manager {
	if os.Getenv("NOTIFY_SOCKET") == "" {
		return nil
	}
	m := &Manager{log: log}
	var err error
	if m.watchdog, err = daemon.SdWatchdogEnabled(false); err != nil {
		log.Warn("the watchdog of the service manager is not served: WATCHDOG_USEC and WATCHDOG_PID cannot be read", slog.Any("err", err))
	}
	return m
}

// Ready says that the process does its work, after its start or after a reload. The status is for people.
func (m *Manager) Ready(status string) { m.tell(daemon.SdNotifyReady + "\nSTATUS=" + status) }

// Reloading says that files are read again. Ready ends it.
func (m *Manager) Reloading(status string) {
	m.tell(daemon.SdNotifyReloading + "\nSTATUS=" + status)
}

// Stopping says that the process ends, and how long that may take beyond what the manager grants anyway.
func (m *Manager) Stopping(status string, within time.Duration) {
	m.tell(daemon.SdNotifyStopping + "\nSTATUS=" + status + "\nEXTEND_TIMEOUT_USEC=" + strconv.FormatInt(within.Microseconds(), 10))
}

func (m *Manager) tell(what string) {
	if m == nil {
		return
	}
	if _, err := daemon.SdNotify(false, what); err != nil {
		m.log.Warn("the service manager could not be told how the process is", slog.Any("err", err))
	}
}

// Watch tells the manager that the process lives, as often as it wants to hear it, until ctx ends. live gives the reason why the process
// hangs. Then the manager is told nothing, so that it ends the process and starts it again.
func (m *Manager) Watch(ctx context.Context, live func() error) {
	if m == nil || m.watchdog <= 0 {
		return
	}
	t := time.NewTicker(m.watchdog / 2)
	defer t.Stop()
	hung := false
	for {
		err := live()
		if err == nil {
			m.tell(daemon.SdNotifyWatchdog)
		} else if !hung {
			m.log.Error("the process hangs; the service manager will end it", slog.Any("err", err), slog.Duration("within", m.watchdog))
		}
		hung = err != nil
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}
