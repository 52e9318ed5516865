package report

import "noroshi/internal/paper"

// grid counts by row and hour.
type grid struct {
	rows   []string
	at     map[string]int32
	cells  map[cell]int
	beyond int // what did not fit
}

type cell struct{ row, hour int32 }

func newGrid() *grid { return &grid{at: map[string]int32{}, cells: map[cell]int{}} }

// add counts, and reports whether there was room.
func (g *grid) add(row string, hour int32, n int) bool {
	i, ok := g.at[row]
	if !ok {
		if len(g.rows) >= maxCells {
			g.beyond += n
			return false
		}
		i = int32(len(g.rows))
		g.at[row] = i
		g.rows = append(g.rows, row)
	}
	c := cell{i, hour}
	if _, ok := g.cells[c]; !ok && len(g.cells) >= maxCells {
		g.beyond += n
		return false
	}
	g.cells[c] += n
	return true
}

// sum is the grid as one row.
func (g *grid) sum() *grid {
	all := newGrid()
	for c, n := range g.cells {
		all.add("events", c.hour, n)
	}
	return all
}

// spans are the first and the last hour of each row, and what it holds.
func (g *grid) spans() map[string]*Dataset {
	all := map[string]*Dataset{}
	for c, n := range g.cells {
		name := g.rows[c.row]
		d := all[name]
		if d == nil {
			d = &Dataset{Dataset: name, First: paper.TimeOf(c.hour), Last: paper.TimeOf(c.hour)}
			all[name] = d
		}
		d.Events += n
		if at := paper.TimeOf(c.hour); at.Before(d.First) {
			d.First = at
		} else if at.After(d.Last) {
			d.Last = at
		}
	}
	return all
}
