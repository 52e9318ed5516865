package decode

import (
	"fmt"
	"strings"
	"testing"
)

// TestItemsAreCounted: whatever the list looks like; what is no list of items counts nothing.
func TestItemsAreCounted(t *testing.T) {
	for members, want := range map[string]string{
		`"OperationCount":7,"AffectedItems":[1]`:                                 "7",
		`"AffectedItems":[{"Id":"a"},{"Id":"b","Subject":"] , ["}, {"Id":"c"} ]`: "3",
		`"AffectedItems":[]`: "0",
		`"AffectedItems":"[{\"Id\":\"a\"},{\"Id\":\"b\"}]"`:                                 "2",
		`"AffectedItems":{"Id":"a"},"Folders":[{"FolderItems":[1,2]}]`:                      "2",
		`"AffectedItems":null,"Folders":[{"FolderItems":[1]}]`:                              "1",
		`"Folders":[{"Path":"\\Inbox","FolderItems":[{"a":[1,2]},{"a":"x"}]},{"Path":"y"}]`: "2",
		`"Folders":[{"folderitems":[1,2,3]},{"FolderItems":[4]}]`:                           "4",
		`"Folders":[{"Folder\u0049tems":[1,2]}]`:                                            "2",
		`"Folders":[{"FolderItems":[1,2],"FolderItems":[3]}]`:                               "1",
		`"Folders":[{"FolderItems":null},{"FolderItems":[1]}]`:                              "1",
		`"Folders":[{"FolderItems":{"a":1}}]`:                                               "",
		`"Folders":[1,2]`:                                                                   "",
		`"Folders":"[{\"FolderItems\":[1,2,3]}]"`:                                           "3",
		`"Folders":"none"`: "",
		`"Subject":"x"`:    "",
	} {
		rec := fmt.Sprintf(`{"CreationTime":"2026-01-02T03:04:05","Id":"7d1f8e53-24a1-4e0b-8f0c-000000000001","Operation":"MailItemsAccessed","OrganizationId":"aaaabbbb-0000-cccc-1111-dddd2222eeee","RecordType":50,"Workload":"Exchange","UserId":"taro@contoso.example",%s}`, members)
		if got := read(t, rec).field("mailbox.items"); got != want {
			t.Errorf("%s: %q; want %q", members, got, want)
		}
	}
}

// TestItemsAreNamed: what was deleted or moved is told by subject and message id, in whatever form the list lies in the record.
func TestItemsAreNamed(t *testing.T) {
	both := `[Invoice 4711 Überweisung] [a@mail.example b@mail.example]`
	for _, row := range []struct{ action, members, want string }{
		{"HardDelete", `"AffectedItems":[{"Subject":"Invoice 4711","InternetMessageId":"<a@mail.example>"},{"subject":"\u00dcberweisung","InternetMessageId":"\u003cb@mail.example\u003e"}]`, both},
		{"MoveToDeletedItems", `"AffectedItems":"[{\"Subject\":\"Invoice 4711\",\"InternetMessageId\":\"<a@mail.example>\"},{\"Subject\":\"Überweisung\",\"InternetMessageId\":\"<b@mail.example>\"}]"`, both},
		{"SoftDelete", `"AffectedItems":[{"Subject":null},1,"x",{"Id":"a"},{"InternetMessageId":"<a@mail.example>"},{"Sub\u006aect":"x"}]`, `[x] [a@mail.example]`},
		{"Move", `"AffectedItems":{"Subject":"x"}`, `[] []`},
		{"Copy", `"AffectedItems":"[{"`, `[] []`},
		{"RecordDelete", `"Folder":{"Path":"x"}`, `[] []`},
		{"Send", `"AffectedItems":[{"Subject":"x","InternetMessageId":"<a@mail.example>"}]`, `[] []`},
	} {
		r := read(t, fmt.Sprintf(`{"CreationTime":"2026-01-02T03:04:05","Id":"1","Operation":%q,"RecordType":3,"Workload":"Exchange","UserId":"taro@contoso.example",%s}`, row.action, row.members))
		if got := fmt.Sprint(r.fieldList("mailbox.subjects"), " ", r.fieldList("mailbox.message_ids")); strings.ReplaceAll(got, "]  [", "] [") != row.want {
			t.Errorf("%s %s: %s; want %s", row.action, row.members, got, row.want)
		}
	}
}
