package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"noroshi/sinks"
	"noroshi/sinks/page"
	"noroshi/sinks/remote"
)

// ofTheMessage are errors of the API that are about a message; all others are about the bot, its channel or Slack.
var ofTheMessage = []string{"invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long", "no_text", "too_many_attachments", "invalid_arguments", "invalid_arg_name", "invalid_array_arg", "invalid_charset", "invalid_form_data", "invalid_post_type"}

// gone are errors that say that there is no message which could be changed.
var gone = []string{"message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found", "invalid_ts"}

// answer is what the API says.
type answer struct {
	OK      bool   `json:"ok"`
	Error   string `json:"error"`
	Channel string `json:"channel"`
	TS      string `json:"ts"`
}

// tell posts the first revision of an alert. Later ones change that message, so that the channel shows how it is, and answer in its
// thread, so that somebody notices. One that adds to what was told only answers. Where there is no message, because it came in a summary or was deleted, the revision is posted.
func (s *Sink) tell(ctx context.Context, m *sinks.Message, p *page.Page) error {
	whole := messageOf(p)
	first := ""
	if m.Revision > 1 || m.Status != "firing" {
		var err error
		if first, err = s.env.Answer.Find(ctx, m.ID); err != nil {
			return &sinks.Fault{Cause: fmt.Errorf("look for the message of an alert: %w", err)}
		}
	}
	channel, ts, found := strings.Cut(first, "/")
	if found {
		whole.Channel, whole.TS = channel, ts
		var err error
		if !p.Partial {
			_, err = s.call(ctx, "chat.update", whole)
		}
		if err == nil {
			whole.TS, whole.Thread = "", ts
			_, err = s.call(ctx, "chat.postMessage", whole)
		}
		var none *noMessage
		if !errors.As(err, &none) {
			if err == nil {
				s.env.Answer.Refer(m.ID, first)
			}
			return err
		}
	}
	whole.Channel, whole.TS, whole.Thread = s.Channel, "", ""
	a, err := s.call(ctx, "chat.postMessage", whole)
	if err == nil {
		s.env.Answer.Refer(m.ID, a.Channel+"/"+a.TS)
	}
	return err
}

// noMessage says that there is no message to change or to answer to.
type noMessage struct{ why string }

func (e *noMessage) Error() string { return "no message: " + e.why }

// call calls a method of the API.
func (s *Sink) call(ctx context.Context, method string, m *message) (*answer, error) {
	body, err := encode(m)
	if err != nil {
		return nil, err
	}
	a, err := s.client.Do(ctx, remote.Request{Path: method, Body: body, Header: map[string]string{"Content-Type": "application/json; charset=utf-8", "Authorization": "Bearer " + s.client.Secret("token", s.Token)}})
	if err != nil {
		return nil, err
	}
	var said answer
	known := a.Err == nil && json.Unmarshal(a.Body, &said) == nil
	switch {
	case !a.OK():
		if err = s.client.Refusal(a); errors.As(err, new(*sinks.Disabled)) { // an API is never that
			err = &sinks.Fault{Cause: s.client.Status(a, string(a.Body)), RetryAfter: a.RetryAfter}
		}
		return nil, err
	case a.Err != nil:
		return nil, &sinks.Fault{Cause: a.Err}
	case !known || !said.OK && said.Error == "":
		return nil, &sinks.Fault{Cause: fmt.Errorf("post alerts: %s: status %d, but the answer is not that of Slack", s.client.Host(), a.Status)}
	case said.OK:
		return &said, nil
	}
	status := s.client.Status(a, said.Error)
	switch {
	case slices.Contains(gone, said.Error):
		return nil, &noMessage{said.Error}
	case slices.Contains(ofTheMessage, said.Error):
		return nil, &sinks.Refused{Cause: status}
	}
	return nil, &sinks.Fault{Cause: status, RetryAfter: a.RetryAfter}
}
