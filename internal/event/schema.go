package event

// Whom a record of the Azure activity log is about: claims of the token that was shown.
// Source: Azure Monitor, activity log event schema, claims.
const (
	claimUPN    = `identity.claims["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"]`
	claimName   = `identity.claims["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"]`
	claimObject = `identity.claims["http://schemas.microsoft.com/identity/claims/objectidentifier"]`
)

// fields is the schema: the one source of the conditions' environment, the projection, `noroshi fields`, the suggestions for
// misspelt names and docs/fields.md. Names are those of the Elastic Common Schema where it has one.
var fields = []Field{
	{Name: "event.id", Meaning: "the record's own id; a hash of its bytes where it has none", Example: "7d1f8e53-24a1-4e0b-8f0c-2f3b7f0c9a11",
		Derived: "of Defender XDR's rows ReportId and Timestamp, of mail also NetworkMessageId and recipient; of message trace the trace, recipient and status", Paths: [Shapes][]string{UAL: {"Id", "OfficeId"}, Entra: {"properties.id", "properties.requestId"}, Defender: inRow("ReportId", "AlertId"), Trace: {"MessageTraceId", "id"}, Security: {"id"}, Other: {"properties.id", "id", "Id"}}},
	{Name: "event.time", Form: Instant, Meaning: "when it happened, UTC, RFC 3339 with milliseconds", Example: "2026-01-02T03:04:05.000Z",
		Paths: [Shapes][]string{UAL: {"CreationTime", "TimeGenerated", "Start_Time", "CreationDate", "createdDateTime"}, Entra: {"properties.createdDateTime", "properties.activityDateTime", "properties.riskLastUpdatedDateTime", "properties.detectedDateTime", "properties.timeGenerated", "time"},
			Defender: {"properties.Timestamp", "properties.TimeGenerated", "time"}, Trace: {"Received", "receivedDateTime", "Date", "DateTime"}, Security: {"createdDateTime", "firstActivityDateTime"},
			Other: {"properties.createdDateTime", "properties.activityDateTime", "properties.Timestamp", "CreationTime", "createdDateTime", "activityDateTime", "Timestamp", "time", "timestamp", "@timestamp", "TimeGenerated"}}},
	{Name: "event.time_from", Meaning: "where event.time was read: record, envelope or enqueued", Values: p{"record", "envelope", "enqueued"}, Example: "record", Derived: "the path that gave event.time"},
	{Name: "event.created", Form: Instant, Meaning: "when the service wrote the record, as the envelope has it", Example: "2026-01-02T03:05:00Z", Paths: [Shapes][]string{Entra: {"time"}, Defender: {"time"}, Other: {"time"}}},
	{Name: "event.action", Form: Operation, Meaning: "the operation, without trailing dot or blank and with a hyphen for an en dash, of known operations as their service spells them; of Entra's sign-ins UserLoggedIn (code 0), UserLoginFailed (another code, or the result Failure), or Sign-in activity where the record tells neither; of rows without ActionType the table's name; of Microsoft Graph's alerts AlertTriggered, of its incidents IncidentReported", Example: "New-InboxRule",
		Paths: [Shapes][]string{UAL: {"Operation", "Operations"}, Entra: {"properties.activityDisplayName", "operationName"}, Defender: inRow("ActionType"), Other: {"properties.ActionType", "operationName", "activityDisplayName", "ActionType", "Operation"}}},
	{Name: "event.outcome", Meaning: "success or failure; Entra's sign-ins by error code, absent without one; the unified audit log by operation and record type, sign-ins never by ResultStatus", Values: p{"success", "failure"}, Example: "success",
		Paths: rows(p{"ResultStatus"}, p{"properties.result", "resultType", "properties.provisioningStatusInfo.Status", "properties.provisioningStatusInfo.status", "properties.responseStatusCode", "result"}, "ActionResult", "DeliveryAction", "ActionType"), Derived: "the status, by record type"},
	{Name: "event.provider", Meaning: "the service that wrote the record", Example: "Exchange", Paths: rows(p{"Workload", "OfficeWorkload", "service"}, p{"properties.loggedByService"}, "ServiceSource", "Application", "Workload"), Derived: "Entra for sign-ins"},
	{Name: "event.dataset", Form: LowerCase, Meaning: "the kind of record", Example: "ual.exchange_admin", Paths: [Shapes][]string{UAL: {"RecordType", "auditLogRecordType"}, Entra: {"category"}, Defender: {"category"}}, Derived: "record type or category"},
	{Name: "event.code", Meaning: "the record type's number (unified audit log) or the category (Entra, Defender XDR), as text", Example: "15", Paths: [Shapes][]string{UAL: {"RecordType", "auditLogRecordType"}, Entra: {"category"}, Defender: {"category"}}},
	{Name: "organization.id", Form: LowerCase, Meaning: "the tenant's id", Example: "aaaabbbb-0000-cccc-1111-dddd2222eeee",
		Paths: [Shapes][]string{UAL: {"OrganizationId"}, Entra: {"tenantId", "properties.AADTenantId", "properties.tenantId", "properties.resourceTenantId", "properties.homeTenantId"}, Defender: {"tenantId"}, Security: {"tenantId"}, Other: {"AADTenantId", "tenantId", "OrganizationId", "properties.TenantId"}}},
	{Name: "organization.name", Form: LowerCase, Meaning: "the tenant's name in Exchange", Example: "contoso.onmicrosoft.com", Paths: [Shapes][]string{UAL: {"OrganizationName"}, Trace: {"Organization"}}},
	{Name: "correlation.id", Meaning: "what the service uses to link records of one request", Example: "2c3a…", Paths: both(p{"CorrelationId", "InterSystemsId"}, "properties.correlationId", "correlationId")},

	{Name: "account", Form: LowerCase, Meaning: "the account the record is about: the actor where a person acts, the mailbox owner for applications, the entity named for service actors and alerts; absent where nobody is named", Example: "taro@contoso.example", Derived: "actor, mailbox owner, target or alert entity"},
	{Name: "user.name", Form: Name, Meaning: "who acted, lower case; of people a user principal name or an address, never a display name, of applications their name", Example: "taro@contoso.example",
		Paths: [Shapes][]string{UAL: {"UserId", "userPrincipalName", "UserIds"}, Entra: {"properties.userPrincipalName", "properties.initiatedBy.user.userPrincipalName", "properties.initiatedBy.app.displayName", "properties.servicePrincipalName", "properties.servicePrincipalDisplayName", "properties.initiatedBy.Name", "properties.alternateSignInName", "properties.signInIdentifier", claimUPN, claimName, "identity"},
			Defender: inRow("AccountUpn", "AccountName", "SenderFromAddress", "SenderMailFromAddress"), Trace: {"SenderAddress"},
			Other: {"properties.AccountUpn", "properties.userPrincipalName", "userPrincipalName", "UserId"}}},
	{Name: "user.id", Form: Name, Meaning: "the actor's object id or key", Example: "11112222-3333-4444-5555-666677778888",
		Paths: [Shapes][]string{UAL: {"UserKey"}, Entra: {"properties.userId", "properties.initiatedBy.user.id", "properties.initiatedBy.app.servicePrincipalId", "properties.initiatedBy.app.appId", "properties.servicePrincipalId", "properties.UserPrincipalObjectID", claimObject},
			Defender: inRow("AccountObjectId", "AccountSid", "AccountId", "SenderObjectId"),
			Other:    {"properties.AccountObjectId", "userId"}}},
	{Name: "user.domain", Form: LowerCase, Without: "@", Meaning: "the part of user.name after the at sign", Example: "contoso.example", Derived: "user.name"},
	{Name: "user.full_name", Meaning: "the actor's display name", Example: "Taro Yamada", Paths: rows(nil, p{"properties.userDisplayName", "properties.initiatedBy.user.displayName", "properties.initiatedBy.app.displayName", "identity.claims.name", "identity"}, "AccountDisplayName", "SenderDisplayName")},
	{Name: "user.kind", Meaning: "what the actor is; service means Microsoft's own actors; an agent that has a user account of its own is a user, any other agent an app", Values: p{"user", "guest", "app", "service"}, Example: "user", Derived: "user type, name and initiator; of an application its id, else its name and what it did", Paths: both(p{"Actor"}, "properties.agent.agentType", "properties.targetResources")},
	{Name: "user.type", Meaning: "the type as the record gives it", Example: "2", Paths: rows(p{"UserType"}, p{"properties.userType"}, "AccountType")},
	{Name: "user.target.name", Form: Name, Meaning: "the other side: whose mailbox, account or object it was, or with whom something was shared", Example: "hanako@contoso.example", Derived: "mailbox owner, target resource, identity parameter, object or TargetUserOrGroupName",
		Paths: [Shapes][]string{UAL: {"MailboxOwnerUPN", "Parameters[Identity]", "ObjectId", "OfficeObjectId", "Target", "TargetUserOrGroupName"}, Trace: {"RecipientAddress"},
			Entra:    {"properties.targetResources[*].userPrincipalName", "properties.sourceIdentity.details.UserPrincipalName", "properties.sourceIdentity.details.userPrincipalName", "properties.targetIdentity.details.UserPrincipalName", "properties.sourceIdentity.Name", "properties.sourceIdentity.displayName"},
			Defender: inRow("TargetAccountUpn", "RecipientEmailAddress")}},
	{Name: "user.target.id", Form: Name, Meaning: "the target's object id", Example: "99990000-…", Paths: rows(nil, p{"properties.targetResources[*].id"}, "RecipientObjectId")},
	{Name: "target.name", Meaning: "display name of the target object, be it a user, group, role or application; of directory changes in the unified audit log the name among Target, else the object; of the activity log of Azure the resource", Example: "Mail Reader", Paths: rows(p{"ObjectId", "OfficeObjectId", "Target"}, p{"properties.targetResources[*].displayName", "properties.sourceIdentity.Name", "properties.sourceIdentity.displayName", "resourceId"}, "TargetAccountDisplayName")},

	{Name: "source.ip", Form: Address, Meaning: "the client's address, without port; the first place that holds a usable one counts: loopback addresses, 0.0.0.0, host names and placeholders are skipped", Example: "203.0.113.7", Paths: addresses},
	{Name: "source.port", Type: Number, Meaning: "the client's port, of the place that gave the address", Example: "51234", Derived: "the address", Paths: addresses},
	{Name: "source.kind", Meaning: "what the address is: private ranges, none, or a client's; microsoft where a service actor's record has one", Values: p{"client", "private", "microsoft", "none"}, Example: "client", Derived: "source.ip and user.kind"},
	{Name: "source.geo.country_iso_code", Form: Country, Meaning: "the country, ISO 3166-1 alpha-2; the record's, else a database's of the configuration", Example: "NL",
		Paths: [Shapes][]string{Entra: {"properties.location.countryOrRegion", "properties.locationDetails.countryOrRegion", "location"}, Defender: inRow("CountryCode", "Location"), Other: {"properties.CountryCode"}}},
	{Name: "source.geo.region_iso_code", Meaning: "the state, province or region, ISO 3166-2", Example: "NL-NH", Derived: "source.ip, by a database of the configuration"},
	{Name: "source.geo.region_name", Meaning: "the state, province or region, in the record's words, else a database's", Example: "Noord-Holland", Paths: entra("properties.location.state", "properties.locationDetails.state")},
	{Name: "source.geo.city_name", Meaning: "the city, in the record's words, else a database's", Example: "Amsterdam", Paths: [Shapes][]string{Entra: {"properties.location.city", "properties.locationDetails.city"}, Defender: inRow("City"), Other: {"properties.City"}}},
	{Name: "source.geo.location", Meaning: "latitude and longitude in degrees, the record's, else a database's; absent unless both are there and in range, and where both are 0, which Microsoft writes for an unknown place", Example: "52.3676,4.9041", Derived: "latitude and longitude",
		Paths: entra("properties.location.geoCoordinates.latitude", "properties.locationDetails.geoCoordinates.latitude", "properties.location.geoCoordinates.longitude", "properties.locationDetails.geoCoordinates.longitude")},
	{Name: "source.geo.database", Meaning: "the database that told something of the place that the record does not say: its type and when it was built", Example: "GeoLite2-City 2026-01-02T03:04:05Z", Derived: "source.ip, by a database of the configuration"},
	{Name: "source.as.number", Type: Number, Meaning: "the autonomous system of the address; the record's, else a database's", Example: "64500", Paths: entra("properties.autonomousSystemNumber")},
	{Name: "source.as.organization.name", Meaning: "who runs the address's network, in the record's words, else a database's", Example: "Example Telecom", Paths: rows(nil, nil, "ISP")},
	{Name: "source.as.database", Meaning: "the database that told something of the network that the record does not say: its type and when it was built", Example: "GeoLite2-ASN 2026-01-02T03:04:05Z", Derived: "source.ip, by a database of the configuration"},
	{Name: "source.trusted", Type: Bool, Meaning: "whether the address lies in a named location that the tenant trusts", Example: "true", Derived: "the types of the named locations", Paths: entra("properties.networkLocationDetails[*].networkType")},
	{Name: "source.anonymous", Type: Bool, Meaning: "whether Defender for Cloud Apps knows the address as an anonymous proxy", Example: "true", Paths: rows(nil, nil, "IsAnonymousProxy")},
	{Name: "user_agent.original", Meaning: "the client's user agent", Example: "Mozilla/5.0", Paths: [Shapes][]string{
		UAL: {"UserAgent", "ExtendedProperties[UserAgent]", "ClientInfoString"}, Entra: {"properties.userAgent", "properties.additionalDetails[User-Agent]"}, Defender: inRow("UserAgent"), Other: {"properties.UserAgent"}}},

	{Name: "session.id", Meaning: "the sign-in session, for linking records", Example: "5f1e0c4e-…", Paths: both(p{"AppAccessContext.AADSessionId", "SessionId", "DeviceProperties[SessionId]"}, "properties.sessionId")},
	{Name: "token.id", Meaning: "the token's linkable identifier", Example: "Zk2…", Paths: both(p{"AppAccessContext.UniqueTokenId"}, "properties.uniqueTokenIdentifier", "properties.signInActivityId")},
	{Name: "app.id", Form: LowerCase, Meaning: "the client application's id", Example: "00000002-0000-0ff1-ce00-000000000000", Paths: rows(p{"ApplicationId", "ClientAppId", "AppId"}, p{"properties.appId", "properties.initiatedBy.app.appId", "identity.claims.appid"}, "OAuthAppId", "OAuthApplicationId")},
	{Name: "app.name", Meaning: "the client application's name", Example: "Microsoft Teams", Paths: rows(p{"ApplicationDisplayName"}, p{"properties.appDisplayName", "properties.initiatedBy.app.displayName", "properties.servicePrincipalName", "properties.servicePrincipalDisplayName", "properties.servicePrincipal.Name", "properties.servicePrincipal.displayName", "properties.displayName"}, "Application")},
	{Name: "resource.id", Form: LowerCase, Meaning: "the resource signed in to", Example: "00000003-0000-0000-c000-000000000000", Derived: "the first of these that is no id of Azure Resource Manager; of sign-ins of the unified audit log the object", Paths: both(p{"ResourceId", "ObjectId", "OfficeObjectId"}, "properties.resourceIdentity", "properties.resourceId")},
	{Name: "resource.name", Meaning: "the name of the resource signed in to", Example: "Microsoft Graph", Paths: entra("properties.resourceDisplayName")},
	{Name: "device.id", Form: LowerCase, Meaning: "the device's id in Entra", Example: "d0d1…", Paths: both(p{"DeviceProperties[Id]"}, "properties.deviceDetail.deviceId")},
	{Name: "device.name", Meaning: "the device's name; of audits the one that was registered", Example: "PC-0042", Derived: "the record, else the target of type Device or Device.DisplayName",
		Paths: rows(p{"DeviceProperties[DisplayName]", "ModifiedProperties"}, p{"properties.deviceDetail.displayName", "properties.targetResources"}, "DeviceName")},
	{Name: "device.os", Meaning: "the device's operating system", Example: "Windows10", Paths: rows(p{"DeviceProperties[OS]"}, p{"properties.deviceDetail.operatingSystem"}, "OSPlatform")},
	{Name: "device.browser", Meaning: "the browser", Example: "Edge 120.0", Paths: both(p{"DeviceProperties[BrowserType]"}, "properties.deviceDetail.browser")},
	{Name: "device.managed", Type: Bool, Meaning: "whether the device is managed", Example: "true", Paths: both(p{"DeviceProperties[IsCompliantAndManaged]"}, "properties.deviceDetail.isManaged")},
	{Name: "device.trust", Meaning: "how the device is joined", Example: "Azure AD joined", Paths: both(p{"DeviceProperties[TrustType]"}, "properties.deviceDetail.trustType")},

	{Name: "auth.error", Form: Code, Meaning: "the sign-in's error code as text, 0 for success; absent where the record tells no code", Example: "50126", Paths: both(p{"ErrorNumber"}, "properties.status.errorCode", "properties.status[*].errorCode", "properties.status", "resultType")},
	{Name: "auth.reason", Meaning: "the sign-in's error in words; a reason without a code makes no failure, because successes carry one, too", Example: "InvalidUserNameOrPassword", Paths: rows(p{"LogonError"}, p{"properties.status.failureReason", "resultDescription"}, "FailureReason")},
	{Name: "auth.result", Meaning: "what the sign-in counts as; interrupts are not failures, and a sign-in without an error code has no result", Values: p{"success", "wrong_credential", "locked", "password_ok_stopped", "interrupt", "other"}, Example: "wrong_credential", Derived: "auth.error"},
	{Name: "auth.password_ok", Type: Bool, Meaning: "whether the password was right, whatever came of the sign-in", Example: "true", Derived: "auth.error"},
	{Name: "auth.protocol", Meaning: "the client's protocol", Example: "IMAP4", Paths: rows(p{"ExtendedProperties[RequestType]"}, p{"properties.clientAppUsed"}, "Protocol")},
	{Name: "auth.legacy", Type: Bool, Meaning: "whether the protocol knows no second factor", Example: "false", Derived: "auth.protocol"},
	{Name: "auth.interactive", Type: Bool, Meaning: "whether a person was asked", Example: "true", Paths: entra("properties.isInteractive"), Derived: "category, or the request type of the unified audit log"},
	{Name: "auth.flow", Meaning: "how the token was asked for where that is a way of attackers; a code that was typed elsewhere, also of tokens refreshed since, or the password alone", Values: p{"device_code", "password_grant"}, Example: "device_code",
		Derived: "the protocol, the original method of transfer, or the request type Cmsi", Paths: both(p{"ExtendedProperties[RequestType]"}, "properties.authenticationProtocol", "properties.originalTransferMethod")},
	{Name: "auth.token", Meaning: "the token that the client brought to the sign-in", Open: true, Values: p{"none", "primaryRefreshToken", "refreshToken", "saml11", "saml20", "remoteDesktopToken"}, Example: "primaryRefreshToken", Paths: entra("properties.incomingTokenType")},
	{Name: "auth.mfa_required", Type: Bool, Meaning: "whether a second factor was demanded", Example: "true", Derived: "properties.authenticationRequirement", Paths: entra("properties.authenticationRequirement")},
	{Name: "auth.methods", Type: List, Meaning: "the methods by which the account proved itself, in the record's words", Open: true, Values: p{"Password", "Previously satisfied", "Mobile app notification", "OATH verification code", "Text message", "FIDO2 security key", "Passkey (device-bound)", "Windows Hello for Business", "X.509 Certificate", "Temporary Access Pass"},
		Example: "Password", Derived: "the steps that succeeded", Paths: entra("properties.authenticationDetails")},
	{Name: "auth.mfa_result", Meaning: "what became of the second factor, in the record's words", Example: "MFA successfully completed", Paths: entra("properties.mfaDetail.authDetail", "properties.status.additionalDetails")},
	{Name: "auth.risk", Meaning: "the risk level, the higher of the sign-in's own and the aggregated one", Open: true, Values: p{"none", "low", "medium", "high", "hidden"}, Example: "high", Paths: entra("properties.riskLevelDuringSignIn", "properties.riskLevelAggregated")},
	{Name: "auth.ca_status", Meaning: "what Conditional Access decided", Open: true, Values: p{"success", "failure", "notApplied"}, Example: "success", Paths: entra("properties.conditionalAccessStatus")},

	{Name: "email.message_id", Without: "<>", Meaning: "the message's Internet id, without angle brackets", Example: "abc@mail.example.com", Paths: [Shapes][]string{UAL: {"Item.InternetMessageId"}, Defender: inRow("InternetMessageId"), Trace: {"MessageId"}}, Derived: "brackets dropped"},
	{Name: "email.subject", Meaning: "the message's subject", Example: "Invoice", Paths: [Shapes][]string{UAL: {"Item.Subject"}, Defender: inRow("Subject", "EmailSubject"), Trace: {"Subject"}}},
	{Name: "email.local_id", Meaning: "Exchange's own id of the message, the same for all its recipients", Example: "5c0d…", Paths: [Shapes][]string{Defender: inRow("NetworkMessageId"), Trace: {"MessageTraceId", "id"}}},
	{Name: "email.from.address", Form: LowerCase, Meaning: "the sender as the recipient sees it", Example: "taro@contoso.example", Paths: [Shapes][]string{Defender: inRow("SenderFromAddress", "SenderMailFromAddress"), Trace: {"SenderAddress"}}},
	{Name: "email.to.address", Form: LowerCase, Meaning: "the recipient of this row", Example: "hanako@contoso.example", Paths: [Shapes][]string{Defender: inRow("RecipientEmailAddress"), Trace: {"RecipientAddress"}}},
	{Name: "email.direction", Meaning: "where the message went, seen from the tenant", Open: true, Values: p{"inbound", "outbound", "internal", "unknown"}, Example: "outbound", Paths: [Shapes][]string{Defender: inRow("EmailDirection")}, Derived: "EmailDirection; internal for Intra-org"},
	{Name: "email.delivery.action", Meaning: "what became of the message: DeliveryAction, or the status or event of message trace", Example: "Blocked", Paths: [Shapes][]string{Defender: inRow("DeliveryAction", "Action"), Trace: {"Status", "Event"}}},
	{Name: "email.delivery.location", Meaning: "where the message lies", Example: "Quarantine", Paths: [Shapes][]string{Defender: inRow("DeliveryLocation")}},
	{Name: "email.delivery.detail", Meaning: "why, in the service's words; of a failed message the text of its bounce", Example: "550 5.1.8 Access denied, bad outbound sender AS(42004)", Paths: [Shapes][]string{Defender: inRow("EmailAction", "ActionTrigger"), Trace: {"Detail", "StatusDetail", "Description", "Data"}}},
	{Name: "email.delivery.code", Meaning: "the enhanced status code in that text; 5.1.8 is a sender who may not send outside", Example: "5.1.8", Paths: [Shapes][]string{Trace: {"Detail", "StatusDetail", "Description", "Data"}}, Derived: "the first code of class 2, 4 or 5 in the text"},
	{Name: "email.threats", Meaning: "what the filters found in the message", Example: "Phish", Paths: [Shapes][]string{Defender: inRow("ThreatTypes")}},
	{Name: "mailbox.owner", Form: Name, Meaning: "whose mailbox it is", Example: "hanako@contoso.example", Derived: "the mailbox that a command names, else the actor's own", Paths: ual("MailboxOwnerUPN", "Parameters", "ObjectId", "OfficeObjectId")},
	{Name: "mailbox.folder", Meaning: "the folder's path", Example: `\Inbox`, Paths: ual("Folder.Path", "Item.ParentFolder.Path")},
	{Name: "mailbox.folder_class", Meaning: "what the folder is, in whatever language its name", Values: FolderClasses, Example: "inbox", Derived: "mailbox.folder"},
	{Name: "mailbox.dest_class", Meaning: "what the destination folder is", Values: FolderClasses, Example: "deleted", Paths: ual("DestFolder.Path"), Derived: "DestFolder.Path"},
	{Name: "mailbox.items", Type: Number, Meaning: "how many items the record names", Unit: "items", Example: "3", Paths: ual("AffectedItems", "Folders", "OperationCount"), Derived: "the items listed"},
	{Name: "mailbox.subjects", Type: List, Meaning: "the subjects of the messages that were deleted or moved", Example: "Invoice 4711", Actions: itemActions, Derived: "the items listed", Paths: ual("AffectedItems")},
	{Name: "mailbox.message_ids", Type: List, Without: "<>", Meaning: "the Internet ids of the messages that were deleted or moved, without angle brackets", Example: "abc@mail.example.com", Actions: itemActions, Derived: "the items listed", Paths: ual("AffectedItems")},
	{Name: "mailbox.access_type", Meaning: "Bind or Sync, of MailItemsAccessed", Open: true, Values: p{"Bind", "Sync"}, Example: "Bind", Paths: ual("OperationProperties[MailAccessType]")},
	{Name: "mailbox.throttled", Type: Bool, Meaning: "whether the audit of reading was throttled", Example: "false", Paths: ual("OperationProperties[IsThrottled]")},
	{Name: "mailbox.logon", Meaning: "how the mailbox was opened", Values: p{"owner", "admin", "delegate"}, Example: "owner", Paths: ual("LogonType", "Logon_Type"), Derived: "LogonType 0, 1, 2"},
	{Name: "mailbox.external", Type: Bool, Meaning: "whether Microsoft's own staff acted", Example: "false", Paths: ual("ExternalAccess")},

	{Name: "inbox_rule.op", Meaning: "what was done to an inbox rule", Values: p{"create", "change", "enable", "disable", "remove"}, Example: "create", Actions: inboxRuleActions, Derived: "operation, RuleOperation", Paths: ual("OperationProperties")},
	{Name: "inbox_rule.name", Meaning: "the inbox rule's name", Example: "..", Actions: inboxRuleActions, Derived: "Name, RuleName, or the identity's last part", Paths: ual("Parameters", "OperationProperties")},
	{Name: "inbox_rule.sends_to", Type: List, Form: LowerCase, Meaning: "addresses the rule forwards or redirects to, lower case", Example: "drop@mail.example.net", Actions: inboxRuleActions, Derived: "ForwardTo, RedirectTo, ForwardAsAttachmentTo, RuleActions", Paths: ual("Parameters", "OperationProperties")},
	{Name: "inbox_rule.deletes", Type: Bool, Meaning: "whether the rule deletes mail", Example: "true", Actions: inboxRuleActions, Derived: "DeleteMessage, SoftDeleteMessage, RuleActions", Paths: ual("Parameters", "OperationProperties")},
	{Name: "inbox_rule.moves_to", Meaning: "the folder the rule moves or copies to, as the record names it", Example: "RSS Feeds", Actions: inboxRuleActions, Derived: "MoveToFolder, CopyToFolder, RuleActions", Paths: ual("Parameters", "OperationProperties")},
	{Name: "inbox_rule.folder_class", Meaning: "what that folder is, in whatever language its name", Values: FolderClasses, Example: "rss", Actions: inboxRuleActions, Derived: "inbox_rule.moves_to", Paths: ual("Parameters", "OperationProperties")},
	{Name: "inbox_rule.marks_read", Type: Bool, Meaning: "whether the rule marks mail as read", Example: "true", Actions: inboxRuleActions, Derived: "MarkAsRead, RuleActions", Paths: ual("Parameters", "OperationProperties")},
	{Name: "inbox_rule.stops", Type: Bool, Meaning: "whether the rule stops the ones after it", Example: "true", Actions: inboxRuleActions, Derived: "StopProcessingRules, RuleState", Paths: ual("Parameters", "OperationProperties")},
	{Name: "inbox_rule.words", Type: List, Meaning: "words the rule looks for", Example: "invoice", Actions: inboxRuleActions, Derived: "…ContainsWords", Paths: ual("Parameters", "OperationProperties")},
	{Name: "inbox_rule.has_condition", Type: Bool, Meaning: "whether the rule picks mail, or takes all", Example: "false", Actions: inboxRuleActions, Derived: "condition parameters, RuleCondition", Paths: ual("Parameters", "OperationProperties")},
	{Name: "inbox_rule.body_known", Type: Bool, Meaning: "whether the record tells what the rule does", Example: "true", Actions: inboxRuleActions, Derived: "operation", Paths: ual("Parameters", "OperationProperties")},

	{Name: "forward.set", Type: Bool, Meaning: "whether forwarding was set; false when it was removed", Example: "true", Actions: forwardActions, Derived: "forwarding parameters", Paths: ual("Parameters")},
	{Name: "forward.removed", Type: Bool, Meaning: "whether forwarding was removed", Example: "false", Actions: forwardActions, Derived: "forwarding parameters", Paths: ual("Parameters")},
	{Name: "forward.to", Type: List, Form: LowerCase, Lacks: "smtp:", Meaning: "where mail is forwarded to, lower case, without smtp:", Example: "drop@mail.example.net", Actions: forwardActions, Derived: "ForwardingSmtpAddress, ForwardingAddress, BlindCopyTo, RedirectMessageTo, CopyTo, AddToRecipients, JournalEmailAddress", Paths: ual("Parameters")},
	{Name: "forward.keeps_copy", Type: Bool, Meaning: "whether the mailbox keeps a copy", Example: "false", Actions: forwardActions, Derived: "DeliverToMailboxAndForward", Paths: ual("Parameters")},
	{Name: "forward.scope", Meaning: "whose mail is forwarded", Values: p{"mailbox", "tenant"}, Example: "mailbox", Actions: forwardActions, Derived: "operation", Paths: ual("Parameters")},

	{Name: "grant.rights", Type: List, Meaning: "rights given", Open: true, Values: rights, Example: "FullAccess", Actions: grantActions, Derived: "AccessRights, Item.ParentFolder.MemberRights", Paths: ual("Parameters", "Item.ParentFolder.MemberRights")},
	{Name: "grant.trustee", Form: LowerCase, Meaning: "who was given them; the actor's user name where it is the actor, however the record names them", Example: "eve@contoso.example", Actions: grantActions, Derived: "User, Trustee, MemberUpn", Paths: ual("Parameters", "Item.ParentFolder.MemberUpn")},
	{Name: "grant.folder", Meaning: "the folder they are for", Example: "Inbox", Actions: grantActions, Derived: "Identity, ParentFolder", Paths: ual("Parameters", "Item.ParentFolder.Path")},

	{Name: "role.name", Meaning: "the role's display name", Example: "Global Administrator", Actions: roleActions, Derived: "Role.DisplayName, target of type Role, or the role group", Paths: both(p{"ModifiedProperties", "Parameters", "ObjectId", "OfficeObjectId"}, "properties.targetResources")},
	{Name: "role.template_id", Form: LowerCase, Meaning: "the role's template id", Example: "62e90394-69f5-4237-9190-012177145e10", Actions: roleActions, Derived: "Role.TemplateId, RoleDefinitionOriginId, TemplateId", Paths: both(p{"ModifiedProperties"}, "properties.targetResources")},
	{Name: "role.privileged", Type: Bool, Meaning: "whether Microsoft calls the role privileged, or it manages Exchange or Security", Example: "true", Actions: roleActions, Derived: "role.template_id, role.name", Paths: both(p{"ModifiedProperties", "Parameters", "ObjectId", "OfficeObjectId"}, "properties.targetResources")},
	{Name: "role.via", Meaning: "how it was given", Values: p{"direct", "pim", "pim_activation", "outside_pim"}, Example: "direct", Actions: roleActions, Derived: "operation, actor and member; pim_activation is a member's own use of a role that was approved before", Paths: both(p{"ObjectId", "OfficeObjectId", "Parameters"}, "properties.targetResources")},
	{Name: "role.state", Meaning: "what became of it; a request has given nobody the role", Values: p{"requested", "approved", "denied", "canceled", "completed", "expired", "removed"}, Example: "completed", Actions: roleActions, Derived: "operation"},
	{Name: "role.member", Form: LowerCase, Meaning: "who was given the role", Example: "eve@contoso.example", Actions: roleActions, Derived: "ObjectId, target of type User, Member", Paths: both(p{"ObjectId", "OfficeObjectId", "Parameters"}, "properties.targetResources")},

	{Name: "consent.scopes", Type: List, Meaning: "permissions consented to", Open: true, Values: scopes, Example: "Mail.Read", Actions: consentActions, Derived: "ConsentAction.Permissions, DelegatedPermissionGrant.Scope", Paths: both(p{"ModifiedProperties"}, "properties.targetResources")},
	{Name: "consent.app", Form: LowerCase, Meaning: "the object id of the service principal that was given them", Example: "55556666-7777-8888-9999-0000aaaabbbb", Actions: consentActions, Derived: "ConsentAction.Permissions, ServicePrincipal.ObjectID", Paths: both(p{"ModifiedProperties"}, "properties.targetResources")},
	{Name: "consent.all_principals", Type: Bool, Meaning: "whether the consent is for everybody, as the rights of an application's own are", Example: "true", Actions: consentActions, Derived: "ConsentContext.OnBehalfOfAll, ConsentType", Paths: both(p{"ModifiedProperties"}, "properties.targetResources")},
	{Name: "consent.admin", Type: Bool, Meaning: "whether an administrator consented", Example: "true", Actions: consentActions, Derived: "ConsentContext.IsAdminConsent", Paths: both(p{"ModifiedProperties"}, "properties.targetResources")},

	{Name: "policy.weakened", Type: List, Meaning: "how a change of a policy of Conditional Access that was in force weakens it", Values: p{"deleted", "disabled", "report_only", "exclusion_added", "scope_narrowed", "grant_dropped"}, Example: "disabled",
		Actions: policyActions, Derived: "the old and the new ConditionalAccessPolicy", Paths: both(p{"ModifiedProperties"}, "properties.targetResources")},

	{Name: "license.removed", Type: List, Meaning: "licenses that were taken from a user, by their product names", Open: true, Values: p{"ENTERPRISEPREMIUM", "SPE_E5", "ENTERPRISEPACK", "SPE_E3", "EXCHANGESTANDARD", "EXCHANGEENTERPRISE"}, Example: "SPE_E5",
		Actions: licenseActions, Derived: "the old and the new AssignedLicense", Paths: both(p{"ModifiedProperties"}, "properties.targetResources")},
	{Name: "license.plans_removed", Type: List, Form: LowerCase, Meaning: "service plans that were taken from a user, by their ids or names, lower case", Example: "2f442157-a11c-46b9-ae5b-6e39ff4e5849",
		Actions: licenseActions, Derived: "the old and the new AssignedLicense and AssignedPlan", Paths: both(p{"ModifiedProperties"}, "properties.targetResources")},

	{Name: "alert.id", Meaning: "the id of Microsoft's alert", Example: "6ee3…", Paths: alerts(p{"AlertId"}, p{"id"}, "AlertId"), Actions: alertActions},
	{Name: "alert.name", Meaning: "its name", Example: "User restricted from sending email", Paths: alerts(p{"Name"}, p{"title", "displayName"}, "Title"), Actions: alertActions},
	{Name: "alert.severity", Meaning: "its severity", Example: "High", Paths: alerts(p{"Severity"}, p{"severity"}, "Severity"), Actions: alertActions},
	{Name: "alert.category", Meaning: "its category", Example: "ThreatManagement", Paths: alerts(p{"Category"}, p{"category"}, "Category", "Categories"), Actions: alertActions},
	{Name: "alert.entity_type", Meaning: "what the record names: User, Mailbox, MailMessage, Ip and others", Example: "User", Paths: rows(p{"EntityType"}, nil, "EntityType"), Actions: alertActions},
	{Name: "alert.trigger_id", Meaning: "the id of the record that triggered it", Example: "8b0c…", Actions: alertActions, Derived: "Data.reid", Paths: ual("Data")},
	{Name: "alert.entity", Form: LowerCase, Meaning: "the account it is about", Example: "taro@contoso.example", Actions: alertActions, Derived: "Data.f3u, AlertEntityId, ObjectId, Data.eid, Data.suid, the evidence's user; the first of several; nobody where evidence is merely related", Paths: alerts(p{"Data", "AlertEntityId", "ObjectId", "OfficeObjectId", "Evidence[*].UserPrincipalName"}, p{"evidence", "alerts"}, "AccountUpn", "RecipientEmailAddress", "AccountObjectId", "AccountName", "EvidenceRole")},

	{Name: "risk.type", Meaning: "what Identity Protection detected", Example: "passwordSpray", Paths: entra("properties.riskEventType", "properties.riskType")},
	{Name: "risk.level", Meaning: "how grave the detection or the user's risk is", Open: true, Values: p{"none", "low", "medium", "high", "hidden"}, Example: "high", Paths: entra("properties.riskLevel")},
	{Name: "risk.state", Meaning: "what became of the risk", Example: "atRisk", Paths: entra("properties.riskState")},
	{Name: "risk.detail", Meaning: "why the risk has its state", Example: "adminConfirmedUserCompromised", Paths: entra("properties.riskDetail")},
	{Name: "risk.timing", Meaning: "when it was detected, as against the activity", Example: "offline", Paths: entra("properties.detectionTimingType")},

	{Name: "file.name", Meaning: "the file's name", Example: "plan.docx", Paths: ual("SourceFileName")},
	{Name: "file.size", Type: Number, Meaning: "the file's size", Unit: "bytes", Example: "10240", Paths: ual("FileSizeBytes")},
	{Name: "url.full", Meaning: "the address of an object in SharePoint or OneDrive, of a link that was clicked or of a request to Microsoft Graph", Example: "https://contoso.sharepoint.example/sites/a/plan.docx", Paths: rows(p{"ObjectId", "OfficeObjectId", "Url"}, p{"properties.requestUri"}, "Url")},
	{Name: "url.own_site", Type: Bool, Meaning: "whether an object of SharePoint lies in the actor's own OneDrive", Example: "true", Derived: "url.full and user.name", Paths: ual("ObjectId", "OfficeObjectId")},
	{Name: "url.clicked_through", Type: Bool, Meaning: "whether somebody who clicked a link came to the page behind it, over a warning or without one", Example: "true", Derived: "the click's result", Paths: rows(p{"UrlClickAction"}, nil, "IsClickedThrough")},
	{Name: "http.request.method", Meaning: "the method of a request to Microsoft Graph", Example: "GET", Paths: entra("properties.requestMethod")},
	{Name: "http.response.status_code", Type: Number, Meaning: "the status of a request to Microsoft Graph", Example: "403", Paths: entra("properties.responseStatusCode")},
}

// addresses are the places of the client's address.
var addresses = [Shapes][]string{
	UAL:      {"ClientIP", "ClientIPAddress", "Client_IPAddress", "ActorIpAddress", "UserIp"},
	Entra:    {"properties.ipAddress", "properties.initiatedBy.user.ipAddress", "callerIpAddress"},
	Defender: inRow("IPAddress", "SenderIPv4", "SenderIPv6"), Trace: {"FromIP"},
	Other: {"properties.IPAddress", "callerIpAddress", "ClientIP", "ipAddress"}}

// rights are those of mailboxes, then those of folders.
var rights = []string{"FullAccess", "SendAs", "SendOnBehalf", "ReadPermission", "ChangePermission", "ChangeOwner", "DeleteItem", "ExternalAccount",
	"Owner", "PublishingEditor", "Editor", "PublishingAuthor", "Author", "NonEditingAuthor", "Reviewer", "Contributor"}

// scopes are permissions that attackers ask for.
var scopes = []string{"Mail.Read", "Mail.ReadWrite", "Mail.Send", "Mail.Read.Shared", "Mail.ReadWrite.Shared", "Mail.Send.Shared", "MailboxSettings.ReadWrite",
	"Contacts.Read", "Contacts.ReadWrite", "Files.Read.All", "Files.ReadWrite.All", "Sites.Read.All", "Sites.ReadWrite.All", "Notes.Read.All", "People.Read",
	"User.Read", "User.ReadBasic.All", "User.Read.All", "Directory.Read.All", "Directory.ReadWrite.All", "Directory.AccessAsUser.All",
	"Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "RoleManagement.ReadWrite.Directory", "EWS.AccessAsUser.All", "full_access_as_app",
	"IMAP.AccessAsUser.All", "POP.AccessAsUser.All", "SMTP.Send", "offline_access", "openid", "profile", "email"}

// FolderClasses are what a mail folder can be.
var FolderClasses = []string{"inbox", "sent", "drafts", "deleted", "junk", "rss", "notes", "archive", "conversation_history", "sync", "custom"}

// Paths are the places of a field, or of a name of an open family, in records of a shape.
func (d *Def) Paths(s Shape) []string {
	if d.Field != nil {
		if s != Graph {
			return d.Field.Paths[s]
		}
		return bare(d.Field.Paths[Entra])
	}
	return familyPaths(d.Name, s)
}
