package detector

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"noroshi/internal/alert"
	"noroshi/internal/state"
	"noroshi/rules"
)

// office is what a partition's accounts do in ten hours of work: half of the records are sign-ins, of which two in three are those of
// programs, and three in a hundred fail; the others are of the audit log. Ids are random, as they are in real records.
type office struct {
	*rand.Rand
	n, accounts int
}

func (o *office) id() string {
	a, b := o.Uint64(), o.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", uint32(a), uint16(a>>32), a>>52, b>>52, b&(1<<48-1))
}

var officeAgents = [...]string{
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
	"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
}

var officePlaces = [...]string{
	`"city":"Tokyo","state":"Tokyo","countryOrRegion":"JP","geoCoordinates":{"latitude":35.6895,"longitude":139.69171}`,
	`"city":"Yokohama","state":"Kanagawa","countryOrRegion":"JP","geoCoordinates":{"latitude":35.44778,"longitude":139.6425}`,
}

// record is the i-th record, and when it happened.
func (o *office) record(i int) (rec string, at time.Time) {
	at = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC).Add(time.Duration(i) * 10 * time.Hour / time.Duration(o.n)).Truncate(time.Millisecond)
	who := o.IntN(o.accounts)
	user, object := fmt.Sprintf("user%d@contoso.example", who), fmt.Sprintf("00000003-0000-4000-a000-%012x", uint64(who)*7919)
	ip := fmt.Sprintf("198.51.100.%d", who%250)
	if i%2 == 0 {
		return o.signIn(at, who, user, object, ip), at
	}
	head := fmt.Sprintf(`{"CreationTime":"%s","Id":"%s","OrganizationId":"8f6b0e2a-5f0e-4b0c-9a51-0e1c6a2b7d10","ResultStatus":"Succeeded","UserKey":"%s","UserType":0,"Version":1,"ClientIP":"%s","UserId":"%s",`,
		at.Format("2006-01-02T15:04:05"), o.id(), object, ip, user)
	switch n := o.IntN(1000); {
	case n < 500:
		name := fmt.Sprintf("report-%d.docx", o.IntN(100_000))
		return head + fmt.Sprintf(`"Operation":"FileAccessed","RecordType":6,"Workload":"SharePoint","ObjectId":"https://contoso.example/sites/projects/Shared Documents/plans/2026/%s","CorrelationId":"%s","EventSource":"SharePoint","ItemType":"File","ListItemUniqueId":"%s","UserAgent":"%s","SourceFileExtension":"docx","SiteUrl":"https://contoso.example/sites/projects/","SourceFileName":"%s","SourceRelativeUrl":"Shared Documents/plans/2026","ListBaseType":1,"ListServerTemplate":101}`,
			name, o.id(), o.id(), officeAgents[who%3], name), at
	case n < 900:
		return head + fmt.Sprintf(`"Operation":"MailItemsAccessed","RecordType":50,"Workload":"Exchange","ClientInfoString":"Client=OWA;Action=ViaProxy","ExternalAccess":false,"InternalLogonType":0,"LogonType":0,"MailboxGuid":"%s","MailboxOwnerUPN":"%s","OperationProperties":[{"Name":"MailAccessType","Value":"Bind"},{"Name":"IsThrottled","Value":"False"}],"OrganizationName":"contoso.example","OriginatingServer":"TYAPR01MB0001 (15.20.4200.000)","Folders":[{"FolderItems":[{"InternetMessageId":"<%s@mail.contoso.example>","SizeInBytes":40123},{"InternetMessageId":"<%s@mail.contoso.example>","SizeInBytes":50321}],"Path":"\\Inbox"}],"OperationCount":2}`,
			object, user, o.id(), o.id()), at
	case n < 980:
		return head + fmt.Sprintf(`"Operation":"Send","RecordType":2,"Workload":"Exchange","ExternalAccess":false,"InternalLogonType":0,"LogonType":0,"MailboxGuid":"%s","MailboxOwnerUPN":"%s","OrganizationName":"contoso.example","OriginatingServer":"TYAPR01MB0001 (15.20.4200.000)","Item":{"InternetMessageId":"<%s@mail.contoso.example>","Subject":"Plan","SizeInBytes":8123},"SessionId":"%s"}`,
			object, user, o.id(), o.id()), at
	default:
		return head + fmt.Sprintf(`"Operation":"Set-Mailbox","RecordType":1,"Workload":"Exchange","ObjectId":"%s","ExternalAccess":false,"OrganizationName":"contoso.example","OriginatingServer":"TYAPR01MB0001 (15.20.4200.000)","Parameters":[{"Name":"Identity","Value":"%s"},{"Name":"AuditEnabled","Value":"True"}],"SessionId":"%s"}`,
			user, user, o.id()), at
	}
}

func (o *office) signIn(at time.Time, who int, user, object, ip string) string {
	category, code, why, interactive := "NonInteractiveUserSignInLogs", 0, "MFA requirement satisfied by claim in the token", false
	if o.IntN(3) == 0 {
		category, interactive = "SignInLogs", true
	}
	if o.IntN(100) < 3 {
		code, why = 50126, "Invalid username or password."
	}
	app := who % 5
	stamp := at.Format("2006-01-02T15:04:05.000Z")
	correlation := o.id()
	return fmt.Sprintf(`{"time":"%[1]s","resourceId":"/tenants/8f6b0e2a-5f0e-4b0c-9a51-0e1c6a2b7d10/providers/Microsoft.aadiam","operationName":"Sign-in activity","operationVersion":"1.0","category":"%[2]s","tenantId":"8f6b0e2a-5f0e-4b0c-9a51-0e1c6a2b7d10","resultType":"%[3]d","durationMs":0,"callerIpAddress":"%[4]s","correlationId":"%[5]s","level":4,"location":"JP","properties":{"id":"%[6]s","createdDateTime":"%[1]s","userDisplayName":"User %[7]d","userPrincipalName":"%[8]s","userId":"%[9]s","appId":"0000000%[10]d-0000-4000-a000-000000000004","appDisplayName":"Office 365 App %[10]d","ipAddress":"%[4]s","status":{"errorCode":%[3]d,"additionalDetails":"%[11]s"},"clientAppUsed":"Browser","userAgent":"%[12]s","sessionId":"%[13]s","correlationId":"%[5]s","uniqueTokenIdentifier":"%[14]s","deviceDetail":{"deviceId":"","operatingSystem":"Windows10","browser":"Edge 131.0.0","isCompliant":false},"location":{%[15]s},"conditionalAccessStatus":"success","isInteractive":%[16]t,"riskLevelDuringSignIn":"none","authenticationRequirement":"singleFactorAuthentication"}}`,
		stamp, category, code, ip, correlation, o.id(), who, user, object, app, why, officeAgents[who%3], fmt.Sprintf("%08d-0000-4000-a000-000000000001", who*31), o.id()[:22], officePlaces[who%2], interactive)
}

// BenchmarkRows: what the shipped rules write to remember, as a share of the bytes of records, in all and by rule.
func BenchmarkRows(b *testing.B) {
	rs, ps := rules.Load(rules.Options{Library: true})
	if len(ps) > 0 {
		b.Fatal(ps[0].Format())
	}
	set := New(rs, Options{})
	for _, each := range []int{25, 2000} {
		b.Run(fmt.Sprintf("records_each_commit=%d", each), func(b *testing.B) {
			for b.Loop() {
				writeOffice(b, set, each)
			}
		})
	}
}

func writeOffice(b *testing.B, set *Set, each int) {
	const n, accounts = 50_000, 500
	o := office{rand.New(rand.NewPCG(1, 2)), n, accounts}
	m := set.Memory(MemoryOptions{Live: true, Stored: true})
	w := set.Worker()
	var log state.Changelog
	read, written, rows, packing, swept := 0, 0, 0, 0, 0
	var spent time.Duration
	by, hits := map[string]int{}, map[string]int{}
	alerts := 0
	tell := func(*alert.Alert) { alerts++ }
	var packed []byte
	hitBytes := 0
	for i := range n {
		rec, at := o.record(i)
		read += len(rec)
		if err := w.ReadAlone([]byte(rec), at.Add(time.Minute)); err != nil {
			b.Fatal(err)
		}
		packed = w.Match(packed[:0])
		for _, h := range w.hits {
			hits[set.rules[h].ID]++
		}
		EachHit(packed, func(p []byte) {
			hitBytes += len(p)
			if err := m.Apply(p, tell); err != nil {
				b.Fatal(err)
			}
		})
		if i%each < each-1 {
			continue
		}
		m.Advance(at, tell)
		took := time.Now()
		count := func(r Row) {
			if k, err := ReadRowKey(r.Key); err == nil {
				by[k.Rule] += len(r.Value)
			}
			packing += len(r.Value)
		}
		m.Changes(func(r Row) {
			count(r)
			log.Put(r.Key, r.Value, r.Form)
		})
		log.Rows(func(room int, each func(key, memory []byte)) bool {
			return m.Sweep(room, func(r Row) {
				swept += len(r.Value)
				count(r)
				each(r.Key, r.Value)
			})
		}, func(r state.Row) {
			written += len(r.Key) + len(r.Value)
			rows++
		})
		spent += time.Since(took)
	}
	b.Logf("packed %d of which swept %d; written %d, took %v", packing, swept, written, spent)
	b.Logf("%d bytes read, %d alerts, hits %d bytes (%.1f%%)", read, alerts, hitBytes, 100*float64(hitBytes)/float64(read))
	b.ReportMetric(100*float64(written)/float64(read), "memory-%")
	b.ReportMetric(float64(rows)/n, "rows/record")
	ids := slices.SortedFunc(maps.Keys(by), func(a, c string) int { return by[c] - by[a] })
	for _, id := range ids[:min(12, len(ids))] {
		b.Logf("%-50s %6.2f %% %d hits", id, 100*float64(by[id])/float64(packing)*float64(written)/float64(read), hits[id])
	}
}
