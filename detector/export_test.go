package detector

// MatchOf is Match for some of the rules alone.
func (w *Worker) MatchOf(own func(rule string) bool, p Packing) []byte {
	was := w.Packing
	defer func() { w.Packing = was }()
	w.Packing = p
	w.find()
	some := w.found[:0]
	for _, f := range w.found {
		if own(w.set.rules[f.rule].ID) {
			some = append(some, f)
		}
	}
	if w.found = some; len(some) == 0 {
		return nil
	}
	return w.pack(nil)
}
