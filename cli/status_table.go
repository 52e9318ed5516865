package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"noroshi/ingest/feed"
	"noroshi/ingest/file"
	"noroshi/internal/app"
	"noroshi/internal/diag"
)

func printStatus(s Streams, all []app.Status) error {
	for i := range all {
		t := &statusTable{out: s.Out, of: &all[i]}
		t.headline(s.Now().UTC())
		t.ruleSet()
		t.lacking()
		t.limits()
		t.log()
		t.sources()
		t.clocks()
		t.partitions()
		t.listings()
		t.rules()
		t.sinks()
		if t.err != nil {
			return failed{t.err}
		}
	}
	return tellLacking(s, all)
}

// statusTable prints the status of one instance. Ages are as of its report.
type statusTable struct {
	out io.Writer
	of  *app.Status
	err error // the first
}

func (t *statusTable) line(format string, values ...any) {
	if _, err := fmt.Fprintf(t.out, format+"\n", values...); err != nil && t.err == nil {
		t.err = err
	}
}

// table prints rows under names, nothing where there are none.
func (t *statusTable) table(names string, rows [][]any) {
	if len(rows) == 0 {
		return
	}
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "  "+names)
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, c := range row {
			cells[i] = diag.EscapeLine(fmt.Sprint(c))
		}
		fmt.Fprintln(w, "  "+strings.Join(cells, "\t"))
	}
	if err := w.Flush(); err != nil && t.err == nil {
		t.err = err
	}
}

func (t *statusTable) headline(now time.Time) {
	one := t.of
	state := "running since " + at(one.Started)
	switch {
	case one.Ended:
		state = "ended " + at(one.At)
	case one.Killed:
		state = fmt.Sprintf("killed; last heard %s ago, %s", ago(now.Sub(one.At)), at(one.At))
	case one.Stale(now):
		state = "silent since " + at(one.At)
	case one.Overdue(now):
		state += fmt.Sprintf(", last heard %s ago, %s", ago(now.Sub(one.At)), at(one.At))
	default:
		state += ", as of " + at(one.At)
	}
	name := one.Instance
	if n := len(one.Roles); n > 0 && n < len(app.Roles) {
		name += " (" + rolesText(one.Roles) + ")"
	}
	t.line("%s: %s; %s, %s, %s, %s, %s", diag.EscapeLine(name), state,
		plural(int(one.Records), "record"), plural(int(one.Events), "event"), plural(int(one.Duplicates), "duplicate"),
		alertsOf(one), plural(int(one.Letters), "dead letter"))
}

// alertsOf counts alerts, and how often they were told again with more.
func alertsOf(one *app.Status) string {
	text := plural(int(one.Alerts), "alert")
	if one.Revised > 0 {
		text += fmt.Sprintf(" (revised %d times)", one.Revised)
	}
	return text
}

// lacking tells of what was not read, or not wholly.
func (t *statusTable) lacking() {
	one := t.of
	if one.Unknown > 0 {
		t.line("  %s", ofNoKnownKind(int(one.Unknown), int(one.Records), one.Keys))
	}
	if one.NotUTF8 > 0 {
		t.line("  %d of %s not UTF-8; first %s", one.NotUTF8, plural(int(one.Records), "record"), diag.EscapeLine(one.Encoding))
	}
	if one.Partial > 0 {
		t.line("  %d of %s read only partly; first %s", one.Partial, plural(int(one.Records), "record"), diag.EscapeLine(one.Inside))
	}
	if one.CutLists > 0 {
		t.line("  cut: %s in records longer than conditions look into", plural(int(one.CutLists), "list"))
	}
	if one.Cut > 0 {
		what := "1 alert or revision"
		if one.Cut != 1 {
			what = fmt.Sprintf("%d alerts or revisions", one.Cut)
		}
		t.line("  cut: %s too long and told in part; evidence was left out of %d", what, one.CutEvidence)
	}
	if one.Overflows > 0 {
		t.line("  overflow: %s forgotten early; a repeat of one is evaluated again", plural(int(one.Overflows), "recent record"))
	}
	if one.Missed > 0 {
		t.line("  missed: %s of our log gone before they were read; each gap is an alert of the rule noroshi-log-gap", plural(int(one.Missed), "record"))
	}
	if one.TooLarge > 0 {
		t.line("  too large: %s not taken by their topic; dead letters stand for them", plural(int(one.TooLarge), "record"))
	}
	if n := one.Signals.Unknown + one.Signals.Unreadable; n > 0 {
		t.line("  signals: %s for rules that this instance lacks, or has in another version; %d cannot be read", plural(int(one.Signals.Unknown), "hit"),
			one.Signals.Unreadable)
	}
	if m := &one.Memory; m.Lost+m.Unreadable > 0 {
		t.line("  memory of rules lost: all of %s, and %s that cannot be read; what was under way there is not found; the log says why",
			plural(int(m.Lost), "partition"), plural(int(m.Unreadable), "key"))
	}
	if one.Problems > 0 {
		t.line("  topics: %s found; the log says which, and the way out", plural(int(one.Problems), "problem"))
	}
	if len(one.Crowded) > 0 {
		t.line("  instruments with too many series: %s", strings.Join(one.Crowded, ", "))
	}
}

func (t *statusTable) log() {
	l := t.of.Log
	if l == nil {
		return
	}
	full := ""
	if l.Full != "" {
		full = "; it is full, and sources wait for the reader " + diag.EscapeLine(l.Full)
	}
	t.line("  log: %s of %s used%s", bytesOf(l.Used), bytesOf(l.Limit), full)
}

func (t *statusTable) sources() {
	var rows [][]any
	for _, s := range t.of.Sources {
		rows = append(rows, []any{s.Name, sourceState(s), s.Records, waits(s), t.lastRecord(s)})
	}
	t.table("SOURCE\tSTATE\tREAD\tLAG\tLAST RECORD", rows)
	for _, s := range t.of.Sources {
		if s.Fault != "" && s.Kind == "stream" { // of files the next line tells
			t.line("  source %s: %s", diag.EscapeLine(s.Name), diag.EscapeLine(s.Fault))
		}
	}
	for _, f := range t.of.Files {
		t.line("  files: %s", ofFiles(f))
	}
}

func sourceState(s app.SourceSum) string {
	switch {
	case s.Fault != "" && s.Since.IsZero():
		return "trouble"
	case s.Fault != "":
		return "trouble since " + at(s.Since)
	case s.Kind == "stream" && s.Owned == 0:
		return "no partition"
	}
	return "reading"
}

func waits(s app.SourceSum) string {
	switch {
	case s.Kind != "stream":
		return "-"
	case s.Lag == nil:
		return "?"
	}
	return fmt.Sprint(*s.Lag)
}

// quietAfter is when a source that brings nothing is told as quiet.
const quietAfter = 5 * time.Minute

func (t *statusTable) lastRecord(s app.SourceSum) string {
	age := t.of.At.Sub(s.Last)
	switch {
	case s.Last.IsZero():
		return "no record since the start"
	case s.Fault != "" || age >= quietAfter:
		return fmt.Sprintf("no record since %s (%s)", at(s.Last), ago(age))
	}
	return at(s.Last)
}

// ofFiles says how the files of a source are read.
func ofFiles(f file.Snapshot) string {
	text := fmt.Sprintf("%d followed, %d open", f.Files, f.Open)
	if f.Cut > 0 {
		text += fmt.Sprintf(", %s cut, rewritten or deleted before all of it was read for certain", times(f.Cut))
	}
	if f.Vain > 0 {
		text += fmt.Sprintf("; %s no file, first %s", name(f.Vain), diag.EscapeLine(f.Without))
	}
	if f.NotFiles > 0 {
		text += fmt.Sprintf("; %s no file and not read, first %s", are(f.NotFiles, "matched path"), diag.EscapeLine(f.NotFile))
	}
	if f.Unfinished > 0 {
		text += fmt.Sprintf("; %s in an unfinished line, first %s", ends(f.Unfinished), diag.EscapeLine(f.UnfinishedAt))
	}
	if f.Failing > 0 {
		text += fmt.Sprintf("; %d cannot be read, first %s: %s", f.Failing, diag.EscapeLine(f.First), diag.EscapeLine(f.Fault))
	}
	return text
}

// are says what so many are.
func are(n int64, what string) string {
	if n == 1 {
		return "1 " + what + " is"
	}
	return fmt.Sprintf("%d %ss are", n, what)
}

// ends says that so many files end.
func ends(n int64) string {
	if n == 1 {
		return "1 ends"
	}
	return fmt.Sprintf("%d end", n)
}

// name says that so many paths name something.
func name(n int64) string {
	if n == 1 {
		return "1 path names"
	}
	return fmt.Sprintf("%d paths name", n)
}

func (t *statusTable) partitions() {
	var rows, late [][]any
	delays := map[string]feed.Delay{}
	for _, p := range t.of.Partitions {
		rows = append(rows, []any{p.Source, p.Partition, yesNo(p.Owned), p.Messages, p.Records, p.Bytes, lag(p), age(p, t.of.At), p.Committed, p.Aborted, byReason(p.Restarts), byReason(p.Letters), p.Missed})
		for k, d := range p.Delays {
			delays[k] = delays[k].Plus(d)
		}
	}
	t.table("SOURCE\tPARTITION\tOWNED\tMESSAGES\tRECORDS\tBYTES\tLAG\tAGE\tCOMMITTED\tABORTED\tRESTARTS\tDEAD LETTERS\tMISSED", rows)
	for _, k := range slices.Sorted(maps.Keys(delays)) {
		d := delays[k]
		late = append(late, []any{k, d.Records, span(d.Sum / max(1, d.Records)), span(d.Longest)})
	}
	t.table("DATASET\tRECORDS\tMEAN DELAY\tLONGEST", late)
}

// rules prints those that have found something, or failed.
func (t *statusTable) rules() {
	var rows [][]any
	silent := 0
	for _, r := range t.of.Rules {
		if r.Fired+r.Shadow+r.Building+r.Excused+r.Failed == 0 {
			silent++
			continue
		}
		rows = append(rows, []any{r.ID, r.State, r.Evaluated, r.Fired, r.Shadow, r.Building, r.Excused, r.Failed})
	}
	t.table("RULE\tSTATE\tEVALUATED\tFIRED\tSHADOW\tBUILDING\tEXCUSED\tFAILED", rows)
	switch {
	case silent > 0 && len(rows) > 0:
		t.line("  %s found nothing", plural(silent, "more rule"))
	case silent > 0:
		t.line("  %s found nothing", plural(silent, "rule"))
	}
}

func (t *statusTable) sinks() {
	var rows [][]any
	names := slices.Sorted(maps.Keys(t.of.Sinks))
	for _, name := range names {
		k := t.of.Sinks[name]
		waiting := "?"
		if k.Waiting != nil {
			waiting = fmt.Sprint(*k.Waiting)
		}
		oldest := "-"
		if !k.Oldest.IsZero() {
			oldest = ago(t.of.At.Sub(k.Oldest))
		}
		rows = append(rows, []any{name, k.State, at(k.Since), k.Sent, k.Summarised, k.Refused, k.Filtered, k.Faults, k.Skipped, waiting, oldest, at(k.Took), at(k.Next)})
	}
	t.table("SINK\tSTATE\tSINCE\tSENT\tSUMMARISED\tREFUSED\tFILTERED\tFAULTS\tSKIPPED\tWAITING\tOLDEST\tLAST SENT\tNEXT TRY", rows)
	for _, name := range names {
		if k := t.of.Sinks[name]; k.Fault != "" {
			t.line("  sink %s, last error: %s", diag.EscapeLine(name), diag.EscapeLine(k.Fault))
		}
	}
}

// at is a time; a hyphen stands for a missing one.
func at(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

// ago is an age in whole seconds.
func ago(d time.Duration) string { return span(max(0, d.Truncate(time.Second)).Milliseconds()) }

// bytesOf is a number of bytes as one reads it.
func bytesOf(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
}

func times(n int64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func lag(p feed.Snapshot) string {
	n := p.Lag()
	switch {
	case !p.Owned: // another knows
		return "-"
	case n < 0:
		return "?"
	}
	return fmt.Sprint(n)
}

// age is how old the message stored last is, where more wait behind it.
func age(p feed.Snapshot, now time.Time) string {
	if !p.Owned || p.Lag() <= 0 || p.Enqueued.IsZero() {
		return "-"
	}
	return span(now.Sub(p.Enqueued).Milliseconds())
}

// span is a time of so many milliseconds, as exact as one reads it.
func span(ms int64) string {
	d := time.Duration(ms) * time.Millisecond
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%dd%dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
	case d >= time.Minute:
		return d.Round(time.Second).String()
	}
	return d.String()
}

func byReason(counts map[string]int64) string {
	if len(counts) == 0 {
		return "0"
	}
	var all []string
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, fmt.Sprintf("%s:%d", k, counts[k]))
	}
	return strings.Join(all, ",")
}
