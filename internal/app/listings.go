package app

import (
	"strconv"
	"time"

	"noroshi/ingest/o365"
	"noroshi/internal/telemetry"
)

var listingNumbers = []number[o365.Snapshot]{
	{telemetry.ListingWindows, func(s *o365.Snapshot) *int64 { return &s.Windows }},
	{telemetry.ListingPages, func(s *o365.Snapshot) *int64 { return &s.Pages }},
	{telemetry.ListingBlobs, func(s *o365.Snapshot) *int64 { return &s.Blobs }},
	{telemetry.ListingLate, func(s *o365.Snapshot) *int64 { return &s.Late }},
	{telemetry.ListingLost, func(s *o365.Snapshot) *int64 { return &s.Lost }},
	{telemetry.ListingWaiting, func(s *o365.Snapshot) *int64 { return &s.Waiting }},
	{telemetry.ListingFailing, func(s *o365.Snapshot) *int64 { return &s.Failing }},
	{telemetry.ListingLeft, func(s *o365.Snapshot) *int64 { return &s.Left }},
	{telemetry.ListingShare, func(s *o365.Snapshot) *int64 { return &s.Share }},
	{telemetry.ListingRefused, func(s *o365.Snapshot) *int64 { return &s.Refused }},
	{telemetry.ListingAhead, func(s *o365.Snapshot) *int64 { return &s.Ahead }},
}

var availabilityNumbers = []number[o365.Availability]{
	{telemetry.ListingDelay, func(a *o365.Availability) *int64 { return &a.Sum }},
	{telemetry.ListingDelayed, func(a *o365.Availability) *int64 { return &a.Last }},
	{telemetry.ListingLongest, func(a *o365.Availability) *int64 { return &a.Longest }},
}

// listings say how the audit logs are read that come by listing, of the content types that this instance reads.
func (r *Run) listings() (all []o365.Snapshot) {
	for _, f := range r.Feeds {
		if s, ok := f.Stream.(*o365.Stream); ok {
			all = append(all, s.Counts()...)
		}
	}
	return all
}

func observeListing(o *telemetry.Observer, s *o365.Snapshot, now time.Time) {
	labels := []string{s.Source, strconv.Itoa(int(s.Partition))}
	hand(o, listingNumbers, s, labels...)
	hand(o, availabilityNumbers, &s.Availability, labels...)
	o.Observe(telemetry.ListingPause, seconds(s.Throttled.Sub(now)), labels...)
	if !s.Listed.IsZero() {
		o.Observe(telemetry.ListingBehind, seconds(now.Sub(s.Listed)), labels...)
	}
	left := time.Duration(0)
	if s.Backfill != nil {
		left = s.Backfill.To.Sub(s.Backfill.From)
	}
	o.Observe(telemetry.ListingPast, seconds(left), labels...)
}

func seconds(d time.Duration) int64 { return int64(max(0, d) / time.Second) }

// listed are listings with the numbers of a look, and what is no number as it is now.
func listed(l *telemetry.Look, now []o365.Snapshot) []o365.Snapshot {
	rows := map[string]*o365.Snapshot{}
	all := make([]o365.Snapshot, len(now))
	for i, s := range now {
		all[i] = o365.Snapshot{Source: s.Source, Partition: s.Partition, Content: s.Content, Listed: s.Listed, First: s.First, Throttled: s.Throttled, Backfill: s.Backfill}
		rows[partitionName(s.Source, s.Partition)] = &all[i]
	}
	row := func(labels []string) *o365.Snapshot { return rows[labels[0]+"/"+labels[1]] }
	take(l, listingNumbers, row)
	take(l, availabilityNumbers, func(labels []string) *o365.Availability {
		if s := row(labels); s != nil {
			return &s.Availability
		}
		return nil
	})
	return all
}
