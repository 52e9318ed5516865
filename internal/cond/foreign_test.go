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
