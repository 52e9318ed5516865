package decode

import (
	"encoding/json"
	"strings"

	"noroshi/internal/event"
)

// Inbox rules come in two forms: as a command's Parameters (web, mobile, PowerShell) and, from desktop Outlook, as
// UpdateInboxRules with OperationProperties whose RuleActions is JSON in text.

// ruleParam is a parameter of the inbox rule command or operation at hand.
func (r *Reader) ruleParam(name string) string {
	v, _ := named(r.entries(r.ruleList()), name)
	return v
}

func (r *Reader) ruleList() string {
	if r.Event.Text(event.Action) == "UpdateInboxRules" {
		return "OperationProperties"
	}
	return "Parameters"
}

// ruleAction is one action of a desktop rule.
type ruleAction struct {
	ActionType            string          `json:"ActionType"`
	Recipients            json.RawMessage `json:"Recipients"`
	DestinationFolderID   string          `json:"DestinationFolderId"`
	DestinationFolderName string          `json:"DestinationFolderName"`
	DestinationFolder     string          `json:"DestinationFolder"`
}

func (r *Reader) ruleActions() (all []ruleAction) {
	text := r.ruleParam("RuleActions")
	if text == "" {
		return nil
	}
	if json.Unmarshal([]byte(text), &all) != nil {
		var one ruleAction
		if json.Unmarshal([]byte(text), &one) == nil && one.ActionType != "" {
			return []ruleAction{one}
		}
		return nil
	}
	return all
}

func inboxRuleOp(r *Reader, _ string) string {
	switch r.Event.Text(event.Action) {
	case "New-InboxRule":
		return "create"
	case "Set-InboxRule":
		return "change"
	case "Enable-InboxRule":
		return "enable"
	case "Disable-InboxRule":
		return "disable"
	case "Remove-InboxRule":
		return "remove"
	case "UpdateInboxRules":
		switch strings.ToLower(r.ruleParam("RuleOperation")) {
		case "addmailboxrule":
			return "create"
		case "removemailboxrule", "deletemailboxrule":
			return "remove"
		}
		return "change"
	}
	return ""
}

func inboxRuleName(r *Reader, _ string) string {
	if !r.acts("inbox_rule.name") {
		return ""
	}
	if name := first(r.ruleParam("Name"), r.ruleParam("RuleName")); name != "" {
		return name
	}
	id := r.ruleParam("Identity")
	return id[strings.LastIndexAny(id, `\/`)+1:]
}

// inboxRuleBodyKnown: commands that only name a rule, changes without actions and lists that cannot be read or are empty tell
// nothing of what the rule does.
func inboxRuleBodyKnown(r *Reader, _ string) string {
	switch r.field("inbox_rule.op") {
	case "":
		return ""
	case "create", "change":
		if r.Event.Text(event.Action) == "UpdateInboxRules" {
			return truth(len(r.ruleActions()) > 0)
		}
		return truth(r.wholeParameters())
	}
	return "false"
}

// wholeParameters reports whether all that the list of parameters holds are names with values. What lies deeper is no value of a parameter.
func (r *Reader) wholeParameters() bool {
	all := r.entries("Parameters")
	if !r.readable("Parameters") || len(all) == 0 {
		return false
	}
	var list []json.RawMessage
	if json.Unmarshal(r.span("Parameters"), &list) == nil && len(list) != len(all) {
		return false
	}
	for _, e := range all {
		v := strings.TrimLeft(e.Value, "[ \t\r\n")
		if !e.valued || strings.HasPrefix(v, "{") && json.Valid([]byte(e.Value)) {
			return false
		}
	}
	return true
}

func inboxRuleSendsTo(r *Reader) (all []string) {
	if !r.acts("inbox_rule.sends_to") {
		return nil
	}
	for _, name := range [...]string{"ForwardTo", "RedirectTo", "ForwardAsAttachmentTo"} {
		all = append(all, r.destinations(r.ruleParam(name))...)
	}
	for _, a := range r.ruleActions() {
		if has(a.ActionType, "forward", "redirect", "delegate") {
			all = append(all, r.destinations(recipients(a.Recipients))...)
		}
	}
	return all
}

// recipients are those of a desktop rule's action: a text, or a list of texts or objects.
func recipients(raw json.RawMessage) string {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return one
	}
	return string(raw)
}

// has reports whether a word contains one of the stems, case aside.
func has(word string, stems ...string) bool {
	w := strings.ToLower(word)
	for _, s := range stems {
		if strings.Contains(w, s) {
			return true
		}
	}
	return false
}

func inboxRuleDeletes(r *Reader, _ string) string {
	if !r.acts("inbox_rule.deletes") {
		return ""
	}
	if isTrue(r.ruleParam("DeleteMessage")) || isTrue(r.ruleParam("SoftDeleteMessage")) {
		return "true"
	}
	for _, a := range r.ruleActions() {
		if has(a.ActionType, "delete") {
			return "true"
		}
	}
	return "false"
}

func inboxRuleMovesTo(r *Reader, _ string) string {
	if !r.acts("inbox_rule.moves_to") {
		return ""
	}
	if to := first(r.ruleParam("MoveToFolder"), r.ruleParam("CopyToFolder")); to != "" {
		return to
	}
	for _, a := range r.ruleActions() {
		if to := first(a.DestinationFolderName, a.DestinationFolder); to != "" {
			return to
		}
	}
	return ""
}

func inboxRuleMarksRead(r *Reader, _ string) string {
	if !r.acts("inbox_rule.marks_read") {
		return ""
	}
	for _, a := range r.ruleActions() {
		if has(a.ActionType, "markasread", "markread") {
			return "true"
		}
	}
	return truth(isTrue(r.ruleParam("MarkAsRead")))
}

func inboxRuleStops(r *Reader, _ string) string {
	if !r.acts("inbox_rule.stops") {
		return ""
	}
	return truth(isTrue(r.ruleParam("StopProcessingRules")) || has(r.ruleParam("RuleState"), "exitafterexecution"))
}

// ruleWords are the parameters that hold words to look for; the values are separated by semicolons.
var ruleWords = []string{"SubjectContainsWords", "BodyContainsWords", "SubjectOrBodyContainsWords", "FromAddressContainsWords", "HeaderContainsWords", "RecipientAddressContainsWords"}

func inboxRuleWords(r *Reader) (all []string) {
	if !r.acts("inbox_rule.words") {
		return nil
	}
	for _, name := range ruleWords {
		for w := range strings.SplitSeq(r.ruleParam(name), ";") {
			if w = strings.TrimSpace(w); w != "" {
				all = append(all, w)
			}
		}
	}
	return all
}

var ruleConditions = append([]string{"From", "SentTo", "FromSubscription", "MyNameInToBox", "MyNameInCcBox", "MyNameInToOrCcBox", "MyNameNotInToBox", "SentOnlyToMe", "WithinSizeRangeMinimum", "WithinSizeRangeMaximum",
	"ReceivedAfterDate", "ReceivedBeforeDate", "HasAttachment", "HasClassification", "FlaggedForAction", "MessageTypeMatches", "WithImportance", "WithSensitivity"}, ruleWords...)

func inboxRuleHasCondition(r *Reader, _ string) string {
	if !r.acts("inbox_rule.has_condition") {
		return ""
	}
	if c := strings.TrimSpace(r.ruleParam("RuleCondition")); c != "" && c != "{}" && c != "[]" && c != "null" {
		return "true"
	}
	for _, name := range ruleConditions {
		if v := r.ruleParam(name); v != "" && !strings.EqualFold(v, "false") {
			return "true"
		}
	}
	return "false"
}

func truth(v bool) string {
	if v {
		return "true"
	}
	return "false"
}

// isTrue reads the truths that records write as text, number or word.
func isTrue(s string) bool {
	s = strings.TrimSpace(unwrap(s))
	return strings.EqualFold(s, "true") || s == "1" || strings.EqualFold(s, "$true")
}
