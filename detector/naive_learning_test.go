package detector_test

import (
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strings"
	"time"
)

// forgotten is how many UTC days after that of a key's last event its beginning is forgotten.
const forgotten = 400

// firstSeen fires for an event whose value the key has not shown before, once the key's memory is long enough.
func firstSeen(r *rule, events []*event) (all []firing) {
	satisfies := func(e *event) bool { return r.when.holds(e) }
	begins := under(events, r.fields(), func(e *event) bool { return satisfies(e) || r.among != nil && r.among.holds(e) })
	valued := under(events, r.fields(), func(e *event) bool { return satisfies(e) && r.valueOf(e) != nil })
	for _, e := range valued {
		seen := slices.ContainsFunc(valued, func(x keyed) bool {
			same := x.same(e) && slices.Equal(r.valueOf(x.event), r.valueOf(e.event))
			return same && x.at.Before(e.at) && eighth(x.at, r.within) >= eighth(e.at, r.within)-8
		})
		told := !r.excused(e.event) && (r.only == nil || r.only.holds(e.event)) && !r.restless(valued, e)
		if !seen && told && !e.at.Before(beginning(begins, e).Add(r.learn)) {
			bucket := strings.Join(append([]string{number(e.at, r.within)}, r.valueOf(e.event)...), "\x00")
			all = append(all, firing{key: e.key, bucket: bucket, event: e.event, counted: counting(e.event)})
		}
	}
	return all
}

// restless reports whether a key has shown so many values in the eight whole eighths before that of an event, of which at most a third was
// seen in two of them, and that in four eighths one of the others was seen.
func (r *rule) restless(valued []keyed, e keyed) bool {
	if r.changing == 0 {
		return false
	}
	in := map[string]map[int64]bool{}
	for _, x := range valued {
		ago := eighth(e.at, r.within) - eighth(x.at, r.within)
		if !x.same(e) || ago < 1 || ago > 8 {
			continue
		}
		value := strings.Join(r.valueOf(x.event), "\x00")
		if in[value] == nil {
			in[value] = map[int64]bool{}
		}
		in[value][ago] = true
	}
	stay, others := 0, map[int64]bool{}
	for _, at := range in {
		if len(at) > 1 {
			stay++
			continue
		}
		maps.Copy(others, at)
	}
	return len(in) >= r.changing && 3*stay <= len(in) && len(others) >= 4
}

// valueOf is what is seen, nothing where a part is absent.
func (r *rule) valueOf(e *event) (all []string) {
	for _, name := range r.value {
		if len(e.fields[name]) == 0 {
			return nil
		}
		all = append(all, e.fields[name][0])
	}
	return all
}

// eighth is the number of the eighth of a span in which a time lies.
func eighth(at time.Time, span time.Duration) int64 {
	n := new(big.Int).Mul(big.NewInt(8), big.NewInt(at.UnixNano()))
	return n.Div(n, big.NewInt(int64(span))).Int64()
}

// beginning is when the key's memory began that it has at an event.
func beginning(begins []keyed, e keyed) time.Time {
	var times []time.Time
	for _, x := range begins {
		if x.same(e) && !x.at.After(e.at) {
			times = append(times, x.at)
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	begin := times[0]
	for i := 1; i < len(times); i++ {
		if dayOf(times[i])-dayOf(times[i-1]) > forgotten {
			begin = times[i]
		}
	}
	return begin
}

// dayOf counts UTC days.
func dayOf(at time.Time) int { return int(math.Floor(float64(at.Unix()) / (24 * 60 * 60))) }

// baseline fires for an event with which a bucket has far more than the buckets before it on average.
func baseline(r *rule, events []*event) (all []firing) {
	in := under(events, r.fields(), func(e *event) bool { return r.when.holds(e) })
	history := int64(r.history / r.span)
	for _, e := range in {
		if r.excused(e.event) {
			continue
		}
		b := e.at.UnixNano() / int64(r.span)
		byBucket := map[int64][]*event{}
		var buckets []int64
		var counted []*event
		for _, x := range in {
			if !x.same(e) || order(x.event, e.event) > 0 {
				continue
			}
			at := x.at.UnixNano() / int64(r.span)
			if byBucket[at] == nil {
				buckets = append(buckets, at)
			}
			byBucket[at] = append(byBucket[at], x.event)
			if at == b {
				counted = append(counted, x.event)
			}
		}
		slices.Sort(buckets)
		begin := buckets[0]
		for i := 1; i < len(buckets); i++ {
			if buckets[i]-buckets[i-1] > history {
				begin = buckets[i]
			}
		}
		from := max(b-history, begin)
		sum := 0
		for at := from; at < b; at++ {
			sum += r.measured(byBucket[at])
		}
		n, v := b-from, r.measured(counted)
		if r.peak && time.Duration(n)*r.span >= r.learn && v >= r.floor && v*10 >= r.ratio*r.top(byBucket, from, b) {
			all = append(all, firing{key: e.key, bucket: number(e.at, r.span), event: e.event, counted: counting(counted...)})
		}
		if !r.peak && time.Duration(n)*r.span >= r.learn && v >= r.floor && int(n)*v*10 >= r.ratio*sum {
			all = append(all, firing{key: e.key, bucket: number(e.at, r.span), event: e.event, counted: counting(counted...)})
		}
	}
	return all
}

// top is the most that a bucket held on each of two days at least before that of a bucket.
func (r *rule) top(byBucket map[int64][]*event, from, b int64) int {
	dayOf := func(at int64) int64 { return at * int64(r.span) / int64(day) }
	held := map[int64]int{}
	for at := from; at < b; at++ {
		if dayOf(at) < dayOf(b) {
			held[dayOf(at)] = max(held[dayOf(at)], r.measured(byBucket[at]))
		}
	}
	tops := slices.Sorted(maps.Values(held))
	if len(tops) < 2 {
		return 0
	}
	return tops[len(tops)-2]
}

// measured is what the rule counts of events.
func (r *rule) measured(events []*event) int {
	switch {
	case r.distinct != "":
		return len(values(events, r.distinct))
	case r.sum != "":
		return total(events, r.sum)
	}
	return len(events)
}

// place is where an address is.
type place struct {
	country, region, city string
	latitude, longitude   float64
	known                 bool // the coordinates
}

// name is the place's name, as far as it is known, else its coordinates in whole degrees.
func (p place) name() string {
	if p.country+p.region+p.city == "" {
		return fmt.Sprintf("%.0f,%.0f", p.latitude, p.longitude)
	}
	return strings.ToLower(p.country + "/" + p.region + "/" + p.city)
}

// kilometres is the distance of two places over the ground.
func kilometres(a, b place) float64 {
	rad := func(degrees float64) float64 { return degrees * math.Pi / 180 }
	square := func(x float64) float64 { return x * x }
	north, east := rad(b.latitude-a.latitude), rad(b.longitude-a.longitude)
	h := square(math.Sin(north/2)) + math.Cos(rad(a.latitude))*math.Cos(rad(b.latitude))*square(math.Sin(east/2))
	return 2 * 6371.0088 * math.Asin(min(1, math.Sqrt(h)))
}

// travel fires for an event and each place from which nobody gets to its place in so short a time.
func travel(r *rule, events []*event) (all []firing) {
	in := under(events, r.fields(), func(e *event) bool {
		return r.relevant(r.when, e) && e.place.known && !slices.Contains(r.ignore, e.text("source.ip"))
	})
	for _, e := range in {
		latest := map[string]*event{}
		for _, x := range in {
			if x.event == e.event || !x.same(e) || !x.at.After(e.at.Add(-r.within)) || x.at.After(e.at) {
				continue
			}
			km, hours := kilometres(x.place, e.place), e.at.Sub(x.at).Hours()
			fast := hours == 0 || km/hours >= float64(r.leastKmh)
			if km < float64(r.leastKm) || !fast || learned(in, e, x.place.name()) && learned(in, e, e.place.name()) {
				continue
			}
			if was := latest[x.place.name()]; was == nil || order(was, x.event) < 0 {
				latest[x.place.name()] = x.event
			}
		}
		for from, x := range latest {
			pair := []string{from, e.place.name(), r.bucket(e.event)}
			slices.Sort(pair[:2])
			all = append(all, firing{key: e.key, bucket: strings.Join(pair, "\x00"), event: e.event, counted: counting(x, e.event)})
		}
	}
	return all
}

// learned reports whether a key has shown a place on two days at least of those from 30 to 2 days before an event's.
func learned(in []keyed, e keyed, name string) bool {
	today := e.at.UTC().Truncate(day)
	var days []string
	for _, x := range in {
		ago := today.Sub(x.at.UTC().Truncate(day))
		if x.same(e) && x.place.name() == name && ago >= 2*day && ago <= 30*day {
			days = append(days, x.at.UTC().Format(time.DateOnly))
		}
	}
	return len(distinct(days)) >= 2
}
