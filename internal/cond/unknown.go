package cond

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"noroshi/internal/event"
)

const noNothing = `there is no null: absent text is "", absent numbers are 0; has(field) tells whether there is a value`

// otherWords are names in other languages for what conditions have.
var otherWords = map[string]string{"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}

// unknown refuses a name that is no field.
func (c *typing) unknown(n ast.Node, name string) {
	m := c.refuse(n, "field", "%s", noField(name))
	switch word := strings.ToLower(name); {
	case word == "null" || word == "none" || word == "undefined":
		m.Code, m.Message = "forbidden", noNothing
	case otherWords[word] != "":
		m.Message, m.Suggestion = fmt.Sprintf("no field %q; truths are true and false", name), otherWords[word]
	case slices.Contains(event.Families, strings.SplitN(name, "[", 2)[0]):
	default:
		m.Suggestion = event.Suggest(name)
		if member, field, ok := event.Recorded(name); ok {
			m.Message, m.Suggestion = fmt.Sprintf("no field %q; %s of records is %s here", name, member, field), field
		}
	}
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
