package config

import (
	"slices"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/event"
	"noroshi/internal/strictyaml"
)

// O365 is a source of a tenant's unified audit log, through the Management Activity API.
type O365 struct {
	Name       string
	Tenant     string
	Content    []string
	Cloud      string
	Publisher  string
	Latest     bool      // a first start begins now,
	Since      time.Time // or at a time, or else as far back as there is something
	Newest     bool      // the newest of the past is read first
	Poll       time.Duration
	Quota      int
	Proxy      string
	Endpoint   string
	CAFile     string
	Credential Credential
}

// The words of the source.
var (
	O365Contents = []string{"Audit.AzureActiveDirectory", "Audit.Exchange", "Audit.SharePoint", "Audit.General", "DLP.All"}
	O365Clouds   = []string{"public", "gcc", "gcc_high", "dod"}
)

// signIn is the cloud in which each of O365Clouds signs in.
var signIn = map[string]string{"public": "public", "gcc": "public", "gcc_high": "government", "dod": "government"}

// The bounds of what is asked of the API.
const (
	leastPoll  = 10 * time.Second
	mostPoll   = time.Hour
	leastQuota = 60
	mostQuota  = 1_000_000
)

func (c *Config) o365(d *strictyaml.Doc, n *yaml.Node) O365 {
	o := O365{Cloud: "public", Content: O365Contents[:4]}
	before := d.Errors()
	d.Fields(n, map[string]func(*yaml.Node){
		"name":       func(n *yaml.Node) { o.Name = d.Text(n) },
		"tenant":     func(n *yaml.Node) { o.Tenant = tenantID(d, n) },
		"content":    func(n *yaml.Node) { o.Content = contents(d, n) },
		"cloud":      func(n *yaml.Node) { o.Cloud = d.OneOf(n, "value", O365Clouds...) },
		"publisher":  func(n *yaml.Node) { o.Publisher = tenantID(d, n) },
		"start":      func(n *yaml.Node) { o.Latest, o.Since = start(d, n) },
		"backfill":   func(n *yaml.Node) { o.Newest = d.OneOf(n, "value", "oldest", "newest") == "newest" },
		"poll":       func(n *yaml.Node) { o.Poll = d.Within(n, leastPoll, mostPoll) },
		"quota":      func(n *yaml.Node) { o.Quota = d.Int(n, leastQuota, mostQuota) },
		"proxy":      func(n *yaml.Node) { o.Proxy = Proxy(d, n) },
		"endpoint":   func(n *yaml.Node) { o.Endpoint = hostPort(d, n) },
		"ca_file":    func(n *yaml.Node) { o.CAFile = c.certificates(d, n) },
		"credential": func(n *yaml.Node) { o.Credential = c.credential(d, n) },
	})
	if d.Errors() == before {
		c.complete(d, n, &o)
	}
	return o
}

// complete tells what the source lacks, and which of its keys say different things.
func (c *Config) complete(d *strictyaml.Doc, n *yaml.Node, o *O365) {
	k, cloud := &o.Credential, signIn[o.Cloud]
	switch {
	case o.Tenant == "":
		d.At(n, "missing", "an o365 source needs the key tenant")
	case k.Kind == "":
		d.At(n, "missing", "an o365 source needs the key credential")
	case k.Cloud != "" && k.Cloud != cloud:
		d.At(n, "value", "the cloud "+o.Cloud+" signs in at the cloud "+cloud+", and the credential says "+k.Cloud+"; leave that out")
	case tenantPattern.MatchString(strings.ToLower(k.Tenant)) && !strings.EqualFold(k.Tenant, o.Tenant):
		d.At(n, "value", "the credential is of another tenant than the source; a token is taken for its own tenant alone")
	case o.Latest && o.Newest:
		d.At(n, "value", "with start: latest there is no past to be read; leave backfill out")
	case slices.ContainsFunc(c.Sources, func(s Source) bool {
		return s.Kind == "o365" && s.O365.Tenant == o.Tenant && s.O365.Cloud == o.Cloud
	}):
		d.At(n, "value", "there is a source of this tenant already; name all content types in one, which keeps to the tenant's quota")
	}
	k.Cloud = cloud
}

// tenantID reads the id of a tenant.
func tenantID(d *strictyaml.Doc, n *yaml.Node) string {
	id := strings.ToLower(d.Text(n))
	d.Expect(n, strictyaml.Form{Type: strictyaml.TypeText, As: "the id of a tenant"})
	if id != "" && !tenantPattern.MatchString(id) {
		d.At(n, "value", "expected a tenant id such as 11112222-3333-4444-5555-666677778888")
		return ""
	}
	return id
}

// contents reads content types, each once.
func contents(d *strictyaml.Doc, n *yaml.Node) (all []string) {
	items := d.Items(n)
	for _, item := range items {
		one := d.OneOf(item, "value", O365Contents...)
		if slices.Contains(O365Contents, one) && slices.Contains(all, one) {
			d.At(item, "value", "the content type "+one+" stands here twice")
		}
		all = append(all, one)
	}
	if len(items) == 0 {
		d.At(n, "value", "expected at least one content type, such as Audit.Exchange")
	}
	return all
}

// late is how late records come through the API: core services promise 60 to 90 minutes, without a bound.
var late = event.Late{Wait: 2 * time.Hour, Keep: 24 * time.Hour}

// comeLate makes that decisions wait longer for the unified audit log where it comes through the API, and nothing else is configured. It
// holds for instances that do not read the sources, too.
func (c *Config) comeLate(root *yaml.Node) {
	const family = "ual.*"
	_, own := c.Lateness[family]
	_, all := c.Lateness["*"]
	sources := valueOf(root, "sources")
	if sources == nil || own || all {
		return
	}
	if slices.ContainsFunc(sources.Content, func(item *yaml.Node) bool { return valueOf(item, "o365") != nil }) {
		c.Lateness[family] = late
	}
}

// valueOf is what stands under a key of a mapping; nil: nothing does.
func valueOf(n *yaml.Node, key string) *yaml.Node {
	for i := 0; n != nil && n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}
