// Command noroshi notices hijacked Microsoft 365 and Entra ID accounts.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"noroshi/cli"
)

// room is memory that nobody touches, so it takes none. The collector waits until as much again has come: without it a process whose
// rules have just been read collects garbage each few megabytes, which costs a tenth of a short replay.
var room = make([]byte, 32<<20)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "run" {
		signal.Ignore(syscall.SIGHUP) // until it is taken as the order to read files again; they are about to be read
		room = nil                    // it lives long, and what it remembers is room enough
	}
	runtime.KeepAlive(room) // the variable holds it to the end
	os.Exit(run())
}

// run runs the command that the arguments name and returns its exit code.
func run() int {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan int, 1)
	go func() {
		ended <- cli.Main(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Now: time.Now})
	}()
	select {
	case code := <-ended:
		return code
	case <-signals:
		cancel()
	}
	return after(signals, ended)
}

// endWithin is how long a command may take to end after the first signal. What works on ends earlier by itself; this is for what
// hangs, such as a disk that does not answer.
const endWithin = 20 * time.Second

// after is the exit code after the first signal: the command's own, that of a second signal, which ends at once, or 1 where the
// command does not end.
func after(signals <-chan os.Signal, ended <-chan int) int {
	select {
	case code := <-ended:
		return code
	case s := <-signals:
		if n, ok := s.(syscall.Signal); ok {
			return 128 + int(n)
		}
	case <-time.After(endWithin):
		go fmt.Fprintf(os.Stderr, "noroshi: not ended within %s of the signal; it is broken off\n", endWithin)
		time.Sleep(100 * time.Millisecond) // nobody may be reading stderr
	}
	return 1
}
