package rules

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/diag"
	"noroshi/internal/strictyaml"
	"noroshi/rules/library"
)

// steps reads steps of remediation.
func steps(data []byte) (map[string]Remedy, []diag.Problem) {
	set, _ := Load(Options{})
	l := newLoader(Options{}, set)
	l.remedies = map[string]Remedy{}
	d := strictyaml.Parse("remediation.yaml", data)
	l.steps(d)
	return l.remedies, d.Problems
}

// cmdlets are the commands of Exchange Online PowerShell, Microsoft Graph PowerShell and PowerShell itself that steps use. A
// new one is looked up in Microsoft's reference before it is added here.
var cmdlets = strings.Fields(`
	Get-MailContact Set-MailboxAuditBypassAssociation Get-InboxRule Disable-InboxRule Set-Mailbox Get-TransportRule Disable-TransportRule Set-HostedOutboundSpamFilterPolicy Set-RemoteDomain Search-UnifiedAuditLog
	Get-BlockedSenderAddress Remove-BlockedSenderAddress Set-AdminAuditLogConfig Set-OrganizationConfig Get-MailboxPermission Remove-MailboxPermission Remove-RoleGroupMember
	Revoke-MgUserSignInSession Update-MgUser Get-MgUserAuthenticationMethod Get-MgAuditLogSignIn
	Get-MgRoleManagementDirectoryRoleAssignment Remove-MgRoleManagementDirectoryRoleAssignment Get-MgUserOauth2PermissionGrant Remove-MgOauth2PermissionGrant
	Get-RecoverableItems Restore-RecoverableItems Get-MessageTraceV2 Get-MgUser Get-Mailbox Set-CASMailbox Get-SweepRule Remove-SweepRule
	Get-InboundConnector Set-InboundConnector Get-OutboundConnector Set-OutboundConnector Get-DlpCompliancePolicy Set-DlpCompliancePolicy
	Get-MailboxFolderPermission Set-MailboxFolderPermission Get-ManagementRoleAssignment Remove-ManagementRoleAssignment
	Get-CsTenantFederationConfiguration Set-CsTenantFederationConfiguration Get-MgUserRegisteredDevice Update-MgDevice
	New-MgIdentityConditionalAccessNamedLocation Get-MgIdentityConditionalAccessPolicy Update-MgIdentityConditionalAccessPolicy Get-MgServicePrincipal
	Update-MgServicePrincipal Confirm-MgRiskyUserCompromised Where-Object
	Get-RecipientPermission Get-MgUserMemberOf Export-Clixml Connect-ExchangeOnline Connect-MgGraph Connect-IPPSSession Connect-MicrosoftTeams
	Remove-RecipientPermission Format-List Format-Table Get-Date Read-Host`)

var cmdlet = regexp.MustCompile(`\b[A-Z][a-z]+-[A-Z][A-Za-z0-9]+`)

// inserted are values in a command, and inCapitals is how one is written that has a word for records without it.
var (
	inserted   = regexp.MustCompile(`\{\{(.*?)\}\}`)
	inCapitals = regexp.MustCompile(`^ either\(.*, "[A-Z]+"\) $`)
)

// TestStepsNameRealCommands: each command begins with one, and each item of the guide that calls for a step has one. A value that a
// record lacks is a word in capitals, never nothing.
func TestStepsNameRealCommands(t *testing.T) {
	data, err := library.Files.ReadFile(remediationFile)
	if err != nil {
		t.Fatal(err)
	}
	all, ps := steps(data)
	if len(ps) > 0 {
		t.Fatal(formatted(ps))
	}
	for _, id := range []string{"disable-inbox-rule", "remove-forwarding", "revoke-sessions", "reset-password", "block-sign-in", "check-mfa-methods", "restore-display-name", "remove-role",
		"unblock-sending", "switch-audit-on", "remove-delegate", "remove-consent", "review-sign-ins", "restrict-external-forwarding", "remove-transport-rule"} {
		if _, ok := all[id]; !ok {
			t.Errorf("there is no step %s", id)
		}
	}
	answered := map[string]bool{}
	for _, r := range all {
		for _, g := range r.Guide {
			answered[g] = true
		}
	}
	for _, g := range GuideItems {
		if !answered[g] {
			t.Errorf("no step answers %s, %s", g, GuideTexts[g])
		}
	}
	var plain map[string]struct{ Command string }
	if err := yaml.Unmarshal(data, &plain); err != nil || len(plain) != len(all) {
		t.Fatalf("%d of %d steps, %v", len(plain), len(all), err)
	}
	for id, r := range plain {
		command := r.Command
		for _, value := range inserted.FindAllStringSubmatch(command, -1) {
			if !inCapitals.MatchString(value[1]) { // a command with '' would be run as it stands
				t.Errorf("%s: {{%s}} has no word in capitals for records without it", id, value[1])
			}
		}
		for _, part := range strings.Split(command, ";") {
			first := cmdlet.FindString(part)
			if !strings.HasPrefix(strings.TrimSpace(part), first) && !strings.Contains(part, "=") {
				t.Errorf("%q does not begin with a command", part)
			}
		}
		for _, c := range cmdlet.FindAllString(command, -1) {
			if !slices.Contains(cmdlets, c) {
				t.Errorf("%s is no command that we know", c)
			}
		}
	}
}

func TestBrokenStepsAreRefused(t *testing.T) {
	rows := []struct{ text, want string }{
		{"a: {guide: [S3], text: x}", "remediation.yaml:1:4: step a needs text and command [missing]"},
		{"a: {guide: [S33], text: x, command: Get-X}", `"S33" is none of`},
		{"a: {text: x, comand: Get-X}", `no key "comand" here; did you mean "command"? [key]`},
		{"a: {text: 'x {{ acount }}', command: Get-X}", `remediation.yaml:1:17: no field "acount"; did you mean "account"? [field]`},
		{"a:\n  text: x\n  command: Get-X {{ account }}", "remediation.yaml:3:18: a value of a command stands in single quotes [value]"},
		{"a:\n  text: x\n  command: Get-X '{{ account }}' {{ account }}", "remediation.yaml:3:34: a value of a command stands in single quotes [value]"},
		{"a:\n  text: x\n  command: Get-X 'a eq ''{{ account }}''' {{ account }}", "remediation.yaml:3:43: a value of a command stands in single quotes [value]"},
		{"a:\n  text: x\n  command: Get-X \"{{ account }}\"", "remediation.yaml:3:18: \" has no place in a command; quote with ' [value]"},
		{"a: 7", "remediation.yaml:1:4: expected keys with values, got the number 7 [type]"},
	}
	for _, r := range rows {
		_, ps := steps([]byte(r.text))
		if got := formatted(ps); !strings.Contains(got, r.want) {
			t.Errorf("%s: got %s, want %s", r.text, got, r.want)
		}
	}
	if all, ps := steps([]byte("a:\n  text: x\n  command: Get-X -Filter 'a eq ''{{ account }}''' -Name '{{ param[\"Name\"] }}'")); len(ps) > 0 || len(all) != 1 {
		t.Error(formatted(ps))
	}
}
