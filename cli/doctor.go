package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"noroshi/internal/app"
	"noroshi/internal/config"
	"noroshi/internal/diag"
	"noroshi/internal/strictyaml"
	"noroshi/rules"
)

// finding is what doctor has found.
type finding struct {
	Part  string `json:"part"`
	Level string `json:"level"` // ok, note, warning or error
	Code  string `json:"code,omitempty"`
	Where string `json:"where,omitempty"`
	What  string `json:"what"`
	Do    string `json:"do,omitempty"`
}

// The levels of findings. A note is worth knowing, a warning may come to harm, and an error is what run would stumble on.
const (
	fine    = "ok"
	note    = "note"
	warning = "warning"
	wrong   = "error"
)

// The parts that doctor looks at.
const (
	partConfiguration = "configuration"
	partRules         = "rules"
	partDisk          = "disk"
	partCertificates  = "certificates"
	partKafka         = "kafka"
	partSources       = "sources"
	partSinks         = "sinks"
	partClock         = "clock"
	partAdmin         = "admin"
)

// endsSoon is how long before its end something is told.
const endsSoon = 14 * 24 * time.Hour

// doctor looks at everything that a run needs.
type doctor struct {
	s      Streams
	path   string
	within time.Duration // for each destination
	again  time.Duration // after which an instance has written another report
	roles  []app.Role
	conf   *config.Config
	doc    *strictyaml.Doc
	run    *app.Run // it is made and not started
	set    *rules.Set
	now    time.Time

	all []finding
}

func doctorCommand(s Streams) *cobra.Command {
	d, asJSON, data := &doctor{s: s, again: 6 * time.Second}, false, ""
	var named []string
	c := &cobra.Command{
		Use:   "doctor --config FILE [--data DIR]",
		Short: "Find before run what run would stumble on: configuration, Kafka, sources, rights, sinks, disks, clocks",
		Long: `Doctor reads the configuration as noroshi run does, then looks at everything that a run needs, changes nothing and sends no alert:

  configuration  the file, secrets, lists; what check would say
  rules          whether they load, exceptions that end within 14 days, rules that no source wakes
  disk           room where the embedded Kafka and file sinks write
  certificates   those of files, and those that destinations show: what has ended, or ends within 14 days
  admin          whether run can listen on the addresses for operators
  kafka          whether brokers answer, topics and their settings, partitions, rights of the user, transactions
  sources        whether files, hubs, topics and tenants can be read: address, rights, tokens, subscriptions
  sinks          whether each destination can be reached; nothing is sent
  clock          this machine's against what the others say

Each finding says what, where and what to do. Errors end it with 1: run would fail, or not do all of its work. Warnings and notes do not.
It may be used while run works. docs/problems.md explains the codes.`,
		Example: "  noroshi doctor --config noroshi.yaml\n  noroshi doctor --config noroshi.yaml --json | jq -r 'select(.level == \"error\").do'",
		Args:    cobra.NoArgs,
		RunE: interruptible(func(c *cobra.Command, _ []string) error {
			if d.path == "" {
				return errors.New("--config is missing: it names what is to be looked at")
			}
			var err error
			if d.roles, err = rolesOf(named); err != nil {
				return err
			}
			d.look(c.Context(), data)
			return d.tell(asJSON)
		}),
	}
	c.Flags().StringVar(&d.path, "config", "", "configuration `file`")
	c.Flags().StringVar(&data, "data", "", "`folder` of the embedded Kafka; kafka.data by default")
	c.Flags().StringSliceVar(&named, "role", nil, "`roles` of the instance, as for run")
	c.Flags().DurationVar(&d.within, "within", 10*time.Second, "how long each destination may take to answer, a `duration`")
	c.Flags().BoolVar(&asJSON, "json", false, "print one object a line")
	_ = c.RegisterFlagCompletionFunc("role", completeRoles) // it fails where the flag is unknown or has one
	return c
}

// add notes a finding. Secrets are hidden, and what strangers have written is escaped.
func (d *doctor) add(f finding) {
	for _, text := range []*string{&f.Where, &f.What, &f.Do} {
		*text = diag.EscapeLine(d.s.Secrets.Hide(*text))
	}
	d.all = append(d.all, f)
}

// has reports whether something of a part is wrong, or worth a warning.
func (d *doctor) has(part string) bool {
	for _, f := range d.all {
		if f.Part == part && f.Level != note {
			return true
		}
	}
	return false
}

// look looks at everything that can be looked at.
func (d *doctor) look(ctx context.Context, data string) {
	d.now = d.s.Now()
	usable := d.configuration()
	if data != "" {
		d.conf.Kafka.Data = data
	}
	d.rulesSoon()
	if !d.has(partConfiguration) {
		d.add(finding{Part: partConfiguration, Level: fine, Where: d.path, What: fmt.Sprintf("%s, %s", plural(len(d.conf.Sources), "source"), plural(len(d.conf.Sinks), "sink"))})
	}
	if !d.has(partRules) && d.set != nil {
		d.add(finding{Part: partRules, Level: fine, What: plural(len(d.set.Rules), "rule")})
	}
	d.disks()
	d.certificates()
	if !usable {
		d.add(finding{Part: partConfiguration, Level: note, Where: d.path, What: "Kafka, sources and sinks were not looked at", Do: "mend the errors above first"})
		return
	}
	d.listeners(ctx)
	d.kafka(ctx)
	d.sources(ctx)
	d.sinks(ctx)
	for _, part := range []string{partDisk, partCertificates, partClock} {
		if !d.has(part) {
			d.add(finding{Part: part, Level: fine, What: map[string]string{partDisk: "there is room", partCertificates: "none ends within 14 days",
				partClock: "nothing was found to differ by more than a minute"}[part]})
		}
	}
}

// configuration reads everything as run does. It reports whether a run could be made of it.
func (d *doctor) configuration() (usable bool) {
	first, doc := readRun(d.s, d.path, d.roles)
	d.conf, d.doc = first.Config, doc
	d.run = &app.Run{Config: d.conf, Roles: d.roles, Log: slog.New(slog.DiscardHandler), Version: Version()}
	ps := append(first.Problems, makeEnds(d.s, d.conf, doc, d.run, d.run.Log)...)
	diag.Sort(ps)
	for _, p := range ps {
		part := partConfiguration
		if p.File != d.path {
			part = partRules
		}
		level := wrong
		if p.Level != diag.Error {
			level = warning
		}
		do := "docs/problems.md explains " + p.Code
		if p.Suggestion != "" {
			do = fmt.Sprintf("did you mean %q?", p.Suggestion)
		}
		d.add(finding{part, level, p.Code, place(p), p.Message, do})
	}
	usable = doc != nil && diag.Errors(ps) == 0
	set, _ := rules.Load(rules.Options{Paths: d.conf.Rules, Library: true, Lists: d.conf.Lists, Now: d.now, Tuning: tuning(d.conf, doc), Untested: true})
	d.set = set
	return usable
}

// place is where a problem stands.
func place(p diag.Problem) string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// rulesSoon finds the exceptions that hold now and will not in two weeks.
func (d *doctor) rulesSoon() {
	if d.doc == nil {
		return
	}
	expired := func(at time.Time) map[string]diag.Problem {
		all := map[string]diag.Problem{}
		_, ps := rules.Load(rules.Options{Paths: d.conf.Rules, Library: true, Lists: d.conf.Lists, Now: at, Tuning: tuning(d.conf, d.doc), Untested: true})
		for _, p := range ps {
			if p.Code == "expired" {
				all[place(p)] = p
			}
		}
		return all
	}
	now, soon := expired(d.now), expired(d.now.Add(endsSoon))
	for _, at := range slices.Sorted(maps.Keys(soon)) {
		if _, ended := now[at]; !ended {
			d.add(finding{partRules, warning, "exception-ends", at, "an exception ends within 14 days: " + strings.Replace(soon[at].Message, "ended on", "ends on", 1),
				"give it another day if its reason still holds, or remove it: the alerts that it excuses will come"})
		}
	}
}

// tell prints what was found.
func (d *doctor) tell(asJSON bool) error {
	count := map[string]int{}
	for _, f := range d.all {
		count[f.Level]++
		if asJSON {
			if err := writeJSON(d.s.Out, f); err != nil {
				return failed{err}
			}
			continue
		}
		text := fmt.Sprintf("%-8s %-14s ", f.Level, f.Part)
		if f.Where != "" {
			text += f.Where + ": "
		}
		text += f.What
		if f.Code != "" {
			text += " [" + f.Code + "]"
		}
		if f.Do != "" {
			text += "\n" + strings.Repeat(" ", 24) + "→ " + f.Do
		}
		if _, err := fmt.Fprintln(d.s.Out, text); err != nil {
			return failed{err}
		}
	}
	if !asJSON {
		fmt.Fprintf(d.s.Err, "found %s, %s and %s\n", plural(count[wrong], "error"), plural(count[warning], "warning"), plural(count[note], "note"))
	}
	if count[wrong] > 0 {
		return errSaid
	}
	return nil
}
