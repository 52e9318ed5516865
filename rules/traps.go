package rules

import (
	"regexp"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/diag"
)

const onItsOwnLine = "write when: | and put the condition on the next line"

var (
	whenLine = regexp.MustCompile(`(?:^|[{,]|- )\s*when:\s+(\S)`)
	textLine = regexp.MustCompile(`^\s*(summary|title):\s+\{`)
)

// signs of YAML that conditions and summaries begin with as well.
var yamlSigns = map[string]string{
	`"`: "a quote", `'`: "a quote", "!": "!", "*": "*", "&": "&", "[": "a bracket", "{": "a brace", "%": "%", "@": "@", "`": "a backtick", "|": "|", ">": ">",
}

// trapped says what YAML has made of a condition or a text that begins with one of its signs.
func trapped(ps []diag.Problem) {
	for i := range ps {
		p := &ps[i]
		if p.Code != "yaml" && p.Code != "tag" && p.Code != "alias" {
			continue
		}
		if m := textLine.FindStringSubmatch(p.Source); m != nil {
			p.Message, p.Suggestion = "YAML reads {{ as a mapping; put the text in single quotes: "+m[1]+": '{{ account }} …'", ""
			continue
		}
		m := whenLine.FindStringSubmatch(p.Source)
		switch {
		case m == nil:
		case yamlSigns[m[1]] != "":
			p.Message, p.Suggestion = "YAML reads "+yamlSigns[m[1]]+" at the beginning as its own; "+onItsOwnLine, ""
		case strings.Contains(p.Source, ": "):
			p.Message, p.Suggestion = "YAML reads a colon before a blank as its own; "+onItsOwnLine, ""
		}
	}
}

// commented reports whether YAML has cut a plain text at a # that it reads as a comment.
func commented(n *yaml.Node, p *diag.Problem) bool {
	if n.Style != 0 || n.Line != p.Line || n.Kind != yaml.ScalarNode {
		return false
	}
	_, after, found := strings.Cut(p.Source, n.Value)
	return found && strings.HasPrefix(strings.TrimLeft(after, " \t"), "#")
}

const cutByComment = "YAML reads # after a blank as a comment, and the condition ends there; " + onItsOwnLine
