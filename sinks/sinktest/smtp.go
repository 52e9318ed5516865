package sinktest

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// envelope is how sender and recipients are named, with the length of the mail perhaps: RFC 5321 §4.1.2.
var envelope = regexp.MustCompile(`^(?:MAIL FROM|RCPT TO):<[!-~]+@[!-~]+>(?: (?:BODY|SIZE)=\w+)*$`)

// SMTP is a mail server that takes everything, but where it is told what to say.
type SMTP struct {
	Address string

	mu   sync.Mutex
	says map[string]string
	got  []string // a line for each command, and the mails
}

// Mails starts a mail server. What it says to lines that begin so stands in the place of the usual; "" ends the connection. A mail's end is
// the line ".". With a configuration it offers STARTTLS.
func Mails(t *testing.T, conf *tls.Config, says map[string]string) *SMTP {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s := &SMTP{Address: l.Addr().String(), says: says}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				s.talk(c, conf)
			}()
		}
	}()
	return s
}

// Speak changes what the server says.
func (s *SMTP) Speak(says map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.says = says
}

func (s *SMTP) spoken() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.says
}

// Got is what has come.
func (s *SMTP) Got() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.got, "\n")
}

// talk is one conversation.
func (s *SMTP) talk(c net.Conn, conf *tls.Config) {
	if !s.say(c, "", "220 mail.example.com ESMTP") {
		return
	}
	r := bufio.NewReader(c)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		s.note(line)
		verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
		usual := "250 OK"
		switch verb {
		case "EHLO":
			usual = "250-mail.example.com\r\n250 AUTH PLAIN"
			if conf != nil {
				usual = "250-mail.example.com\r\n250 STARTTLS"
			}
		case "MAIL", "RCPT":
			if !envelope.MatchString(line) {
				usual = "501 no address in brackets"
			}
		case "AUTH":
			usual = "235 welcome"
		case "STARTTLS":
			usual = "220 go on"
		case "DATA":
			usual = "354 go on"
		}
		switch ok := s.say(c, line, usual); {
		case !ok || verb == "QUIT":
			return
		case verb == "STARTTLS":
			c, conf = tls.Server(c, conf), nil
			r = bufio.NewReader(c)
		case verb == "DATA":
			if !s.mail(c, r) {
				return
			}
		}
	}
}

// mail reads a mail, unless it is refused.
func (s *SMTP) mail(c net.Conn, r *bufio.Reader) bool {
	if _, told := s.spoken()["DATA"]; told {
		return true
	}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return false
		}
		if line = strings.TrimRight(line, "\r\n"); line == "." {
			return s.say(c, ".", "250 taken")
		}
		s.note(line)
	}
}

// say answers a line. It is false where the connection ends.
func (s *SMTP) say(c net.Conn, line, usual string) bool {
	for begins, answer := range s.spoken() {
		if line != "" && strings.HasPrefix(line, begins) {
			usual = answer
		}
	}
	if usual == "" {
		return false
	}
	_, err := fmt.Fprintf(c, "%s\r\n", usual)
	return err == nil
}

func (s *SMTP) note(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, line)
}
