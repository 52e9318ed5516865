package report

import "time"

// grid counts by row and hour.
type grid struct {
	rows   []string
	at     map[string]int32
	cells  map[cell]int
	beyond int // what did not fit
}

type cell struct{ row, hour int32 }

func newGrid() *grid { return &grid{at: map[string]int32{}, cells: map[cell]int{}} }

// hourOf is a time as the number of the hour since 1970.
func hourOf(at time.Time) int32 {
	s := at.Unix()
	if s < 0 {
		s -= 3599
	}
	return int32(s / 3600)
}

func timeOf(hour int32) time.Time { return time.Unix(int64(hour)*3600, 0).UTC() }

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
			d = &Dataset{Dataset: name, First: timeOf(c.hour), Last: timeOf(c.hour)}
			all[name] = d
		}
		d.Events += n
		if at := timeOf(c.hour); at.Before(d.First) {
			d.First = at
		} else if at.After(d.Last) {
			d.Last = at
		}
	}
	return all
}
