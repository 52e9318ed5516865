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
		all = append(all, r.destinations(v)...)
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
