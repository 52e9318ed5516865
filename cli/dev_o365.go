package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"noroshi/internal/o365test"
)

// devO365Flags are those of `dev o365`.
type devO365Flags struct {
	records []string
	listen  string
	folder  string
	blob    int
	rate    int
	faults  int
	now     bool
	newest  time.Time // to where the newest record is moved
}

func devO365Command(s Streams) *cobra.Command {
	f := &devO365Flags{}
	c := &cobra.Command{
		Use:   "o365 --records FILE... [flags]",
		Short: "Serve records of files as the audit log of a tenant on this machine",
		Long: `O365 is the Management Activity API of a tenant for trials, with the sign-in host that gives its tokens. It has the records of the files in
blobs, which become available now. Into a folder it writes what a run needs: a configuration, the certificate to trust, and the secret
of an application, which is known to all. It prints the path of the configuration, and serves until Ctrl-C. Started again with the same
files and folder it has the same blobs, so that a reader goes on where it was. With --now the times of all records are moved by one span, so
that the newest is of now, or of the time of the first start in this folder. With --faults it is as on a bad day: throttled, cut off, in
error.`,
		Example: `  noroshi dev o365 --records audit.ndjson --now
  noroshi run --config o365-dev/noroshi.yaml`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c.Context(), s) },
	}
	c.Flags().StringSliceVar(&f.records, "records", nil, "`file` of records, in any form that replay reads; may be given again")
	c.Flags().StringVar(&f.listen, "listen", "127.0.0.1:8443", "`address` to listen on")
	c.Flags().StringVar(&f.folder, "folder", "o365-dev", "`folder` for configuration, certificate and secret")
	c.Flags().BoolVar(&f.now, "now", false, nowUsage)
	f.blob = 10
	c.Flags().Var(&whole{&f.blob, 1, 100000}, "blob", "records of one blob")
	f.rate = 0
	c.Flags().Var(&whole{&f.rate, 0, 1000}, "rate", "blobs a second; 0: all are there at once")
	f.faults = 0
	c.Flags().Var(&whole{&f.faults, 0, 1000000}, "faults", "after how many answers one is a fault; 0: none is")
	return c
}

func (f *devO365Flags) run(ctx context.Context, s Streams) error {
	if len(f.records) == 0 {
		return errors.New("--records is missing: a log without records shows nothing")
	}
	records, err := readRecords(ctx, s, f.records)
	if err != nil {
		return err
	}
	times := newTimes(s, records)
	tenant, err := times.tenantOf()
	if err != nil {
		return failed{err}
	}
	server, err := f.server(tenant)
	if err != nil {
		return failed{fmt.Errorf("start the API: %w", err)}
	}
	if f.now {
		f.newest = f.newestOf(s.Now())
		records = times.moved(records, f.newest)
	} else {
		times.hint(s.Now())
	}
	blobs := f.blobs(records)
	if f.rate == 0 {
		for _, b := range blobs {
			server.Add(b)
		}
	}
	path, err := f.write(server)
	if err != nil {
		return failed{fmt.Errorf("write the configuration: %w", err)}
	}
	fmt.Fprintln(s.Out, path)
	fmt.Fprintf(s.Err, "%s in %s; Ctrl-C ends it\n", plural(len(records), "record"), plural(len(blobs), "blob"))
	serving, stop := context.WithCancel(ctx)
	added := make(chan struct{})
	go func() {
		defer close(added)
		if f.rate > 0 {
			f.add(serving, server, blobs)
		}
	}()
	err = server.Run(serving)
	stop()
	<-added
	if err != nil {
		return failed{err}
	}
	return nil
}

// add adds blobs, so many a second.
func (f *devO365Flags) add(ctx context.Context, server *o365test.Server, blobs []o365test.Blob) {
	next := time.NewTicker(time.Second / time.Duration(f.rate))
	defer next.Stop()
	for _, b := range blobs {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
			server.Add(b)
		}
	}
}

var tenantID = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// tenantOf is whose records most of them are.
func (t *recordTimes) tenantOf() (string, error) {
	most := ""
	for id, n := range t.tenants {
		if n > t.tenants[most] || n == t.tenants[most] && id < most {
			most = id
		}
	}
	if !tenantID.MatchString(most) {
		return "", fmt.Errorf("most records are of the tenant %.60q; the API has those of a tenant with an id such as %s, as in OrganizationId", most, o365test.Tenant)
	}
	return most, nil
}

// serverFile holds the certificate and its key, so that a server that is started again is taken for the same.
const serverFile = "server.pem"

func (f *devO365Flags) server(tenant string) (*o365test.Server, error) {
	known, err := os.ReadFile(filepath.Join(f.folder, serverFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return o365test.New(o365test.Config{Addr: f.listen, Tenant: tenant, Every: f.faults, PEM: known})
}

// nowFile holds the time to which the newest record was moved, so that a server that is started again has the same records.
const nowFile = "now"

// newestOf is that time, or a given one where the folder has none.
func (f *devO365Flags) newestOf(now time.Time) time.Time {
	if text, err := os.ReadFile(filepath.Join(f.folder, nowFile)); err == nil {
		if at, err := time.Parse(time.RFC3339, strings.TrimSpace(string(text))); err == nil {
			return at
		}
	}
	return now.UTC().Truncate(time.Second)
}

// blobs puts records together by their content types. A blob has the same id each time.
func (f *devO365Flags) blobs(records [][]byte) (all []o365test.Blob) {
	open := map[string][][]byte{}
	end := func(content string) {
		body := append(append([]byte{'['}, bytes.Join(open[content], []byte(","))...), ']')
		sum := sha256.Sum256(body)
		all = append(all, o365test.Blob{ID: fmt.Sprintf("dev-%d-%s", len(all), hex.EncodeToString(sum[:8])), Content: content, Body: body})
		open[content] = nil
	}
	for _, r := range records {
		content := contentOf(r)
		if open[content] = append(open[content], r); len(open[content]) == f.blob {
			end(content)
		}
	}
	for _, content := range []string{o365test.AzureActiveDirectory, o365test.Exchange, o365test.SharePoint, o365test.General} {
		if len(open[content]) > 0 {
			end(content)
		}
	}
	return all
}

// contentOf is the content type in which a record comes.
func contentOf(record []byte) string {
	var of struct{ Workload string }
	_ = json.Unmarshal(record, &of) // what is no record of the log is general
	switch of.Workload {
	case "AzureActiveDirectory":
		return o365test.AzureActiveDirectory
	case "Exchange":
		return o365test.Exchange
	case "SharePoint", "OneDrive":
		return o365test.SharePoint
	}
	return o365test.General
}

// madeHere begins a configuration that may be written again.
const madeHere = "# Made by noroshi dev o365.\n"

// write writes the folder's files, and gives the path of the configuration.
func (f *devO365Flags) write(server *o365test.Server) (path string, err error) {
	if err := os.MkdirAll(f.folder, 0o700); err != nil {
		return "", err
	}
	both, err := server.PEM()
	if err != nil {
		return "", err
	}
	path = filepath.Join(f.folder, "noroshi.yaml")
	text := madeHere + fmt.Sprintf(`sources:
  - o365:
      tenant: %s
      credential: {kind: client_secret, tenant: %s, client: %s, secret: "${file:secret}"}
      endpoint: %s   # in the place of Microsoft's hosts
      ca_file: ca.pem
      poll: 10s
sinks:
  - {name: terminal, stdout: {}}
`, server.Tenant(), server.Tenant(), o365test.Client, server.Addr())
	if _, err := os.Stat(path); err == nil && !beginsAs(path, madeHere) {
		return "", fmt.Errorf("%s holds something else than an earlier output, and would be lost; name another folder with --folder", path)
	}
	files := map[string][]byte{serverFile: both, "ca.pem": server.CertificatePEM(), "secret": []byte(o365test.Secret + "\n"), "noroshi.yaml": []byte(text)}
	if f.now {
		files[nowFile] = []byte(f.newest.Format(time.RFC3339) + "\n")
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(f.folder, name), content, 0o600); err != nil {
			return "", err
		}
	}
	return path, nil
}
