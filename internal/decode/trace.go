package decode

import (
	"strings"

	"noroshi/internal/event"
)

// Rows of Exchange's message trace: Get-MessageTrace and Get-MessageTraceDetail, the reporting web service, Microsoft Graph.

// traceID tells a row apart: one trace has a row for each recipient and each status.
func traceID(r *Reader, text string) string {
	if text == "" {
		return ""
	}
	to, status := r.at("RecipientAddress"), first(r.at("Status"), r.at("Event"))
	from := len(r.arena)
	r.arena = event.AppendLower(append(append(r.arena, text...), '/'), to)
	r.arena = append(append(r.arena, '/'), status...)
	return r.since(from)
}

// traceAccount is the sender, unless only the recipient's domain is the organization's. A bounce has no sender.
func traceAccount(r *Reader) string {
	from, to := event.Lower(r.at("SenderAddress")), event.Lower(r.at("RecipientAddress"))
	org := event.Lower(r.at("Organization"))
	if org != "" && Domain(to) == org && Domain(from) != org || !strings.Contains(from, "@") {
		return r.known(to)
	}
	return r.known(from)
}

func traceOutcome(status, happened string) string {
	switch strings.ToLower(first(status, happened)) {
	case "delivered", "expanded", "resolved", "deliver", "send", "send external", "receive", "expand":
		return "success"
	case "failed", "fail", "quarantined", "filteredasspam", "drop", "dropped":
		return "failure"
	}
	return ""
}

func direction(_ *Reader, text string) string {
	if text == "Intra-org" {
		return "internal"
	}
	return event.Lower(text)
}

// deliveryCode is the first enhanced status code in a bounce's text, as in "550 5.1.8 Access denied".
// Source: RFC 3463, section 2.
func deliveryCode(_ *Reader, text string) string {
	for i := 0; i+4 < len(text); i++ {
		c := text[i]
		if c != '2' && c != '4' && c != '5' || text[i+1] != '.' || i > 0 && partOfNumber(text[i-1]) {
			continue
		}
		subject := digits(text[i+2:], 3)
		rest := text[i+2+subject:]
		if subject == 0 || rest == "" || rest[0] != '.' {
			continue
		}
		detail := digits(rest[1:], 3)
		end := i + 3 + subject + detail
		if detail > 0 && (end == len(text) || !partOfNumber(text[end]) || text[end] == '.' && (end+1 == len(text) || text[end+1] < '0' || text[end+1] > '9')) {
			return text[i:end]
		}
	}
	return ""
}

func partOfNumber(c byte) bool { return c == '.' || c >= '0' && c <= '9' }

// digits is how many digits a text begins with, at most a number of them.
func digits(s string, most int) int {
	n := 0
	for n < len(s) && n < most && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
