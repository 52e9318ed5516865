package kafkatest

import (
	"os/exec"
	"runtime"
	"syscall"
)

// launch starts a process that ends with this one, however this one ends.
func launch(cmd *exec.Cmd) (done chan struct{}, err error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	done = make(chan struct{})
	started := make(chan error)
	go func() {
		// The signal is sent at the end of the thread that started the process.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(done)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended stands in its log
		}
	}()
	return done, <-started
}
