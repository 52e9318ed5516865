//go:build !linux

package kafkatest

import "os/exec"

// launch starts a process; it outlives this one where that one is killed.
func launch(cmd *exec.Cmd) (done chan struct{}, err error) {
	done = make(chan struct{})
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(done)
		_ = cmd.Wait() // how it ended stands in its log
	}()
	return done, nil
}
