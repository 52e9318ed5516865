// Package page writes what there is to know of an incident, for people and for programs.
package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"noroshi/internal/alert"
	"noroshi/internal/incident"
)

// Format is how an incident is written.
type Format string

// The formats.
const (
	Text     Format = "text"
	Markdown Format = "markdown"
	JSON     Format = "json"
	HTML     Format = "html"
)

// Formats are the formats.
var Formats = []Format{Text, Markdown, JSON, HTML}

// Options say how to write.
type Options struct {
	Format  Format
	Width   int    // of a text, in columns; 0: a hundred
	Program string // the version that writes
}

// Write writes what a page shows, safe wherever it is looked at.
func Write(w io.Writer, v *incident.View, o Options) error {
	var b []byte
	var err error
	switch o.Format {
	case Markdown:
		b = markdown(v)
	case JSON:
		b, err = object(v)
	case HTML:
		b, err = html(v, o.Program)
	default:
		b = text(v, o.Width)
	}
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

// object is the incident as JSON, with the steps of the page. Characters that nobody sees are escaped.
func object(v *incident.View) ([]byte, error) {
	i := *v.Incident
	i.Remediation = []incident.Step{}
	for _, p := range v.Phases {
		for _, s := range p.Steps {
			i.Remediation = append(i.Remediation, s.Step)
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(&i); err != nil {
		return nil, fmt.Errorf("make JSON: %w", err)
	}
	var out []byte
	for line := range bytes.Lines(b.Bytes()) {
		out = append(alert.AppendEscaped(out, bytes.TrimSuffix(line, []byte("\n"))), '\n')
	}
	return out, nil
}
