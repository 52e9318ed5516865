package detector

import (
	"cmp"
	"container/heap"

	"noroshi/internal/state"
	"noroshi/rules/kind"
)

// table is what one rule keeps of one tenant.
type table struct {
	*state.Table[kind.Memory]
	rule   int32
	tenant string
	group  *group // whose clock it has
	next   int64  // where it stands in the queue
	at     int    // its place there
	noted  bool   // it has something for Changes
}

// due orders tables by when they have something to do.
type due []*table

func (d due) Len() int { return len(d) }
func (d due) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(d[i].next, d[j].next), cmp.Compare(d[i].rule, d[j].rule), cmp.Compare(d[i].tenant, d[j].tenant)) < 0
}
func (d due) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].at, d[j].at = i, j
}

// Push implements heap.Interface.
func (d *due) Push(x any) {
	t := x.(*table)
	t.at = len(*d)
	*d = append(*d, t)
}

// Pop implements heap.Interface.
func (d *due) Pop() any {
	last := (*d)[len(*d)-1]
	*d = (*d)[:len(*d)-1]
	return last
}

// plan puts a table where it belongs in the queue.
func (d *due) plan(t *table) {
	if next := t.Next(); next != t.next {
		t.next = next
		heap.Fix(d, t.at)
	}
}
