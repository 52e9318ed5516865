package cond

import "testing"

// TestWordsOfRecordsAndOfOtherLanguagesAreTold: what stands so in records or in other tools, with what is right here.
func TestWordsOfRecordsAndOfOtherLanguagesAreTold(t *testing.T) {
	for source, want := range map[string]struct{ message, meant string }{
		`Parameters[MoveToFolder] == "x"`:   {`a field's name in brackets must be in quotes`, `param["MoveToFolder"]`},
		`Parameters["MoveToFolder"] == "x"`: {`no field "Parameters.MoveToFolder"; Parameters of records is param[…] here`, `param["MoveToFolder"]`},
		`ModifiedProperties["X"] == "x"`:    {`no field "ModifiedProperties.X"; ModifiedProperties of records is change[…].new here`, `change["X"].new`},
		`Parameters == "x"`:                 {`no field "Parameters"; an entry of Parameters of records is written param["Name"]`, ""},
		`ModifiedProperties == "x"`:         {`no field "ModifiedProperties"; an entry of ModifiedProperties of records is written change["Name"].new`, ""},
		`status == "x"`:                     {`no field "status"; how it ended is event.outcome, of sign-ins auth.result`, ""},
		`source.geo.country == "x"`:         {`no field "source.geo.country"`, "source.geo.country_iso_code"},
		`event.category == "x"`:             {`no field "event.category"`, "event.action"},
		`NOT (user.name == "x")`:            {"no operator NOT", "not"},
		`source.ip in "10.0.0.0/8"`:         {"in looks into a list; in_net tells whether an address lies in a network", `in_net(source.ip, "10.0.0.0/8")`},
		`user.name is not null`:             {"no operator is; " + noNothing, ""},
		`user.name IS NULL`:                 {"no operator IS; " + noNothing, ""},
		`user.name in lists.vip`:            {"no list vip in the configuration; --config names the file that has it", ""},
	} {
		_, ms := Compile(source, scope(nil))
		if len(ms) != 1 || ms[0].Message != want.message || ms[0].Suggestion != want.meant {
			t.Errorf("%s: got %+v", source, ms)
		}
	}
}

// TestMembersAndParametersOfRecordsAreTold: a bare name of a record is answered by its field, else by what reads it as it is.
func TestMembersAndParametersOfRecordsAreTold(t *testing.T) {
	s := scope(nil)
	s.Records = func(name string) Recorded {
		return map[string]Recorded{
			"IsAdminOperation": {Ways: []string{"raw.properties.IsAdminOperation"}},
			"Both":             {Ways: []string{"raw.Both", `param["Both"]`}},
			"Gadget":           {Inside: []string{"raw.Gadget.a"}, Deep: true},
			"Members":          {Deep: true},
		}[name]
	}
	for source, want := range map[string]struct{ message, meant string }{
		`MoveToFolder == "x"`:     {`no field "MoveToFolder"; MoveToFolder of records is inbox_rule.moves_to here, the entry itself param["MoveToFolder"]`, "inbox_rule.moves_to"},
		`ForwardTo != ""`:         {`no field "ForwardTo"; ForwardTo of records is inbox_rule.sends_to here, the entry itself param["ForwardTo"]`, "inbox_rule.sends_to"},
		`DeleteMessage`:           {`no field "DeleteMessage"; DeleteMessage of records is inbox_rule.deletes here, the entry itself param["DeleteMessage"]`, "inbox_rule.deletes"},
		`RuleActions == "x"`:      {`no field "RuleActions"; RuleActions of records is read into inbox_rule.sends_to, inbox_rule.deletes, inbox_rule.moves_to or inbox_rule.marks_read, the entry itself is param["RuleActions"]`, ""},
		`ClientIP == "x"`:         {`no field "ClientIP"; ClientIP of records is source.ip here`, "source.ip"},
		`IsAdminOperation`:        {`no field "IsAdminOperation"; IsAdminOperation of records is raw.properties.IsAdminOperation here`, "raw.properties.IsAdminOperation"},
		`Both == "x"`:             {`no field "Both"; Both of records is raw.Both or param["Both"] here`, ""},
		`Gadget == "x"`:           {`no field "Gadget"; Gadget of records is an object, and what it holds is raw.Gadget.a here`, ""},
		`Members == "x"`:          {`no field "Members"; Members of records is a list or an object, and raw reads single values`, ""},
		`Odd == "x"`:              {`no field "Odd"; a member of records is written raw.Odd with the whole path to it, a parameter param["Odd"]`, ""},
		`user.name == Taro`:       {`no field "Taro"; if it is a text, write "Taro"`, ""},
		`user.name == taro`:       {`no field "taro"; if it is a text, write "taro"`, ""},
		`event.action in [Send]`:  {`no field "Send"; if it is a text, write "Send"`, ""},
		`icontains(app.id, Send)`: {`no field "Send"; if it is a text, write "Send"`, ""},
		`evnt.action == "x"`:      {`no field "evnt.action"`, "event.action"},
		`user.name == "x" && Is`:  {`no field "Is"; a member of records is written raw.Is with the whole path to it, a parameter param["Is"]`, ""},
	} {
		_, ms := Compile(source, s)
		if len(ms) != 1 || ms[0].Message != want.message || ms[0].Suggestion != want.meant {
			t.Errorf("%s: got %+v", source, ms)
		}
	}
}
