package disk

import (
	"errors"
	"testing"
)

func TestWhatIsTold(t *testing.T) {
	const gib = 1 << 30
	for name, c := range map[string]struct {
		room          Room
		filling, full bool
	}{
		"half":                         {Room{50 * gib, 100 * gib}, false, false},
		"a large disk has room enough": {Room{20 * gib, 1000 * gib}, false, false},
		"filling":                      {Room{9 * gib, 100 * gib}, true, false},
		"a small disk, half full":      {Room{gib / 4, gib / 2}, false, false},
		"full":                         {Room{gib / 4, 100 * gib}, true, true},
		"nothing is free":              {Room{0, 100 * gib}, true, true},
		"unknown":                      {Room{}, false, false},
	} {
		if c.room.Filling() != c.filling || c.room.Full() != c.full {
			t.Errorf("%s: filling %t, full %t", name, c.room.Filling(), c.room.Full())
		}
	}
}

func TestARoomIsTold(t *testing.T) {
	r, err := Of(t.TempDir())
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("this system does not tell the room of a disk")
	}
	if err != nil || r.Total == 0 || r.Free > r.Total {
		t.Errorf("got %+v, %v", r, err)
	}
	if _, err := Of(t.TempDir() + "/gone"); err == nil {
		t.Error("a folder that is gone has room")
	}
}
