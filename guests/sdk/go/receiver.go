package otelwasm

import (
	"strings"
	"time"
)

// Receiver makes batches out of messages, which the host listens for. It may be a [Poller], a
// [Ticker] and a [Stopper], too.
type Receiver interface {
	// Receive handles one message. What pipeline.Emit accepted by then is safe, so the reply can be
	// honest.
	Receive(message Message) (Reply, error)
}

// Poller makes batches out of what it finds when the host calls it on a schedule.
type Poller interface {
	// Poll looks once, and says when to look again, if not at the configured pace: 0 keeps that.
	Poll() (time.Duration, error)
}

// Header is one name and value; names of those that came in are in lower case.
type Header struct{ Name, Value string }

// Headers are in order; a name may repeat.
type Headers []Header

// Get returns the first value of a name, in any case; empty if there is none.
func (h Headers) Get(name string) string {
	for _, header := range h {
		if strings.EqualFold(header.Name, name) {
			return header.Value
		}
	}
	return ""
}

// Message is what came in on the socket that the host listens on for the plugin.
type Message struct {
	// Peer is the sender's address, as host:port.
	Peer string
	// Method, Target (path and query) and Headers are HTTP's; empty for tcp and udp.
	Method  string
	Target  string
	Headers Headers
	// Body is the HTTP body, the message of a tcp stream without its framing, or the udp datagram.
	Body []byte
}

// Reply is what a receiver's sender gets back, where the protocol has answers.
type Reply struct {
	// Status is 200 to 599; 0 stands for 200.
	Status  int
	Headers Headers
	Body    []byte
}
