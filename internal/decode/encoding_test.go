package decode

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestTextThatIsNotUTF8IsRead: each byte that is no UTF-8, one after the other in every text of a record, is as if U+FFFD stood
// there: alone, in a block behind other records, inside a row and in what a collector wraps. The first such byte is told.
func TestTextThatIsNotUTF8IsRead(t *testing.T) {
	records := append([]string{}, inner...)
	for _, file := range fixtures(t) {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, string(bytes.TrimSpace(b)))
	}
	tried, r, clean := 0, reader(), reader()
	for _, rec := range records {
		for at := 1; at < len(rec); at++ {
			if !letter(rec[at-1]) || !letter(rec[at]) || at%13 > 0 {
				continue // some places inside words, names of members among them
			}
			for _, bad := range []string{"\xfc", "\xff\xfe", "\xe3\x81", "\xed\xa0\x80"} {
				broken, mended := rec[:at]+bad+rec[at:], rec[:at]+strings.Repeat("\ufffd", len(bad))+rec[at:]
				if err := clean.ReadAlone([]byte(mended), time.Unix(1, 0)); err != nil {
					continue // in a literal
				}
				want := said(clean)
				block := append([]byte("{\"a\":1}\x00"+broken), slack[:]...)
				if err := r.Read(block, 8, 8+len(broken), time.Unix(1, 0)); err != nil {
					t.Fatalf("%q: %v", broken, err)
				}
				tried++
				sameBut(t, broken, want, said(r))
				if got, is := r.NotUTF8(); !is || got != at {
					t.Fatalf("%q: byte %d is the first, %v, not %d", broken, got, is, at)
				}
				if r.depth == 0 && string(r.Bytes()) != broken {
					t.Fatalf("%q became %q", broken, r.Bytes())
				}
			}
		}
	}
	t.Logf("%d records", tried)
	if err := r.ReadAlone([]byte(records[0]), time.Time{}); err != nil {
		t.Fatal(err)
	}
	if at, is := r.NotUTF8(); is || at != 0 {
		t.Error("the record before is still told")
	}
	for _, rec := range []string{"{\"a\":1}\xfc", "{\xfc\"a\":1}", "{\"a\":\xfc}", "\xfc"} {
		if r.ReadAlone([]byte(rec), time.Unix(1, 0)) == nil {
			t.Errorf("%q is read", rec)
		}
	}
}

// sameBut compares but for a hash of the bytes.
func sameBut(t *testing.T, rec, want, got string) {
	t.Helper()
	if strings.Contains(want, "event.id: sha256:") {
		want, got = withoutID(want), withoutID(got)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("%q: %s", rec, d)
	}
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// TestTheHashIsOfTheBytesAsTheyAre: whether the record comes alone or inside another, and whatever is shown for the byte.
func TestTheHashIsOfTheBytesAsTheyAre(t *testing.T) {
	rec := "{\"CreationTime\":\"2026-01-02T03:04:05\",\"OrganizationId\":\"t-1\",\"Operation\":\"x\",\"RecordType\":1,\"UserId\":\"j\xfcrgen@contoso.example\"}"
	alone := read(t, rec)
	if alone.Identity().ID != hashID([]byte(rec)) || alone.Identity().Account != "j\ufffdrgen@contoso.example" {
		t.Fatalf("%+v", alone.Identity())
	}
	quote := func(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }
	for _, text := range []string{around(rec), around(quote(rec)), `{"message":` + quote(rec) + `}`, `{"event":{"original":` + rec + `}}`} {
		if d := cmp.Diff(alone.Identity(), read(t, text).Identity()); d != "" {
			t.Errorf("%q: %s", text, d)
		}
	}
}
