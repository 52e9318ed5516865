package file

import (
	"bytes"
	stdgzip "compress/gzip"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
)

// shown is how many steps are.
const shown = 35

// content is what a writer put into one file.
type content struct {
	kind    string // log, gz, array, table, wide
	records []string
	half    string // log: of a record, what is not written yet
	torn    bool   // log: a copy that ends with half a record
	rest    []byte // others: bytes that are not written yet
	seen    bool   // by the source that runs now
	read    bool   // some of it has been delivered
	counted bool   // that it lost something since the last turn
}

// world is a folder in which writers and rotators work, and what they know of it.
type world struct {
	t        *testing.T
	r        *rand.Rand
	dir      string
	patterns []string
	desk     *desk
	src      *reader

	next    int
	files   map[string]*content
	deleted []*content      // that the source may still hold open
	lost    map[string]bool // records that no file had any more when the source could look again
	losses  int64           // times that a file lost what had not been read, and the source can know
	cuts    int64           // that sources have counted which are gone
	steps   []string
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

func (w *world) must(err error) {
	if err != nil {
		w.t.Helper()
		w.t.Fatal(err)
	}
}

func (w *world) record() string {
	w.next++
	return fmt.Sprintf(`{"Id":"%d","pad":"%s"}`, w.next, strings.Repeat("x", w.r.IntN(60)))
}

func (w *world) records(n int) (all []string) {
	for range n {
		all = append(all, w.record())
	}
	return all
}

func (w *world) delivered() map[string]int {
	all := map[string]int{}
	for _, r := range w.desk.records {
		all[r]++
	}
	return all
}

func (w *world) matches(name string) bool {
	return slices.ContainsFunc(w.patterns, func(p string) bool {
		ok, _ := filepath.Match(p, name)
		return ok
	})
}

// reachable reports whether the source will look into a file.
func (w *world) reachable(name string, c *content) bool { return w.matches(name) || c.read || c.seen }

func (w *world) there() map[string]bool {
	all := map[string]bool{}
	add := func(c *content) {
		for _, r := range c.records {
			all[r] = true
		}
	}
	for name, c := range w.files {
		if w.reachable(name, c) {
			add(c)
		}
	}
	for _, c := range w.deleted {
		add(c)
	}
	return all
}

// lose says which records of a file may be lost, as they are nowhere any more.
func (w *world) lose(c *content, records []string) {
	there, got, some := w.there(), w.delivered(), false
	for _, r := range records {
		if !there[r] && got[r] == 0 {
			w.lost[r], some = true, true
		}
	}
	if some && c.kind == "log" && c.read && !c.counted && !w.copied(c, records) {
		w.losses++
		c.counted = true
	}
}

// copied reports whether another file has all that has been delivered of one: then what came later cannot be missed.
func (w *world) copied(c *content, records []string) bool {
	got := w.delivered()
	for name, o := range w.files {
		if o == c || strings.HasSuffix(name, ".gz") && o.rest != nil {
			continue
		}
		if !slices.ContainsFunc(records, func(r string) bool { return got[r] > 0 && !slices.Contains(o.records, r) }) {
			return true
		}
	}
	return false
}

func encode(kind string, records []string) []byte {
	var b bytes.Buffer
	switch kind {
	case "log":
		for _, r := range records {
			b.WriteString(r + "\n")
		}
	case "gz":
		z := stdgzip.NewWriter(&b)
		for _, r := range records {
			z.Write([]byte(r + "\n"))
		}
		z.Close()
	case "array":
		b.WriteString("[\n" + strings.Join(records, ",\n") + "\n]\n")
	case "table":
		b.WriteString("Id,AuditData\n")
		for i, r := range records {
			fmt.Fprintf(&b, "%d,\"%s\"\n", i, strings.ReplaceAll(r, `"`, `""`))
		}
	case "wide":
		b.Write([]byte{0xff, 0xfe})
		for _, u := range utf16.Encode([]rune(strings.Join(records, "\r\n") + "\r\n")) {
			b.Write([]byte{byte(u), byte(u >> 8)})
		}
	}
	return b.Bytes()
}

func (w *world) step(format string, args ...any) {
	w.steps = append(w.steps, fmt.Sprintf(format, args...))
}

// drop takes a name away. What it named may still be read by whoever has it open.
func (w *world) drop(name string) {
	c := w.files[name]
	if c == nil {
		return
	}
	delete(w.files, name)
	for _, o := range w.files {
		if o == c {
			return // it has another name
		}
	}
	if c.seen {
		w.deleted = append(w.deleted, c)
		return
	}
	w.lose(c, c.records)
}

func (w *world) write(name string, c *content, b []byte, how int) {
	f, err := os.OpenFile(w.path(name), os.O_CREATE|os.O_WRONLY|how, 0o600)
	w.must(err)
	_, err = f.Write(b)
	w.must(err)
	w.must(f.Close())
	w.files[name] = c
}

// add adds records to a log, and perhaps a piece of one more.
func (w *world) add(name string) {
	c := w.files[name]
	if c == nil {
		c = &content{kind: "log"}
	}
	var b strings.Builder
	if c.half != "" {
		whole := c.half
		b.WriteString(whole[strings.IndexByte(whole, 0)+1:] + "\n")
		c.records = append(c.records, strings.Replace(whole, "\x00", "", 1))
		c.half = ""
	}
	for _, r := range w.records(w.r.IntN(6)) {
		b.WriteString(r + "\n")
		c.records = append(c.records, r)
	}
	if w.r.IntN(3) == 0 {
		r := w.record()
		at := 1 + w.r.IntN(len(r)-1)
		b.WriteString(r[:at])
		c.half = r[:at] + "\x00" + r[at:]
	}
	w.step("add %s %d bytes", name, b.Len())
	w.write(name, c, []byte(b.String()), os.O_APPEND)
	w.ids(c)
}

// ids says what a file holds.
func (w *world) ids(c *content) {
	id := func(r string) string { return strings.Split(r, `"`)[3] }
	all := []string{}
	for _, r := range c.records {
		all = append(all, id(r))
	}
	w.steps[len(w.steps)-1] += " = " + strings.Join(all, ",")
}

func (w *world) rename(from, to string) {
	if w.files[from] == nil {
		return
	}
	w.step("rename %s %s", from, to)
	c := w.files[from]
	old := w.files[to]
	w.must(os.Rename(w.path(from), w.path(to)))
	if old != c {
		w.drop(to)
	}
	delete(w.files, from)
	w.files[to] = c
	if !w.reachable(to, c) {
		w.lose(c, c.records)
	}
}

func (w *world) remove(name string) {
	if w.files[name] == nil {
		return
	}
	w.step("remove %s", name)
	w.must(os.Remove(w.path(name)))
	w.drop(name)
}

// shift makes room for a rotated log.
func (w *world) shift() {
	w.remove("a.log.3")
	w.rename("a.log.2", "a.log.3")
	w.rename("a.log.1", "a.log.2")
}

// replace writes other records into a file, in place; cut says that it happens in two steps.
func (w *world) replace(name, kind string, records []string, cut bool) {
	c := w.files[name]
	if c == nil {
		c = &content{}
	}
	old := c.records
	was := *c
	c.kind, c.records, c.half, c.rest, c.torn = kind, records, "", nil, false
	b := encode(kind, records)
	n := len(b)
	if cut {
		n = w.r.IntN(len(b))
		c.rest = b[n:]
		if len(c.rest) == 0 {
			c.rest = nil
		}
	}
	w.step("replace %s by %s of %d, %d of %d bytes", name, kind, len(records), n, len(b))
	w.write(name, c, b[:n], os.O_TRUNC)
	c.kind = was.kind
	w.lose(c, old)
	c.kind, c.read = kind, false
	c.seen = was.seen
}

// complete writes what is left of a file.
func (w *world) complete(name string) {
	if c := w.files[name]; c != nil && c.rest != nil {
		n := 1 + w.r.IntN(len(c.rest))
		if w.r.IntN(2) == 0 {
			n = len(c.rest)
		}
		w.step("complete %s by %d bytes of %d", name, n, len(c.rest))
		b := c.rest[:n]
		if c.rest = c.rest[n:]; len(c.rest) == 0 {
			c.rest = nil
		}
		w.write(name, c, b, os.O_APPEND)
	}
}

func (w *world) copy(from, to string) {
	c := w.files[from]
	if c == nil || w.files[to] != nil || c.rest != nil {
		return
	}
	w.step("copy %s %s", from, to)
	b, err := os.ReadFile(w.path(from))
	w.must(err)
	o := *c
	o.records = slices.Clone(c.records)
	o.seen = false
	o.half = ""
	w.write(to, &o, b, os.O_TRUNC)
	o.torn = c.half != "" || c.torn // nobody writes the end of it here
}

// truncate empties a log.
func (w *world) truncate(name string) {
	c := w.files[name]
	if c == nil || c.rest != nil {
		return
	}
	w.step("truncate %s", name)
	w.must(os.Truncate(w.path(name), 0))
	old := c.records
	c.records, c.half, c.torn = nil, "", false
	w.lose(c, old)
	c.read = false
}

// compress does what gzip does.
func (w *world) compress(name string) {
	c := w.files[name]
	if c == nil || c.kind != "log" || c.half != "" {
		return
	}
	w.remove(name + ".gz")
	w.step("compress %s", name)
	b, err := os.ReadFile(w.path(name))
	w.must(err)
	var z bytes.Buffer
	zw := stdgzip.NewWriter(&z)
	zw.Write(b)
	zw.Close()
	w.write(name+".gz", &content{kind: "gz", records: slices.Clone(c.records), read: c.read}, z.Bytes(), os.O_TRUNC)
	w.remove(name)
}

// turn lets the source look. It may die in it.
func (w *world) turn(later time.Duration, dies int) {
	w.src.now = w.src.now.Add(later)
	w.desk.n, w.desk.failAt, w.desk.keeps = 0, dies, w.r.IntN(2) == 0
	err := w.src.try(w.desk)
	w.desk.failAt = 0
	w.step("turn +%v died=%v", later, err != nil)
	got := w.delivered()
	mark := func(c *content) {
		c.counted = false
		c.read = slices.ContainsFunc(c.records, func(r string) bool { return got[r] > 0 })
	}
	for name, c := range w.files {
		if w.matches(name) && err == nil {
			c.seen = true
		}
		mark(c)
	}
	for _, c := range w.deleted {
		mark(c)
	}
	if err != nil {
		w.kill()
	}
}

// kill ends the source without a word.
func (w *world) kill() {
	w.step("kill")
	w.cuts += w.src.counts.Snapshot().Cut
	w.src.close()
	now := w.src.now
	w.src = source(w.t, true, w.paths()...)
	w.src.now = now
	gone := w.deleted
	w.deleted = nil
	for _, c := range gone {
		w.lose(c, c.records)
	}
	for _, c := range w.files {
		c.seen = false
	}
	for name, c := range w.files {
		if !w.reachable(name, c) {
			w.lose(c, c.records)
		}
	}
}

func (w *world) paths() (all []string) {
	for _, p := range w.patterns {
		all = append(all, w.path(p))
	}
	return all
}

// act is one thing that happens.
func (w *world) act() {
	exports := []string{"x.gz", "x.json", "x.csv", "x.txt"}
	kinds := []string{"gz", "array", "table", "wide"}
	i := w.r.IntN(len(exports))
	export, kind := exports[i], kinds[i]
	switch w.r.IntN(26) {
	case 0, 1, 2, 3, 4:
		w.add("a.log")
	case 5:
		if w.files["a.log.1"] != nil && w.files["a.log.1"].kind == "log" && !w.files["a.log.1"].torn {
			w.add("a.log.1") // by a writer that has not noticed
		}
	case 6, 7:
		w.shift()
		w.rename("a.log", "a.log.1")
	case 8, 9:
		w.shift()
		if w.matches("a.log.1") || w.files["a.log"] != nil && w.files["a.log"].read {
			w.copy("a.log", "a.log.1")
			if w.r.IntN(3) == 0 {
				w.turn(250*time.Millisecond, 0)
			}
		}
		w.truncate("a.log")
	case 10:
		w.truncate("a.log")
	case 11:
		w.replace("a.log", "log", w.records(w.r.IntN(8)), false)
	case 12:
		w.write("b.tmp", &content{kind: "log", records: w.records(3)}, nil, os.O_TRUNC)
		w.must(os.WriteFile(w.path("b.tmp"), encode("log", w.files["b.tmp"].records), 0o600))
		w.rename("b.tmp", "a.log")
	case 13, 14:
		w.replace(export, kind, w.records(1+w.r.IntN(30)), w.r.IntN(2) == 0)
	case 15, 16:
		if c := w.files[export]; c != nil && c.rest == nil {
			w.replace(export, kind, append(slices.Clone(c.records), w.records(w.r.IntN(10))...), w.r.IntN(2) == 0)
		}
	case 17:
		w.remove([]string{"a.log", "a.log.1", export}[w.r.IntN(3)])
	case 18:
		w.compress("a.log.2")
	case 19:
		w.copy("a.log", "a.log.copy")
		w.remove("a.log.copy")
	case 20:
		w.complete(export)
	case 21, 22, 23:
		w.turn(250*time.Millisecond, w.r.IntN(8))
	case 24:
		w.turn(settle, w.r.IntN(8))
	case 25:
		w.kill()
	}
}

// TestNothingIsLostAndNothingComesTwice: whatever writers and rotators do, and whenever the source dies. What may be lost is what no
// file holds any more when the source looks again; of a file that it knew it counts that.
func TestNothingIsLostAndNothingComesTwice(t *testing.T) {
	worlds := 12
	if testing.Short() {
		worlds = 2
	}
	for seed := range worlds {
		for _, patterns := range [][]string{{"*"}, {"a.log", "x.*"}, {"a.log*", "x.*"}} {
			t.Run(fmt.Sprintf("%d %v", seed, patterns), func(t *testing.T) { model(t, uint64(seed), patterns, 500) })
		}
	}
}

func model(t *testing.T, seed uint64, patterns []string, acts int) {
	w := &world{t: t, r: rand.New(rand.NewPCG(seed, 7)), dir: t.TempDir(), patterns: patterns, desk: newDesk(t), files: map[string]*content{}, lost: map[string]bool{}}
	w.src = source(t, true, w.paths()...)
	for range acts {
		w.act()
		w.check()
		if t.Failed() {
			break
		}
	}
	for name, c := range w.files {
		for c.rest != nil {
			w.complete(name)
		}
	}
	for _, d := range []time.Duration{settle, settle, settle, settle} {
		w.turn(d, 0)
	}
	w.check()
	got := w.delivered()
	for name, c := range w.files {
		for _, r := range c.records {
			if got[r] == 0 && !w.lost[r] && w.reachable(name, c) {
				t.Errorf("%s of %s is lost", r, name)
			}
		}
	}
	if cuts := w.cuts + w.src.counts.Snapshot().Cut; cuts < w.losses {
		t.Errorf("%d losses, and %d are counted", w.losses, cuts)
	}
	if t.Failed() {
		t.Logf("steps:\n%s\nlog:\n%s", strings.Join(w.steps[max(0, len(w.steps)-shown):], "\n"), w.src.log.String())
	}
}

func (w *world) check() {
	for r, n := range w.delivered() {
		if n > 1 && strings.HasSuffix(r, "}") { // half a record that nobody finished comes once from each copy
			w.t.Fatalf("%s came %d times, from %v\nsteps:\n%s", r, n, w.desk.from[r], strings.Join(w.steps[max(0, len(w.steps)-shown):], "\n"))
		}
	}
}
