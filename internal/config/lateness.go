package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/event"
	"noroshi/internal/strictyaml"
)

// The bounds of what events may be late.
const (
	maxWait = 7 * 24 * time.Hour
	maxKeep = 30 * 24 * time.Hour
)

// lateness reads how late the events of datasets come. What is left out of an entry stays the usual.
func (c *Config) lateness(d *strictyaml.Doc, n *yaml.Node) {
	is := d.Named(n, "datasets and families of them", func(at, n *yaml.Node) {
		if problem := unknownDataset(at.Value); problem != "" {
			d.At(at, "value", problem)
		}
		late, before := event.Lateness{}.Of(at.Value), d.Errors()
		d.Fields(n, map[string]func(*yaml.Node){
			"wait": func(n *yaml.Node) { late.Wait = within(d, n, maxWait) },
			"keep": func(n *yaml.Node) { late.Keep = within(d, n, maxKeep) },
		})
		c.Lateness[at.Value] = late
		if late.Keep < late.Wait && d.Errors() == before {
			d.Warn(n, "value", fmt.Sprintf("keep, %v, is shorter than wait, %v: an event may come in time and find its neighbours forgotten",
				late.Keep, late.Wait))
		}
	})
	if !is {
		d.At(n, "type", "expected keys with values, got "+d.Kind(n))
	}
}

// unknownDataset says what is wrong with the name of a dataset or of a family of them, "" where nothing is.
func unknownDataset(name string) string {
	if event.DatasetKnown(name) || slices.ContainsFunc(event.Datasets, func(d string) bool { return event.Family(d) == name }) {
		return ""
	}
	if meant := event.DatasetMeant(name); meant != "" {
		return fmt.Sprintf("no dataset %q; did you mean %q?", name, meant)
	}
	if !nameOfDataset.MatchString(name) {
		return "no such dataset; expected a value of the field event.dataset, such as entra.signin, or a family such as ual.*"
	}
	if strings.HasSuffix(name, ".*") {
		return fmt.Sprintf("no dataset is of the family %q; families are entra.*, ual.*, defender.*, graph.* and exchange.*", name)
	}
	return fmt.Sprintf("no dataset %q; expected a value of the field event.dataset, such as entra.signin, or a family such as ual.*", name)
}

// nameOfDataset is a key that is told though it is unknown: a secret hardly is one.
var nameOfDataset = regexp.MustCompile(`^[a-z_]{1,32}(\.[a-z_]{1,32}|\.\*)?$`)

func within(d *strictyaml.Doc, n *yaml.Node, most time.Duration) time.Duration {
	before := len(d.Problems)
	v := d.Duration(n)
	d.Expect(n, strictyaml.Form{Type: strictyaml.TypeSpan, To: most})
	if v == 0 && len(d.Problems) == before {
		d.Warn(n, "value", "with no time at all, each event that comes after a later one is late")
	}
	if v > most {
		d.At(n, "value", fmt.Sprintf("expected at most %dd, got %s", most/(24*time.Hour), n.Value))
	}
	return v
}
