package rules

import (
	"maps"
	"slices"

	"noroshi/rules/kind"
)

// commonKeys are the keys of every rule, of whatever kind, as documentation and editors show them.
func commonKeys(remedies map[string]Remedy) []kind.Key {
	text, texts := kind.Text, kind.Texts
	return []kind.Key{
		{Name: "id", Doc: "The rule's name: lower case letters, digits and single hyphens. It is part of every alert's id.",
			Type: text, Required: true, Pattern: idPattern.String()},
		{Name: "title", Doc: "What the rule finds, in one line.", Type: text, Required: true},
		{Name: "severity", Doc: "How grave a finding is.", Type: text, Required: true, Choices: Severities},
		{Name: "kind", Doc: "The way of firing.", Type: text, Choices: kind.Names(), Default: kind.Names()[0]},
		{Name: "description", Doc: "What the title does not say; one or several lines.", Type: text},
		{Name: "guide", Doc: "Items of the guide on hijacked accounts that the rule answers; X is beyond it.", Type: texts, Choices: GuideItems},
		{Name: "class", Doc: "What a finding is to the account's story.", Type: text, Choices: Classes},
		{Name: "points", Doc: "What a finding adds to the account's story.", Type: kind.Whole, Most: 100},
		{Name: "attack", Doc: "Techniques of ATT&CK, such as T1564.008.", Type: texts, Pattern: attackPattern.String()},
		{Name: "unless", Doc: "Exceptions: cases in which the rule is silent, each with its end.", Type: kind.Groups, Keys: exceptionKeys},
		{Name: "raise", Doc: "Cases in which the alert is graver.", Type: kind.Groups, Keys: raiseKeys},
		{Name: "summary", Doc: "The alert's line; an expression in two braces is filled in, as in {{ account }}.", Type: text},
		{Name: "facts", Doc: "Fields that alerts show beside those of the conditions.", Type: kind.FieldNames, Lists: true, Most: maxFacts},
		{Name: "respond", Doc: "Steps of remediation, filled in and sent with the alert.", Type: texts, Choices: slices.Sorted(maps.Keys(remedies))},
		{Name: "references", Doc: "Addresses of pages about what the rule finds.", Type: texts, Most: maxReferences, Pattern: webPattern},
		{Name: "false_positives", Doc: "What else looks like it, a text each.", Type: texts, Most: maxReferences},
		{Name: "runbook", Doc: "The address of the page that says what to do.", Type: text, Pattern: webPattern},
		{Name: "state", Doc: "Live gives alerts; shadow counts them; building gives them to rules that name this one; off leaves the rule out.", Type: text, Choices: states, Default: string(Live)},
		{Name: "tests", Doc: "Records and the alerts that they must give.", Type: kind.Groups, Keys: testKeys},
	}
}

// webPattern is how addresses of pages begin.
const webPattern = "^https?://"

// exceptionKeys are those of an entry of unless.
var exceptionKeys = []kind.Key{
	{Name: "because", Doc: "Why this is no finding.", Type: kind.Text, Required: true},
	{Name: "owner", Doc: "Who answers for the exception.", Type: kind.Text, Required: true},
	{Name: "until", Doc: "The last day on which it holds, such as 2027-03-31.", Type: kind.Text, Required: true},
	{Name: "when", Doc: "The condition that an event must satisfy to be excused.", Type: kind.Condition, Required: true},
}

// raiseKeys are those of an entry of raise.
var raiseKeys = []kind.Key{
	{Name: "to", Doc: "The severity; the highest of all entries that hold counts.", Type: kind.Text, Required: true, Choices: Severities},
	{Name: "when", Doc: "The condition that an event must satisfy for which the rule fires.", Type: kind.Condition, Required: true},
}

// testKeys are those of a test. Entries of events and of want are read by what they hold.
var testKeys = []kind.Key{
	{Name: "name", Doc: "What the test shows.", Type: kind.Text, Required: true},
	{Name: "like", Doc: "Another test of this rule, whose keys count where this one lacks them.", Type: kind.Text},
	{Name: "start", Doc: "What times count from; 2026-01-02T03:00:00Z by default.", Type: kind.Text},
	{Name: "events", Doc: "Records: samples with changes, or whole ones.", Type: kind.Groups},
	{Name: "until", Doc: "The clock at the end, since the start, such as +1h.", Type: kind.Text},
	{Name: "arrive", Doc: "Further orders in which the records come: the alerts must be the same.", Type: kind.Texts, Choices: []string{"shuffled", "doubled"}},
	{Name: "lists", Doc: "Lists that stand in the place of the configuration's for this test: names and entries.", Type: kind.Group},
	{Name: "want", Doc: "The alerts, each with some of its members; [] is silence.", Type: kind.Groups},
}

// eventKeys are those of an entry of a test's events that is no whole record.
var eventKeys = []kind.Key{
	{Name: "like", Doc: "The sample to begin with; noroshi sample lists them.", Type: kind.Text},
	{Name: "record", Doc: "A whole record to begin with: a mapping, or JSON in text.", Type: kind.Group},
	{Name: "at", Doc: "The time since the test's start, such as +5m; that of the record before it by default.", Type: kind.Text},
	{Name: "times", Doc: "How often the record comes.", Type: kind.Whole, Least: 1, Most: maxTimes},
	{Name: "every", Doc: "The time between repeats, such as 20s.", Type: kind.Text},
	{Name: "id", Doc: "The record's id; each record has one of its own by default.", Type: kind.Text},
	{Name: "set", Doc: "Values to put at paths of the record, such as Parameters[MoveToFolder].", Type: kind.Group},
	{Name: "each", Doc: "Values to put at paths of the record, in which {n} is the number of the repeat.", Type: kind.Group},
	{Name: "unset", Doc: "Paths of the record to take away.", Type: kind.Texts},
}
