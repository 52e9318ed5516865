package list

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/oschwald/maxminddb-golang/v2"
	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/diag"
	"noroshi/internal/event"
	"noroshi/internal/regular"
	"noroshi/internal/strictyaml"
)

// MaxDatabase is how long a database may be, in bytes: it is held in memory.
const MaxDatabase = 1<<31 - 1

// tried is how many different entries of a database are looked at when it is read, and visited how many ends of its tree: one that is
// spoilt may have more than anybody can count.
const (
	tried   = 1000
	visited = 100_000
)

// Geography is the databases that tell where addresses lie and whose networks they are in. It is immutable, and may be used by many
// goroutines.
type Geography struct {
	databases []*database
	size      int
	broken    atomic.Int64
	sum       []byte // a hash of all of them
}

// database is one file in the format of MaxMind. It is held in memory and not mapped, so that nothing happens to whoever looks an
// address up when the file is cut off or written over.
type database struct {
	name   string // its type and when it was built
	reader *maxminddb.Reader
}

// ReadGeography reads the `geography:` of a configuration: paths of databases, relative to the configuration's folder. What is wrong
// goes to the document.
func ReadGeography(d *strictyaml.Doc, n *yaml.Node, folder string) *Geography {
	g, sum := &Geography{}, sha256.New()
	for _, c := range d.Items(n) {
		path := d.Text(c)
		if strings.TrimSpace(path) == "" {
			continue // it has been said
		}
		if !filepath.IsAbs(path) {
			path = filepath.Join(folder, path)
		}
		d.Reads = append(d.Reads, path)
		data, err := regular.Read(path, MaxDatabase)
		if err != nil {
			d.At(c, "read", diag.Unopened(path, err).Error())
			continue
		}
		one, wrong := openDatabase(data)
		if wrong != "" {
			d.At(c, "mmdb", wrong)
			continue
		}
		g.databases = append(g.databases, one)
		sum.Write(data)
		g.size += len(data)
	}
	g.sum = sum.Sum(nil)
	return g
}

// openDatabase takes a database; wrong is what is wrong with it, or "".
func openDatabase(data []byte) (one *database, wrong string) {
	if !bytes.Contains(data, []byte("\xAB\xCD\xEFMaxMind.com")) {
		return nil, "this is no MaxMind DB file (.mmdb), or its end is missing"
	}
	r, err := maxminddb.OpenBytes(data)
	if err != nil {
		return nil, "the database is broken: " + legible(err.Error())
	}
	one = &database{name: version(&r.Metadata), reader: r}
	seen := map[uintptr]bool{}
	useful, ends := false, 0
	for found := range r.Networks(maxminddb.IncludeNetworksWithoutData(), maxminddb.IncludeAliasedNetworks()) {
		if err := found.Err(); err != nil {
			return nil, "the database is broken: " + legible(err.Error())
		}
		if ends++; ends > visited || len(seen) > tried {
			break
		}
		if !found.Found() || seen[found.Offset()] {
			continue
		}
		seen[found.Offset()] = true
		p, err := placeOf(found)
		if err != nil {
			return nil, fmt.Sprintf("the database is broken at %s: %s", found.Prefix(), legible(err.Error()))
		}
		useful = useful || tellsPlace(&p) || p.Number != ""
	}
	if !useful {
		return nil, fmt.Sprintf("the database (%s) tells neither places nor autonomous systems; expected one such as GeoLite2-City or GeoLite2-ASN", one.name)
	}
	return one, ""
}

// version is a database's type and when it was built.
func version(m *maxminddb.Metadata) string {
	return legible(m.DatabaseType) + " " + m.BuildTime().UTC().Format(time.RFC3339)
}

// legible is a text of a file as one short line.
func legible(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
	if len(s) > maxWords {
		s = strings.ToValidUTF8(s[:maxWords], "")
	}
	return s
}

// Databases are the types of the databases and when they were built, in their order.
func (g *Geography) Databases() (all []string) {
	for _, d := range g.databases {
		all = append(all, d.name)
	}
	return all
}

// Size is how many bytes of memory the databases take.
func (g *Geography) Size() int {
	if g == nil {
		return 0
	}
	return g.size
}

// Sum is a hash of all that the databases say.
func (g *Geography) Sum() []byte {
	if g == nil {
		return nil
	}
	return g.sum
}

// Broken is how many look-ups came upon a broken place of a database; what it says there is left out.
func (g *Geography) Broken() int64 {
	if g == nil {
		return 0
	}
	return g.broken.Load()
}

// Place is what the databases know of an address. Of each of the two, the place and the network, the first database that knows it
// tells all: what two of them say is never mixed.
func (g *Geography) Place(ip string) (p event.Place) {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return p
	}
	a = a.Unmap()
	for _, d := range g.databases {
		if a.Is6() && d.reader.Metadata.IPVersion == 4 {
			continue
		}
		one, err := placeOf(d.reader.Lookup(a))
		if err != nil {
			g.broken.Add(1)
			continue
		}
		if p.From == "" && tellsPlace(&one) {
			p.Country, p.Regions, p.City, p.Location, p.From = one.Country, one.Regions, one.City, one.Location, d.name
		}
		if p.NumberFrom == "" && one.Number != "" {
			p.Number, p.Organization, p.NumberFrom = one.Number, one.Organization, d.name
		}
	}
	return p
}

func tellsPlace(p *event.Place) bool {
	return p.Country != "" || len(p.Regions) > 0 || p.City != "" || p.Location != ""
}
