package kind

// Local reports whether all events of a key are of one account: the account is at the same place in the key of every clause.
func (r *Rule) Local() bool {
	for at := range r.By {
		if r.accountAt(at) {
			return true
		}
	}
	return false
}

func (r *Rule) accountAt(at int) bool {
	if r.By[at].Name != "account" {
		return false
	}
	for _, c := range r.Clauses {
		if c.By != nil && c.By[at].Name != "account" {
			return false
		}
	}
	return true
}
