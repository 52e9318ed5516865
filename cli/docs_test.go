package cli

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"

	"noroshi/internal/decode"
	"noroshi/internal/event"
	"noroshi/rules/kind"
)

// fieldsPage is docs/fields.md.
func fieldsPage() string {
	var b strings.Builder
	b.WriteString("# Fields\n\nThe fields that conditions can use, made from the schema; `noroshi fields NAME` shows one. Paths: `A[Name]` is an entry of a Name/Value list, `A[*].B` the first element that has B. Beside these: `raw.Some.Path`, `param[\"Name\"]`, `change[\"Name\"].old` and `.new`.\n\n| field | type | meaning | unified audit log | Entra | Defender XDR | message trace | example |\n|---|---|---|---|---|---|---|---|\n")
	for _, f := range event.Fields() {
		meaning := f.Meaning
		if len(f.Values) > 0 {
			meaning += ": " + strings.Join(f.Values, ", ")
		}
		if f.Unit != "" {
			meaning += " (" + f.Unit + ")"
		}
		if f.Derived != "" {
			meaning += "; from " + f.Derived
		}
		code := func(all []string) string {
			if len(all) == 0 {
				return ""
			}
			return "`" + strings.Join(all, "`, `") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s | %s | `%s` |\n", f.Name, f.Type, meaning, code(f.Paths[event.UAL]), code(f.Paths[event.Entra]), code(f.Paths[event.Defender]), code(f.Paths[event.Trace]), f.Example)
	}
	return b.String()
}

func TestThePageOfFieldsIsTheSchema(t *testing.T) {
	const path = "../docs/fields.md"
	if os.Getenv("NOROSHI_UPDATE") != "" {
		if err := os.WriteFile(path, []byte(fieldsPage()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != fieldsPage() {
		t.Errorf("docs/fields.md is not what the schema says; make golden: %v", err)
	}
}

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// blocks are the YAML examples of a page.
func blocks(t *testing.T, page string) (all []string) {
	t.Helper()
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range yamlBlock.FindAllSubmatch(b, -1) {
		all = append(all, string(m[1]))
	}
	return all
}

// command runs a command and gives its exit code and what it writes.
func command(t *testing.T, args ...string) (code int, out, err string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = Main(t.Context(), args, Streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr, Now: func() time.Time { return time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC) }})
	return code, stdout.String(), stderr.String()
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	p := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestTheRulesInTheDocumentationWork: check and test have nothing to say against them, and their tests notice each change.
func TestTheRulesInTheDocumentationWork(t *testing.T) {
	dir := t.TempDir()
	var first, lists string
	rules := 0
	for i, text := range blocks(t, "../docs/rules.md") {
		if strings.HasPrefix(text, "lists:") {
			lists = text
			continue
		}
		rules++
		rule := write(t, dir, fmt.Sprintf("rule%d.yaml", i), text)
		first = cmp.Or(first, rule)
		if code, out, err := command(t, "check", rule); code != 0 {
			t.Error(out, err)
		}
		if code, out, err := command(t, "test", "--mutate", rule); code != 0 || !strings.Contains(err, " tests of 1 rule: all passed") {
			t.Error(out, err)
		}
	}
	if rules < 2 || lists == "" {
		t.Fatalf("the page has %d rules and the lists %q", rules, lists)
	}
	write(t, dir, "vip.txt", "taro@contoso.example # the boss\n")
	write(t, dir, "people.csv", "alias,upn,object id\ntaro,taro@contoso.example,11112222-3333-4444-5555-666677778888\n")
	if code, out, err := command(t, "check", "--config", write(t, dir, "lists.yaml", lists), first); code != 0 {
		t.Error(out, err)
	}
}

// keysTable is the table of the keys that kinds have beside those of every rule.
func keysTable() string {
	var b strings.Builder
	b.WriteString("| kind | key | what | value |\n|---|---|---|---|\n")
	for _, k := range kind.All {
		for _, key := range k.Keys() {
			writeKey(&b, k.Name(), "", key)
		}
	}
	return b.String()
}

func writeKey(b *strings.Builder, of, above string, key kind.Key) {
	fmt.Fprintf(b, "| %s | `%s%s` | %s | %s |\n", of, above, key.Name, strings.TrimSuffix(key.Doc, "."), valueOf(key))
	for _, inner := range key.Keys {
		writeKey(b, of, above+key.Name+".", inner)
	}
}

// valueOf says what stands behind a key.
func valueOf(key kind.Key) string {
	number := func(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
	span := func(n float64) string { return kind.Written(time.Duration(n * float64(time.Second))) }
	between := func(what string, write func(float64) string) string {
		switch {
		case key.Type == kind.Number && key.Least < 1:
			return what + " above 0, at most " + write(key.Most)
		case key.Most > 0:
			return what + ", " + write(key.Least) + " to " + write(key.Most)
		case key.Least >= 1:
			return what + ", at least " + write(key.Least)
		}
		return what
	}
	text := ""
	switch key.Type {
	case kind.Condition, kind.Guard:
		text = "a condition"
	case kind.Duration:
		text = between("a time", span)
	case kind.Bucket:
		text = between("each, or a time", span)
	case kind.Whole:
		text = between("a whole number", number)
	case kind.Number:
		text = between("a number", number)
	case kind.FieldName:
		text = "a field"
	case kind.FieldNames:
		text = "a list of fields"
	case kind.Text:
		text = "a text"
	case kind.Texts:
		text = "a list of texts"
	case kind.Group:
		text = "keys of its own"
	case kind.Groups:
		text = "a list, each with keys of its own"
	}
	if len(key.Choices) > 0 {
		text = strings.Join(key.Choices, " or ")
	}
	switch {
	case key.Required:
		text += "; needed"
	case key.Default != "":
		text += "; by default " + key.Default
	}
	return text
}

// TestTheTableOfKeysIsThatOfTheKinds: docs/rules.md says what the kinds read.
func TestTheTableOfKeysIsThatOfTheKinds(t *testing.T) {
	const page, begin, end = "../docs/rules.md", "<!-- keys -->\n", "<!-- /keys -->"
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(b), begin)
	table, after, both := strings.Cut(rest, end)
	switch {
	case !ok || !both:
		t.Fatal("the page has no place for the table")
	case table == keysTable():
	case os.Getenv("NOROSHI_UPDATE") == "":
		t.Errorf("the table in %s is not that of the kinds; make golden", page)
	default:
		if err := os.WriteFile(page, []byte(before+begin+keysTable()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTheExplanationInTheDocumentationIsRight: explain shows it of the rule on the page.
func TestTheExplanationInTheDocumentationIsRight(t *testing.T) {
	page, err := os.ReadFile("../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	_, want, ok := strings.Cut(string(page), "```\ntest: ")
	if want, _, _ = strings.Cut(want, "```"); !ok {
		t.Fatal("the page has no explanation")
	}
	all := blocks(t, "../docs/rules.md")
	i := slices.IndexFunc(all, func(text string) bool { return strings.HasPrefix(text, "id: guessed-and-in\n") })
	if i < 0 {
		t.Fatal("the page has no rule guessed-and-in")
	}
	rule := write(t, t.TempDir(), "rule.yaml", all[i])
	code, out, stderr := command(t, "explain", "--no-library", "--rules", rule, "--rule", "guessed-and-in", "--tests")
	if code != 0 || !strings.Contains(out, "test: "+want) {
		t.Errorf("got\n%s%s", out, stderr)
	}
}

// TestTheConfigurationsInTheDocumentationWork: check has nothing to say against them.
func TestTheConfigurationsInTheDocumentationWork(t *testing.T) {
	for _, page := range []string{"../docs/operating.md", "../README.md"} {
		for _, text := range blocks(t, page) {
			dir := t.TempDir()
			for _, name := range []string{"webhook.key", "bridge.key"} {
				write(t, dir, name, "whsec_"+strings.Repeat("QUJD", 8)+"\n")
			}
			write(t, dir, "o365.secret", "a secret of an application\n")
			write(t, dir, "webhook.token", "Bearer abc\n")
			write(t, dir, "admin.token", "0123456789abcdef0123456789abcdef\n")
			write(t, dir, "eventhub.connection", "Endpoint=sb://contoso.servicebus.windows.net/;SharedAccessKeyName=noroshi;SharedAccessKey=QUJD;EntityPath=audit\n")
			write(t, dir, "GeoLite2-City.mmdb", addresses(t, "GeoLite2-City", mmdbtype.Map{"country": mmdbtype.Map{"iso_code": mmdbtype.String("NL")}}))
			write(t, dir, "GeoLite2-ASN.mmdb", addresses(t, "GeoLite2-ASN", mmdbtype.Map{"autonomous_system_number": mmdbtype.Uint32(64500)}))
			write(t, dir, "rules/rule.yaml", blocks(t, "../docs/rules.md")[0])
			if code, out, err := command(t, "check", "--config", write(t, dir, "noroshi.yaml", text)); code != 0 {
				t.Errorf("%s: %s%s", page, out, err)
			}
			if !strings.Contains(text, "\n    tests:\n") {
				continue
			}
			code, out, err := command(t, "test", "--config", filepath.Join(dir, "noroshi.yaml"), "--run", "exception of")
			if code != 0 || !strings.Contains(err, "1 exception: all passed") {
				t.Errorf("%s: %s%s", page, out, err)
			}
		}
	}
}

// addresses is a database of one network.
func addresses(t *testing.T, kind string, entry mmdbtype.Map) string {
	t.Helper()
	w, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: kind, IncludeReservedNetworks: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Insert(&net.IPNet{IP: net.IPv4(203, 0, 113, 0), Mask: net.CIDRMask(24, 32)}, entry); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if _, err := w.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestThePageOfSourcesNamesAllCategories: with their datasets, none besides.
func TestThePageOfSourcesNamesAllCategories(t *testing.T) {
	b, err := os.ReadFile("../docs/sources.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(b), "| category | dataset | export |")
	if !ok {
		t.Fatal("the page has no table of categories")
	}
	table, _, _ = strings.Cut(table, "\n## ")
	named := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([A-Za-z0-9-]+)` \\|(.*)$").FindAllStringSubmatch(table, -1) {
		if want := decode.Datasets()[m[1]]; want == "" || !strings.Contains(m[2], "`"+want+"`") {
			t.Errorf("%s is said to be %s, and is %q", m[1], m[2], want)
		}
		named[m[1]] = true
	}
	for c := range decode.Datasets() {
		if !named[c] {
			t.Errorf("%s is not on the page", c)
		}
	}
}

// TestTheRecordInTheDocumentationIsRead: as the page says.
func TestTheRecordInTheDocumentationIsRead(t *testing.T) {
	b, err := os.ReadFile("../docs/sources.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?s)```json\n(.*?)```").FindSubmatch(b)
	if m == nil {
		t.Fatal("the page has no record")
	}
	code, out, said := command(t, "decode", write(t, t.TempDir(), "record.json", string(m[1])))
	if code != 0 || !strings.Contains(out, "5.1.8") || !strings.Contains(out, "taro@contoso.example") || !strings.Contains(out, "exchange.message_trace") {
		t.Error(code, out, said)
	}
}

// TestTheDocumentationNamesTheFieldsThatFindNoRule: a rule that compares one of them with a constant is tried on every record.
func TestTheDocumentationNamesTheFieldsThatFindNoRule(t *testing.T) {
	_, out, _ := command(t, "fields", "--json")
	dir, want := t.TempDir(), []string(nil)
	for line := range strings.Lines(out) {
		var f struct {
			Name, Type, Example string
			Values              []string
		}
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatal(err)
		}
		when, value := f.Name, f.Example
		if len(f.Values) > 0 {
			value = f.Values[0]
		}
		switch f.Type {
		case "number":
			continue
		case "text":
			when = fmt.Sprintf("%s == %q", f.Name, value)
		case "list":
			when = fmt.Sprintf("%q in %s", value, f.Name)
		}
		id := strings.NewReplacer(".", "-", "_", "-").Replace(f.Name)
		write(t, dir, id+".yaml", fmt.Sprintf("id: %s\ntitle: x\nseverity: low\nwhen: |\n  %s\n", id, when))
		want = append(want, id+" "+f.Name)
	}
	records := write(t, dir, "records", `{"CreationTime":"2026-01-02T03:00:00","Id":"1","Operation":"x","RecordType":1,"UserId":"taro@contoso.example"}`)
	_, _, warned := command(t, "replay", "--no-library", "--rules", dir, records)
	page, err := os.ReadFile("../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	_, told, _ := strings.Cut(string(page), "Fields that are made from others do not help to find a rule")
	told, _, _ = strings.Cut(told, "`. ")
	told += "`"
	for _, w := range want {
		id, name, _ := strings.Cut(w, " ")
		if slow := strings.Contains(warned, "rule "+id+" is tried on every record"); slow != strings.Contains(told, "`"+name+"`") {
			t.Errorf("%s: a rule is tried on every record: %v", name, slow)
		}
	}
}
