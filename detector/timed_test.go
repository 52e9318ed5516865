package detector

import (
	"fmt"
	"testing"
	"time"

	"noroshi/internal/decode"
	"noroshi/rules"
)

// Conditions are timed on one of timeEvery records, and on none without a clock.
func TestConditionsAreTimedNowAndThen(t *testing.T) {
	set, ps := rules.Load(rules.Options{Library: true})
	if len(ps) > 0 {
		t.Fatal(ps[0].Format())
	}
	s := New(set, Options{Decode: decode.Options{}})
	for name, clock := range map[string]func() time.Duration{"without a clock": nil, "with one": ticking()} {
		w := s.Worker()
		w.Clock = clock
		evaluated, timed, took := 0, 0, time.Duration(0)
		for n := range 3*timeEvery + 1 {
			rec := fmt.Sprintf(`{"CreationTime":"2026-01-02T03:04:05","Id":"r-%d","Operation":"Set-Mailbox","RecordType":1,"OrganizationId":"t","UserType":0,"UserId":"taro@contoso.example","Parameters":[{"Name":"ForwardingSmtpAddress","Value":"drop@mail.example.net"}]}`, n)
			if err := w.ReadAlone([]byte(rec), time.Time{}); err != nil {
				t.Fatal(err)
			}
			w.Hits()
		}
		for i := range w.Timed {
			evaluated, timed, took = evaluated+w.Evaluated[i], timed+w.Timed[i], took+w.Time[i]
		}
		each := evaluated / (3*timeEvery + 1)
		if want := 3 * each; clock != nil && (timed != want || took != time.Duration(want) || each == 0) || clock == nil && timed+int(took) != 0 {
			t.Errorf("%s: %d tries, %d timed, which took %d", name, evaluated, timed, took)
		}
	}
}

// ticking is a clock that moves by one whenever it is asked.
func ticking() func() time.Duration {
	now := time.Duration(0)
	return func() time.Duration {
		now++
		return now
	}
}
