package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"noroshi/internal/alert"
	"noroshi/internal/app"
	"noroshi/internal/decode"
	"noroshi/internal/diag"
	"noroshi/internal/event"
)

func decodeCommand(s Streams) *cobra.Command {
	var asJSON bool
	f := &ruleFlags{}
	c := &cobra.Command{
		Use:   "decode [flags] [FILE|-]...",
		Short: "Show records as rules see them",
		Long: `Decode prints each record as the event that conditions look at: the fields of 'noroshi fields' that it has, by name.
Records keep their order; repeats are not dropped.`,
		Example: "  noroshi decode audit.ndjson\n  noroshi decode --json audit.ndjson | jq -r '.\"event.action\"' | sort | uniq -c",
		RunE: func(c *cobra.Command, args []string) error {
			conf, _, ps := f.configuration(s)
			show(s.Err, ps)
			if diag.Errors(ps) > 0 {
				return errSaid
			}
			files := open(c.Context(), s, args)
			out := bufio.NewWriter(s.Out)
			d := newDecoding(app.DecodeOptions(conf), asJSON)
			r := newReading(s)
			for _, one := range files {
				defer one.from.Close()
				if err := r.each(c.Context(), one, d.reader, func() error { return d.print(out) }); err != nil {
					return failed{errors.Join(err, out.Flush())}
				}
			}
			if err := out.Flush(); err != nil {
				return failed{fmt.Errorf("write events: %w", err)}
			}
			return r.end(s)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one object a line")
	c.Flags().StringVar(&f.config, "config", "", "configuration `file`, for its list directory and its databases of addresses")
	return c
}

// decoding prints events with all their fields.
type decoding struct {
	reader *decode.Reader
	fields []event.Field
	slots  []event.Slot
	json   bool
	line   []byte
}

func newDecoding(o decode.Options, asJSON bool) *decoding {
	d := &decoding{json: asJSON, fields: event.Fields()}
	l := event.NewLayout()
	for _, f := range d.fields {
		slot, _ := l.Slot(f.Name)
		d.slots = append(d.slots, slot)
	}
	d.reader = decode.NewPlan(l, o).Reader()
	return d
}

func (d *decoding) print(out io.Writer) error {
	if _, err := out.Write(d.event()); err != nil {
		return fmt.Errorf("write event: %w", err)
	}
	return nil
}

// event is the event at hand: a flat object of the fields that it has, or lines for a person and an empty one.
func (d *decoding) event() []byte {
	b := d.line[:0]
	if d.json {
		b = append(b, '{')
	}
	n := 0
	for i, f := range d.fields {
		v := d.value(f, d.slots[i])
		if v == nil {
			continue
		}
		switch {
		case d.json && n > 0:
			b = append(b, ',')
			fallthrough
		case d.json:
			b = append(append(append(b, '"'), f.Name...), `":`...)
			b = append(b, v...)
		default:
			b = append(b, fmt.Sprintf("%-30s %s\n", f.Name, diag.EscapeLine(string(v)))...)
		}
		n++
	}
	if d.json {
		b = append(b, '}')
	}
	d.line = append(b, '\n')
	return d.line
}

// value is a field's value as JSON, nil where the event has none.
func (d *decoding) value(f event.Field, s event.Slot) []byte {
	ev := d.reader.Event
	if f.Type == event.List {
		all := ev.List(s)
		if len(all) == 0 {
			return nil
		}
		var b []byte
		for i, t := range all {
			b = alert.AppendQuoted(append(b, "[,"[min(i, 1)]), t)
		}
		return append(b, ']')
	}
	t := ev.Text(s)
	if t == "" {
		return nil
	}
	switch f.Type {
	case event.Number:
		n, ok := event.NumberOf(t)
		if !ok {
			return nil
		}
		return strconv.AppendFloat(nil, n, 'f', -1, 64)
	case event.Bool:
		return strconv.AppendBool(nil, t == "true")
	}
	return alert.AppendQuoted(nil, t)
}
