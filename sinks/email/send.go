package email

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/textproto"
	"regexp"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"noroshi/sinks"
)

// Send implements sinks.Sink.
func (s *Sink) Send(ctx context.Context, messages []sinks.Message) error {
	if len(messages) == 0 {
		return nil
	}
	if s.env.Preview != nil {
		return s.show(messages)
	}
	c, end, err := s.connect(ctx)
	if err != nil {
		return s.Fault("connect to the mail server", err)
	}
	defer end()
	verdicts, bad := make(sinks.Verdicts, len(messages)), false
	for i := range messages {
		if verdicts[i] = s.one(c, &messages[i]); verdicts[i] == nil {
			continue
		}
		bad = true
		if !c.HasConnection() || c.Noop() != nil { // the others cannot go over it
			for j := i + 1; j < len(messages); j++ {
				verdicts[j] = verdicts[i]
			}
			break
		}
	}
	_ = c.Quit() // what was taken is taken
	switch {
	case !bad:
		return nil
	case len(verdicts) == 1:
		return verdicts[0]
	}
	return verdicts
}

// connect has a connection that is secured and known to the server. It ends with ctx, and with end.
func (s *Sink) connect(ctx context.Context) (c *smtp.Client, end func(), err error) {
	conf, err := s.TLS()
	if err != nil {
		return nil, nil, err
	}
	if conf.ServerName == "" {
		conf.ServerName = s.host
	}
	var conn net.Conn
	options := []mail.Option{mail.WithTimeout(s.Timeout), mail.WithTLSPolicy(mail.NoTLS), mail.WithTLSConfig(conf), mail.WithoutSMTPUTF8(),
		mail.WithDialContextFunc(func(ctx context.Context, _, _ string) (net.Conn, error) {
			if s.Security == Implicit {
				conn, err = s.DialTLS(ctx, s.Address)
			} else {
				conn, err = s.Dial(ctx, s.Address)
			}
			return conn, err
		})}
	if s.Security == STARTTLS {
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if s.Identity != nil {
		token, err := s.authorized(ctx)
		if err != nil {
			return nil, nil, fmt.Errorf("get a token: %w", err)
		}
		options = append(options, mail.WithUsername(s.User), mail.WithPassword(token), mail.WithSMTPAuth(mail.SMTPAuthXOAUTH2))
	}
	if s.Password != nil {
		options = append(options, mail.WithUsername(s.User), mail.WithPassword(s.Secret("password", s.Password)),
			mail.WithOpportunisticSMTPAuth(mail.SMTPAuthSCRAMSHA256PLUS, mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthPlain, mail.SMTPAuthLogin))
	}
	client, err := mail.NewClient(s.host, options...)
	if err != nil {
		return nil, nil, err
	}
	within, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	c, err = client.DialToSMTPClientWithContext(within)
	if err != nil {
		if conn != nil {
			_ = conn.Close() // the first error is the one to tell
		}
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	return c, func() { stop(); _ = conn.Close() }, nil
}

// audiences are the hosts of Exchange Online whose tokens its mail servers take, by the end of their names.
// Source: Microsoft Learn, "Authenticate an IMAP, POP or SMTP connection using OAuth", and the endpoints of national clouds.
var audiences = []struct{ end, host string }{{".us", "outlook.office365.us"}, {".cn", "partner.outlook.cn"}, {"", "outlook.office365.com"}}

// authorized gives a token of Microsoft Entra ID.
func (s *Sink) authorized(ctx context.Context) (token string, err error) {
	if s.token == nil {
		if s.token, err = s.Identity(s.Way()); err != nil {
			return "", err
		}
	}
	for _, a := range audiences {
		if strings.HasSuffix(s.host, a.end) {
			token, err = s.token(ctx, a.host)
			break
		}
	}
	s.Hide(token)
	return token, err
}

// one sends one mail: to those recipients whom the server takes. It is taken once one of them gets it. What a server says before it has
// the mail is not the alert's fault.
func (s *Sink) one(c *smtp.Client, m *sinks.Message) error {
	mm, err := s.message(m, mail.EncodingQP)
	if err != nil {
		return err
	}
	if err := c.UpdateDeadline(s.Timeout); err != nil {
		return s.Fault("send mail", err)
	}
	if err := c.Mail("<" + s.from.Address + ">"); err != nil {
		_ = c.Reset()
		return s.Fault("name the sender", err)
	}
	r, started := s.parts[m.Key()], false
	if started = r != nil; !started {
		r = &part{have: map[string]bool{}, since: s.env.Now()}
	}
	taken, refused := r.name(c, s.to)
	if len(taken) == 0 {
		_ = c.Reset()
		if started {
			return s.missed(m, r, refused)
		}
		s.leftOut(refused)
		return s.Fault("name the recipients", refused[s.to[0]])
	}
	w, err := c.Data()
	if err != nil {
		_ = c.Reset()
		return s.Fault("begin the mail", err)
	}
	if _, err := mm.WriteTo(w); err != nil {
		_ = c.Close() // what follows would be part of this mail
		return s.Fault("send mail", err)
	}
	if err := w.Close(); err != nil {
		return s.content(err)
	}
	if d, is := w.(*smtp.DataCloser); is {
		r.said = "250 " + d.ServerResponse()
	}
	for _, to := range taken {
		r.have[to] = true
	}
	return s.missed(m, r, refused)
}

// leftOut tells of recipients that the server refuses while it takes others, once as long as that lasts.
func (s *Sink) leftOut(refused map[string]error) {
	for _, to := range s.to {
		err := refused[to]
		if err != nil && !s.left[to] && s.env.Log != nil {
			s.env.Log.Warn("the mail server refuses a recipient, who is left out", slog.String("host", s.host), slog.String("recipient", to), slog.String("err", s.Said(err.Error())))
		}
		s.left[to] = err != nil
	}
}

// ofSender are enhanced codes by which a server refuses whoever sends, not what is sent.
// Source: RFC 3463 §3, and Microsoft's list of non-delivery reports of Exchange Online.
var ofSender = regexp.MustCompile(`\b5\.(?:1\.[078]|7\.(?:0|57|60|64|133|134|708|750))\b`)

// content judges the answer to a mail: for good it is the mail's fault, unless it speaks of the sender, or of the login as 530 to 539 do.
func (s *Sink) content(err error) error {
	var said *textproto.Error
	if !errors.As(err, &said) || said.Code/100 != 5 || ofSender.MatchString(said.Msg) || said.Code >= 530 && said.Code < 540 {
		return s.Fault("send mail", err)
	}
	return &sinks.Refused{Cause: s.Hidden("send mail", err)}
}

// show writes what would be sent, with its texts as they are before they are encoded.
func (s *Sink) show(messages []sinks.Message) error {
	for i := range messages {
		mm, err := s.message(&messages[i], mail.NoEncoding)
		if err != nil {
			return err
		}
		var b strings.Builder
		fmt.Fprintf(&b, "MAIL FROM:<%s>\n", s.from.Address)
		for _, to := range s.to {
			fmt.Fprintf(&b, "RCPT TO:<%s>\n", to)
		}
		b.WriteString("DATA\n")
		if _, err := mm.WriteTo(&b); err != nil {
			return fmt.Errorf("show mail: %w", err)
		}
		if _, err := fmt.Fprintln(s.env.Preview, strings.ReplaceAll(b.String(), "\r\n", "\n")); err != nil {
			return fmt.Errorf("show mail: %w", err)
		}
	}
	return sinks.ErrPreview
}

// Probe implements sinks.Prober. It does not log in.
func (s *Sink) Probe(ctx context.Context) (ends time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	return s.Knock(ctx, s.Address, s.Security != Implicit)
}
