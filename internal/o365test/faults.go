package o365test

import (
	"bytes"
	"net"
	"net/http"
)

// Fault is how a request may be answered on a bad day.
type Fault string

// The faults.
const (
	Throttled403 Fault = "AF429 as 403"           // without Retry-After
	Throttled429 Fault = "AF429 as 429"           // with Retry-After
	Internal     Fault = "AF50000"                // try again
	Expired      Fault = "a token that has ended" // before its time
	Cut          Fault = "the connection is cut"  // before the answer
	CutAnswer    Fault = "the answer is cut"      // in the middle
	ShortAnswer  Fault = "the answer is short"    // and pretends to be whole
	Empty        Fault = "the answer is empty"
	Page         Fault = "a proxy's page" // with status 200
	Repeats      Fault = "blobs are listed twice"
)

// AllFaults are all of them.
var AllFaults = []Fault{Throttled403, Internal, CutAnswer, Cut, ShortAnswer, Throttled429, Empty, Page, Expired, Repeats}

// before answers by a fault that needs nothing of what was asked for, and says whether it has.
func (s *Server) before(w http.ResponseWriter, fault Fault) bool {
	switch fault {
	case Throttled403:
		fail(w, failure{http.StatusForbidden, "AF429", "Too many requests. Method=GetBlob, PublisherId=00000000-0000-0000-0000-000000000000"})
	case Throttled429:
		w.Header().Set("Retry-After", "1")
		fail(w, failure{http.StatusTooManyRequests, "AF429", "Too many requests."})
	case Internal:
		fail(w, failure{http.StatusInternalServerError, "AF50000", "An internal error occurred. Retry the request."})
	case Expired:
		fail(w, failure{http.StatusUnauthorized, "AF10001", "The token has expired."})
	case Cut:
		abort(w)
	case Page:
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!DOCTYPE html><html><body>Sign in to the proxy</body></html>")) // a client that has gone needs no answer
	case Empty:
	default:
		return false
	}
	return true
}

// abort breaks the connection of an answer.
func abort(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return // then nothing is answered
	}
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok { // without the polite end of TLS
		conn = t.NetConn()
	}
	_ = conn.Close() // it is given up
}

// spoiled spoils the answer that is written to it.
func spoiled(w http.ResponseWriter, fault Fault) http.ResponseWriter {
	if fault == CutAnswer || fault == ShortAnswer {
		return &spoiling{ResponseWriter: w, fault: fault}
	}
	return w
}

// spoiling gives half of what is written to it at once.
type spoiling struct {
	http.ResponseWriter
	fault Fault
}

// WriteHeader leaves out how long a short answer is.
func (s *spoiling) WriteHeader(status int) {
	if s.fault == ShortAnswer {
		s.Header().Del("Content-Length")
	}
	s.ResponseWriter.WriteHeader(status)
}

func (s *spoiling) Write(b []byte) (int, error) {
	if s.fault == ShortAnswer {
		s.Header().Del("Content-Length")
	}
	_, err := s.ResponseWriter.Write(bytes.TrimRight(b[:len(b)/2], "]"))
	if s.fault == CutAnswer {
		_ = http.NewResponseController(s.ResponseWriter).Flush() // it is cut all the same
		abort(s.ResponseWriter)
	}
	return len(b), err
}
