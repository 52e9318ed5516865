package cli

import (
	"io"
	"os"
	"sync"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows on a terminal how far the input has been read, and nothing elsewhere.
type progress struct {
	mu   sync.Mutex
	bar  *progressbar.ProgressBar
	most int64
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
	if !ok || !term.IsTerminal(int(out.Fd())) || total < least || len(files) != 1 {
		return p
	}
	p.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(out), progressbar.OptionShowBytes(true), progressbar.OptionThrottle(100_000_000), progressbar.OptionClearOnFinish(), progressbar.OptionSetDescription("replay"))
	return p
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
