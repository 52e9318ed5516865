package cond

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"

	"noroshi/internal/diag"
	"noroshi/internal/event"
)

const noNothing = `there is no null: absent text is "", absent numbers are 0; has(field) tells whether there is a value`

// otherWords are names in other languages for what conditions have.
var otherWords = map[string]string{"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}

// unknown refuses a name that is no field.
func (c *typing) unknown(n ast.Node, name string) {
	m := c.refuse(n, "field", "%s", noField(name))
	if c.scope.Unknown != nil {
		if message, meant := c.scope.Unknown(name); message != "" {
			m.Message, m.Suggestion = message, meant
			return
		}
	}
	switch word := strings.ToLower(name); {
	case listOfRecords(n, name, m):
	case word == "null" || word == "none" || word == "undefined":
		m.Code, m.Message = "forbidden", noNothing
	case otherWords[word] != "":
		m.Message, m.Suggestion = fmt.Sprintf("no field %q; truths are true and false", name), otherWords[word]
	case name == "lists":
		m.Code, m.Message = "list", "lists needs a name: lists.vip"
	case slices.Contains(c.scope.ListNames, name):
		m.Message, m.Suggestion = fmt.Sprintf("no field %q; the list of the configuration is %s%s", name, listName, name), listName+name
	case slices.Contains(event.Families, strings.SplitN(name, "[", 2)[0]):
	case word == "status" || word == "result":
		m.Message = fmt.Sprintf("no field %q; how it ended is event.outcome, of sign-ins auth.result", name)
	default:
		m.Suggestion = c.meant(n, name)
		if member, field, ok := event.Recorded(name); ok {
			m.Message, m.Suggestion = fmt.Sprintf("no field %q; %s of records is %s here", name, member, field), field
		}
		if _, plain := n.(*ast.IdentifierNode); plain && m.Suggestion == "" && n.Location().From > 0 { // what stands first is compared, not a text
			m.Message += fmt.Sprintf("; if it is a text, write %q", name)
		}
	}
}

// entries are the lists of names and values that records have, lower case, with the first and the last part of how a condition
// writes an entry.
var entries = map[string][2]string{
	"parameters": {"param[", "]"}, "operationproperties": {"param[", "]"}, "extendedproperties": {"param[", "]"}, "deviceproperties": {"param[", "]"},
	"additionaldetails": {"param[", "]"}, "modifiedproperties": {"change[", "].new"},
}

// listOfRecords tells of a list of names and values that is written as in records, and reports whether it is one.
func listOfRecords(n ast.Node, name string, m *Mistake) bool {
	base, key := name, "Name"
	if v, ok := n.(*ast.MemberNode); ok {
		text, isText := v.Property.(*ast.StringNode)
		of, isName := chain(v.Node)
		if !isText || !isName {
			return false
		}
		base, key = of, text.Value
	}
	as, ok := entries[strings.ToLower(base)]
	if !ok {
		return false
	}
	m.Suggestion = as[0] + strconv.Quote(key) + as[1]
	m.Message = fmt.Sprintf("no field %q; an entry of %s of records is written %s", name, base, m.Suggestion)
	if base != name {
		m.Message = fmt.Sprintf("no field %q; %s of records is %s here", name, base, as[0]+"…"+as[1])
	} else {
		m.Suggestion = ""
	}
	return true
}

// meant is the field or entry that a name most likely means.
func (c *typing) meant(n ast.Node, name string) string {
	if v, ok := n.(*ast.MemberNode); ok {
		base, isName := chain(v.Node)
		property, isText := v.Property.(*ast.StringNode)
		if family := diag.Suggest(base, []string{"param", "change"}); isName && isText && family != "" && base != "" {
			return family + "[" + property.String() + "]" + map[string]string{"change": ".new"}[family]
		}
	}
	if strings.HasSuffix(name, ".geo.country") {
		return name + "_iso_code"
	}
	for _, part := range []string{".name", ".action", ".ip", ".to"} {
		if _, ok := event.Lookup(name + part); ok {
			return name + part
		}
	}
	return event.Suggest(name)
}

// otherFunctions are functions of other languages, lower case.
var otherFunctions = map[string]string{
	"exists": "has", "isset": "has", "defined": "has", "tolower": "lower", "lowercase": "lower", "toupper": "upper", "length": "len", "size": "len",
	"cidr": "in_net", "cidrmatch": "in_net", "iscidr": "in_net", "contains_any": "any", "equalsignorecase": "iequals",
}

func noField(name string) string {
	for _, f := range event.Families {
		if name == f || strings.HasPrefix(name, f+"[") {
			return map[string]string{
				"raw": `raw needs a path: raw.Some.Path`, "param": `param needs a name: param["Name"]`,
				"change": `change needs a name and a side: change["Name"].new or .old`,
			}[f]
		}
	}
	return fmt.Sprintf("no field %q", name)
}
