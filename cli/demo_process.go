package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"time"
)

// demoProcess is a noroshi in a process of its own, which can be killed and started again.
type demoProcess struct {
	args  []string
	log   string // the file for what it says
	cmd   *exec.Cmd
	ended chan struct{}
	err   error // why it ended; to be read after ended
}

// start starts the process and waits until it runs.
func (p *demoProcess) start(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("start noroshi: %w", err)
	}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("start noroshi: %w", err)
	}
	defer log.Close()
	before := bytes.Count(p.text(), running)
	p.cmd = exec.CommandContext(ctx, self, p.args...)
	p.cmd.Args[0] = "noroshi"
	p.cmd.Stderr = log
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("start noroshi: %w", err)
	}
	ended := make(chan struct{})
	p.ended = ended
	go func() {
		p.err = p.cmd.Wait()
		close(ended)
	}()
	for bytes.Count(p.text(), running) == before {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ended:
			return errors.Join(errors.New("the run ended early"), p.err)
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}

// running is what a run logs when it has begun.
var running = []byte("msg=running")

func (p *demoProcess) text() []byte {
	text, _ := os.ReadFile(p.log) // it may not be there yet
	return text
}

// said is what the process has logged.
func (p *demoProcess) said() string { return string(p.text()) }

// kill ends the process without a word.
func (p *demoProcess) kill() {
	if p.cmd == nil || p.cmd.Process == nil {
		return
	}
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.ended
}

// end lets the process end in order, where the system knows how to ask for it.
func (p *demoProcess) end() error {
	if p.cmd == nil || p.cmd.Process == nil || runtime.GOOS == "windows" {
		p.kill()
		return nil
	}
	_ = p.cmd.Process.Signal(os.Interrupt) // it may have ended
	<-p.ended
	return p.err
}
