package app

import "noroshi/ingest/o365"

// listings say how the audit logs are read that come by listing, of the content types that this instance reads.
func (r *Run) listings() (all []o365.Snapshot) {
	for _, f := range r.Feeds {
		if s, ok := f.Stream.(*o365.Stream); ok {
			all = append(all, s.Counts()...)
		}
	}
	return all
}
