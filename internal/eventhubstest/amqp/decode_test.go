package amqp

import (
	"bytes"
	"reflect"
	"testing"
	"time"
)

// sample are values of every kind.
var sample = []Value{
	nil, Bool(true), Bool(false), Ubyte(7), Ushort(7), Uint(0), Uint(7), Uint(1 << 20), Ulong(0), Ulong(7), Ulong(1 << 40), Byte(-7), Short(-7), Int(-7), Int(-1 << 20), Long(-7), Long(-1 << 40),
	Float(1.5), Double(-1.5), Time(time.UnixMilli(1_767_322_000_000)), UUID{1, 2, 3}, Binary("bytes"), Binary(bytes.Repeat([]byte("b"), 300)), String("狼煙"), Symbol("amqp:accepted:list"),
	List{}, List{Uint(1), nil, List{String("a")}}, Map{{Key: Symbol("x-opt-offset"), Value: String("12")}, {Key: String("n"), Value: Long(1)}},
	Described{Code: 0x70, Value: List{Bool(true)}}, Described{Name: "apache.org:selector-filter:string", Value: String("amqp.annotation.x-opt-offset > '-1'")},
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	for _, want := range sample {
		b := append(Append(nil, want), "behind"...)
		got, rest, err := Decode(b)
		if err != nil || string(rest) != "behind" || !reflect.DeepEqual(got, want) {
			t.Errorf("%T %v is read as %T %v, with %q behind it, %v", want, want, got, got, rest, err)
		}
		for n := range len(b) - len("behind") {
			if _, _, err := Decode(b[:n]); err == nil {
				t.Errorf("%T %v: the first %d bytes are read as a whole", want, want, n)
			}
		}
	}
}

// A few hostile bytes make neither deep calls nor much memory.
func TestHostileCountsReserveNothing(t *testing.T) {
	deep := bytes.Repeat([]byte{0xc0, 0xff, 0x01}, 1000)
	for name, b := range map[string][]byte{
		"a list of 4 thousand million":               {0xd0, 0, 0, 0, 8, 0xff, 0xff, 0xff, 0xff, 0x40, 0x40, 0x40, 0x40},
		"a map of 4 thousand million":                {0xd1, 0, 0, 0, 8, 0xff, 0xff, 0xff, 0xfe, 0x40, 0x40, 0x40, 0x40},
		"an array of 4 thousand million nulls":       {0xf0, 0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff, 0x40},
		"an array of 4 thousand million empty lists": {0xf0, 0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff, 0x45},
		"lists in lists":                             deep,
		"descriptors of descriptors":                 bytes.Repeat([]byte{0}, 1000),
	} {
		made := testing.AllocsPerRun(1, func() {
			if _, _, err := Decode(b); err == nil {
				t.Errorf("%s is read", name)
			}
		})
		if made > 200 {
			t.Errorf("%s makes %v allocations", name, made)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, v := range sample {
		f.Add(Append(nil, v))
	}
	f.Add(AppendFrame(nil, 0, Frame{Code: 0x12, Fields: List{String("name"), Uint(1)}, Payload: []byte("payload")}))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, rest, err := Decode(b)
		if err == nil {
			again, left, err := Decode(Append(nil, v))
			if err != nil || len(left) > 0 || !same(again, v) {
				t.Errorf("%v is written and read as %v, %v", v, again, err)
			}
			if len(rest) > len(b) {
				t.Errorf("%d bytes are left of %d", len(rest), len(b))
			}
		}
		_, _ = DecodeMessage(b) // these must only return
		_, _ = ReadFrame(bytes.NewReader(b), 1<<16)
	})
}

// same compares values as they are written, so that a float that is no number is itself.
func same(a, b Value) bool { return bytes.Equal(Append(nil, a), Append(nil, b)) }
