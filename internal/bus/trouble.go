package bus

import (
	"cmp"
	"context"
	"log/slog"
	"time"
)

// The rhythm of what goes wrong again and again.
const (
	troubleFirst = 250 * time.Millisecond // the first pause; it doubles
	troubleMost  = 10 * time.Second
	troubleTell  = time.Minute
	troubleLasts = time.Minute // then it is for the caller
)

// Trouble is a fault that may come again and again. It is told once and then each minute, and its pauses grow. It belongs to one
// goroutine.
type Trouble struct {
	Log    *slog.Logger
	Most   time.Duration // the longest pause, 0: troubleMost
	times  int           // 0: all is well
	lasts  time.Duration // as its pauses say
	untold time.Duration // since it was told
	wait   time.Duration
}

// Again is told of a fault, and gives how long the trouble lasts.
func (t *Trouble) Again(message string, err error, attrs ...any) time.Duration {
	t.times++
	if t.times == 1 || t.untold >= troubleTell {
		t.untold = 0
		t.Log.Warn(message, append(attrs, slog.Any("err", explained(err)), slog.Int("times", t.times), slog.Duration("for", t.lasts))...)
	}
	return t.lasts
}

// Next is how long the next Pause is.
func (t *Trouble) Next() time.Duration {
	return min(max(2*t.wait, troubleFirst), cmp.Or(t.Most, troubleMost))
}

// Pause waits, longer each time.
func (t *Trouble) Pause(ctx context.Context) error {
	t.wait = t.Next()
	wait := time.NewTimer(t.wait)
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-wait.C:
		t.lasts += t.wait
		t.untold += t.wait
		return nil
	}
}

// Over says that all is well again, where it was not.
func (t *Trouble) Over(message string, attrs ...any) {
	if t.times == 0 {
		return
	}
	t.Log.Info(message, append(attrs, slog.Duration("after", t.lasts))...)
	*t = Trouble{Log: t.Log, Most: t.Most}
}

// Tick is told now and then, so long after the last time, whether a fault goes on; nil where it does not.
func (t *Trouble) Tick(every time.Duration, message string, err error, over string, attrs ...any) {
	if err == nil {
		t.Over(over)
		return
	}
	t.Again(message, err, attrs...)
	t.lasts += every
	t.untold += every
}
