package cli

import (
	"encoding/xml"
	"fmt"
	"os"
	"strings"
	"time"

	"noroshi/internal/diag"
	"noroshi/internal/replay"
)

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Time     string      `xml:"timestamp,attr"`
	Seconds  string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string       `xml:"classname,attr"`
	Name    string       `xml:"name,attr"`
	File    string       `xml:"file,attr"`
	Line    int          `xml:"line,attr,omitempty"`
	Seconds string       `xml:"time,attr"`
	Failure *junitResult `xml:"failure,omitempty"`
	Error   *junitResult `xml:"error,omitempty"`
}

type junitResult struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// writeJUnit writes a test case for each test, and one for each mistake that keeps a rule from being tested.
func writeJUnit(path string, all []replay.Verdict, ps []diag.Problem, now time.Time) error {
	suite := junitSuite{Name: "noroshi", Time: now.UTC().Format("2006-01-02T15:04:05Z")}
	total := time.Duration(0)
	for _, v := range all {
		c := junitCase{Class: v.Rule, Name: v.Test, File: fmt.Sprintf("%s:%d", v.File, v.Line), Line: v.Line, Seconds: seconds(v.Took)}
		if total += v.Took; !v.Pass {
			suite.Failures++
			var b strings.Builder
			_ = differences(&b, v.Differences) // a builder takes everything
			c.Failure = &junitResult{Message: v.Why, Text: b.String()}
		}
		suite.Cases = append(suite.Cases, c)
	}
	for _, p := range ps {
		if p.Level != diag.Warning {
			suite.Errors++
			suite.Cases = append(suite.Cases, junitCase{Class: p.File, Name: "loads", File: fmt.Sprintf("%s:%d", p.File, p.Line), Line: p.Line, Seconds: seconds(0),
				Error: &junitResult{Message: p.Message, Text: p.Format()}})
		}
	}
	suite.Tests, suite.Seconds = len(suite.Cases), seconds(total)
	b, err := xml.MarshalIndent(suite, "", "  ")
	if err == nil {
		err = os.WriteFile(path, append([]byte(xml.Header), append(b, '\n')...), 0o644)
	}
	if err != nil {
		return fmt.Errorf("write JUnit report: %w", err)
	}
	return nil
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
