package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"noroshi/internal/alert"
	"noroshi/internal/replay"
	"noroshi/internal/report"
	"noroshi/rules"
)

// reporting writes what a replay has found into a folder. A nil reporting does nothing.
type reporting struct {
	dir string
	of  *report.Collector
}

// newReporting begins a report. What cannot be written is said now, and not when the replay has ended.
func newReporting(dir string, set *rules.Set, inputs []string) (*reporting, error) {
	if dir == "" {
		return nil, nil
	}
	if to, err := os.Readlink(dir); err == nil {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("--report %s: this is a link to %s, which is not there; make that folder, or name another one", dir, to)
		}
	}
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("--report %s: this is a file; expected a folder; it need not be there yet", dir)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, failed{fmt.Errorf("make folder of report: %w", err)}
	}
	for _, f := range report.Files {
		path := filepath.Join(dir, f.Name)
		if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
			return nil, fmt.Errorf("--report %s: %s is no file", dir, path)
		}
		if err := overwritesAs("report", path, f.Begins, inputs); err != nil {
			return nil, err
		}
	}
	probe, err := os.CreateTemp(dir, "report.part-*")
	if err != nil {
		return nil, failed{fmt.Errorf("write report: %w", err)}
	}
	_ = probe.Close()
	_ = os.Remove(probe.Name())
	return &reporting{dir: dir, of: report.New(set)}, nil
}

// watch looks on while a replay runs.
func (r *reporting) watch(one *replay.Replay) {
	if r == nil {
		return
	}
	one.Seen, one.Hidden = r.of.Seen, r.of.Hidden
	give, fault := one.Alert, one.Fault
	one.Alert = func(a *alert.Alert) error {
		r.of.Alert(a)
		return give(a)
	}
	one.Fault = func(f replay.Fault) {
		r.of.Fault(f)
		fault(f)
	}
}

// end writes the report, also of a replay that did not come to its end.
func (r *reporting) end(s Streams, one *replay.Replay, inputs []replay.Input, stats replay.Stats, cause error) error {
	if r == nil {
		return nil
	}
	unread := map[string]string{}
	why := unreadOf(cause, unread)
	run := report.Run{Program: Version(), Written: s.Now(), Since: one.Since, Until: one.Until, Last: one.Last, Stats: stats}
	switch {
	case errors.Is(why, context.Canceled):
		run.Interrupted = fmt.Sprintf("the replay was interrupted after %s", plural(stats.Records, "record"))
	case why != nil:
		run.Interrupted = why.Error()
	}
	if path := filepath.Join(r.dir, report.Files[0].Name); stats.Records == 0 && len(inputs) > 0 && len(unread) == len(inputs) {
		if _, err := os.Stat(path); err == nil {
			fmt.Fprintf(s.Err, "report: nothing could be read; %s is the earlier one\n", path)
			return nil
		}
	}
	for _, in := range inputs {
		run.Inputs = append(run.Inputs, report.Input{Name: in.Name, Fault: unread[in.Name]})
	}
	if err := r.of.End(run).Write(r.dir); err != nil {
		return failed{err}
	}
	incomplete := ""
	if run.Interrupted != "" {
		incomplete = "; it is incomplete"
	}
	fmt.Fprintf(s.Err, "report: %s%s\n", filepath.Join(r.dir, report.Files[0].Name), incomplete)
	return nil
}

// unreadOf takes apart why a replay has failed: inputs that could not be read, and what else.
func unreadOf(err error, unread map[string]string) (other error) {
	var one *replay.Unread
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range many.Unwrap() {
			other = errors.Join(other, unreadOf(e, unread))
		}
		return other
	}
	if errors.As(err, &one) {
		unread[one.Input] = one.Cause.Error()
		return nil
	}
	return err
}
