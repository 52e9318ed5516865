package ingest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"noroshi/internal/decode"
)

// all reads an input to its end: records, then what is none as line and reason.
func all(t testing.TB, from io.Reader) (records, bad []string, err error) {
	t.Helper()
	in, err := Open("test", from)
	if err != nil {
		return nil, nil, err
	}
	var b Block
	for seq := 0; ; seq++ {
		more, err := in.Next(&b)
		if err != nil || !more {
			return records, bad, err
		}
		if b.Seq != seq {
			t.Fatalf("block %d has the number %d", seq, b.Seq)
		}
		for i, s := range b.Records {
			if b.Data[s.To] != 0 || len(b.Data) < int(s.To)+decode.Slack {
				t.Fatalf("record %d of block %d has no slack", i, seq)
			}
			records = append(records, fmt.Sprintf("%d:%s", s.Line, b.Bytes(i)))
		}
		for _, one := range b.Bad {
			bad = append(bad, fmt.Sprintf("%d:%s", one.Line, one.Reason))
		}
	}
}

func gz(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, s) // a buffer takes all
	_ = w.Close()
	return b.String()
}

func zst(t testing.TB, s string) string {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(w.EncodeAll([]byte(s), nil))
}

func utf16(s string) string {
	b := []byte{0xff, 0xfe}
	for _, r := range s {
		b = append(b, byte(r), byte(r>>8))
	}
	return string(b)
}

// TestFormatsByContent: each form, plain and compressed twice over, gives the same records.
func TestFormatsByContent(t *testing.T) {
	rows := []struct {
		name, text string
		want, bad  []string
	}{
		{"lines", "{\"a\":1}\n{\"b\":2}\n", []string{`1:{"a":1}`, `2:{"b":2}`}, nil},
		{"lines without the last end, with carriage returns and empty ones", "{\"a\":1}\r\n\r\n  \n{\"b\":2}", []string{`1:{"a":1}`, `4:{"b":2}`}, nil},
		{"byte order marks", "\ufeff{\"a\":1}\n\ufeff{\"b\":2}\n", []string{`1:{"a":1}`, `2:{"b":2}`}, nil},
		{"lines that are not objects", "{\"a\":1}\nnonsense\nnull\n", []string{`1:{"a":1}`}, []string{"2:json", "3:json"}},
		{"an array", "[{\"a\":1}, {\"b\":\"]}\"}]", []string{`1:{"a":1}`, `1:{"b":"]}"}`}, nil},
		{"an array over lines, records unchanged", "[\n  {\n    \"a\": 1\n  },\n  {\"b\": 2}\n]\n", []string{"2:{\n    \"a\": 1\n  }", `5:{"b": 2}`}, nil},
		{"scalars in an array", "[{\"a\":1},\nnull, 7,\n\"x\"]", []string{`1:{"a":1}`}, []string{"2:json", "2:json", "3:json"}},
		{"an array that breaks off", "[{\"a\":1},\n{\"b\":", []string{`1:{"a":1}`}, []string{"2:json"}},
		{"an Event Hubs envelope", `{"records":[{"a":1},{"b":2}]}`, []string{`1:{"a":1}`, `1:{"b":2}`}, nil},
		{"an envelope a line", "{\"records\":[{\"a\":1}]}\n{\"records\":[{\"b\":2},{\"c\":3}]}\n", []string{`1:{"a":1}`, `2:{"b":2}`, `2:{"c":3}`}, nil},
		{"a page of Graph", `{"@odata.context":"x","@odata.nextLink":"y","value":[{"a":1}]}`, []string{`1:{"a":1}`}, nil},
		{"members after the records", `{"value":[{"a":1}],"@odata.nextLink":"y","n":[1,{"x":2}]}`, []string{`1:{"a":1}`}, nil},
		{"a record with a list named value", `{"a":1,"value":[1]}`, []string{`1:{"a":1,"value":[1]}`}, nil},
		{"one record over lines", "{\n  \"a\": 1\n}\n", []string{"1:{\n  \"a\": 1\n}"}, nil},
		{"a Purview export", "RecordType,CreationDate,AuditData,UserIds\r\n1,x,\"{\"\"a\"\":\"\"1,2\"\"}\",u\r\n1,x,\"{\"\"b\"\":\n2}\",u\r\n", []string{`2:{"a":"1,2"}`, "3:{\"b\":\n2}"}, nil},
		{"rows of Log Analytics", "\ufeffTenantId,\"TimeGenerated [UTC]\",Operation,UserId,UserId_,Status_dynamic,Status_string,Parameters,Note\r\nt,\"1/2/2026, 3:04:05.678 PM\",Set-Mailbox,\"a\"\"b\",\"a\"\"b\",\"{\"\"errorCode\"\":0}\",,\"[{\"\"Name\"\":\n1}]\",[x\r\n,noon,New-InboxRule,,,\r\n",
			[]string{"2:{\"TenantId\":\"t\",\"TimeGenerated\":\"2026-01-02T15:04:05.678Z\",\"Operation\":\"Set-Mailbox\",\"UserId\":\"a\\\"b\",\"Status\":\"{\\\"errorCode\\\":0}\",\"Parameters\":\"[{\\\"Name\\\":\\n1}]\",\"Note\":\"[x\"}", `4:{"TimeGenerated":"noon","Operation":"New-InboxRule"}`}, nil},
		{"columns that share a name", "Operation,Status_dynamic,Status_string\na,,s\nb,d,\n", []string{`2:{"Operation":"a","Status":"s"}`, `3:{"Operation":"b","Status":"d"}`}, nil},
		{"a time of another place", "Operation,\"TimeGenerated [UTC]\"\nSend,\"03/04/2026, 15:04:05.000\"\n", []string{`2:{"Operation":"Send","TimeGenerated":"? 03/04/2026, 15:04:05.000"}`}, nil},
		{"text that looks like JSON", "Operation,Subject\nSend,[2024]\n", []string{`2:{"Operation":"Send","Subject":"[2024]"}`}, nil},
		{"rows under the line of older PowerShell", "#TYPE Selected.System.Management.Automation.PSCustomObject\r\n\"MessageTraceId\",\"Status\"\r\n\"1\",\"Failed\"\r\n", []string{`3:{"MessageTraceId":"1","Status":"Failed"}`}, nil},
		{"lines whose first is none, and no header", "hello, world\n{\"Operation\":2}\n", []string{`2:{"Operation":2}`}, []string{"1:json"}},
		{"a row without the cell", "UserIds,AuditData\nu,\"{\"\"a\"\":1}\"\nu\n", []string{`2:{"a":1}`}, []string{"3:json"}},
		{"nothing", "", nil, nil},
		{"blanks", " \n\n", nil, nil},
	}
	for _, r := range rows {
		for form, text := range map[string]string{"plain": r.text, "gzip": gz(r.text), "zstd": zst(t, r.text)} {
			t.Run(r.name+", "+form, func(t *testing.T) {
				for _, from := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text))} {
					got, bad, err := all(t, from)
					if err != nil {
						t.Fatal(err)
					}
					if d := cmp.Diff(r.want, got); d != "" {
						t.Error(d)
					}
					if d := cmp.Diff(r.bad, bad); d != "" {
						t.Error(d)
					}
				}
			})
		}
	}
}

func TestUTF16OfPowerShell(t *testing.T) {
	got, _, err := all(t, strings.NewReader(utf16("{\"a\":\"é\"}\r\n{\"b\":2}\r\n")))
	if d := cmp.Diff([]string{`1:{"a":"é"}`, `2:{"b":2}`}, got); d != "" || err != nil {
		t.Error(d, err)
	}
}

func TestCompressedTwiceIsRefused(t *testing.T) {
	if _, _, err := all(t, strings.NewReader(gz(gz("{}")))); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("got %v", err)
	}
}

// TestADamagedFileGivesWhatLiesBefore: records up to the damage, then the error with its place.
func TestADamagedFileGivesWhatLiesBefore(t *testing.T) {
	var text strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&text, "{\"n\":%d,\"x\":\"%x\"}\n", i, i*7919)
	}
	z := gz(text.String())
	got, _, err := all(t, strings.NewReader(z[:len(z)/2]))
	if err == nil || !strings.Contains(err.Error(), "cut off after byte") || len(got) < 5000 {
		t.Errorf("%d records, %v", len(got), err)
	}
	for i, rec := range got {
		if !strings.HasPrefix(rec, fmt.Sprintf("%d:{\"n\":%d,", i+1, i)) {
			t.Fatalf("record %d is %s", i, rec)
		}
	}
}

// TestARecordThatIsTooLongIsNamedAndTheNextOneRead, in every form.
func TestARecordThatIsTooLongIsNamedAndTheNextOneRead(t *testing.T) {
	long := `{"a":"` + strings.Repeat("x", MaxRecord) + `"}`
	for name, text := range map[string]string{
		"lines": "{\"b\":1}\n" + long + "\n{\"c\":1}\n", "array": "[{\"b\":1},\n" + long + ",\n{\"c\":1}]", "envelope": "{\"records\":[{\"b\":1},\n" + long + ",\n{\"c\":1}]}",
		"export": "AuditData\n\"{\"\"b\"\":1}\"\n\"" + strings.ReplaceAll(long, `"`, `""`) + "\"\n\"{\"\"c\"\":1}\"\n",
		"rows":   "Operation,x\nb,\na," + strings.Repeat("x", MaxRecord) + "\n,c\n",
	} {
		t.Run(name, func(t *testing.T) {
			got, bad, err := all(t, strings.NewReader(text))
			if err != nil || len(got) != 2 || len(bad) != 1 || !strings.HasSuffix(bad[0], ":size") || !strings.Contains(got[1], `"c"`) {
				t.Errorf("%d records %.60q, bad %v, %v", len(got), got, bad, err)
			}
		})
	}
}

// TestABombTakesNoMemory: a gigabyte in a megabyte is read in bounded memory.
func TestABombTakesNoMemory(t *testing.T) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	line := []byte(`{"a":"` + strings.Repeat("x", 1<<20) + "\"}\n")
	for range 256 {
		_, _ = w.Write(line) // a buffer takes all
	}
	for range 256 {
		_, _ = w.Write(line[:1<<20]) // and a line without an end
	}
	_ = w.Close()
	in, err := Open("bomb", &b)
	if err != nil {
		t.Fatal(err)
	}
	var block Block
	most, n := uint64(0), 0
	for {
		more, err := in.Next(&block)
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			break
		}
		n += len(block.Records)
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapInuse)
	}
	if n != 256 || most > 128<<20 {
		t.Errorf("%d records, %d MiB", n, most>>20)
	}
}

// TestLinesAreNeverCutAtABlock: lines of all lengths around the size of a block.
func TestLinesAreNeverCutAtABlock(t *testing.T) {
	var text strings.Builder
	var want []string
	for i := range 400 {
		rec := fmt.Sprintf(`{"n":%d,"x":"%s"}`, i, strings.Repeat("z", (i*i*37)%9000))
		if i%97 == 0 {
			rec = fmt.Sprintf(`{"n":%d,"x":"%s"}`, i, strings.Repeat("z", blockSize+i))
		}
		want = append(want, fmt.Sprintf("%d:%s", i+1, rec))
		text.WriteString(rec + "\n")
	}
	got, bad, err := all(t, strings.NewReader(text.String()))
	if err != nil || len(bad) > 0 || cmp.Diff(want, got) != "" {
		t.Errorf("%d of %d, bad %v, %v", len(got), len(want), bad, err)
	}
}

// FuzzSplit: no bytes make the splitter panic or loop, and of an input that is one JSON array it loses no object.
func FuzzSplit(f *testing.F) {
	for _, s := range []string{"{\"a\":1}\n{\"b\":2}", `[{"a":1},null]`, `{"records":[{"a":[1]}]}`, "AuditData,x\n\"{\"\"a\"\":1}\",2\n", "Operation,x_dynamic,x_string,y [UTC]\na,{},b,\"1/2/2026, 3:04:05 PM\"\n", "sep=;\rOperation;x\ra;\"1\rb;\"2\"\r", "#TYPE a\nx\tOperation\n\"\"\"\ta\n", `{"value":[`, "[{}", gz("{}\n"), `{"@odata.x":[{}],"value":[{}]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if records, bad := Split(text); len(records) > MaxRecords || len(bad) > maxBad+1 {
			t.Errorf("a message gives %d records and %d pieces", len(records), len(bad))
		}
		got, _, err := all(t, bytes.NewReader(text))
		if err != nil {
			return
		}
		var list []json.RawMessage
		if json.Unmarshal(text, &list) != nil || list == nil {
			return
		}
		n := 0
		for _, raw := range list {
			if len(raw) > 0 && raw[0] == '{' {
				n++
			}
		}
		if lower := bytes.ToLower(text); len(got) != n && !bytes.Contains(lower, []byte("records")) && !bytes.Contains(lower, []byte("value")) {
			t.Fatalf("%q holds %d objects, %d were found: %q", text, n, len(got), got)
		}
	})
}

// BenchmarkLines splits lines of 1 KiB.
func BenchmarkLines(b *testing.B) {
	text := strings.Repeat(`{"a":"`+strings.Repeat("x", 1000)+"\"}\n", 10_000)
	var block Block
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		in, err := Open("bench", strings.NewReader(text))
		if err != nil {
			b.Fatal(err)
		}
		for {
			more, err := in.Next(&block)
			if err != nil {
				b.Fatal(err)
			}
			if !more {
				break
			}
		}
	}
}
