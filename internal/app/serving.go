package app

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"noroshi/internal/limits"
)

// serve tells the service manager that the run does its work, and then that it goes on, until ctx ends.
func (r *Run) serve(ctx context.Context) error {
	r.Manager.Ready(r.doing())
	r.Manager.Watch(ctx, r.live)
	return nil
}

// live gives the reason why the run hangs, nil where it does not.
func (r *Run) live() error { return r.hearts.hang(time.Since(epoch)) }

// doing says in a line what the run does.
func (r *Run) doing() string {
	var roles []string
	for _, one := range r.roles() {
		roles = append(roles, string(one))
	}
	return fmt.Sprintf("running: %s; %d sources, %d rules, %d sinks", strings.Join(roles, ", "), len(r.Sources)+len(r.Feeds), len(r.ruling.Load().set.Rules()), len(r.Sinks))
}

// fewFiles is how many open files are few: each source of files, each connection and each segment of the embedded log is one.
const fewFiles = 1024

// Limit keeps the heap below what the process may have, and tells what that is.
func Limit(log *slog.Logger) limits.Limits {
	l, err := limits.Apply()
	if err != nil {
		log.Warn("the memory that the process may have is not known; set GOMEMLIMIT where it is limited", slog.Any("err", err))
	}
	if l.Memory > 0 {
		log.Info("memory is limited", slog.Int64("heap_bytes", l.Memory), slog.Int64("group_bytes", l.Group))
	}
	if l.Group > 0 && l.Memory > l.Group {
		log.Warn("GOMEMLIMIT is more than the control group may have; the kernel ends the process before garbage is collected",
			slog.Int64("heap_bytes", l.Memory), slog.Int64("group_bytes", l.Group))
	}
	if l.Files > 0 && l.Files < fewFiles {
		log.Warn("few files may be open; raise the limit (ulimit -n, LimitNOFILE)", slog.Uint64("open_files", l.Files), slog.Int("expected", fewFiles))
	}
	return l
}
