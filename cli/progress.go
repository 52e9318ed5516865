package cli

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows on a terminal how far the inputs have been read, then how far rules that remember have come, and nothing elsewhere.
type progress struct {
	mu       sync.Mutex
	bar      *progressbar.ProgressBar
	most     int64
	to       io.Writer
	remember bool // the bar shows the second part
}

// least is the size of an input, in bytes, from which progress is worth showing.
const least = 32 << 20

func newProgress(to io.Writer, files []input) *progress {
	p := &progress{}
	var total int64
	for _, f := range files {
		if f.size == 0 {
			return p
		}
		total += f.size
	}
	out, ok := to.(*os.File)
	if !ok || !term.IsTerminal(int(out.Fd())) || total < least {
		return p
	}
	p.to = out
	p.bar = newBar(out, total, "replay: reading", progressbar.OptionShowBytes(true))
	return p
}

func newBar(to io.Writer, total int64, what string, more ...progressbar.Option) *progressbar.ProgressBar {
	more = append(more, progressbar.OptionSetWriter(to), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(),
		progressbar.OptionSetDescription(what))
	return progressbar.NewOptions64(total, more...)
}

// applying shows how many of the hits have been applied, once all is read.
func (p *progress) applying(done, all int) {
	if p.bar == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.remember {
		_ = p.bar.Clear()
		p.remember, p.bar = true, newBar(p.to, int64(all), "replay: rules", progressbar.OptionShowCount())
	}
	_ = p.bar.Set64(int64(done)) // what a terminal shows is no result
}

func (p *progress) at(read int64) {
	if p.bar == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if read > p.most {
		p.most = read
		_ = p.bar.Set64(read) // what a terminal shows is no result
	}
}

func (p *progress) clear() {
	if p.bar == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.bar.Clear()
}
