package ingest

import (
	"bytes"
	"testing"
)

func TestWhatBeginsAsARecordIsNoEnvelope(t *testing.T) {
	rows := []struct {
		line string
		want bool
	}{
		{`{"CreationTime":"2026-01-02T03:04:05","Id":"1","Operation":"Send","value":[{"a":1}]}`, true},
		{`{"createdDateTime":"2026-01-02T03:04:05Z","operationName":"Send","records":[]}`, true},
		{`{"Id":"1","value":[{"Operation":"Send","CreationTime":"2026-01-02T03:04:05"}]}`, false},
		{`{"CreationTime":"2026-01-02T03:04:05","Operation":"Send"}`, false}, // it ends before it is known
		{`{"CreationTime":"\",\"Operation\":\"","value":[{"a":1}],"x":","}`, false},
		{`{"CreationTime\\":"1","Operation":"Send","value":[{"a":1}]}`, false},
		{`{"CreationTime":"1",`, false},
		{`{"CreationTime":"1`, false},
		{`{"`, false},
		{`{`, false},
	}
	for _, r := range rows {
		if got := beginsRecord([]byte(r.line)); got != r.want {
			t.Errorf("%s: got %v, want %v", r.line, got, r.want)
		}
		s := newSplitter()
		if s.scan.value([]byte(r.line), 0) == whole && r.want && s.scan.members.envelope() {
			t.Errorf("%s is an envelope", r.line)
		}
	}
}

func FuzzWhatBeginsAsARecordIsNoEnvelope(f *testing.F) {
	f.Add([]byte(`{"CreationTime":"1","Operation":"x","value":[{}]}`))
	f.Add([]byte(`{"Operation":"x","a":"\\","CreationTime":"1","records":[{"time":"1","category":"x"}]}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		if len(line) == 0 || line[0] != '{' || bytes.IndexByte(line, '\n') >= 0 || !beginsRecord(line) {
			return
		}
		s := newSplitter()
		if got := s.scan.value(line, 0); got == whole && s.scan.members.envelope() {
			t.Errorf("%s is an envelope", line)
		}
	})
}
