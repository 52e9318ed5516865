package replay

import (
	"context"
	"encoding/json"
	"fmt"

	"noroshi/internal/alert"
	"noroshi/rules"
)

// Show gives the alerts of the rule that a test of it makes.
func (p *Prover) Show(ctx context.Context, t *rules.Test) ([]alert.Alert, error) {
	with, err := p.with(t)
	if err != nil {
		return nil, err
	}
	records, err := with.builder.records(t)
	if err != nil {
		return nil, err
	}
	found, err := with.findings(ctx, p.counts, t, records, inOrder)
	if err != nil {
		return nil, err
	}
	all := make([]alert.Alert, len(found))
	for i, one := range found {
		b, err := json.Marshal(one)
		if err == nil {
			err = json.Unmarshal(b, &all[i])
		}
		if err != nil {
			return nil, fmt.Errorf("read alert: %w", err)
		}
	}
	return all, nil
}
