package o365

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// place is how far a content type has been read. Times are of availability, and whole seconds.
type place struct {
	Floor   time.Time `json:"floor"`          // what was there before is not read
	Reached time.Time `json:"reached"`        // what was there before is listed, and read or remembered,
	Back    time.Time `json:"back,omitzero"`  // but for what came between Floor and here: it is read backwards
	Blob    *failing  `json:"blob,omitempty"` // of which some is stored, and not all
}

// behind reports whether some of the past is still to be read backwards.
func (p *place) behind() bool { return p.Back.After(p.Floor) }

// through is up to when all is read that is known; zero where that is nothing.
func (p *place) through() time.Time {
	if p.behind() {
		return time.Time{}
	}
	return p.Reached
}

func (p *place) text() string {
	b, _ := json.Marshal(p) // of times that can be written and a blob that row.blob made there is always one
	return string(b)
}

func parsePlace(text string) (p place, err error) {
	if err = json.Unmarshal([]byte(text), &p); err != nil || p.Reached.IsZero() {
		return p, fmt.Errorf("read position %.100q: it is not one of this source", text)
	}
	return p, nil
}

// id is what a blob is known by.
type id [16]byte

func idOf(contentID string) (i id) {
	sum := sha256.Sum256([]byte(contentID))
	copy(i[:], sum[:])
	return i
}

func (i id) key() string { return base64.RawURLEncoding.EncodeToString(i[:]) }

func idOfKey(key string) (i id, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(key)
	return i, err == nil && copy(i[:], b) == len(i) && len(b) == len(i)
}

// failing is a blob that is not read to its end, as it is remembered.
type failing struct {
	ID      string    `json:"id"`
	URI     string    `json:"uri"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
	Items   int       `json:"items,omitempty"`
	Told    bool      `json:"told,omitempty"` // a dead letter stands for it
}

// readRow is the row of a blob that was read at a time.
func readRow(at time.Time) []byte { return strconv.AppendInt(nil, at.Unix(), 10) }

// remembered are the blobs of rows: those that were read, with the hour in which they were, and those that failed.
func remembered(rows map[string][]byte) (seen map[id]int32, fails map[id]*blob, err error) {
	seen, fails = make(map[id]int32, len(rows)), map[id]*blob{}
	for key, value := range rows {
		i, ok := idOfKey(key)
		if !ok {
			return nil, nil, fmt.Errorf("read row %q: it is not one of this source", key)
		}
		if n, err := strconv.ParseInt(string(value), 10, 64); err == nil {
			seen[i] = hour(time.Unix(n, 0))
			continue
		}
		b := &blob{id: i}
		if err := json.Unmarshal(value, &b.failing); err != nil {
			return nil, nil, fmt.Errorf("read row %q: %w", key, err)
		}
		fails[i] = b
	}
	return seen, fails, nil
}

func hour(t time.Time) int32 { return int32(t.Unix() / 3600) }
