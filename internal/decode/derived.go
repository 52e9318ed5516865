package decode

import "noroshi/internal/event"

// derivation is how a field is worked out of others. The text it is given is what the field's own paths hold, canonical.
type derivation struct {
	text  func(r *Reader, text string) string
	list  func(r *Reader) []string
	needs []string // fields it asks for
	cheap bool     // costs no more than a look into the record
	own   bool     // looks for itself: the first of the field's paths is not its text
}

// identity are the fields by which every record is known, whatever the rules mention.
var identity = []string{"event.id", "event.time", "event.action", "organization.id", "account", "event.dataset", "event.outcome", "auth.error"}

// derived are the fields that a look into the record does not give.
var derived = map[string]derivation{
	"event.id":        {text: eventID, cheap: true},
	"event.time":      {text: eventTime},
	"event.time_from": {text: func(r *Reader, _ string) string { return r.timeFrom }},
	"event.created":   {text: func(_ *Reader, s string) string { return rfc3339(s) }},
	"event.action":    {text: action, cheap: true},
	"event.outcome":   {text: outcome, needs: []string{"event.action", "auth.error"}},
	"event.provider":  {text: provider, cheap: true},
	"event.dataset":   {text: dataset},
	"event.code":      {text: code, cheap: true},

	"organization.id": {text: tenant, cheap: true},

	"account":          {text: account, needs: []string{"user.name", "user.id", "user.kind", "user.target.name", "mailbox.owner", "alert.entity", "app.id", "app.name", "organization.name"}},
	"user.name":        {text: userName, cheap: true},
	"user.id":          {text: userID, cheap: true},
	"user.full_name":   {text: fullName, cheap: true},
	"user.domain":      {text: func(r *Reader, _ string) string { return Domain(r.Event.Text(event.UserName)) }, needs: []string{"user.name"}},
	"user.kind":        {text: userKind, needs: []string{"user.name", "user.id", "user.type", "app.id", "event.action", "organization.name"}, own: true},
	"user.target.name": {text: func(r *Reader, s string) string { return nameOf(targetName(r, s)) }, needs: []string{"mailbox.owner"}, own: true},
	"target.name":      {text: targetDisplayName},
	"source.port":      {text: sourcePort, own: true},
	"source.trusted":   {text: trusted},
	"source.kind":      {text: sourceKind, needs: []string{"source.ip", "user.kind"}},

	"source.geo.location": {text: location, cheap: true},
	"source.as.number":    {text: func(_ *Reader, recorded string) string { return asNumber(recorded) }, cheap: true},

	"device.name": {text: deviceName, needs: []string{"event.action"}, own: true},
	"resource.id": {text: resource, needs: []string{"event.action"}},

	"auth.methods":      {list: authMethods},
	"auth.error":        {text: errorCode, cheap: true},
	"auth.result":       {text: authResult, needs: []string{"auth.error", "event.action"}},
	"auth.password_ok":  {text: passwordOK, needs: []string{"auth.error", "auth.result"}},
	"auth.legacy":       {text: legacy, needs: []string{"auth.protocol"}},
	"auth.interactive":  {text: interactive, needs: []string{"auth.protocol", "event.action"}},
	"auth.flow":         {text: flow, own: true},
	"auth.risk":         {text: risk},
	"auth.mfa_required": {text: mfaRequired},

	"email.message_id":     {text: messageID},
	"email.direction":      {text: direction, cheap: true},
	"email.delivery.code":  {text: deliveryCode, cheap: true},
	"mailbox.owner":        {text: mailboxOwner, needs: []string{"event.action", "user.name", "user.id", "user.kind", "organization.name"}, cheap: true, own: true},
	"url.clicked_through":  {text: clickedThrough, needs: []string{"event.action"}},
	"url.own_site":         {text: ownSite, needs: []string{"user.name"}, own: true},
	"mailbox.folder_class": {text: func(r *Reader, _ string) string { return r.folderClass(r.field("mailbox.folder")) }, needs: []string{"mailbox.folder"}},
	"mailbox.dest_class":   {text: (*Reader).folderClass},
	"mailbox.items":        {text: items},
	"mailbox.logon":        {text: logon},
	"mailbox.subjects":     {list: itemSubjects, needs: []string{"event.action"}},
	"mailbox.message_ids":  {list: itemMessageIDs, needs: []string{"event.action"}},

	"inbox_rule.op":            {text: inboxRuleOp, needs: []string{"event.action"}},
	"inbox_rule.name":          {text: inboxRuleName, needs: []string{"event.action", "inbox_rule.op"}},
	"inbox_rule.sends_to":      {list: inboxRuleSendsTo, needs: []string{"event.action", "inbox_rule.op"}},
	"inbox_rule.deletes":       {text: inboxRuleDeletes, needs: []string{"event.action", "inbox_rule.op"}},
	"inbox_rule.moves_to":      {text: inboxRuleMovesTo, needs: []string{"event.action", "inbox_rule.op"}},
	"inbox_rule.folder_class":  {text: func(r *Reader, _ string) string { return r.folderClass(r.field("inbox_rule.moves_to")) }, needs: []string{"inbox_rule.moves_to"}},
	"inbox_rule.marks_read":    {text: inboxRuleMarksRead, needs: []string{"event.action", "inbox_rule.op"}},
	"inbox_rule.stops":         {text: inboxRuleStops, needs: []string{"event.action", "inbox_rule.op"}},
	"inbox_rule.words":         {list: inboxRuleWords, needs: []string{"event.action", "inbox_rule.op"}},
	"inbox_rule.has_condition": {text: inboxRuleHasCondition, needs: []string{"event.action", "inbox_rule.op"}},
	"inbox_rule.body_known":    {text: inboxRuleBodyKnown, needs: []string{"event.action", "inbox_rule.op"}},

	"forward.set":        {text: forwardSet, needs: []string{"event.action", "forward.to"}},
	"forward.removed":    {text: forwardRemoved, needs: []string{"event.action"}},
	"forward.to":         {list: forwardTo, needs: []string{"event.action"}},
	"forward.keeps_copy": {text: forwardKeepsCopy, needs: []string{"event.action"}},
	"forward.scope":      {text: forwardScope, needs: []string{"event.action", "forward.set", "forward.removed"}},

	"grant.rights":  {list: grantRights, needs: []string{"event.action"}},
	"grant.trustee": {text: grantTrustee, needs: []string{"event.action", "user.name", "user.id", "organization.name"}},
	"grant.folder":  {text: grantFolder, needs: []string{"event.action"}},

	"role.name":        {text: roleName, needs: []string{"event.action"}},
	"role.template_id": {text: roleTemplateID, needs: []string{"event.action"}},
	"role.privileged":  {text: rolePrivileged, needs: []string{"event.action", "role.name", "role.template_id"}},
	"role.via":         {text: roleVia, needs: []string{"event.action", "user.name", "user.id", "user.kind"}, own: true},
	"role.state":       {text: roleState, needs: []string{"event.action"}},
	"role.member":      {text: roleMember, needs: []string{"event.action", "user.target.name"}},

	"consent.scopes":         {list: consentScopes, needs: []string{"event.action"}},
	"consent.app":            {text: consentApp, needs: []string{"event.action"}},
	"consent.all_principals": {text: consentAllPrincipals, needs: []string{"event.action"}},
	"consent.admin":          {text: consentAdmin, needs: []string{"event.action"}},

	"policy.weakened": {list: policyWeakened, needs: []string{"event.action"}},

	"license.removed":       {list: licenseRemoved, needs: []string{"event.action"}},
	"license.plans_removed": {list: licensePlansRemoved, needs: []string{"event.action"}},

	"alert.id":          {text: ofAlerts, needs: []string{"event.action"}},
	"alert.name":        {text: ofAlerts, needs: []string{"event.action"}},
	"alert.severity":    {text: ofAlerts, needs: []string{"event.action"}},
	"alert.category":    {text: ofAlerts, needs: []string{"event.action"}},
	"alert.entity_type": {text: ofAlerts, needs: []string{"event.action"}},
	"alert.trigger_id":  {text: alertTrigger, needs: []string{"event.action"}},
	"alert.entity":      {text: alertEntity, needs: []string{"event.action", "alert.entity_type"}, own: true},
}

// acts reports whether the record at hand has one of the operations of a field: without them its derived fields are absent.
func (r *Reader) acts(field string) bool {
	f, ok := event.Lookup(field)
	if !ok {
		return false
	}
	a := r.Event.Text(event.Action)
	for _, one := range f.Actions {
		if one == a {
			return true
		}
	}
	return false
}
