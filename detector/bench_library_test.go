package detector

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"noroshi/internal/decode"
)

// often is how often records come of a thousand in a tenant at work, by sample. Of each other sample, which are commands nearly all, one
// comes in eight thousand.
var often = map[string]int{
	"mail-items-accessed.json": 180, "mail-items-accessed-sync.json": 60, "file-accessed.json": 130, "file-downloaded.json": 25, "file-uploaded.json": 25,
	"file-sync-downloaded.json": 40, "signin-noninteractive.json": 120, "signin.json": 30, "signin-failed.json": 8, "ual-signin.json": 60, "ual-signin-failed.json": 8,
	"signin-serviceprincipal.json": 30, "signin-managedidentity.json": 20, "graph-activity.json": 60, "message-trace.json": 40, "email-received.json": 60,
	"email-sent.json": 15, "send.json": 12, "move-to-deleted-items.json": 10, "soft-delete.json": 5, "hard-delete.json": 3, "identity-logon.json": 20,
	"cloud-app-event-other.json": 20, "url-click.json": 6, "chat-created.json": 5,
}

// mixed is a stream of the samples as they come in a tenant at work, of some hundred accounts.
func mixed(tb testing.TB, n int) (b []byte, spans [][2]int) {
	tb.Helper()
	r := rand.New(rand.NewPCG(5, 6))
	var deck [][]byte
	all := samples(tb)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		var line bytes.Buffer
		if err := json.Compact(&line, all[name]); err != nil {
			tb.Fatal(err)
		}
		for range max(1, 8*often[name]) {
			deck = append(deck, line.Bytes())
		}
	}
	for i := range n {
		user, ip := r.IntN(400), r.IntN(250)+1
		rec := bytes.ReplaceAll(deck[r.IntN(len(deck))], []byte("taro@contoso.example"), fmt.Appendf(nil, "taro%d@contoso.example", user))
		rec = bytes.ReplaceAll(rec, []byte("198.51.100.23"), fmt.Appendf(nil, "198.51.100.%d", ip))
		rec = bytes.ReplaceAll(rec, []byte("2026-01-02T03:00:00"), fmt.Appendf(nil, "2026-01-02T%02d:%02d:%02d", i/3600%24, i/60%60, i%60))
		spans = append(spans, [2]int{len(b), len(b) + len(rec)})
		b = append(append(b, rec...), 0)
	}
	return append(b, make([]byte, decode.Slack)...), spans
}

// BenchmarkLibrary: the shipped rules over what comes in a tenant at work: the projection alone, then with what they match, then with what
// they remember.
func BenchmarkLibrary(b *testing.B) {
	records, spans := mixed(b, 5000)
	var sample [][]byte
	for _, s := range spans[:500] {
		sample = append(sample, records[s[0]:s[1]])
	}
	set := shippedSet(b, sample...)
	read := func(b *testing.B, w *Worker, from, to int) {
		if err := w.Read(records, from, to, time.Time{}); err != nil {
			b.Fatal(err)
		}
	}
	var cost ratios
	b.Run("projection", func(b *testing.B) {
		w := set.Worker()
		over(b, records, spans, func(from, to int) { read(b, w, from, to) })
		cost.report(b, len(spans))
	})
	b.Run("matching", func(b *testing.B) {
		w := set.Worker()
		over(b, records, spans, func(from, to int) {
			read(b, w, from, to)
			w.Hits()
		})
		cost.report(b, len(spans))
	})
	b.Run("remembering", func(b *testing.B) {
		remember(b, set, records, spans)
		cost.report(b, len(spans))
	})
}
