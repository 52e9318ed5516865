package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"noroshi/internal/app"
	"noroshi/internal/config"
	"noroshi/internal/decode"
	"noroshi/internal/diag"
	"noroshi/internal/replay"
	"noroshi/rules"
)

// investigateFlags say what to look up.
type investigateFlags struct {
	ruleFlags
	pageFlags
	tenant       bool
	in           string
	since, until string
}

func investigateCommand(s Streams) *cobra.Command {
	f := &investigateFlags{}
	c := &cobra.Command{
		Use:   "investigate [flags] ACCOUNT [FILE|-]...",
		Short: "Look up what records tell of an account, without an alert",
		Long: `Investigate reads records as replay does and prints one page about an account: sign-ins by place with counts of successes and failures,
inbox rules, forwarding, roles, delegates, consents, changed authentication methods, audit switches, the alerts of the rules, and what the
account did, in UTC and local time, with the steps of remediation.

ACCOUNT is written as the field account has it, such as taro@contoso.example. The part before the at sign is enough where one account has
it. With --tenant there is no ACCOUNT: the page is about administrators, forwarding out of the tenant and audit switches.
Records show what changed. What has stood for longer than they reach is not on the page.`,
		Example: `  noroshi investigate taro@contoso.example audit.ndjson signins.ndjson
  noroshi investigate taro --since 2026-01-01 --format html --lang ja audit.ndjson > taro.html
  noroshi investigate --tenant audit.ndjson`,
		RunE: func(c *cobra.Command, args []string) error { return f.run(c.Context(), s, args) },
	}
	f.ruleFlags.add(c)
	f.pageFlags.add(c)
	c.Flags().BoolVar(&f.tenant, "tenant", false, "look up administrators, forwarding and audit switches of the tenant instead of an account")
	c.Flags().StringVar(&f.in, "in", "", "the tenant's `id`, where records are of several tenants")
	c.Flags().StringVar(&f.since, "since", "", "leave out what was before this `time`: RFC 3339 or a day")
	c.Flags().StringVar(&f.until, "until", "", "leave out what was from this `time` on")
	return c
}

func (f *investigateFlags) run(ctx context.Context, s Streams, args []string) error {
	account := ""
	if !f.tenant {
		if len(args) == 0 || args[0] == "" || args[0] == "-" {
			return errors.New("ACCOUNT is missing: whom to look up; --tenant looks up the tenant")
		}
		if info, err := os.Stat(args[0]); err == nil && !info.IsDir() && !strings.Contains(args[0], "@") {
			return fmt.Errorf("ACCOUNT is missing before the file %s; --tenant looks up the tenant", args[0])
		}
		account, args = strings.ToLower(args[0]), args[1:]
	}
	since, err := moment("since", f.since)
	if err != nil {
		return err
	}
	until, err := moment("until", f.until)
	if err != nil {
		return err
	}
	if !since.IsZero() && !until.IsZero() && !since.Before(until) {
		return fmt.Errorf("--since %s is not before --until %s, so that nothing is left", f.since, f.until)
	}
	w, err := f.writer(s)
	if err != nil {
		return err
	}
	set, conf, err := f.loadAs(s, rules.Options{Library: !f.noLibrary, Untested: true, Story: true})
	if err != nil {
		return err
	}
	files, remove, err := kept(ctx, s, args)
	defer remove()
	if err != nil {
		return failed{err}
	}
	v := &replay.Investigation{Account: account, Tenant: f.in, Since: since, Until: until}
	told, err := f.whom(ctx, s, conf, v, files)
	if err != nil {
		return err
	}
	found := &replay.Investigation{Account: v.Account, Tenant: v.Tenant, Since: since, Until: until}
	if err := f.look(ctx, s, set, conf, found, files); err != nil {
		return err
	}
	if err := w.write(found.Page()); err != nil {
		return err
	}
	return told
}

// whom settles which account is meant, and tells what cannot be read.
func (f *investigateFlags) whom(ctx context.Context, s Streams, conf *config.Config, v *replay.Investigation, files []string) (told, err error) {
	r := newReading(s)
	if err := events(ctx, r, s, conf, v, files); err != nil {
		return nil, err
	}
	told = r.end(s)
	if told != nil && r.tally.events == 0 {
		return nil, told
	}
	if len(v.Tenants()) == 0 && v.Account != "" {
		meant, near := meantBy(v.Account, v.Names.All())
		if meant == "" {
			return nil, unknown(v, near)
		}
		fmt.Fprintf(s.Err, "%s is %s\n", diag.EscapeLine(v.Account), diag.EscapeLine(meant))
		*v = replay.Investigation{Account: meant, Tenant: v.Tenant, Since: v.Since, Until: v.Until}
		s.Err = io.Discard // all has been told
		if err := events(ctx, newReading(s), s, conf, v, files); err != nil {
			return nil, err
		}
	}
	if all := v.Tenants(); len(all) > 1 {
		return nil, fmt.Errorf("the records are of %d tenants; expected --in with one of %s", len(all), diag.EscapeLine(strings.Join(all[:min(len(all), maxNear)], ", ")))
	}
	return told, nil
}

// unknown says that nothing is known of an account, and what comes near.
func unknown(v *replay.Investigation, near []string) error {
	all := v.Names.All()
	if v.Names.More {
		near = append(near, "others that there was no room for")
	}
	if len(all) == 0 {
		return failed{errors.New("no event of the input is of the time and the tenant that are asked about")}
	}
	hint := "; " + asAccounts
	if len(near) > 0 {
		hint = "; near are " + strings.Join(near, ", ")
	}
	return failed{fmt.Errorf("no event in the input is about the account %s, among %s%s", v.Account, plural(len(all), "account"), hint)}
}

// maxNear is how many accounts are named that somebody may have meant.
const maxNear = 5

// meantBy is the account that somebody means who has written the part before the at sign alone, "" unless it is one; and names that come near.
func meantBy(name string, all []string) (meant string, near []string) {
	var begin []string
	for _, one := range all {
		if local, _, ok := strings.Cut(one, "@"); ok && local == name {
			begin = append(begin, one)
		}
	}
	if len(begin) == 1 {
		return begin[0], nil
	}
	near = begin
	if one := diag.Suggest(name, all); one != "" && !slices.Contains(near, one) {
		near = append(near, one)
	}
	local, _, _ := strings.Cut(name, "@")
	for _, one := range all {
		if len(local) > 2 && strings.Contains(one, local) && !slices.Contains(near, one) {
			near = append(near, one)
		}
	}
	near = near[:min(len(near), maxNear)]
	for k := range near {
		near[k] = diag.EscapeLine(near[k])
	}
	return "", near
}

// look finds what rules and stories say of whom is asked about, then reads the events again for what they did.
func (f *investigateFlags) look(ctx context.Context, s Streams, set *rules.Set, conf *config.Config, v *replay.Investigation, files []string) error {
	var inputs []replay.Input
	for _, one := range open(ctx, s, files) {
		defer one.from.Close()
		inputs = append(inputs, replay.Input{Name: one.name, From: one.from, Err: one.err})
	}
	r := replay.Replay{Set: compile(set, conf, nil), Workers: runtime.GOMAXPROCS(0), Since: v.Since, Until: v.Until, Now: s.Now(), Story: v.Story(), Alert: v.Alert,
		Fault: func(replay.Fault) {}} // the first reading has told them
	var unread *replay.Unread
	stats, err := r.Run(ctx, inputs)
	if ctx.Err() != nil {
		return failed{ctx.Err()}
	}
	if err != nil && !errors.As(err, &unread) {
		return failed{err}
	}
	tellBounds(s.Err, stats.Bounds)
	s.Err = io.Discard // the first reading has told all
	return events(ctx, newReading(s), s, conf, v, files)
}

// events gives each event of files to an investigation.
func events(ctx context.Context, r *reading, s Streams, conf *config.Config, v *replay.Investigation, files []string) error {
	reader := decode.NewPlan(v.Layout(), app.DecodeOptions(conf)).Reader()
	for _, one := range open(ctx, s, files) {
		err := r.each(ctx, one, reader, func() error {
			v.Event(reader)
			return nil
		})
		one.from.Close()
		if err != nil {
			return failed{err}
		}
	}
	return nil
}

// kept are files that can be read twice: what is no file on disk, such as stdin, is written into one that remove takes away.
func kept(ctx context.Context, s Streams, names []string) (files []string, remove func(), err error) {
	dir := ""
	remove = func() {
		if dir != "" {
			_ = os.RemoveAll(dir)
		}
	}
	if len(names) == 0 {
		names = []string{"-"}
	}
	for _, name := range expand(names) {
		info, err := os.Stat(name)
		if name != "-" && (err != nil || info.Mode().IsRegular() || info.IsDir()) {
			files = append(files, name)
			continue
		}
		if dir == "" {
			if dir, err = os.MkdirTemp("", "noroshi-investigate-"); err != nil {
				return nil, remove, fmt.Errorf("keep what is read: %w", err)
			}
		}
		one := open(ctx, s, []string{name})[0]
		to, err := os.CreateTemp(dir, strings.Map(plainLetters, one.name)+"-")
		if err == nil {
			_, err = io.Copy(to, one.from)
			err = errors.Join(err, to.Close())
		}
		one.from.Close()
		if err != nil {
			return nil, remove, fmt.Errorf("keep what is read from %s: %w", one.name, err)
		}
		files = append(files, to.Name())
	}
	return files, remove, nil
}

// plainLetters leaves letters alone of a name.
func plainLetters(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
		return r
	}
	return -1
}
