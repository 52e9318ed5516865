package detector_test

import "time"

var fresh = rule{kind: "first_seen", when: in, value: []string{"source.ip"}, within: 8 * day, learn: day}

// restless is silent from three values on that do not stay. An eighth is a day, and the records start at the beginning of one.
var restless = fresh.with(func(r *rule) { r.changing = 3 })

var firsts = []example{
	{name: "a new address", rule: fresh, events: []string{"1 in a 0s ip=1", "2 in a 24h ip=1", "3 in a 25h ip=2", "4 in a 26h ip=2"}, want: []string{"a 25h0m0s 1: 3"}},
	{name: "nothing is new while the rule learns", rule: fresh, events: []string{"1 in a 0s ip=1", "2 in a 23h59m59s ip=2", "3 in a 24h ip=3"}, want: []string{"a 24h0m0s 1: 3"}},
	{name: "new again after the window, in eighths", rule: fresh, // the first lies 8 eighths back, then 9
		events: []string{"1 in a 0s ip=1", "2 in b 0s ip=1", "3 in a 203h ip=1", "4 in b 204h ip=1"}, want: []string{"b 204h0m0s 1: 4"}},
	{name: "an absent value begins the memory and is no value", rule: fresh, events: []string{"1 in a 0s", "2 in a 25h", "3 in a 26h ip=1"}, want: []string{"a 26h0m0s 1: 3"}},
	{name: "other events begin the memory, too", rule: fresh.with(func(r *rule) { r.among = failed }), events: []string{"1 failed a 0s", "2 in a 25h ip=1", "3 in b 25h ip=1"}, want: []string{"a 25h0m0s 1: 2"}},
	{name: "an excused event is seen and not told", rule: fresh.with(func(r *rule) { r.unless = []exception{{"2026-02-01", is("app.id", "known")}} }),
		events: []string{"1 in a 0s ip=1", "2 in a 25h ip=2 app=known", "3 in a 26h ip=2"}, want: nil},
	{name: "events of one time are all first", rule: fresh, events: []string{"1 in a 0s ip=1", "2 in a 25h ip=2", "3 in a 25h ip=2"}, want: []string{"a 25h0m0s 2: 2 3"}},
	{name: "values of several fields", rule: fresh.with(func(r *rule) { r.value = []string{"source.ip", "app.id"} }),
		events: []string{"1 in a 0s ip=1 app=x", "2 in a 1h ip=2 app=y", "3 in a 25h ip=1 app=y", "4 in a 26h ip=2 app=y"}, want: []string{"a 25h0m0s 1: 3"}},
	{name: "what may not fire is learned", rule: fresh.with(func(r *rule) { r.only = is("app.id", "mail") }),
		events: []string{"1 in a 0s ip=1", "2 in a 25h ip=2", "3 in a 26h ip=2 app=mail", "4 in a 27h ip=3 app=mail"}, want: []string{"a 27h0m0s 1: 4"}},
	{name: "where no value stays, a new one says nothing", rule: restless, events: []string{"1 in a 0h ip=1", "2 in a 25h ip=2", "3 in a 49h ip=3", "4 in a 73h ip=4", "5 in a 97h ip=5"},
		want: []string{"a 25h0m0s 1: 2", "a 49h0m0s 1: 3", "a 73h0m0s 1: 4"}},
	{name: "many values within three eighths are no habit", rule: restless,
		events: []string{"1 in a 0h ip=1", "2 in a 25h ip=2", "3 in a 26h ip=3", "4 in a 49h ip=4", "5 in a 50h ip=5", "6 in a 73h ip=6"},
		want:   []string{"a 25h0m0s 1: 2", "a 26h0m0s 1: 3", "a 49h0m0s 1: 4", "a 50h0m0s 1: 5", "a 73h0m0s 1: 6"}},
	{name: "a value that stays makes no habit", rule: restless,
		events: []string{"1 in a 0h ip=1", "2 in a 25h ip=2", "3 in a 49h ip=3", "4 in a 73h ip=1", "5 in a 97h ip=4", "6 in a 121h ip=5"},
		want:   []string{"a 25h0m0s 1: 2", "a 49h0m0s 1: 3", "a 97h0m0s 1: 5", "a 121h0m0s 1: 6"}},
	{name: "one of five stays", rule: restless,
		events: []string{"1 in a 0h ip=1", "2 in a 25h ip=2", "3 in a 49h ip=3", "4 in a 50h ip=1", "5 in a 73h ip=4", "6 in a 97h ip=5", "7 in a 121h ip=6"},
		want:   []string{"a 25h0m0s 1: 2", "a 49h0m0s 1: 3", "a 73h0m0s 1: 5", "a 97h0m0s 1: 6"}},
	{name: "three of seven stay", rule: restless,
		events: []string{"1 in a 0h ip=1", "2 in a 1h ip=2", "3 in a 2h ip=3", "4 in a 24h30m ip=1", "5 in a 24h40m ip=2", "6 in a 24h50m ip=3",
			"7 in a 25h ip=4", "8 in a 49h ip=5", "9 in a 73h ip=6", "A in a 97h ip=7", "B in a 121h ip=8"},
		want: []string{"a 25h0m0s 1: 7", "a 49h0m0s 1: 8", "a 73h0m0s 1: 9", "a 97h0m0s 1: A", "a 121h0m0s 1: B"}},
	{name: "what was shown in the eighth of the event is not counted yet", rule: restless,
		events: []string{"1 in a 0h ip=1", "2 in a 49h ip=2", "3 in a 73h ip=3", "4 in a 97h ip=4", "5 in a 97h30m ip=5"},
		want:   []string{"a 49h0m0s 1: 2", "a 73h0m0s 1: 3", "a 97h0m0s 1: 4", "a 97h30m0s 1: 5"}},
	{name: "after nine eighths it counts no more", rule: restless,
		events: []string{"1 in a 0h ip=1", "2 in a 25h ip=2", "3 in a 49h ip=3", "4 in a 195h ip=4", "5 in a 219h ip=5"},
		want:   []string{"a 25h0m0s 1: 2", "a 49h0m0s 1: 3", "a 195h0m0s 1: 4", "a 219h0m0s 1: 5"}},
	{name: "a beginning is forgotten", rule: fresh, events: []string{"1 in a 0s ip=1", "2 in a 9625h ip=2", "3 in a 9649h ip=3"},
		want: []string{"a 9649h0m0s 1: 3"}},
}

var far = rule{kind: "travel", when: in, within: 12 * time.Hour, leastKm: 500, leastKmh: 900}

var travels = []example{
	{name: "Amsterdam and Tokyo in an hour", rule: far, events: []string{"1 in a 0s place=amsterdam", "2 in a 1h place=tokyo"}, want: []string{"a 1h0m0s 2: 1 2"}},
	{name: "Amsterdam and Tokyo in eleven hours", rule: far, events: []string{"1 in a 0s place=amsterdam", "2 in a 11h place=tokyo"}, want: nil},
	{name: "Amsterdam and Utrecht in a minute", rule: far, events: []string{"1 in a 0s place=amsterdam", "2 in a 1m place=utrecht"}, want: nil},
	{name: "at one time both ways are one alert", rule: far, events: []string{"1 in a 0s place=amsterdam", "2 in a 0s place=tokyo"}, want: []string{"a 0s 2: 1 2"}},
	{name: "the latest of each place counts", rule: far, events: []string{"1 in a 0s place=amsterdam", "2 in a 10m place=schiphol", "3 in a 20m place=berlin", "4 in a 1h place=tokyo"},
		want: []string{"a 20m0s 2: 2 3", "a 1h0m0s 2: 3 4", "a 1h0m0s 2: 2 4"}},
	{name: "there and back are one alert a day", rule: far, events: []string{"1 in a 0s place=amsterdam", "2 in a 1h place=tokyo", "3 in a 2h place=amsterdam"}, want: []string{"a 1h0m0s 3: 1 2 3"}},
	{name: "an address that is ignored", rule: far.with(func(r *rule) { r.ignore = []string{"203.0.113.9"} }), events: []string{"1 in a 0s place=amsterdam", "2 in a 1h place=tokyo ip=9"}, want: nil},
	{name: "both places are learned", rule: far, events: []string{"1 in a 0s place=amsterdam", "2 in a 24h place=amsterdam", "3 in a 5h place=tokyo", "4 in a 29h place=tokyo", "5 in a 96h place=amsterdam", "6 in a 97h place=tokyo"},
		want: []string{"a 5h0m0s 2: 1 3", "a 29h0m0s 2: 2 4"}},
	{name: "one place is learned", rule: far, events: []string{"1 in a 0s place=amsterdam", "2 in a 24h place=amsterdam", "5 in a 96h place=amsterdam", "6 in a 97h place=tokyo"}, want: []string{"a 97h0m0s 2: 5 6"}},
	{name: "one day is not enough, nor yesterday", rule: far, events: []string{"1 in a 0s place=amsterdam", "2 in a 1h place=amsterdam", "3 in a 5h place=tokyo ip=9", "4 in a 72h place=amsterdam", "5 in a 72h place=tokyo", "6 in a 96h place=amsterdam", "7 in a 97h place=tokyo"},
		want: []string{"a 5h0m0s 2: 2 3", "a 72h0m0s 2: 4 5", "a 97h0m0s 2: 6 7"}},
}

var usual = rule{kind: "baseline", when: is("event.action", "FileDownloaded"), span: time.Hour, ratio: 20, floor: 3, history: 3 * day, learn: 2 * time.Hour}

// peak compares with what two days have shown.
var peak = usual.with(func(r *rule) { r.peak, r.learn = true, 0 })

var baselines = []example{
	{name: "far more than usual", rule: usual, events: []string{"1 download a 0h", "2 download a 1h", "3 download a 2h", "4 download a 2h1m", "5 download a 2h2m", "6 download a 2h3m"}, want: []string{"a 2h2m0s 4: 3 4 5 6"}},
	{name: "too few buckets", rule: usual, events: []string{"1 download a 1h", "3 download a 2h", "4 download a 2h1m", "5 download a 2h2m"}, want: nil},
	{name: "empty buckets count", rule: usual, events: []string{"1 download a 0h", "2 download a 0h1m", "3 download a 2h", "4 download a 2h1m", "5 download a 2h2m"}, want: []string{"a 2h2m0s 3: 3 4 5"}},
	{name: "more than usual and too little", rule: usual, events: []string{"1 download a 0h", "3 download a 5h", "4 download a 5h1m"}, want: nil},
	{name: "no more than usual", rule: usual, events: []string{"1 download a 0h", "2 download a 1h", "2a download a 1h1m", "2b download a 1h2m", "3 download a 2h", "4 download a 2h1m", "5 download a 2h2m"}, want: nil},
	{name: "exactly so much", rule: usual, events: []string{"1 download a 0h", "2 download a 1h", "2a download a 1h1m", "3 download a 2h", "4 download a 2h1m", "5 download a 2h2m"}, want: []string{"a 2h2m0s 3: 3 4 5"}},
	{name: "what is excused counts and does not fire", rule: usual.with(func(r *rule) { r.unless = []exception{{"2026-02-01", is("app.id", "known")}} }),
		events: []string{"1 download a 0h", "3 download a 2h", "4 download a 2h1m app=known", "5 download a 2h2m app=known", "6 download a 2h3m"}, want: []string{"a 2h3m0s 4: 3 4 5 6"}},
	{name: "different values", rule: usual.with(func(r *rule) { r.distinct, r.floor = "file.name", 2 }), events: []string{"1 download a 0h file=x", "3 download a 2h file=x", "4 download a 2h1m file=x", "5 download a 2h2m file=y"},
		want: []string{"a 2h2m0s 3 distinct 2: 3 4 5"}},
	{name: "against the peak of two days", rule: peak, events: []string{"1 download a 0h", "2 download a 0h1m", "3 download a 24h", "4 download a 24h1m", "5 download a 24h2m",
		"6 download a 48h", "7 download a 48h1m", "8 download a 48h2m", "9 download a 48h3m"}, want: []string{"a 24h2m0s 3: 3 4 5", "a 48h3m0s 4: 6 7 8 9"}},
	{name: "neither a peak of one day nor this day is a habit", rule: peak,
		events: []string{"1 download a 0h", "2 download a 24h", "3 download a 24h1m", "4 download a 24h2m", "5 download a 26h", "6 download a 26h1m", "7 download a 26h2m"},
		want:   []string{"a 24h2m0s 3: 2 3 4", "a 26h2m0s 3: 5 6 7"}},
	{name: "of a day its largest bucket counts", rule: peak,
		events: []string{"1 download a 0h", "2 download a 0h1m", "3 download a 0h2m", "4 download a 2h", "5 download a 24h", "6 download a 24h1m", "7 download a 24h2m", "8 download a 26h",
			"9 download a 48h", "10 download a 48h1m", "11 download a 48h2m"},
		want: []string{"a 2m0s 3: 1 2 3", "a 24h2m0s 3: 5 6 7"}},
	{name: "in the first bucket there is no peak", rule: peak, events: []string{"1 download a 0h", "2 download a 0h1m", "3 download a 0h2m"}, want: []string{"a 2m0s 3: 1 2 3"}},
	{name: "after a long silence a key begins anew", rule: usual.with(func(r *rule) { r.history = day }),
		events: []string{"1 download a 0h", "2 download a 25h", "3 download a 25h1m", "4 download a 25h2m"}, want: nil},
	{name: "a silence of the history does not count as a pause", rule: usual.with(func(r *rule) { r.history = day }),
		events: []string{"1 download a 0h", "2 download a 24h", "3 download a 24h1m", "4 download a 24h2m"}, want: []string{"a 24h2m0s 3: 2 3 4"}},
}
