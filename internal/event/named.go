package event

import (
	"slices"
	"strings"
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
	meant := ""
	for _, known := range knownActions {
		if known == constant {
			return Doubt{}
		}
		if strings.EqualFold(known, constant) {
			meant = known
		}
	}
	if meant == "" {
		return Doubt{}
	}
	return Doubt{Why: "compared exactly, and written " + meant, Meant: meant}
}

// knownActions are the operations that the schema names.
var knownActions = actionsOf(fields)

func actionsOf(all []Field) (names []string) {
	names = append(names, "UserLoggedIn", "UserLoginFailed", "MailItemsAccessed", "Send", "SendAs", "SendOnBehalf", "HardDelete", "SoftDelete",
		"MoveToDeletedItems", "Move", "Create", "Update")
	for i := range all {
		names = append(names, all[i].Actions...)
	}
	return names
}
