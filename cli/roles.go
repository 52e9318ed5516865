package cli

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"noroshi/internal/app"
	"noroshi/internal/config"
)

// rolesOf are the roles that a flag names; none where it was not given: all.
func rolesOf(names []string) (roles []app.Role, err error) {
	for _, name := range names {
		one := app.Role(strings.TrimSpace(name))
		if !slices.Contains(app.Roles, one) {
			return nil, fmt.Errorf("--role: no role %q; expected some of %s", name, rolesText(app.Roles))
		}
		if !slices.Contains(roles, one) {
			roles = append(roles, one)
		}
	}
	return roles, nil
}

func rolesText(all []app.Role) string {
	var names []string
	for _, one := range all {
		names = append(names, string(one))
	}
	return strings.Join(names, ", ")
}

// completeRoles completes the last of the roles of a flag.
func completeRoles(_ *cobra.Command, _ []string, given string) (all []cobra.Completion, _ cobra.ShellCompDirective) {
	before := given[:strings.LastIndex(given, ",")+1]
	for _, one := range app.Roles {
		if !slices.Contains(strings.Split(before, ","), string(one)) {
			all = append(all, before+string(one))
		}
	}
	return all, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// notRead are the keys of the configuration that some roles do not need.
func notRead(roles []app.Role) (keys []string) {
	has := func(one app.Role) bool { return len(roles) == 0 || slices.Contains(roles, one) }
	if !has(app.Ingest) {
		keys = append(keys, "sources")
	}
	if !has(app.Detect) {
		keys = append(keys, "rules", "geography", "lateness")
	}
	if !has(app.Detect) && !has(app.Ingest) {
		keys = append(keys, "lists", "tenants")
	}
	if !has(app.Deliver) {
		keys = append(keys, "sinks")
	}
	return keys
}

// lacksFor says what the configuration lacks for the roles of a run.
func lacksFor(path string, r *app.Run, conf *config.Config) error {
	has := func(one app.Role) bool { return len(r.Roles) == 0 || slices.Contains(r.Roles, one) }
	switch {
	case len(conf.Kafka.Brokers) == 0 && len(r.Roles) > 0 && len(r.Roles) < len(app.Roles):
		return errors.New("the embedded Kafka is for one process, which has all roles; leave --role out, or name brokers under kafka")
	case has(app.Ingest) && len(r.Sources)+len(r.Feeds) == 0:
		return fmt.Errorf("%s names no sources", path)
	case !has(app.Ingest) && !has(app.Detect) && len(r.Sinks) == 0:
		return fmt.Errorf("%s names no sinks, so that there is nothing to deliver to", path)
	case has(app.Deliver) && len(r.Sinks) == 0:
		r.Log.Warn("there are no sinks: alerts are stored, and nobody is told; name some under sinks", slog.String("file", path))
	}
	return nil
}
