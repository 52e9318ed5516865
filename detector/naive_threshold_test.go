package detector_test

import "slices"

// match fires for every relevant event. It alone takes a field that is absent for empty text.
func match(r *rule, events []*event) (all []firing) {
	for _, e := range events {
		if !r.relevant(r.when, e) {
			continue
		}
		whole := &event{at: e.at, fields: fields{}}
		for _, name := range r.fields() {
			if whole.fields[name] = e.fields[name]; len(e.fields[name]) == 0 {
				whole.fields[name] = []string{""}
			}
		}
		for _, key := range keysOf(whole, r.fields()) {
			all = append(all, firing{key: key, bucket: r.bucket(e), event: e, counted: counting(e)})
		}
	}
	return all
}

// threshold fires for an event whose window holds enough.
func threshold(r *rule, in []keyed) (all []firing) {
	for _, e := range in {
		if w := window(in, e, r.within, e.at); r.enough(w) {
			all = append(all, firing{key: e.key, bucket: r.bucket(e.event), event: e.event, counted: counting(w...)})
		}
	}
	return all
}

// enough reports whether events are as many as the rule counts, differ as much or sum up to as much.
func (r *rule) enough(events []*event) bool {
	switch {
	case r.distinct != "":
		return len(values(events, r.distinct)) >= r.least
	case r.sum != "":
		return total(events, r.sum) >= r.least
	}
	return len(events) >= r.count
}

// correlation fires as a threshold; its events are alerts.
func correlation(r *rule, alerts []*event) []firing {
	return threshold(r, under(alerts, r.fields(), func(*event) bool { return true }))
}

// absence fires for an event when no other one that would explain it lies around it, and every dataset in which that would show
// has shown something later, while it was waited for.
func absence(r *rule, w *world) (all []firing) {
	others := r.withoutBy
	if others == nil {
		others = r.fields()
	}
	explaining := under(w.events, others, r.without.holds)
	for _, e := range r.keys(r.when, w.events) {
		from, to := e.at.Add(-r.before), e.at.Add(r.after)
		explained := slices.ContainsFunc(explaining, func(x keyed) bool {
			return x.same(e) && x.event != e.event && !x.at.Before(from) && !x.at.After(to)
		})
		shown := func(dataset string) bool {
			return slices.ContainsFunc(w.events, func(x *event) bool {
				of := x.tenant() == e.tenant() && x.text("event.dataset") == dataset
				return of && x.at.After(to) && !x.at.After(to.Add(day))
			})
		}
		switch {
		case explained:
		case to.After(w.clock):
			w.waiting++
		case slices.ContainsFunc(r.needs, func(dataset string) bool { return !shown(dataset) }):
			w.undecided++
		default:
			all = append(all, firing{key: e.key, bucket: r.bucket(e.event), event: e.event, counted: counting(e.event)})
		}
	}
	return all
}
