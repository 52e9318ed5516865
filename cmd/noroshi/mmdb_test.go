package main

import (
	"encoding/json"
	"net"
	"os"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
	"github.com/rogpeppe/go-internal/testscript"
)

// mmdb writes a database of addresses, built at 2026-01-02T03:04:05Z, out of a JSON object: network to entry. mmdb TYPE JSON FILE.
func mmdb(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: mmdb TYPE JSON FILE")
	}
	var all map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &all))
	w, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: args[0], RecordSize: 24, BuildEpoch: 1767323045, IncludeReservedNetworks: true})
	ts.Check(err)
	for text, entry := range all {
		_, network, err := net.ParseCIDR(text)
		ts.Check(err)
		ts.Check(w.Insert(network, ofJSON(entry)))
	}
	f, err := os.Create(ts.MkAbs(args[2]))
	ts.Check(err)
	_, err = w.WriteTo(f)
	ts.Check(err)
	ts.Check(f.Close())
}

// ofJSON is a value of JSON as databases have it.
func ofJSON(v any) mmdbtype.DataType {
	switch v := v.(type) {
	case map[string]any:
		m := mmdbtype.Map{}
		for name, one := range v {
			m[mmdbtype.String(name)] = ofJSON(one)
		}
		return m
	case []any:
		var s mmdbtype.Slice
		for _, one := range v {
			s = append(s, ofJSON(one))
		}
		return s
	case string:
		return mmdbtype.String(v)
	case float64:
		if n := uint32(v); float64(n) == v {
			return mmdbtype.Uint32(n)
		}
		return mmdbtype.Float64(v)
	}
	return nil
}
