package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"noroshi/detector"
	"noroshi/internal/alert"
	"noroshi/internal/app"
	"noroshi/internal/config"
	"noroshi/internal/decode"
	"noroshi/internal/replay"
	"noroshi/rules"
)

// mostTested are as many records as a test holds that is printed with an exception.
const mostTested = 100

// withTest adds a test to an exception: the records of the alert's evidence, for which the rule must be silent. It is left out, and that
// is said, where the records alone do not give the alert.
func (x *excepting) withTest(ctx context.Context, s Streams, text string, o rules.Options, c *config.Config) (string, error) {
	if len(x.records) == 0 {
		return text, nil
	}
	test, lacks, err := x.test(ctx, s, o, c)
	if err != nil {
		return "", err
	}
	if lacks > 0 {
		fmt.Fprintf(s.Err, "noroshi: no test is printed: %d of %s of the alert's evidence not among the records\n", lacks, plural(len(x.alert.Evidence), "event"))
		return text, nil
	}
	entry, proof, _ := strings.Cut(text, "\n#")
	tested := entry + "\n" + test
	set, err := loads(tested, o)
	if err != nil {
		fmt.Fprintf(s.Err, "noroshi: no test is printed: a record cannot stand in a configuration: %v\n", err)
		return text, nil
	}
	set.AllLive()
	one := set.Excused[0]
	if v, needed := replay.NewExcusing(set, one, detector.Options{Decode: app.DecodeOptions(c)}).Prove(ctx, &one.Tests[0]); !v.Pass || !needed {
		fmt.Fprintf(s.Err, "noroshi: no test is printed: the records of the evidence alone do not give the alert, because the rule %s goes by others before them, too\n", x.alert.Rule.ID)
		return text, nil
	}
	return tested + "#" + proof + "# Its test, after those of the rules:\n#   noroshi test --config noroshi.yaml\n", nil
}

// test is the test, and how many events of the evidence have no record.
func (x *excepting) test(ctx context.Context, s Streams, o rules.Options, c *config.Config) (text string, lacks int, err error) {
	set, _ := rules.Load(o)
	var inputs []replay.Input
	for _, one := range open(ctx, s, x.records) {
		defer one.from.Close()
		inputs = append(inputs, replay.Input{Name: one.name, From: one.from, Err: one.err})
	}
	var ids []string
	for _, e := range x.alert.Evidence[:min(mostTested, len(x.alert.Evidence))] {
		ids = append(ids, e.ID)
	}
	found, err := replay.Find(ctx, inputs, ids, decode.NewPlan(set.Scope.Layout, app.DecodeOptions(c)).Reader())
	if err != nil {
		return "", 0, err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "    tests:\n      - name: %s\n        events:\n", quote("what gave "+x.alert.ID))
	for _, id := range ids {
		record, ok := found[id]
		if !ok {
			lacks++
			continue
		}
		fmt.Fprintf(&b, "          - |-\n            %s\n", alert.AppendEscaped(nil, compact(record)))
	}
	b.WriteString("        want: []\n")
	return b.String(), lacks, nil
}

// compact is a record on one line.
func compact(record []byte) []byte {
	var b bytes.Buffer
	if json.Compact(&b, record) != nil {
		return record
	}
	return b.Bytes()
}
