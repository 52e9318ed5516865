package sentinel

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/monitor/ingestion/azlogs"
	"github.com/klauspost/compress/gzip"
	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/alert"
	"noroshi/internal/strictyaml"
	"noroshi/sinks"
	"noroshi/sinks/remote"
	"noroshi/sinks/sinktest"
)

const (
	bearer = "eyJ0eXAi-T0ken-of-M0nitor"
	rule   = "dcr-00112233445566778899aabbccddeeff"
)

// who gives one token.
func who(http.RoundTripper) (remote.Token, error) {
	return func(context.Context, string) (string, error) { return bearer, nil }, nil
}

func sink(t *testing.T, o sinktest.Options) *Sink {
	t.Helper()
	s, err := New(Config{Config: o.Remote(), RuleID: rule, Stream: stream, Identity: who}, sinktest.Env())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// rows reads a request as the API does.
func rows(t *testing.T, r *http.Request, body []byte) (all []map[string]any) {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Error(err)
		return nil
	}
	b, err := io.ReadAll(z)
	if err == nil {
		err = json.Unmarshal(b, &all)
	}
	if err != nil || len(b) > maxRequest || r.URL.Path != "/dataCollectionRules/"+rule+"/streams/Custom-NoroshiAlerts_CL" || r.URL.RawQuery != "api-version=2023-01-01" || r.Header.Get("Authorization") != "Bearer "+bearer {
		t.Errorf("%v: %s %v, %d bytes", err, r.URL, r.Header, len(b))
	}
	return all
}

func TestContract(t *testing.T) {
	sinktest.HTTP{
		Make:    func(t *testing.T, o sinktest.Options) sinks.Sink { return sink(t, o) },
		Secrets: []string{bearer},
		Reads:   true,
		Success: http.StatusNoContent,
		Answer:  func(*http.Request, []byte) string { return "" },
		Alerts: func(t *testing.T, r *http.Request, body []byte) (all []string) {
			for _, one := range rows(t, r, body) {
				fits(t, one)
				all = append(all, fmt.Sprint(one["AlertId"], " ", one["AlertSummary"]))
			}
			return all
		},
		Want: func(m sinks.Message) string {
			var a alert.Alert
			if err := json.Unmarshal(m.Body, &a); err != nil {
				return err.Error()
			}
			summary := any(a.Summary)
			if a.Summary == "" {
				summary = nil
			} else if len(a.Summary) > maxField {
				summary = a.Summary[:maxField/6-maxField/6%3] + "…"
			}
			return fmt.Sprint(a.ID, " ", summary)
		},
	}.Contract(t)
}

// fits checks that a row has nothing that the table has not, each value of its column's type and short enough.
func fits(t *testing.T, row map[string]any) {
	t.Helper()
	kinds := map[string]string{}
	for i := range columns {
		kinds[columns[i].name] = columns[i].kind
	}
	for name, v := range row {
		kind := ""
		switch v := v.(type) {
		case string:
			kind = text
			if _, err := time.Parse(time.RFC3339, v); err == nil && kinds[name] == moment {
				kind = moment
			}
		case bool:
			kind = truth
		case float64:
			kind = kinds[name]
			if kind != number && kind != "long" && kind != fraction {
				kind = "a number"
			}
		default:
			kind = dynamic
		}
		if b, err := json.Marshal(v); kinds[name] != kind || err != nil || len(b) > 64<<10 {
			t.Errorf("%s is %s of %d bytes, want %q", name, kind, len(b), kinds[name])
		}
	}
}

// TestAnswers: what the API says of the rule of collection pauses the sink, what it says of rows refuses them.
func TestAnswers(t *testing.T) {
	for _, row := range []struct {
		status int
		code   string
		want   string
	}{
		{400, "InvalidStream", "again"}, {400, "InvalidRecord", "refused"}, {413, "ContentLengthLimitExceeded", "refused"}, {403, "OperationFailed", "again"}, {404, "NotFound", "again"}, {429, "TooManyRequests", "again"}, {503, "Busy", "again"}, {401, "Unauthorized", "again"},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(row.status)
			fmt.Fprintf(w, `{"error":{"code":%q,"message":"Because of %s"}}`, row.code, bearer)
		}))
		err := sink(t, sinktest.Options{URL: srv.URL}).Send(t.Context(), []sinks.Message{sinktest.Message(1)})
		srv.Close()
		var refused *sinks.Refused
		var fault *sinks.Fault
		got := ""
		switch {
		case errors.As(err, &refused):
			got = "refused"
		case errors.As(err, &fault) && fault.RetryAfter == 7*time.Second:
			got = "again"
		}
		if got != row.want || !strings.Contains(err.Error(), row.code+": Because of") || strings.Contains(err.Error(), bearer) {
			t.Errorf("status %d, %s: %s (%v), want %s", row.status, row.code, got, err, row.want)
		}
	}
}

// TestSizes: no request is larger than the API takes, whatever alerts come in a batch, and a single one that is goes alone.
func TestSizes(t *testing.T) {
	largest := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		z, bad := gzip.NewReader(bytes.NewReader(b))
		if err != nil || bad != nil {
			t.Error(err, bad)
			return
		}
		n, err := io.Copy(io.Discard, z)
		if err != nil {
			t.Error(err)
		}
		largest = max(largest, int(n))
		w.WriteHeader(http.StatusNoContent)
	}))
	s := sink(t, sinktest.Options{URL: srv.URL})
	var all []sinks.Message
	size := 0
	for n := 0; len(all) < maxRows && size < maxBytes; n++ {
		a := sinktest.Alert(n)
		for range n % 40 {
			a.Evidence = append(a.Evidence, a.Evidence[0])
		}
		m := sinktest.Of(a)
		if size += len(m.Body); size < maxBytes {
			all = append(all, m)
		}
	}
	err := s.Send(t.Context(), all)
	small := make([]sinks.Message, maxRows)
	for i := range small {
		small[i] = sinktest.Message(i)
	}
	err = errors.Join(err, s.Send(t.Context(), small))
	big := sinktest.Alert(1)
	for range 40 { // each of many texts is as long as a field may be
		big.Rule.Title, big.Summary, big.Account, big.Target, big.Tenant = strings.Repeat("x", 59_000), strings.Repeat("x", 59_000), strings.Repeat("x", 59_000), strings.Repeat("x", 59_000), strings.Repeat("x", 59_000)
	}
	var refused *sinks.Refused
	if both := s.Send(t.Context(), []sinks.Message{sinktest.Of(big), sinktest.Of(big), sinktest.Of(big), sinktest.Of(big)}); !errors.As(both, &refused) {
		t.Errorf("four alerts of 300 kB are sent together: %v", both)
	}
	err = errors.Join(err, s.Send(t.Context(), []sinks.Message{sinktest.Of(big)}))
	srv.Close() // its goroutine has ended
	if err != nil || largest < 600_000 || largest > maxRequest {
		t.Errorf("the largest request has %d bytes: %v", largest, err)
	}
}

// TestWhatIsTooLongIsTold: a field that Azure would cut is told in part, stays JSON, and the row says so.
func TestWhatIsTooLongIsTold(t *testing.T) {
	a := sinktest.Alert(1)
	a.Summary = strings.Repeat("長", 40_000)
	for range 2000 {
		a.Evidence = append(a.Evidence, a.Evidence[0])
	}
	var got map[string]any
	if err := json.Unmarshal(row(nil, a), &got); err != nil {
		t.Fatal(err)
	}
	fits(t, got)
	if fmt.Sprint(got["AlertCut"]) != "[summary evidence]" || len(got["Evidence"].([]any)) < 100 || !strings.HasSuffix(got["AlertSummary"].(string), "長…") {
		t.Errorf("%v, %d events, %.20s", got["AlertCut"], len(got["Evidence"].([]any)), got["AlertSummary"])
	}
}

// transport catches a request.
type transport struct{ got *http.Request }

func (c *transport) Do(r *http.Request) (*http.Response, error) {
	c.got = r
	return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody, Request: r}, nil
}

type credential struct{}

func (credential) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if len(o.Scopes) != 1 || strings.ReplaceAll(o.Scopes[0], "//.", "/.") != "https://monitor.azure.com/.default" {
		return azcore.AccessToken{}, fmt.Errorf("scopes %v", o.Scopes)
	}
	return azcore.AccessToken{Token: bearer, ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// TestTheRequestIsThatOfMicrosoftsClient: azlogs sends the same rows to the same place, with the same token.
func TestTheRequestIsThatOfMicrosoftsClient(t *testing.T) {
	var ours *http.Request
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ours = r
		w.WriteHeader(http.StatusNoContent)
	}))
	err := sink(t, sinktest.Options{URL: srv.URL}).Send(t.Context(), []sinks.Message{sinktest.Message(1)})
	srv.Close() // its goroutine has ended
	if err != nil {
		t.Fatal(err)
	}
	c := &transport{}
	client, err := azlogs.NewClient("https://noroshi-abcd.westeurope-1.ingest.monitor.azure.com", credential{}, &azlogs.ClientOptions{ClientOptions: azcore.ClientOptions{Transport: c}})
	if err != nil {
		t.Fatal(err)
	}
	packed := "gzip"
	if _, err := client.Upload(t.Context(), rule, stream, []byte("[]"), &azlogs.UploadOptions{ContentEncoding: &packed}); err != nil {
		t.Fatal(err)
	}
	if ours.Method != c.got.Method || ours.URL.RequestURI() != c.got.URL.RequestURI() {
		t.Errorf("%s %s, want %s %s", ours.Method, ours.URL, c.got.Method, c.got.URL)
	}
	for _, name := range []string{"Content-Type", "Content-Encoding", "Authorization"} {
		if got, want := ours.Header.Get(name), c.got.Header.Get(name); got != want || got == "" {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// reserved are names of columns that Azure keeps for itself.
// Source: Azure Monitor, "Add or delete tables and columns", reserved names.
var reserved = []string{"title", "type", "id", "tenantid", "uniqueid", "_resourceid", "_subscriptionid"}

// TestColumns: each member of an alert has a column, and each column a name that Azure takes.
func TestColumns(t *testing.T) {
	held, seen := map[string]bool{}, map[string]bool{}
	for i := range columns {
		c := &columns[i]
		held[c.of] = true
		if low := strings.ToLower(c.name); seen[low] || !regexp.MustCompile(`^[A-Z][A-Za-z0-9]{1,44}$`).MatchString(c.name) || strings.Contains(fmt.Sprint(reserved), low+" ") || strings.ContainsAny(c.about, `'\`) {
			t.Errorf("the column %s", c.name)
		}
		seen[strings.ToLower(c.name)] = true
	}
	kind := reflect.TypeFor[alert.Alert]()
	for i := range kind.NumField() {
		name, _, _ := strings.Cut(kind.Field(i).Tag.Get("json"), ",")
		if !held[name] {
			t.Errorf("the alert's %s has no column", name)
		}
		delete(held, name)
	}
	if len(held) > 0 {
		t.Errorf("columns hold what no alert has: %v", held)
	}
	if columns[len(columns)-1].name != "AlertCut" {
		t.Error("the last column says what the others leave out")
	}
}

// TestTheTemplateIsShipped as it is made of the columns.
func TestTheTemplateIsShipped(t *testing.T) {
	const file = "../../deploy/sentinel/noroshi.bicep"
	if os.Getenv("NOROSHI_UPDATE") != "" {
		if err := os.WriteFile(file, []byte(Template()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := os.ReadFile(file); err != nil || strings.ReplaceAll(string(b), "\r\n", "\n") != Template() {
		t.Errorf("%s differs from what the columns make; NOROSHI_UPDATE=1 writes it: %v", file, err)
	}
}

// TestIdentities: without a token nothing is sent, and why is told without it. Tokens are asked for the cloud of the url.
func TestIdentities(t *testing.T) {
	for url, want := range map[string]string{"https://a.westeurope-1.ingest.monitor.azure.com": "monitor.azure.com", "https://a.ingest.monitor.azure.us": "monitor.azure.us", "https://a.ingest.monitor.azure.cn": "monitor.azure.cn"} {
		asked := ""
		id := func(http.RoundTripper) (remote.Token, error) {
			return func(_ context.Context, host string) (string, error) {
				asked = host
				return "", errors.New("no identity")
			}, nil
		}
		s, err := New(Config{Config: remote.Config{URL: url}, RuleID: rule, Stream: stream, Identity: id}, sinktest.Env())
		if err != nil {
			t.Fatal(err)
		}
		var fault *sinks.Fault
		if err := s.Send(t.Context(), []sinks.Message{sinktest.Message(1)}); !errors.As(err, &fault) || !strings.Contains(err.Error(), "get a token") || asked != want {
			t.Errorf("%s: %v, asked for %s", url, err, asked)
		}
	}
}

// TestPreview needs no token.
func TestPreview(t *testing.T) {
	var b bytes.Buffer
	s, err := New(Config{Config: remote.Config{URL: "https://a.ingest.monitor.azure.com"}, RuleID: rule, Stream: stream, Identity: who}, sinks.Env{Now: time.Now, Preview: &b})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Send(t.Context(), []sinks.Message{sinktest.Message(1)})
	if text := b.String(); !errors.Is(err, sinks.ErrPreview) || !strings.Contains(text, `[{"TimeGenerated":"2026-01-02T03:04:05.678Z",`) || strings.Contains(text, bearer) {
		t.Errorf("%v\n%s", err, text)
	}
}

// TestWhatIsRefused of a configuration.
func TestWhatIsRefused(t *testing.T) {
	good := "url: 'https://a.ingest.monitor.azure.com', rule_id: " + rule
	for text, want := range map[string]string{
		"{" + good + ", credential: {}}":                       "",
		"{" + good + ", credential: {}, stream: Custom-Other}": "",
		"{" + good + "}": "credential is missing",
		"{url: 'https://a.ingest.monitor.azure.com', credential: {}}":                       "immutable id",
		"{" + good + ", credential: {}, stream: Other}":                                     "name of a stream",
		"{url: 'http://a.ingest.monitor.azure.com', rule_id: " + rule + ", credential: {}}": "must begin with https",
		"{url: 'https://10.0.0.1', rule_id: " + rule + ", credential: {}}":                  "allow_private",
	} {
		d := strictyaml.Parse("f", []byte(text))
		Read(remote.Reader{Doc: d, Identity: func(*yaml.Node) remote.Identity { return who }}, d.Root)
		got := ""
		for _, p := range d.Problems {
			got += p.Message
		}
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
