// Command noroshi notices hijacked Microsoft 365 and Entra ID accounts.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"noroshi/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Main(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Now: time.Now})
	stop()
	os.Exit(code)
}
