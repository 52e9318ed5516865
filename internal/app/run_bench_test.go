package app

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"noroshi/detector"
	"noroshi/ingest"
	"noroshi/ingest/file"
	"noroshi/internal/config"
	"noroshi/rules"
)

// The records of BenchmarkRun, of 1.2 KB on average: half sign-ins, half of the audit log. A number, a person, a time and an address differ.
var mixed = [...]string{
	signInForm, auditForm + fileForm, strings.Replace(signInForm, "SignInLogs", "NonInteractiveUserSignInLogs",
		1), auditForm + mailForm, signInForm, auditForm + commandForm,
}

const (
	signInForm = `{"time":"2026-01-02T%[3]sZ","resourceId":"/tenants/8f6b0e2a-5f0e-4b0c-9a51-0e1c6a2b7d10/providers/Microsoft.aadiam","operationName":"Sign-in activity","operationVersion":"1.0",` +
		`"category":"SignInLogs","tenantId":"8f6b0e2a-5f0e-4b0c-9a51-0e1c6a2b7d10","resultType":"0","durationMs":0,"callerIpAddress":"198.51.100.%[4]d","correlationId":"00000001-0000-4000-a000-%012[1]x",` +
		`"level":4,"location":"JP","properties":{"id":"00000002-0000-4000-a000-%012[1]x","createdDateTime":"2026-01-02T%[3]sZ","userDisplayName":"User %[2]d","userPrincipalName":"user%[2]d@contoso.example",` +
		`"userId":"00000003-0000-4000-a000-%012[2]x","appId":"00000004-0000-4000-a000-000000000004","appDisplayName":"Office 365 Exchange Online","ipAddress":"198.51.100.%[4]d",` +
		`"status":{"errorCode":0,"additionalDetails":"MFA requirement satisfied by claim in the token"},"clientAppUsed":"Browser",` +
		`"userAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",` +
		`"deviceDetail":{"deviceId":"","operatingSystem":"Windows10","browser":"Edge 131.0.0","isCompliant":false},"location":{"city":"Tokyo","state":"Tokyo","countryOrRegion":"JP"},` +
		`"conditionalAccessStatus":"success","isInteractive":true,"riskLevelDuringSignIn":"none","authenticationRequirement":"singleFactorAuthentication"}}`
	auditForm = `{"CreationTime":"2026-01-02T%[3]s","Id":"00000005-0000-4000-a000-%012[1]x","OrganizationId":"8f6b0e2a-5f0e-4b0c-9a51-0e1c6a2b7d10","ResultStatus":"Succeeded",` +
		`"UserKey":"00000003-0000-4000-a000-%012[2]x","UserType":0,"Version":1,"ClientIP":"198.51.100.%[4]d","UserId":"user%[2]d@contoso.example",`
	fileForm = `"Operation":"FileAccessed","RecordType":6,"Workload":"SharePoint","ObjectId":"https://contoso.example/sites/projects/Shared Documents/plans/2026/report-%[1]d.docx",` +
		`"CorrelationId":"00000006-0000-4000-a000-%012[1]x","EventSource":"SharePoint","ItemType":"File","ListItemUniqueId":"00000007-0000-4000-a000-%012[1]x",` +
		`"UserAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0","SourceFileExtension":"docx",` +
		`"SiteUrl":"https://contoso.example/sites/projects/","SourceFileName":"report-%[1]d.docx","SourceRelativeUrl":"Shared Documents/plans/2026",` +
		`"AppAccessContext":{"AADSessionId":"00000008-0000-4000-a000-%012[1]x","CorrelationId":"00000006-0000-4000-a000-%012[1]x"},"ListBaseType":1,"ListServerTemplate":101}`
	mailForm = `"Operation":"MailItemsAccessed","RecordType":50,"Workload":"Exchange","ClientInfoString":"Client=OWA;Action=ViaProxy","ExternalAccess":false,"InternalLogonType":0,"LogonType":0,` +
		`"MailboxGuid":"00000009-0000-4000-a000-%012[2]x","MailboxOwnerUPN":"user%[2]d@contoso.example","OperationProperties":[{"Name":"MailAccessType","Value":"Bind"},{"Name":"IsThrottled","Value":"False"}],` +
		`"OrganizationName":"contoso.example","OriginatingServer":"TYAPR01MB0001 (15.20.4200.000)","Folders":[{"FolderItems":[{"InternetMessageId":"<%012[1]x@mail.contoso.example>","SizeInBytes":40123},` +
		`{"InternetMessageId":"<%[1]d@mail.contoso.example>","SizeInBytes":50321}],"Id":"LgAAAAB%032[2]x","Path":"\\Inbox"}],"OperationCount":2}`
	commandForm = `"Operation":"Set-Mailbox","RecordType":1,"Workload":"Exchange","ObjectId":"APCPR01A001.prod.example/Microsoft Exchange Hosted Organizations/contoso.example/user%[2]d",` +
		`"ExternalAccess":false,"OrganizationName":"contoso.example","OriginatingServer":"TYAPR01MB0001 (15.20.4200.000)",` +
		`"Parameters":[{"Name":"Identity","Value":"user%[2]d@contoso.example"},{"Name":"AuditEnabled","Value":"True"}],"SessionId":"0000000a-0000-4000-a000-%012[2]x"}`
)

func writeMixed(b *testing.B, path string, n int) {
	b.Helper()
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriter(f)
	for i := range n {
		at := time.Duration(i/100) * time.Second
		clock := fmt.Sprintf("%02d:%02d:%02d", int(at.Hours())%24, int(at.Minutes())%60, int(at.Seconds())%60)
		text := fmt.Sprintf(mixed[i%len(mixed)], i, i*7919%2000, clock, i%250)
		if _, err := io.WriteString(w, text+"\n"); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
}

// begins tells when a source begins.
type begins struct {
	ingest.Source
	now chan struct{}
}

func (s begins) Run(ctx context.Context, stored map[string][]byte, deliver ingest.Deliver) error {
	close(s.now)
	return s.Source.Run(ctx, stored, deliver)
}

// BenchmarkRun reads a file and evaluates it with the shipped rules, on the embedded Kafka, from the first record until the last is
// evaluated. The machine must have nothing else to do.
func BenchmarkRun(b *testing.B) {
	const n = 200_000
	path := filepath.Join(b.TempDir(), "a.ndjson")
	writeMixed(b, path, n)
	set, ps := rules.Load(rules.Options{Library: true})
	if len(ps) > 0 {
		b.Fatal(ps[0].Format())
	}
	var took time.Duration
	var allocs, bytes uint64
	var rowBytes int64
	for b.Loop() {
		conf := config.Default()
		conf.Kafka.Data = b.TempDir()
		src, err := file.New(file.Config{Paths: []string{path}, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			b.Fatal(err)
		}
		source := begins{src, make(chan struct{})}
		run := &Run{Config: conf, Compile: func(sample [][]byte) *detector.Set { return detector.New(set, detector.Options{Sample: sample}) },
			Sources: []ingest.Source{source}, Log: slog.New(slog.DiscardHandler)}
		ctx, stop := context.WithCancel(b.Context())
		ended := make(chan error, 1)
		go func() { ended <- run.Run(ctx) }()
		<-source.now
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := time.Now()
		for run.detected.events.Load()+run.detected.duplicates.Load() < n {
			time.Sleep(time.Millisecond)
		}
		took += time.Since(began)
		runtime.ReadMemStats(&after)
		allocs, bytes = allocs+after.Mallocs-before.Mallocs, bytes+after.TotalAlloc-before.TotalAlloc
		stop()
		if err := <-ended; err != nil {
			b.Fatal(err)
		}
		rowBytes += run.detected.stage.RowBytes.Load()
	}
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	all := float64(n) * float64(b.N)
	b.ReportMetric(all/took.Seconds(), "records/s")
	b.ReportMetric(float64(allocs)/all, "allocs/record")
	b.ReportMetric(float64(bytes)/all, "B/record")
	b.ReportMetric(100*float64(rowBytes)/float64(info.Size())/float64(b.N), "memory-%") // of the records' bytes, as they are written
	b.ReportMetric(0, "ns/op")                                                          // it says nothing beside
}
