package sinks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"noroshi/internal/alert"
)

// picky is a destination that refuses summaries, in the form that the test asks for.
type picky struct {
	how func() error
	got []Message
}

func (*picky) Batch() Batch { return Batch{Messages: 10} }

func (s *picky) Send(_ context.Context, all []Message) error {
	if s.how != nil && all[0].Rule == SummaryRule {
		return s.how()
	}
	s.got = append(s.got, all...)
	return nil
}

// old delivers messages that are too old to a destination, and gives their texts as it has taken them.
func old(t *testing.T, s *picky, change func(r *Runner), all ...Message) (got []string, c Counts) {
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		for i := range all {
			all[i].Written = time.Now().Add(-2 * time.Hour)
			all[i].Body = fmt.Appendf(nil, `{"id":%q,"tenant":%q,"account":%q}`, all[i].ID, all[i].Tenant, all[i].Account)
		}
		r := runner(s, &these{all: all}, &said)
		r.MaxAge = time.Hour
		if change != nil {
			change(r)
		}
		ctx, stop := context.WithTimeout(t.Context(), 3*time.Hour)
		defer stop()
		if err := r.Run(ctx, t.Context()); err != nil {
			t.Error(err)
		}
		c = r.Counts()
	})
	for _, m := range s.got {
		if m.Rule == SummaryRule {
			m.ID = fmt.Sprintf("%s/%d", m.Rule, m.Revision)
		}
		if m.Drill() {
			m.ID += " drill"
		}
		got = append(got, m.ID)
	}
	return got, c
}

// these is a queue of some messages.
type these struct {
	given
	all []Message
}

func (q *these) Next(ctx context.Context) ([]Message, error) {
	if all := q.all; len(all) > 0 {
		q.all, q.n = nil, 0
		return all, nil
	}
	return q.given.Next(ctx)
}

// TestARefusedSummaryIsOneByOne, in whatever form a destination refuses it.
func TestARefusedSummaryIsOneByOne(t *testing.T) {
	no := &Refused{errors.New("no such field")}
	for name, how := range map[string]func() error{
		"an error":  func() error { return no },
		"a verdict": func() error { return Verdicts{no} },
	} {
		t.Run(name, func(t *testing.T) {
			got, c := old(t, &picky{how: how}, nil, Message{ID: "a", Account: "x"}, Message{ID: "b", Account: "y"})
			if fmt.Sprint(got) != "[a b]" || c.Sent != 2 || c.Faults != 0 {
				t.Errorf("taken %v, %+v", got, c)
			}
		})
	}
}

// TestADrillIsInNoSummary of alerts: it would count as one there, and its mark would be lost.
func TestADrillIsInNoSummary(t *testing.T) {
	for name, change := range map[string]func(*Runner){
		"all is told":          nil,
		"tenants are left out": func(r *Runner) { r.Redact = &Redaction{Leave: []string{"tenant"}} },
		"tenants are told else": func(r *Runner) {
			r.Redact = &Redaction{Hash: []string{"tenant"}, Key: func() (string, error) { return "0123456789abcdef", nil }}
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, c := old(t, &picky{}, change, Message{ID: "a", Account: "x", Tenant: "t"}, Message{ID: "d", Account: "z", Tenant: alert.DrillTenant}, Message{ID: "b", Account: "y", Tenant: "t"})
			if fmt.Sprint(got) != "[d drill noroshi-summary/1]" || c.Sent != 1 || c.Summarised != 2 {
				t.Errorf("taken %v, %+v", got, c)
			}
		})
	}
}
