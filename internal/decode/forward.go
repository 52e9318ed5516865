package decode

import (
	"strings"

	"noroshi/internal/event"
)

// forwarding are the parameters that send mail elsewhere, by operation.
func forwarding(action string) []string {
	switch action {
	case "Set-Mailbox":
		return []string{"ForwardingSmtpAddress", "ForwardingAddress"}
	case "New-TransportRule", "Set-TransportRule", "Enable-TransportRule":
		return []string{"BlindCopyTo", "RedirectMessageTo", "CopyTo", "AddToRecipients"}
	case "New-JournalRule", "Set-JournalRule":
		return []string{"JournalEmailAddress"}
	}
	return nil
}

func (r *Reader) parameter(name string) (string, bool) { return named(r.entries("Parameters"), name) }

func forwardTo(r *Reader) (all []string) {
	for _, name := range forwarding(r.Event.Text(event.Action)) {
		v, _ := r.parameter(name)
		all = append(all, Destinations(v)...)
	}
	return all
}

// opensForwarding reports whether the operation lets mail out without naming a destination.
func opensForwarding(r *Reader) bool {
	switch r.Event.Text(event.Action) {
	case "New-RemoteDomain", "Set-RemoteDomain":
		v, _ := r.parameter("AutoForwardEnabled")
		return isTrue(v)
	case "New-HostedOutboundSpamFilterPolicy", "Set-HostedOutboundSpamFilterPolicy":
		v, _ := r.parameter("AutoForwardingMode")
		return strings.EqualFold(v, "On")
	}
	return false
}

func forwardSet(r *Reader, _ string) string {
	if !r.acts("forward.set") {
		return ""
	}
	return truth(len(r.fieldList("forward.to")) > 0 || opensForwarding(r))
}

// forwardRemoved: the operation that sets forwarding also removes it, by an empty value.
func forwardRemoved(r *Reader, _ string) string {
	if !r.acts("forward.removed") {
		return ""
	}
	removed := false
	for _, name := range forwarding(r.Event.Text(event.Action)) {
		v, ok := r.parameter(name)
		if len(Destinations(v)) > 0 {
			return "false"
		}
		removed = removed || ok
	}
	return truth(removed)
}

func forwardKeepsCopy(r *Reader, _ string) string {
	if r.Event.Text(event.Action) != "Set-Mailbox" {
		return ""
	}
	v, ok := r.parameter("DeliverToMailboxAndForward")
	if !ok {
		return ""
	}
	return truth(isTrue(v))
}

func forwardScope(r *Reader, _ string) string {
	if r.field("forward.set") != "true" && r.field("forward.removed") != "true" {
		return ""
	}
	if r.Event.Text(event.Action) == "Set-Mailbox" {
		return "mailbox"
	}
	return "tenant"
}

// Destinations are the addresses of a list as commands and rules write it: separated by semicolons or commas, with or without
// smtp:, as "Name" [SMTP:a@b], Name <a@b> or a@b; lower case. An alias, a contact or a distinguished name stays as it is.
func Destinations(s string) (all []string) {
	for _, one := range split(s) {
		if a := AddressOf(one); a != "" {
			all = append(all, a)
		}
	}
	return all
}

// split takes a list of addresses apart. Nothing inside quotes separates, nor does a comma of a
// distinguished name.
func split(s string) []string {
	separator := byte(',')
	if strings.Contains(s, ";") {
		separator = ';'
	} else if strings.Count(s, "@") < 2 || strings.Contains(s, "=") {
		return []string{s}
	}
	if strings.Count(s, `"`)%2 == 1 { // a quote that is never closed quotes nothing
		return strings.Split(s, string(separator))
	}
	var all []string
	quoted, from := false, 0
	for i := range len(s) {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == separator && !quoted:
			all, from = append(all, s[from:i]), i+1
		}
	}
	return append(all, s[from:])
}

// AddressOf is the mail address in one destination, lower case; what is none stays as it is, blanks trimmed.
func AddressOf(s string) string {
	s = strings.TrimSpace(s)
	for _, pair := range [...]string{"[]", "<>"} {
		if i := strings.LastIndexByte(s, pair[0]); i >= 0 && strings.Contains(s[i:], "@") {
			if end := strings.IndexByte(s[i:], pair[1]); end > 0 {
				s = s[i+1 : i+end]
			}
		}
	}
	s = strings.Trim(strings.TrimSpace(s), `"'`)
	if len(s) > 5 && strings.EqualFold(s[:5], "smtp:") {
		s = s[5:]
	}
	return event.Lower(s)
}
