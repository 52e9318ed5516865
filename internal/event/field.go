package event

// Type is what a value is for the author of a condition.
type Type uint8

// The types. Absent text is "", absent numbers are 0, absent truths are false, absent lists are empty.
const (
	Text Type = iota
	Number
	Bool
	List
)

// String is the type's name as documentation writes it.
func (t Type) String() string { return [...]string{"text", "number", "bool", "list"}[t] }

// Form is how a text is made canonical, where it differs only by accident.
type Form uint8

// The forms of a text.
const (
	AsIs      Form = iota
	LowerCase      // user names, mail addresses, domains
	Name           // lower case, without blanks around; a placeholder is no name
	Operation      // no trailing dot or blank, hyphen instead of an en dash
	Address        // an IP address without port, brackets or loopback
	Country        // two capital letters; all else is no country
	Code           // an error code: digits; 0 for the word of a success
	Truth          // true and false, however they are spelt
	JSONText       // JSON in text: a string or an array of one string is that string
	Instant        // a time: UTC, RFC 3339, with milliseconds at least
	Decimal        // a number; a text that is not a finite decimal number counts as absent
)

// Drops reports whether a text may be none in this form: then it is as if the record lacked it.
func (f Form) Drops() bool {
	return f == Address || f == Country || f == Code || f == Name || f == Decimal
}

// Shape is how a record is laid out; each shape has its own paths.
type Shape uint8

// The shapes.
const (
	UAL      Shape = iota // unified audit log: flat objects with Operation
	Entra                 // diagnostic settings: envelope with category and properties
	Graph                 // Entra's records as Microsoft Graph returns them: the properties alone
	Defender              // Defender XDR's streamed tables: envelope with category AdvancedHunting-Table and properties, the row
	Trace                 // rows of Exchange's message trace
	Security              // alerts and incidents of Microsoft Graph's security API
	Other                 // anything else
	Shapes
)

// String is the shape's name as documentation writes it.
func (s Shape) String() string {
	return [...]string{"ual", "entra", "graph", "defender", "trace", "security", "other"}[s]
}

// Field is one field of the event.
type Field struct {
	Name    string
	Type    Type
	Form    Form
	Meaning string
	Unit    string   // of a number
	Values  []string // of an enumeration
	Open    bool     // records may hold other values than these
	Without string   // characters that a text does not hold
	Lacks   string   // what a text does not begin with
	Example string
	// Paths are the places in the record, by shape; the first that has a text counts. A path is A.B.C for a scalar, A[Name] for
	// the value of an entry of a Name/Value list, A[Name].Member for another member, A[*].B for a member of the first array
	// element that has it. Graph has Entra's paths without "properties.".
	Paths [Shapes][]string
	// Derived says what the value is worked out of, where Paths alone do not tell.
	Derived string
	// Actions are the operations without which the value is absent, so that a rule about it need not look at all others.
	Actions []string
}

// Operations that carry groups of derived fields.
var (
	inboxRuleActions = []string{"New-InboxRule", "Set-InboxRule", "Enable-InboxRule", "Disable-InboxRule", "Remove-InboxRule", "UpdateInboxRules"}
	itemActions      = []string{"MoveToDeletedItems", "SoftDelete", "HardDelete", "Move", "Copy", "RecordDelete"}
	forwardActions   = []string{"Set-Mailbox", "New-TransportRule", "Set-TransportRule", "Enable-TransportRule", "New-JournalRule", "Set-JournalRule",
		"New-RemoteDomain", "Set-RemoteDomain", "New-HostedOutboundSpamFilterPolicy", "Set-HostedOutboundSpamFilterPolicy"}
	grantActions = []string{"Add-MailboxPermission", "Remove-MailboxPermission", "Add-RecipientPermission", "Remove-RecipientPermission",
		"Add-MailboxFolderPermission", "Set-MailboxFolderPermission", "Remove-MailboxFolderPermission", "AddFolderPermissions", "ModifyFolderPermissions", "RemoveFolderPermissions", "UpdateFolderPermissions", "UpdateCalendarDelegation"}
	roleActions = append(pimActions(), "Add member to role", "Add scoped member to role", "Add role assignment to role definition", "Add eligible member to role",
		"Remove member from role", "Remove scoped member from role", "Remove eligible member from role", "Remove role assignment from role definition",
		"Add-RoleGroupMember", "Remove-RoleGroupMember", "Update-RoleGroupMember", "New-ManagementRoleAssignment")
	consentActions = []string{"Consent to application", "Add OAuth2PermissionGrant", "Add delegated permission grant", "Add app role assignment grant to user", "Add app role assignment to service principal"}
	policyActions  = []string{"Update conditional access policy", "Delete conditional access policy"}
	licenseActions = []string{"Change user license", "Update user"}
	alertActions   = []string{"AlertTriggered", "AlertUpdated", "AlertEntityGenerated", "AlertInfo", "AlertEvidence", "IncidentReported"}
)

// pimActions are the names under which Privileged Identity Management records what becomes of roles.
// Source: Microsoft Entra, Audit log categories and activities, PIM; spellings of older records beside them.
func pimActions() (all []string) {
	for _, who := range [...]string{"member", "eligible member"} {
		for _, state := range [...]string{"requested", "completed", "canceled", "cancelled", "approved", "denied", "expired"} {
			for _, how := range [...]string{"", " (permanent)", " (timebound)", " (renew)", " (renewed)"} {
				all = append(all, "Add "+who+" to role in PIM "+state+how, "Remove "+who+" from role in PIM "+state+how)
			}
		}
		for _, how := range [...]string{"", " (permanent)", " (timebound)"} {
			all = append(all, "Add "+who+" to role outside of PIM"+how)
		}
		all = append(all, "Restore "+who+" from role in PIM completed")
	}
	for _, state := range [...]string{"requested", "completed", "canceled", "cancelled", "approval requested", "request approved", "request denied", "approved", "denied", "expired"} {
		all = append(all, "Add member to role "+state+" (PIM activation)", "Remove member from role "+state+" (PIM deactivate)")
	}
	return append(all, "Add member to role approval requested", "Add member to role request approved", "Add member to role request denied",
		"Remove member from role (PIM activation expired)", "Add member to role (PIM activation)", "Add member to role (PIM activation expired)")
}

func ual(paths ...string) [Shapes][]string { return [Shapes][]string{UAL: paths} }

func entra(paths ...string) [Shapes][]string { return [Shapes][]string{Entra: paths} }

// both are paths of the unified audit log and of Entra, in this order.
func both(ual []string, entra ...string) [Shapes][]string {
	return [Shapes][]string{UAL: ual, Entra: entra}
}

// rows are paths of the unified audit log, of Entra and of the columns of Defender XDR's tables, in this order.
func rows(ual, entra []string, columns ...string) [Shapes][]string {
	return [Shapes][]string{UAL: ual, Entra: entra, Defender: inRow(columns...)}
}

// alerts are paths of the unified audit log, of Microsoft Graph's security API and of the columns of Defender XDR's tables.
func alerts(ual, security []string, columns ...string) [Shapes][]string {
	return [Shapes][]string{UAL: ual, Security: security, Defender: inRow(columns...)}
}

// inRow are the paths of columns.
func inRow(columns ...string) (paths []string) {
	for _, c := range columns {
		paths = append(paths, "properties."+c)
	}
	return paths
}

type p = []string
