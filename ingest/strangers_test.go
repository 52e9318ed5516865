package ingest

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTablesThatCannotBeReadAreToldOnce: what they are, and what was expected.
func TestTablesThatCannotBeReadAreToldOnce(t *testing.T) {
	const noColumn = "a table, but none of its columns is AuditData, Operation, "
	for text, want := range map[string]string{
		"Datum,Benutzer,Aktivität\n2026-02-03,taro,New-InboxRule\n":                                                  noColumn,
		"Date (UTC),Request ID,User,Status\n2026-02-03T01:02:03Z,1,\"Abe, Taro\",Failure\n":                          noColumn,
		"\ufeffdate_time_utc;message_id;sender_address\n2026;<a@b>;taro@contoso.example\n":                           noColumn,
		"CreationDate,UserIds,Operations,RecordType\r\n2026-02-03T01:02:03Z,taro,New-InboxRule,ExchangeAdmin\r\n":    noColumn,
		"1111,2026-02-03T01:02:03Z,1,\"{\"\"a\"\":1}\"\n1112,2026-02-03T01:02:04Z,1,\"{\"\"a\"\":1,\"\"b\"\":2}\"\n": noColumn,
		"RunspaceId : b9d1\nRecordType : ExchangeAdmin\nCreationDate : x\nAuditData : {\"a\":1}\n":                   "text as PowerShell's Format-List writes it",
		"\xff\xfe\x00\x00{\x00\x00\x00\"\x00\x00\x00":                                                                "text in UTF-32",
		"{\x00\x00\x00\"\x00\x00\x00a\x00\x00\x00":                                                                   "text in UTF-32",
	} {
		_, err := Open("x", strings.NewReader(text))
		var foreign *Foreign
		if !errors.As(err, &foreign) || !strings.HasPrefix(foreign.What, want) {
			t.Errorf("%q is %v", text, err)
		}
	}
	for _, text := range []string{"one, two, three\n{\"a\":1}\n", "x\ny\n", "a,b\nc,d\n", "{\"a\":1},2,3\n{\"a\":1},2,3\n"} {
		if _, err := Open("x", strings.NewReader(text)); err != nil {
			t.Errorf("%q is %v", text, err)
		}
	}
}

// TestACellThatIsCutOffLeavesTheRow: a cell AuditData that is not whole is not the record, for the decoder to tell; the row is.
func TestACellThatIsCutOffLeavesTheRow(t *testing.T) {
	got, bad := pieces(t, strings.NewReader("CreationDate,Operations,AuditData\nx,Set-Mailbox,\"{\"\"a\"\":{\"\"b\"\":1}\"\ny,z,\n,,\" {\"\"a\"\":\"\"}\\\\\"\"}\"\"} \"\n,q,[]\n"))
	want := []string{`2:{"CreationDate":"x","Operations":"Set-Mailbox","AuditData":"{\"a\":{\"b\":1}"}`, `3:{"CreationDate":"y","Operations":"z","AuditData":""}`,
		`4:{"a":"}\\"}"}`, `5:{"Operations":"q","AuditData":"[]"}`}
	if d := cmp.Diff(want, got); d != "" || len(bad) > 0 {
		t.Error(d, bad)
	}
}

// TestTimesOfAZoneThatNobodyTellsCannotBeRead: and say where they come from.
func TestTimesOfAZoneThatNobodyTellsCannotBeRead(t *testing.T) {
	got, _ := pieces(t, strings.NewReader("TimeGenerated [Local Time],Operation\n\"2/3/2026, 10:02:03.000 AM\",x\n"))
	if want := []string{`2:{"TimeGenerated":"? 2/3/2026, 10:02:03.000 AM [Local Time]","Operation":"x"}`}; cmp.Diff(want, got) != "" {
		t.Error(got)
	}
}

// TestARecordThatACollectorHasPutIntoAColumnIsReadFromIt: the row is the record around it.
func TestARecordThatACollectorHasPutIntoAColumnIsReadFromIt(t *testing.T) {
	for _, column := range []string{"_raw", "message", "event.original"} {
		got, _ := pieces(t, strings.NewReader("\"_time\",\""+column+"\"\n\"x\",\"{\"\"Id\"\":1}\"\n"))
		if want := []string{`2:{"_time":"x","` + column + `":"{\"Id\":1}"}`}; cmp.Diff(want, got) != "" {
			t.Error(got)
		}
	}
}

// TestATextOverLinesInAListTakesNoElementWithIt: it is one piece, and the elements behind it are read, wherever a window ends.
func TestATextOverLinesInAListTakesNoElementWithIt(t *testing.T) {
	for text, want := range map[string]int{
		"[{\"a\":1},\"s\n\",{\"c\":1},{\"d\":1}]":               3,
		"[{\"a\":1},\"s\n\n x\\\" \" ,\n{\"c\":1},{\"d\":1}]\n": 3,
		"[{\"a\":1},\"s\n\"]\n{\"c\":1}\n{\"d\":1}\n":           3,
		"[{\"a\":1},\"s\n{\"c\":1},\n{\"d\":1}]\n":              3,
	} {
		records, bad := Split([]byte(text))
		if len(records) != want || len(bad) == 0 {
			t.Errorf("%q: %q, %v", text, records, bad)
		}
	}
}
