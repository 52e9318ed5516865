package replay

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"noroshi/detector"
	"noroshi/internal/incident"
	"noroshi/internal/state"
)

// Story takes what belongs into accounts' stories though no rule fires. The functions are called from one goroutine, among the alerts and
// in the order of time; what they are given is theirs. Profiles come with an account's first alert, again when its mark has passed, and at
// the end, when all is counted; the last one of an account counts.
// The rules then look at alerts as they do live, where a rule that looks at those of others fires as soon as it can: an account is marked
// from the same event on.
type Story struct {
	Activity func(*incident.Activity) error
	Profile  func(*incident.Profile) error
	// Everyone says that at the end the profiles of all accounts are given.
	Everyone bool
}

// The numbers that stand in the place of a rule's in what is found.
const (
	foundActivity = 1<<30 + iota
	foundProfile
)

// storyOf is what keeps a story until all can be sorted, nil where nobody asks.
func (p *applying) storyOf(s *Story) *detector.Story {
	if s == nil {
		return nil
	}
	keep := func(what int32, at time.Time, id string, v any) {
		if p.failed != nil {
			return
		}
		body, err := json.Marshal(v)
		if err != nil {
			p.failed = fmt.Errorf("keep story: %w", err)
			return
		}
		p.packed = appendStory(p.packed[:0], what, at, id, body)
		p.failed = p.alerts.add(p.packed)
	}
	return &detector.Story{Everyone: s.Everyone, Last: true,
		Activity: func(a *incident.Activity) { keep(foundActivity, a.Entry.Time, a.Entry.EventID, a) },
		Profile:  func(f *incident.Profile) { keep(foundProfile, p.at, f.Account, f) },
	}
}

// appendStory packs what a story tells as appendFound packs alerts.
func appendStory(to []byte, what int32, at time.Time, id string, body []byte) []byte {
	from := len(to)
	to = state.AppendSorted(binary.BigEndian.AppendUint64(to, byTime(at)), id)
	to = binary.BigEndian.AppendUint32(to, uint32(what))
	n := len(to) - from
	to = append(state.AppendBytes(to, id), body...)
	return binary.BigEndian.AppendUint32(to, uint32(n))
}

// tell gives out what a story tells.
func (s *Story) tell(f *found) error {
	if f.rule == foundActivity {
		var a incident.Activity
		if err := json.Unmarshal(f.json, &a); err != nil {
			return fmt.Errorf("read activity: %w", err)
		}
		return s.Activity(&a)
	}
	var p incident.Profile
	if err := json.Unmarshal(f.json, &p); err != nil {
		return fmt.Errorf("read profile: %w", err)
	}
	return s.Profile(&p)
}
