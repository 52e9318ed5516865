package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"noroshi/detector"
	"noroshi/internal/app"
	"noroshi/internal/diag"
	"noroshi/internal/explain"
	"noroshi/internal/replay"
)

// explainLive tells what rules hold for an account in the memory that a run has stored: at a time, or at the newest event.
func (p *explaining) explainLive(ctx context.Context, s Streams, set *detector.Set, at time.Time) error {
	reach := reachFlags{config: p.config, data: p.data}
	b, err := reach.connect(s)
	if err != nil {
		return err
	}
	defer b.Close()
	h, err := b.holding(ctx, s, set)
	if err != nil {
		return err
	}
	if at.IsZero() {
		at = h.Newest(p.account)
	}
	if at.IsZero() {
		at = s.Now().UTC()
	}
	sum := replay.Summary{At: explain.Time{Time: at}}
	h.Standings(p.account, at, func(st *detector.Standing, _ *app.Held) {
		if p.rule == nil || st.Rule.ID == p.rule.ID {
			sum.Nearest = append(sum.Nearest, explain.Key(st, at))
		}
	})
	explain.Sort(sum.Nearest)
	if err := p.about(); err != nil {
		return failed{err}
	}
	if p.json {
		return writeJSON(s.Out, p.object(&sum))
	}
	var text strings.Builder
	p.keys(&text, &sum)
	if _, err := io.WriteString(s.Out, text.String()); err != nil {
		return failed{err}
	}
	return nil
}

// holding reads what is stored of the memory of a set's rules, and says what of it is not shown.
func (to *reached) holding(ctx context.Context, s Streams, set *detector.Set) (*app.Holding, error) {
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	h, err := app.ReadHolding(ctx, to.Bus, set, to.conf.Lateness)
	if err != nil {
		return nil, failed{err}
	}
	tellHolding(s.Err, h)
	return h, nil
}

// tellHolding says what of the stored memory is not shown.
func tellHolding(w io.Writer, h *app.Holding) {
	if h.Unknown > 0 {
		fmt.Fprintf(w, "noroshi: %s of other rules, or of rules that look at something else here, left out; noroshi state stats names them\n",
			plural(h.Unknown, "key"))
	}
	if h.Unreadable > 0 {
		fmt.Fprintf(w, "noroshi: %s cannot be read; the first: %s\n", plural(h.Unreadable, "key"), diag.EscapeLine(cmp.Or(h.First.Error(), "unknown")))
	}
}
