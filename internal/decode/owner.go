package decode

import (
	"strings"
	"unicode"

	"noroshi/internal/event"
)

// Commands that are about a mailbox name it in Mailbox or in Identity: as an address, an alias, a path of Exchange's directory
// or a distinguished name, of an inbox rule and of a folder with its name behind it.
// Source: Exchange PowerShell, parameters Identity and Mailbox of these commands.
var mailboxNouns = map[string]bool{
	"Mailbox": true, "CASMailbox": true, "MailboxPermission": true, "RecipientPermission": true, "MailboxFolderPermission": true, "MailboxAuditBypassAssociation": true,
	"MailboxAutoReplyConfiguration": true, "MailboxJunkEmailConfiguration": true, "MailboxRegionalConfiguration": true, "MailboxCalendarConfiguration": true, "MailboxMessageConfiguration": true,
	"CalendarProcessing": true, inboxRuleNoun: true, "SweepRule": true,
}

const inboxRuleNoun = "InboxRule"

// mailboxOwner is whose mailbox a record is about: as it says, or whose a command names. Where that is the actor's own, under
// whatever name, it is the actor's.
func mailboxOwner(r *Reader, _ string) string {
	if owner := r.canonical(event.Name, r.ownerTold()); owner != "" {
		return owner
	}
	_, noun, ok := strings.Cut(r.Event.Text(event.Action), "-")
	if r.view.shape != event.UAL || !ok || !mailboxNouns[noun] {
		return ""
	}
	owner := r.canonical(event.Name, r.known(r.ownerNamed(noun)))
	switch kind := r.Event.Text(event.UserKind); {
	case kind != "user" && kind != "guest":
		return owner
	case owner == "" && noun == inboxRuleNoun, r.isActor(owner):
		return first(r.Event.Text(event.UserName), owner) // a command on inbox rules without a mailbox is about the actor's own
	}
	return owner
}

// ownerTold is the owner that the record itself names.
func (r *Reader) ownerTold() string {
	if r.view.owner < 0 {
		return ""
	}
	return r.scalar(r.view.owner)
}

// ownerNamed is the mailbox as the command or its object names it.
func (r *Reader) ownerNamed(noun string) string {
	if mailbox, _ := r.parameter("Mailbox"); mailbox != "" {
		return Recipient(mailbox)
	}
	identity, _ := r.parameter("Identity")
	switch noun {
	case inboxRuleNoun, "SweepRule": // of these the identity is the rule's, which may stand alone
		if owner := beforeRule(identity); owner != "" {
			return Recipient(owner)
		}
		return r.ownerOfObject()
	case "MailboxFolderPermission":
		identity, _, _ = strings.Cut(identity, `:\`)
	}
	name, object := Recipient(identity), Recipient(r.object())
	if name == "" || !isAddress(name) && isAddress(object) || isOpaque(name) && object != "" { // an alias or an id is less than a name
		return object
	}
	return name
}

// ownerOfObject is the mailbox in the path of an inbox rule, where the command names none. A person's new rule is then in the
// person's own mailbox, and a path has its id, alias or display name, which prove nothing; of other commands an address counts.
func (r *Reader) ownerOfObject() string {
	owner := Recipient(beforeRule(r.object()))
	switch kind := r.Event.Text(event.UserKind); {
	case kind != "user" && kind != "guest":
		return owner
	case strings.HasPrefix(r.Event.Text(event.Action), "New-"), !isAddress(owner):
		return ""
	}
	return owner
}

// beforeRule is the mailbox in the name of an inbox rule, before the first backslash that escapes no comma, or "" if there is none.
func beforeRule(id string) string {
	for i := range len(id) {
		if id[i] == '\\' && !strings.HasPrefix(id[i+1:], ",") {
			return id[:i]
		}
	}
	return ""
}

// isOpaque reports whether a name is an id that tells people nothing: a GUID, or bytes in base64.
func isOpaque(name string) bool {
	if isGUID(name) {
		return true
	}
	rest := strings.TrimRight(name, "=")
	if len(name) < 24 || strings.Trim(rest, "abcdefghijklmnopqrstuvwxyz0123456789+/") != "" {
		return false
	}
	return rest != name || strings.ContainsAny(rest, "0123456789") && len(name)%4 == 0
}

// isActor reports whether a name, lower case, is one of the actor's: the user name, the id, an alias or a display name whose words make up
// the part of the user name before the at sign, or an address with that part in the organisation's first domain.
func (r *Reader) isActor(name string) bool {
	actor := r.Event.Text(event.UserName)
	if name == "" || actor == "" {
		return false
	}
	if name == actor || name == r.Event.Text(event.UserID) {
		return true
	}
	local, _, _ := strings.Cut(actor, "@")
	if before, domain, ok := strings.Cut(name, "@"); ok {
		return before == local && firstDomain(domain) && r.mayBeOurs(name)
	}
	return sameWords(name, local)
}

// sameWords reports whether two names are made of the same words in whatever order.
func sameWords(a, b string) bool {
	between := func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) }
	words := strings.FieldsFunc(a, between)
	rest := strings.Join(strings.FieldsFunc(b, between), " ")
	for _, w := range words {
		before, after, ok := strings.Cut(rest, w)
		if !ok {
			return false
		}
		rest = before + " " + after
	}
	return len(words) > 0 && strings.TrimSpace(rest) == ""
}
