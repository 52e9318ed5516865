package ingest

import (
	"bytes"
	"fmt"

	"noroshi/internal/decode"
)

// The reasons of what is not a record; the words are stable. Others are those of the decoder.
const (
	BadJSON                = decode.BadJSON
	BadSize                = decode.BadSize
	BadCount decode.Reason = "count" // what passes the bounds of a message
	BadNUL   decode.Reason = "nul"   // a hole of NUL bytes
)

// Bad is a part of the input that is not a record.
type Bad struct {
	Before int // it stands before Records[Before]
	Line   int // in which it begins; from 1
	Reason decode.Reason
	Detail string
	Bytes  []byte // at most MaxRecord of them; none of a hole
}

// shownOfLong is how much is kept of what is too long.
const shownOfLong = 1 << 10

func tooLong(before, line int, start []byte) Bad {
	return Bad{Before: before, Line: line, Reason: BadSize, Detail: fmt.Sprintf("longer than %d bytes", MaxRecord), Bytes: bytes.Clone(start[:min(len(start), shownOfLong)])}
}

func notJSON(before, line int, detail string, part []byte) Bad {
	return Bad{Before: before, Line: line, Reason: BadJSON, Detail: "not a JSON object: " + detail, Bytes: bytes.Clone(part[:min(len(part), MaxRecord)])}
}

func hole(before, line int, size int64) Bad {
	detail := fmt.Sprintf("a hole of %d NUL bytes; reading goes on behind it", size)
	if size == 1 {
		detail = "a NUL byte; reading goes on behind it"
	}
	return Bad{Before: before, Line: line, Reason: BadNUL, Detail: detail}
}
