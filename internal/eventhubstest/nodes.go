package eventhubstest

import (
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"noroshi/internal/eventhubstest/amqp"
)

// The nodes that answer requests.
const (
	nodeClaims     = "$cbs"
	nodeManagement = "$management"
)

// What $management tells about.
const (
	typeHub       = "com.microsoft:eventhub"
	typePartition = "com.microsoft:partition"
)

// answer is what a node says to a request.
type answer struct {
	status int32 // as HTTP has them
	text   string
	value  amqp.Value
}

// claim puts a token on $cbs (OASIS AMQP Claims-based Security 1.0, section 4.5, as azeventhubs/v2 cbs.go sends it): from
// then on the connection may use what the audience names. When the token ends without another, so do the links that read, with
// their next message (azure-docs, service-bus-amqp-protocol-guide).
func (c *conn) claim(m amqp.Message) answer {
	s := c.server
	s.count(func(st *Stats) { st.Claims++ })
	if s.faults.claimRefused() {
		return answer{status: 401, text: "unauthorized by the test"}
	}
	audience, token := amqp.Text(m.Application.Get("name")), amqp.Text(m.Value)
	u, err := url.Parse(audience)
	if err != nil || amqp.Text(m.Application.Get("operation")) != "put-token" {
		return answer{status: 400, text: "not a put-token with the name of a resource"}
	}
	var until time.Time
	switch amqp.Text(m.Application.Get("type")) {
	case "servicebus.windows.net:sastoken":
		until, err = s.config.checkSAS(audience, token)
	case "jwt":
		until, err = s.config.Tokens.check(token, s.config.Now())
	default:
		return answer{status: 400, text: "a token of a type that is not known"}
	}
	if err != nil {
		return answer{status: 401, text: err.Error()}
	}
	c.claimOf(strings.Trim(u.Path, "/")).Store(until.UnixNano())
	return answer{status: 202, text: "Accepted"}
}

// claimed tells whether a token for the path was put and is valid still.
func (c *conn) claimed(path string) bool {
	until := c.claims[strings.ToLower(path)]
	return c.trusted || until != nil && c.server.config.Now().UnixNano() < until.Load()
}

// claimOf is when the claim for the path ends, in the past where there was none.
func (c *conn) claimOf(path string) *atomic.Int64 {
	path = strings.ToLower(path)
	if c.claims[path] == nil {
		c.claims[path] = new(atomic.Int64)
	}
	return c.claims[path]
}

// manage answers a READ on $management.
func (c *conn) manage(m amqp.Message) answer {
	name := amqp.Text(m.Application.Get("name"))
	if !c.claimed(name+"/"+nodeManagement) || c.server.faults.barred() {
		return answer{status: 401, text: "no claim for " + name + "/" + nodeManagement}
	}
	h := c.server.hubs[strings.ToLower(name)]
	if h == nil {
		return answer{status: 404, text: "no event hub " + name}
	}
	if amqp.Text(m.Application.Get("operation")) != "READ" {
		return answer{status: 400, text: "an operation that is not known"}
	}
	switch amqp.Text(m.Application.Get("type")) {
	case typeHub:
		return answer{200, "OK", h.properties()}
	case typePartition:
		id := amqp.Text(m.Application.Get("partition"))
		if p := h.partition(id); p != nil {
			return answer{200, "OK", p.properties(h.name, c.server.config.Now())}
		}
		return answer{status: 404, text: "no partition " + id}
	}
	return answer{status: 400, text: "a type that is not known"}
}
