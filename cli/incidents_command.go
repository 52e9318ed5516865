package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"noroshi/internal/diag"
	"noroshi/internal/incident"
)

func incidentsCommand(s Streams) *cobra.Command {
	c := &cobra.Command{
		Use:     "incidents",
		Short:   "Show what happened to accounts, and what is left to do",
		Example: `  noroshi incidents show taro@contoso.example incidents.ndjson`,
	}
	c.AddCommand(incidentsShowCommand(s))
	return c
}

func incidentsShowCommand(s Streams) *cobra.Command {
	f := &pageFlags{}
	c := &cobra.Command{
		Use:   "show [flags] ID [FILE|-]...",
		Short: "Show one incident as a page",
		Long: `Show prints a page about one incident: the verdict, what contains the account and what of it was done, the steps of remediation with
commands filled in, the timeline in UTC and local time, sign-ins by place, and what was found: inbox rules, forwarding, roles, consents,
delegates, devices.

ID is the incident's id, the beginning of it, or the name of an account. A FILE, or stdin, holds incidents as JSON, one a line, as
'noroshi replay --json --incidents' and sinks write them; of several revisions the last is shown.
The HTML page is one file that loads nothing: it can be printed, mailed and kept.`,
		Example: `  noroshi incidents show inc_GM3Q incidents.ndjson
  noroshi incidents show --format html --lang ja --zone Asia/Tokyo taro@contoso.example incidents.ndjson > taro.html`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("ID is missing: the id of an incident, the beginning of one, or an account")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			w, err := f.writer(s)
			if err != nil {
				return err
			}
			all, err := readIncidents(c.Context(), s, args[1:])
			if err != nil {
				return err
			}
			one, err := findIncident(all, args[0])
			if err != nil {
				return err
			}
			return w.write(one)
		},
	}
	f.add(c)
	return c
}

// The bounds of what is read of incidents.
const (
	maxIncidentLine = 8 << 20
	maxIncidents    = 100_000
)

// readIncidents reads incidents of files, each in its last revision, in the order in which they came first. Lines that are something else,
// such as alerts, are left out.
func readIncidents(ctx context.Context, s Streams, names []string) ([]*incident.Incident, error) {
	var all []*incident.Incident
	at := map[string]int{}
	for _, one := range open(ctx, s, names) {
		defer one.from.Close()
		if one.err != nil {
			return nil, failed{one.err}
		}
		lines := bufio.NewReaderSize(one.from, 64<<10)
		for n := 1; ; n++ {
			line, err := readLine(lines)
			if errors.Is(err, io.EOF) && len(line) == 0 {
				break
			}
			if err != nil && !errors.Is(err, io.EOF) {
				return nil, failed{fmt.Errorf("%s:%d: %w", one.name, n, err)}
			}
			var i incident.Incident
			if len(bytes.TrimSpace(line)) == 0 {
				continue
			}
			if err := json.Unmarshal(line, &i); err != nil {
				if !strings.Contains(string(line[:min(len(line), 200)]), incident.Schema) {
					continue
				}
				return nil, failed{fmt.Errorf("%s:%d: this is no whole incident: %s", one.name, n, diag.EscapeLine(err.Error()))}
			}
			if i.Schema != incident.Schema || i.ID == "" {
				continue
			}
			k, known := at[i.ID]
			switch {
			case !known && len(all) == maxIncidents:
				return nil, failed{fmt.Errorf("%s:%d: more than %d incidents; choose fewer files", one.name, n, maxIncidents)}
			case !known:
				at[i.ID] = len(all)
				all = append(all, &i)
			case i.Revision >= all[k].Revision:
				all[k] = &i
			}
		}
	}
	if ctx.Err() != nil {
		return nil, failed{ctx.Err()}
	}
	return all, nil
}

// readLine reads a line of bounded length.
func readLine(r *bufio.Reader) (line []byte, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if line = append(line, part...); len(line) > maxIncidentLine {
			return nil, fmt.Errorf("a line of more than %d bytes is no incident", maxIncidentLine)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// findIncident is the incident that somebody means: by its id, by the beginning of one, or the last one of an account.
func findIncident(all []*incident.Incident, what string) (*incident.Incident, error) {
	var begin, of []*incident.Incident
	var accounts []string
	for _, i := range all {
		switch {
		case i.ID == what:
			return i, nil
		case strings.HasPrefix(i.ID, what) && strings.HasPrefix(what, "inc_"):
			begin = append(begin, i)
		case strings.EqualFold(i.Account, what):
			of = append(of, i)
		}
		accounts = append(accounts, i.Account)
	}
	switch {
	case len(begin) == 1:
		return begin[0], nil
	case len(begin) > 1:
		return nil, fmt.Errorf("%s begins the ids of %s and %s; expected more of it", what, begin[0].ID, begin[1].ID)
	case len(of) > 0:
		last := slices.MaxFunc(of, func(a, b *incident.Incident) int { return a.Opened.Compare(b.Opened) })
		for _, i := range of {
			if i.Tenant != last.Tenant {
				return nil, fmt.Errorf("%s has incidents in the tenants %s and %s; expected an id", what, i.Tenant, last.Tenant)
			}
		}
		return last, nil
	case len(all) == 0:
		return nil, failed{errors.New("no incident in the input; 'noroshi replay --json --incidents' writes them")}
	}
	hint := ""
	if near := diag.Suggest(what, accounts); near != "" {
		hint = "; did you mean " + near + "?"
	}
	return nil, failed{fmt.Errorf("no incident %s among the %d of the input%s", what, len(all), hint)}
}
