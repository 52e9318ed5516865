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
		c.ofRecords(n, name, m)
	}
}

// ofRecords tells what a name means that is most likely a member of records, or a field that is misspelt.
func (c *typing) ofRecords(n ast.Node, name string, m *Mistake) {
	member, field, known := event.Recorded(name)
	list, entry, fields := event.Entered(name)
	if !fromRecords(name) {
		fields = nil
	}
	switch {
	case known && (len(fields) == 0 || entry != name):
		m.Message, m.Suggestion = fmt.Sprintf("no field %q; %s of records is %s here", name, member, field), field
	case len(fields) == 1:
		m.Message = fmt.Sprintf("no field %q; %s of records is %s here, the entry itself %s", name, entry, fields[0], EntryOf(list, entry))
		m.Suggestion = fields[0]
	case len(fields) > 1:
		m.Message = fmt.Sprintf("no field %q; %s of records is read into %s, the entry itself is %s", name, entry, orOf(fields), EntryOf(list, entry))
	case fromRecords(name) && c.recorded(name, m):
	default:
		m.Suggestion = c.meant(n, name)
		if m.Suggestion == "" && !c.recorded(name, m) {
			m.Message += c.guess(n, name)
		}
	}
}

// fromRecords reports whether a name looks like one of records: those of fields are in lower case.
func fromRecords(name string) bool { return name != strings.ToLower(name) }

// maxWays is how many ways are told to write what records have under a name.
const maxWays = 4

// recorded tells how a condition writes what records have under a name, and reports whether they have it.
func (c *typing) recorded(name string, m *Mistake) bool {
	if c.scope.Records == nil {
		return false
	}
	switch r := c.scope.Records(name); {
	case len(r.Ways) > 0:
		m.Message = fmt.Sprintf("no field %q; %s of records is %s here", name, name, orOf(r.Ways))
		if len(r.Ways) == 1 {
			m.Suggestion = r.Ways[0]
		}
	case len(r.Inside) > 0:
		m.Message = fmt.Sprintf("no field %q; %s of records is an object, and what it holds is %s here", name, name, orOf(r.Inside))
	case r.Deep:
		m.Message = fmt.Sprintf("no field %q; %s of records is a list or an object, and raw reads single values", name, name)
	default:
		return false
	}
	return true
}

// orOf names the first of some names in a sentence.
func orOf(all []string) string {
	switch n := len(all); {
	case n > maxWays:
		return strings.Join(all[:maxWays], ", ") + " and others"
	case n > 1:
		return strings.Join(all[:n-1], ", ") + " or " + all[n-1]
	}
	return all[0]
}

// guess is what a name may mean that nobody knows: a text where a comparison has its value, else a member of records.
func (c *typing) guess(n ast.Node, name string) string {
	values := &valuesOf{}
	ast.Walk(&c.whole, values)
	_, plain := n.(*ast.IdentifierNode)
	switch {
	case plain && slices.Contains(values.all, n):
		return fmt.Sprintf("; if it is a text, write %q", name)
	case fromRecords(name):
		return fmt.Sprintf("; a member of records is written raw.%s with the whole path to it, a parameter %s", name, EntryOf("Parameters", name))
	}
	return ""
}

// valuesOf gathers what stands where the value of a comparison is expected.
type valuesOf struct{ all []ast.Node }

// Visit implements ast.Visitor.
func (s *valuesOf) Visit(n *ast.Node) {
	switch v := (*n).(type) {
	case *ast.BinaryNode:
		if v.Operator != "&&" && v.Operator != "||" && v.Operator != "and" && v.Operator != "or" && !constant(v.Left) {
			s.all = append(s.all, v.Right)
		}
	case *ast.ArrayNode:
		s.all = append(s.all, v.Nodes...)
	case *ast.CallNode:
		s.all = append(s.all, v.Arguments[min(1, len(v.Arguments)):]...)
	}
}

// entries are the lists of names and values that records have, lower case, with the first and the last part of how a condition
// writes an entry.
var entries = map[string][2]string{
	"parameters": {"param[", "]"}, "operationproperties": {"param[", "]"}, "extendedproperties": {"param[", "]"}, "deviceproperties": {"param[", "]"},
	"additionaldetails": {"param[", "]"}, "modifiedproperties": {"change[", "].new"},
}

// EntryOf is how a condition writes an entry of a list of records, "" where it cannot.
func EntryOf(list, entry string) string {
	as, ok := entries[strings.ToLower(list)]
	if !ok {
		return ""
	}
	return as[0] + strconv.Quote(entry) + as[1]
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
