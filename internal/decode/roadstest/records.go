package roadstest

import "strings"

// Records are records of the kinds that matter most, one of each.
func Records() (all []Record) {
	for _, r := range records {
		all = append(all, Record{r.Name, r.Family, strings.ReplaceAll(r.JSON, "\n", "")})
	}
	return all
}

const audited = `{"CreationTime":"2026-02-03T01:02:03","OrganizationId":"aaaabbbb-0000-cccc-1111-dddd2222eeee","UserKey":"10032000",`

var records = []Record{
	{"inbox rule by a command", Audit, audited + `"Id":"8b0c0000-0000-4000-8000-000000000001","Operation":"New-InboxRule","RecordType":1,"ResultStatus":"True","UserType":0,
"UserId":"Taro@contoso.example","Workload":"Exchange","ClientIP":"203.0.113.7:51234","ObjectId":"taro\\..","SessionId":"5f1e",
"Parameters":[{"Name":"Name","Value":".."},{"Name":"MoveToFolder","Value":"RSS Feeds"},{"Name":"SubjectContainsWords","Value":"invoice;payment"}]}`},
	{"inbox rule by Outlook", Audit, audited + `"Id":"8b0c0000-0000-4000-8000-000000000002","Operation":"UpdateInboxRules","RecordType":2,"ResultStatus":"Succeeded","UserType":0,
"UserId":"taro@contoso.example","MailboxOwnerUPN":"taro@contoso.example","Workload":"Exchange","ClientIPAddress":"203.0.113.7","LogonType":0,"ClientInfoString":"Client=MSExchangeRPC",
"OperationProperties":[{"Name":"RuleOperation","Value":"AddMailboxRule"},{"Name":"RuleName","Value":"日本"},
{"Name":"RuleActions","Value":"[{\"ActionType\":\"Forward\",\"Recipients\":[\"drop@mail.example.net\"]}]"}]}`},
	{"forwarding", Audit, audited + `"Id":"8b0c0000-0000-4000-8000-000000000003","Operation":"Set-Mailbox","RecordType":1,"ResultStatus":"True","UserType":2,
"UserId":"admin@contoso.example","Workload":"Exchange","ClientIP":"[2001:db8::7]:443","ObjectId":"Hanako@contoso.example",
"Parameters":[{"Name":"Identity","Value":"Hanako@contoso.example"},{"Name":"ForwardingSmtpAddress","Value":"smtp:drop@mail.example.net"},{"Name":"DeliverToMailboxAndForward","Value":"False"}]}`},
	{"sign-in of the audit log", Audit, audited + `"Id":"8b0c0000-0000-4000-8000-000000000004","Operation":"UserLoginFailed","RecordType":15,"ResultStatus":"Success","UserType":0,
"UserId":"taro@contoso.example","Workload":"AzureActiveDirectory","ClientIP":"203.0.113.7","ActorIpAddress":"203.0.113.7","ErrorNumber":"50126","LogonError":"InvalidUserNameOrPassword",
"ApplicationId":"00000002-0000-0ff1-ce00-000000000000","ExtendedProperties":[{"Name":"UserAgent","Value":"Mozilla/5.0"},{"Name":"RequestType","Value":"Login:login"}],
"DeviceProperties":[{"Name":"OS","Value":"Windows10"},{"Name":"SessionId","Value":"5f1e"}]}`},
	{"mail read", Audit, audited + `"Id":"8b0c0000-0000-4000-8000-000000000005","Operation":"MailItemsAccessed","RecordType":50,"ResultStatus":"Succeeded","UserType":0,
"UserId":"taro@contoso.example","MailboxOwnerUPN":"taro@contoso.example","Workload":"Exchange","ClientIPAddress":"2001:db8::7","LogonType":0,
"Folders":[{"Path":"\\Inbox","FolderItems":[{"InternetMessageId":"<a@mail.example.com>"},{"InternetMessageId":"<b@mail.example.com>"}]}],
"OperationProperties":[{"Name":"MailAccessType","Value":"Bind"}],"AppAccessContext":{"AADSessionId":"5f1e","UniqueTokenId":"Zk2"}}`},
	{"role given, of the audit log", Audit, audited + `"Id":"8b0c0000-0000-4000-8000-000000000006","Operation":"Add member to role.","RecordType":8,"ResultStatus":"Success","UserType":2,
"UserId":"admin@contoso.example","Workload":"AzureActiveDirectory","ActorIpAddress":"203.0.113.9","ObjectId":"eve@contoso.example",
"ModifiedProperties":[{"Name":"Role.DisplayName","NewValue":"Global Administrator","OldValue":""},{"Name":"Role.TemplateId","NewValue":"62e90394-69f5-4237-9190-012177145e10","OldValue":""}],
"Target":[{"ID":"eve@contoso.example","Type":5}]}`},
	{"alert of Microsoft's", Audit, audited + `"Id":"8b0c0000-0000-4000-8000-000000000007","Operation":"AlertTriggered","RecordType":40,"ResultStatus":"Succeeded","UserType":4,
"UserId":"SecurityComplianceAlerts","Workload":"SecurityComplianceCenter","AlertId":"6ee3","AlertType":"System","Name":"User restricted from sending email","Severity":"High","Category":"ThreatManagement",
"Data":"{\"etype\":\"User\",\"eid\":\"taro@contoso.example\",\"f3u\":\"taro@contoso.example\",\"reid\":\"x\"}","Comments":"New alert"}`},
	{"file downloaded", Audit, audited + `"Id":"8b0c0000-0000-4000-8000-000000000008","Operation":"FileDownloaded","RecordType":6,"UserType":0,"UserId":"taro@contoso.example","Workload":"SharePoint",
"ClientIP":"203.0.113.7","ObjectId":"https://contoso.sharepoint.example/sites/a/plan.docx","SourceFileName":"plan.docx","UserAgent":"Mozilla/5.0","FileSizeBytes":10240}`},
	{"sign-in that succeeded", Entra, `{"time":"2026-02-03T01:05:00Z","category":"SignInLogs","operationName":"Sign-in activity","tenantId":"aaaabbbb-0000-cccc-1111-dddd2222eeee","resultType":"0",
"callerIpAddress":"203.0.113.7","correlationId":"c-9","location":"NL","properties":{` + signIn + `"id":"s-9","status":{"errorCode":0,"failureReason":"Other.","additionalDetails":"MFA completed"}}}`},
	{"sign-in that failed", Entra, `{"time":"2026-02-03T01:05:00Z","category":"SignInLogs","operationName":"Sign-in activity","tenantId":"aaaabbbb-0000-cccc-1111-dddd2222eeee","resultType":"50126",
"callerIpAddress":"203.0.113.7","correlationId":"c-10","location":"NL","properties":{` + signIn + `"id":"s-10","status":{"errorCode":50126,"failureReason":"Invalid username or password."}}}`},
	{"sign-in without a person", Entra, `{"time":"2026-02-03T01:05:00Z","category":"NonInteractiveUserSignInLogs","operationName":"Sign-in activity","tenantId":"aaaabbbb-0000-cccc-1111-dddd2222eeee","resultType":"50173",
"callerIpAddress":"203.0.113.7","properties":{"id":"s-11","createdDateTime":"2026-02-03T01:04:05Z","userPrincipalName":"taro@contoso.example","userId":"11112222-3333-4444-5555-666677778888","appId":"d7b530a4-7680-4c23-a8bf-c52c121d2e87",
"appDisplayName":"Outlook","ipAddress":"203.0.113.7","isInteractive":false,"status":{"errorCode":50173},"sessionId":"5f1e"}}`},
	{"sign-in of an application", Entra, `{"time":"2026-02-03T01:05:00Z","category":"ServicePrincipalSignInLogs","operationName":"Sign-in activity","tenantId":"aaaabbbb-0000-cccc-1111-dddd2222eeee","resultType":"7000215",
"callerIpAddress":"198.51.100.9","properties":{"id":"s-12","createdDateTime":"2026-02-03T01:04:05Z","appId":"6131d760-0000-4000-8000-000000000000","appDisplayName":"Backup Tool","servicePrincipalName":"backup.contoso.example",
"servicePrincipalId":"b029d485-0000-4000-8000-000000000000","ipAddress":"198.51.100.9","status":{"errorCode":7000215},"resourceDisplayName":"Microsoft Graph"}}`},
	{"role given", Entra, `{"time":"2026-02-03T02:05:00Z","category":"AuditLogs","operationName":"Add member to role","tenantId":"aaaabbbb-0000-cccc-1111-dddd2222eeee","correlationId":"c-11","callerIpAddress":"203.0.113.9",
"properties":{"id":"Directory_11","category":"RoleManagement","correlationId":"c-11","result":"success","activityDisplayName":"Add member to role","activityDateTime":"2026-02-03T02:04:05.5Z","loggedByService":"Core Directory",
"initiatedBy":{"user":{"id":"11112222-3333-4444-5555-666677778888","userPrincipalName":"admin@contoso.example","ipAddress":"203.0.113.9"},"app":null},
"targetResources":[{"id":"99998888-3333-4444-5555-666677778888","displayName":"Eve","type":"User","userPrincipalName":"eve@contoso.example",
"modifiedProperties":[{"displayName":"Role.DisplayName","oldValue":null,"newValue":"\"Global Administrator\""},{"displayName":"Role.TemplateId","oldValue":null,"newValue":"\"62e90394-69f5-4237-9190-012177145e10\""}]}],
"additionalDetails":[{"key":"User-Agent","value":"Mozilla/5.0"}]}}`},
}

const signIn = `"createdDateTime":"2026-02-03T01:04:05.25Z","userDisplayName":"Taro Yamada","userPrincipalName":"taro@contoso.example","userId":"11112222-3333-4444-5555-666677778888","userType":"Member",
"appId":"00000002-0000-0ff1-ce00-000000000000","appDisplayName":"Office 365 Exchange Online","ipAddress":"203.0.113.7","clientAppUsed":"IMAP4","userAgent":"Mozilla/5.0","correlationId":"c-10","conditionalAccessStatus":"notApplied",
"isInteractive":true,"deviceDetail":{"deviceId":"d-1","displayName":"PC-0042","operatingSystem":"Windows10","browser":"Edge 120.0","trustType":"Azure AD joined","isManaged":true},
"location":{"city":"Amsterdam","countryOrRegion":"NL"},"mfaDetail":{"authDetail":"none"},"authenticationRequirement":"singleFactorAuthentication","riskLevelDuringSignIn":"none","riskState":"none",
"resourceDisplayName":"Office 365 Exchange Online","resourceId":"00000002-0000-0ff1-ce00-000000000000","autonomousSystemNumber":64500,`
