package decode

import (
	"encoding/json"
	"slices"
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
	code := r.Event.Text(event.AuthError)
	if r.view.shape == event.UAL && r.Event.Text(event.Action) == loggedIn {
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

// errorCode keeps a sign-in's error code. The same member of other records holds something else.
func errorCode(r *Reader, code string) string {
	if r.view.shape != event.UAL && !r.signIn() {
		return ""
	}
	return code
}

// codeNumber is an error code as digits; the word of a success is 0. Other words tell no code.
func codeNumber(s string) string {
	if inside, ok := strings.CutPrefix(strings.TrimSpace(s), "@{"); ok { // an object, as PowerShell writes it into a cell
		s = codeMember(strings.TrimSuffix(inside, "}"))
	}
	s = strings.TrimSuffix(strings.TrimSpace(s), ".0") // a table's number
	if strings.EqualFold(s, "success") {
		return "0"
	}
	for len(s) > 1 && s[0] == '0' {
		s = s[1:]
	}
	if s == "" || len(s) > 18 || digits(s, len(s)) < len(s) {
		return ""
	}
	return s
}

// codeMember is the error code among members as PowerShell writes them: name=value, with semicolons between. Semicolons may stand in
// the reason, too: of several codes the last counts.
func codeMember(members string) (code string) {
	for member := range strings.SplitSeq(members, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(member), "=")
		if value = strings.TrimSpace(value); strings.EqualFold(name, "errorCode") && value != "" && digits(value, len(value)) == len(value) {
			code = value
		}
	}
	return code
}

// signInAction is the unified audit log's operation for a sign-in of Entra. A record that tells neither a code nor a failure is no
// more than the activity: a reason alone tells nothing, because successes have one, too.
func (r *Reader) signInAction() string {
	switch code := r.Event.Text(event.AuthError); {
	case code == "0":
		return loggedIn
	case code != "", strings.EqualFold(r.at("resultType"), "failure"), strings.EqualFold(r.enveloped("properties.status"), "failure"):
		return loginFailed
	}
	return "Sign-in activity"
}

// The operations of sign-ins, on every road.
const (
	loggedIn    = "UserLoggedIn"
	loginFailed = "UserLoginFailed"
)

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
	p := r.field("auth.protocol")
	if p == "" {
		return ""
	}
	return r.legacies.of(p, isLegacy)
}

// isLegacy reports whether a protocol knows no second factor.
func isLegacy(p string) string {
	p = strings.ToLower(p)
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
		if a := r.Event.Text(event.Action); a == loggedIn || a == loginFailed {
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

// flow is how the token was asked for. The original method of transfer stays with tokens that are refreshed later. The unified audit
// log has neither; its request type of a sign-in by device code is that of the page that asks whether somebody means to sign in.
// Source: Microsoft Graph, signIn resource type, authenticationProtocol and originalTransferMethod.
func flow(r *Reader, _ string) string {
	if r.view.shape == event.UAL {
		if strings.HasPrefix(r.at("ExtendedProperties[RequestType]"), "Cmsi:") {
			return deviceCode
		}
		return ""
	}
	if r.view.shape != event.Entra && r.view.shape != event.Graph {
		return ""
	}
	protocol := r.enveloped("properties.authenticationProtocol")
	switch {
	case strings.EqualFold(protocol, "deviceCode"), strings.EqualFold(r.enveloped("properties.originalTransferMethod"), "deviceCodeFlow"):
		return deviceCode
	case strings.EqualFold(protocol, "ropc"):
		return "password_grant"
	}
	return ""
}

const deviceCode = "device_code"

// risk is the higher of the two levels that a sign-in has.
func risk(r *Reader, own string) string {
	if r.view.shape != event.Entra && r.view.shape != event.Graph {
		return own
	}
	if all := r.enveloped("properties.riskLevelAggregated"); riskHeight(all) > riskHeight(own) {
		return all
	}
	return own
}

func riskHeight(level string) int {
	switch level {
	case "low":
		return 1
	case "medium":
		return 2
	case "high":
		return 3
	}
	return 0
}

// trusted: the first of several named locations that has a type tells.
func trusted(_ *Reader, networkType string) string {
	if networkType == "" {
		return ""
	}
	return truth(strings.EqualFold(networkType, "trustedNamedLocation"))
}

// authMethods are the methods of the steps of a sign-in that succeeded, each once.
// Source: Microsoft Graph, authenticationDetail resource type.
func authMethods(r *Reader) (all []string) {
	path := "properties.authenticationDetails"
	if r.view.shape == event.Graph {
		path = "authenticationDetails"
	}
	var steps []struct {
		Method    string          `json:"authenticationMethod"`
		Succeeded json.RawMessage `json:"succeeded"`
	}
	if json.Unmarshal(r.span(path), &steps) != nil {
		return nil
	}
	for _, s := range steps {
		method := strings.TrimSpace(s.Method)
		if method != "" && isTrue(strings.Trim(string(s.Succeeded), `"`)) && !slices.Contains(all, method) {
			all = append(all, method)
		}
	}
	return all
}

// clickedThrough tells of a click whether the page behind the link was reached: it was allowed, or somebody went on past the warning.
// Source: Microsoft Defender XDR, UrlClickEvents; Office 365 Management Activity API schema, URLClickAction: 4 and 5 are overrides.
func clickedThrough(r *Reader, recorded string) string {
	if r.view.shape == event.UAL {
		switch event.Lower(recorded) {
		case "4", "5", "blockpageoverride", "pendingdetonationpageoverride":
			return "true"
		case "":
			return ""
		}
		return "false"
	}
	if r.view.shape != event.Defender || r.table() != "UrlClickEvents" {
		return ""
	}
	return truth(isTrue(recorded) || r.Event.Text(event.Action) == "ClickAllowed")
}
