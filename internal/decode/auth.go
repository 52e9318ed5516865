package decode

import (
	"strings"

	"noroshi/internal/event"
)

// Error codes of sign-ins by what they mean for counting.
// Source: Microsoft Entra authentication and authorization error codes.
var authResults = map[string]string{
	"0":     "success",
	"50126": "wrong_credential", "50056": "wrong_credential", "50064": "wrong_credential", "50034": "wrong_credential", "120000": "wrong_credential",
	"50053": "locked",
	"50055": stopped, "50057": stopped, "50072": stopped, "50079": stopped, "50074": stopped, "50076": stopped, "500121": stopped, "50158": stopped,
	"53003": stopped, "53000": stopped, "53001": stopped, "50105": stopped, "50005": stopped,
	"50058": "interrupt", "50089": "interrupt", "50132": "interrupt", "50133": "interrupt", "50173": "interrupt", "50140": "interrupt", "65001": "interrupt",
	"70043": "interrupt", "70008": "interrupt", "50097": "interrupt", "50125": "interrupt", "50127": "interrupt", "50129": "interrupt", "50143": "interrupt", "50144": "interrupt", "16000": "interrupt", "16001": "interrupt",
}

const stopped = "password_ok_stopped"

// authResult is what a sign-in counts as. A prompt to stay signed in, logged as UserLoggedIn with 50140, is a success in the
// unified audit log.
func authResult(r *Reader, _ string) string {
	code := r.field("auth.error")
	if r.view.shape == event.UAL && r.Event.Text(event.Action) == "UserLoggedIn" {
		return "success"
	}
	if r.view.shape == event.Defender {
		return logonResult(r)
	}
	if code == "" {
		return ""
	}
	if res, ok := authResults[code]; ok {
		return res
	}
	return "other"
}

// errorCode is a sign-in's error. Where it has a word instead, success is 0; the words of other records are no errors of it.
func errorCode(r *Reader, text string) string {
	switch {
	case text == "" || text[0] >= '0' && text[0] <= '9':
		return text
	case r.view.shape != event.UAL && !r.signIn():
		return ""
	case text == "Success" || text == "success":
		return "0"
	}
	return text
}

func passwordOK(r *Reader, _ string) string {
	switch r.field("auth.result") {
	case "":
		return ""
	case "success", stopped:
		return "true"
	}
	return "false"
}

// legacyProtocols know no second factor. Source: Microsoft Entra, block legacy authentication, client app values.
var legacyProtocols = []string{"imap", "pop", "smtp", "activesync", "authenticated smtp", "autodiscover", "exchange web services", "mapi over http", "offline address book", "outlook anywhere", "reporting web services", "other clients", "exchange online powershell"}

func legacy(r *Reader, _ string) string {
	p := strings.ToLower(r.field("auth.protocol"))
	if p == "" {
		return ""
	}
	for _, l := range legacyProtocols {
		if strings.Contains(p, l) {
			return "true"
		}
	}
	return "false"
}

// interactive: a person was asked. The unified audit log tells by the request type: a refreshed token asks nobody.
func interactive(r *Reader, text string) string {
	if text != "" {
		return text
	}
	switch r.view.shape {
	case event.Entra, event.Graph:
		switch r.named() {
		case signIns:
			return "true"
		case nonInteractive, servicePrincipals, managedIdentities:
			return "false"
		}
	case event.UAL:
		if a := r.Event.Text(event.Action); a == "UserLoggedIn" || a == "UserLoginFailed" {
			p := r.field("auth.protocol")
			return truth(p != "" && !strings.Contains(p, "RefreshToken") && p != "OAuth2:Token")
		}
	}
	return ""
}

func mfaRequired(_ *Reader, text string) string {
	if text == "" {
		return ""
	}
	return truth(strings.EqualFold(text, "multiFactorAuthentication"))
}
