package projector

// Elements gives the values of the array at b[p] of a record that has passed Record.
func Elements(b []byte, p int, each func(v Value)) {
	if b[p] != '[' {
		return
	}
	for p = blank(b, p+1); b[p] != ']'; {
		v, end := value(b, p)
		if end < 0 {
			return
		}
		each(v)
		if p = blank(b, end); b[p] == ',' {
			p = blank(b, p+1)
		}
	}
}

// Members gives the members of the object at b[p] of a record that has passed Record.
func Members(b []byte, p int, each func(name, v Value)) {
	if b[p] != '{' {
		return
	}
	for p = blank(b, p+1); b[p] == '"'; {
		name, end := value(b, p)
		if end < 0 {
			return
		}
		if end = colon(b, end); end < 0 {
			return
		}
		v, end := value(b, end)
		if end < 0 {
			return
		}
		each(name, v)
		if p = blank(b, end); b[p] == ',' {
			p = blank(b, p+1)
		}
	}
}

// value is the place of the value at b[p], and what follows it.
func value(b []byte, p int) (v Value, end int) {
	v = Value{From: uint32(p), Kind: kind(b[p])}
	if b[p] == '"' {
		v.From++
		end, v.Escaped = text(b, p+1)
		v.To = uint32(end - 1)
		return v, end
	}
	end = skip(b, p, MaxDepth)
	v.To = uint32(end)
	return v, end
}

// Bytes are the buffer that values are places in, masked where the record was.
func (x *Projector) Bytes() []byte { return x.b }

// Shown are the same bytes as they are.
func (x *Projector) Shown() []byte { return x.shown }
