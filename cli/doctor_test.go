package cli

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"noroshi/internal/app"
	"noroshi/internal/bus"
	"noroshi/internal/diag"
	"noroshi/internal/kafkatest"
)

var doctorsDay = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// doctoring gives what doctor finds by a clock, as lines of level, part and code; those that are fine are left out.
func doctoring(t *testing.T, now time.Time, config string) (found []string, all string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	d := &doctor{s: Streams{Out: &stdout, Err: &stderr, Now: func() time.Time { return now }, Secrets: &diag.Secrets{}}, path: config, within: 2 * time.Second, again: 100 * time.Millisecond}
	d.look(t.Context(), filepath.Join(t.TempDir(), "data"))
	for _, f := range d.all {
		if f.Level != fine {
			found = append(found, f.Level+" "+f.Part+" "+f.Code)
			if f.Do == "" || f.What == "" {
				t.Errorf("nothing is told to do: %+v", f)
			}
		}
		all += fmt.Sprintf("%+v\n", f)
	}
	return found, all
}

const oneSource = "sources: [{file: {paths: [logs/a.ndjson]}}]\nsinks: [{name: out, file: {path: alerts.ndjson}}]\n"

func doctored(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "logs/a.ndjson", "{}\n")
	return write(t, dir, "noroshi.yaml", oneSource+text)
}

func TestDoctorTellsOfExceptionsThatEndSoon(t *testing.T) {
	path := doctored(t, "exceptions: [{rules: [all], because: A test of it, owner: soc, when: event.code == \"x\", until: 2026-01-10}]\n")
	for name, c := range map[string]struct {
		now  time.Time
		want string
	}{
		"long before": {doctorsDay.AddDate(0, 0, -7), "[]"},
		"soon":        {doctorsDay, "[warning rules exception-ends]"},
		"ended":       {doctorsDay.AddDate(0, 0, 10), "[warning configuration expired]"},
	} {
		if got, all := doctoring(t, c.now, path); fmt.Sprint(got) != c.want {
			t.Errorf("%s: got %v\n%s", name, got, all)
		}
	}
}

// ending is a certificate that ends at a time.
func ending(t *testing.T, at time.Time) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "kafka.example.com"}, NotBefore: at.AddDate(0, -3, 0), NotAfter: at}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestDoctorTellsOfCertificatesThatEndSoon(t *testing.T) {
	for name, c := range map[string]struct {
		ends time.Time
		want string
	}{
		"in a month":   {doctorsDay.AddDate(0, 1, 0), ""},
		"in ten days":  {doctorsDay.AddDate(0, 0, 10), "warning certificates certificate-ends"},
		"yesterday":    {doctorsDay.AddDate(0, 0, -1), "error certificates certificate-ended"},
		"not yet":      {doctorsDay.AddDate(0, 4, 0), "error certificates certificate-early"},
		"it ends now":  {doctorsDay, "error certificates certificate-ended"},
		"in two weeks": {doctorsDay.AddDate(0, 0, 14), "warning certificates certificate-ends"},
	} {
		path := doctored(t, "kafka: {brokers: [\"127.0.0.1:9\"], ca_file: ca.pem}\n")
		write(t, filepath.Dir(path), "ca.pem", ending(t, c.ends))
		got, all := doctoring(t, doctorsDay, path)
		got = slices.DeleteFunc(got, func(f string) bool { return f == "error kafka kafka-unreachable" })
		if strings.Join(got, ",") != c.want {
			t.Errorf("%s: got %v\n%s", name, got, all)
		}
	}
}

// TestDoctorTellsOfClocks: the clock of this machine is stepped by hours, against what a running instance has told.
func TestDoctorTellsOfClocks(t *testing.T) {
	for name, c := range map[string]struct {
		reports []time.Duration // when they were written, by the instance's clock
		later   bool            // the last of them is written while doctor waits
		want    string
	}{
		"together":               {[]time.Duration{-4 * time.Second}, false, ""},
		"three hours behind":     {[]time.Duration{3 * time.Hour}, false, "3h0m0s behind that of"},
		"three hours ahead":      {[]time.Duration{-3 * time.Hour, -3*time.Hour + 5*time.Second}, true, "3h0m0s ahead of that of"},
		"the instance has ended": {[]time.Duration{-3 * time.Hour}, false, ""},
		"half a minute is well":  {[]time.Duration{30 * time.Second}, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := kafkatest.Start(t, 1)
			tell := func(at time.Duration) {
				body, err := json.Marshal(app.Status{Instance: "host/1", At: doctorsDay.Add(at)})
				if err != nil {
					t.Error(err)
				}
				if err := write1(t, b, bus.Record{Topic: bus.Status, Key: []byte("host/1"), Value: body}); err != nil {
					t.Error(err)
				}
			}
			tell(c.reports[0])
			var stdout, stderr bytes.Buffer
			d := &doctor{s: Streams{Out: &stdout, Err: &stderr, Secrets: &diag.Secrets{}}, now: doctorsDay, again: time.Second}
			if c.later {
				told := make(chan struct{})
				time.AfterFunc(d.again/4, func() { defer close(told); tell(c.reports[1]) })
				defer func() { <-told }()
			}
			d.instances(t.Context(), b)
			got := ""
			for _, f := range d.all {
				got += f.What
			}
			if !strings.Contains(got, c.want) || (got == "") != (c.want == "") {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func write1(t *testing.T, b *bus.Bus, r bus.Record) error {
	t.Helper()
	w, err := b.Writer()
	if err != nil {
		return err
	}
	defer w.Close()
	return w.Write(t.Context(), []bus.Record{r})
}

// TestDoctorTellsOfTopics: another number of partitions, and topics that are not there yet.
func TestDoctorTellsOfTopics(t *testing.T) {
	b := kafkatest.Start(t, 1)
	c, prefix := b.Config(), b.Config().Prefix
	t.Setenv("NOROSHI_TEST_PASSWORD", c.Password)
	config := func(partitions int, prefix string) string {
		return doctored(t, fmt.Sprintf("kafka: {brokers: [%q], partitions: %d, prefix: %q, sasl: {mechanism: %s, user: %s, password: \"${env:NOROSHI_TEST_PASSWORD}\"}}\n",
			c.Brokers[0], partitions, prefix, c.Mechanism, c.User))
	}
	if got, all := doctoring(t, doctorsDay, config(1, prefix)); slices.ContainsFunc(got, func(f string) bool { return strings.HasPrefix(f, "error") }) {
		t.Errorf("nothing is wrong, and got %v\n%s", got, all)
	}
	if got, all := doctoring(t, doctorsDay, config(7, prefix)); !slices.Contains(got, "error kafka topic") || !strings.Contains(all, "has 1 partitions, expected 7") {
		t.Errorf("got %v\n%s", got, all)
	}
	if got, all := doctoring(t, doctorsDay, config(1, "other.")); !slices.Contains(got, "note kafka topics-missing") || slices.Contains(got, "error kafka topic") {
		t.Errorf("got %v\n%s", got, all)
	}
}

// TestThePageTellsTheCodesOfDoctor: docs/problems.md has each code that doctor gives, and no other.
func TestThePageTellsTheCodesOfDoctor(t *testing.T) {
	page, err := os.ReadFile("../docs/problems.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(page), "## What `noroshi doctor` finds")
	if !ok {
		t.Fatal("the page has no part for doctor")
	}
	var told, given []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\|").FindAllStringSubmatch(table, -1) {
		told = append(told, m[1])
	}
	for _, file := range []string{"doctor.go", "doctor_reach.go", "doctor_here.go", "doctor_listen.go"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`finding\{part[A-Z][a-z]+, (?:warning|wrong|note), "([a-z-]+)"|Code: "([a-z-]+)"`).FindAllStringSubmatch(string(text), -1) {
			given = append(given, m[1]+m[2])
		}
	}
	if !slices.IsSorted(told) {
		t.Errorf("the codes are not in order: %q", told)
	}
	slices.Sort(given)
	if given = slices.Compact(given); !slices.Equal(told, given) || len(given) < 15 {
		t.Errorf("the page tells %q, doctor gives %q", told, given)
	}
}
