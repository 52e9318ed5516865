package event

import (
	"math/bits"
	"slices"
	"strings"

	"noroshi/internal/diag"
)

// Placeholders are words that records write, in lower case here, where a name is absent.
var Placeholders = [...]string{"not available", "notavailable", "not applicable", "unknown", "null", "none", "n/a", "undefined"}

func nameDoubts(c Comparison, constant string) Doubt {
	made := strings.TrimSpace(constant)
	if c == Equals && slices.Contains(Placeholders[:], Lower(made)) {
		return Doubt{Why: "absent where a record has such a placeholder", Certain: true}
	}
	switch c {
	case StartsWith:
		made = strings.TrimLeft(constant, " ")
	case EndsWith:
		made = strings.TrimRight(constant, " ")
	case Contains:
		made = constant
	}
	switch low := Lower(made); {
	case low != made:
		return Doubt{Why: "lower case", Meant: low, Certain: true}
	case made != constant:
		return Doubt{Why: "text without blanks around it", Meant: made, Certain: true}
	}
	return Doubt{}
}

// typeCodes are the numbers of record types that authors of rules tend to write by name.
var typeCodes = map[string]string{
	"ExchangeAdmin": "1", "ExchangeItem": "2", "ExchangeItemGroup": "3", "SharePoint": "4", "SharePointFileOperation": "6", "AzureActiveDirectory": "8",
	"AzureActiveDirectoryAccountLogon": "9", "AzureActiveDirectoryStsLogon": "15", "ExchangeItemAggregated": "50",
}

// misspelt tells of an operation that the schema knows in other letters, and of a role without capital ones.
func (f *Field) misspelt(c Comparison, constant string) Doubt {
	if f.Name == "role.name" && c == Equals && constant == Lower(constant) && constant != strings.ToUpper(constant) {
		return Doubt{Why: "compared exactly, and names of roles begin with capital letters", Meant: `iequals(…, "` + constant + `")`}
	}
	if f.Form != Operation || c != Equals {
		return Doubt{}
	}
	meant, known := actionsFolded[Lower(strings.Join(strings.Fields(constant), " "))]
	switch {
	case known && meant != constant:
		return Doubt{Why: "compared exactly, and written " + meant, Meant: meant, Certain: true}
	case known:
		return Doubt{}
	}
	if meant = actionMeant(constant); meant != "" {
		return Doubt{Why: "compared exactly, and no such operation is known", Meant: meant}
	}
	return Doubt{}
}

// actionMeant is the known operation that an unknown one most likely means, "" where nobody can tell: a letter may be wrong, and a
// second one of a long name. Names that differ in their verb alone, such as Get-Mailbox, are operations of their own.
func actionMeant(name string) string {
	limit := 1
	if len(name) >= 12 {
		limit = 2
	}
	if len(name) < 5 {
		return ""
	}
	best, least := "", limit+1
	verb, noun, _ := strings.Cut(name, "-")
	runes, letters := []rune(name), lettersOf(name)
	for i, a := range Actions {
		if bits.OnesCount64(letters^actionLetters[i]) > 2*(least-1) { // a letter in the place of another one changes two bits
			continue
		}
		if v, n, ok := strings.Cut(a, "-"); ok && n == noun && v != verb && slices.Contains(verbs, verb) {
			continue
		}
		if d := diag.Distance(runes, []rune(a), least); d < least {
			best, least = a, d
		}
	}
	return best
}

// actionLetters are the letters of Actions, by which most of them are seen to be far from another name.
var actionLetters = func() (all []uint64) {
	for _, a := range Actions {
		all = append(all, lettersOf(a))
	}
	return all
}()

// lettersOf has a bit for each character of a name; some characters share one.
func lettersOf(name string) (set uint64) {
	for _, r := range name {
		set |= 1 << (r & 63)
	}
	return set
}

// verbs are those of commands.
var verbs = []string{"Add", "Clear", "Disable", "Enable", "Export", "Get", "Grant", "Import", "Install", "Invoke", "Move", "New", "Remove", "Resume",
	"Revoke", "Search", "Set", "Start", "Stop", "Suspend", "Test", "Undo", "Update"}

// Actions are the operations that are known: records that spell them in another case, or with doubled blanks, are read as if they
// spelt them so.
var Actions = actionsOf(fields)

func actionsOf(all []Field) (names []string) {
	names = append(names, "UserLoggedIn", "UserLoginFailed", "MailItemsAccessed", "Send", "SendAs", "SendOnBehalf", "HardDelete", "SoftDelete",
		"MoveToDeletedItems", "Move", "Create", "Update", "FileDownloaded", "FileSyncDownloadedFull", "FileDeleted", "AnonymousLinkCreated",
		"Update user", "Reset user password", "Change user password", "Disable account", "Delete user", "Add user",
		"Set-User", "Set-MailUser", "Set-AdminAuditLogConfig", "Set-OrganizationConfig", "Set-MailboxAuditBypassAssociation", "Remove-UnifiedAuditLogRetentionPolicy")
	for i := range all {
		names = append(names, all[i].Actions...)
	}
	return names
}

var actionsFolded = foldedActions(Actions)

func foldedActions(all []string) map[string]string {
	m := make(map[string]string, len(all))
	for _, name := range all {
		m[Lower(name)] = name
	}
	return m
}
