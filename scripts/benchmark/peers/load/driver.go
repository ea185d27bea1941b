package main

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"time"
)

const (
	pause    = 2 * time.Millisecond // before a request that was refused for now is sent again
	patience = 20 * time.Second     // for the last span to come out
)

// Order says what to send, where, and for how long.
type Order struct {
	Protocol string  `json:"protocol"`
	Port     int     `json:"port"`
	Payload  string  `json:"payload"`
	Streams  int     `json:"streams"`
	Seconds  float64 `json:"seconds"`
	Keeps    bool    `json:"keeps"` // the server keeps what it takes: nothing comes out
}

// Report says what came of an order.
type Report struct {
	Requests    int     `json:"requests"`
	Spans       int     `json:"spans"`
	Received    int     `json:"received"`
	OutRequests int     `json:"out_requests"`
	Unmarked    int     `json:"unmarked"`
	Refused     int     `json:"refused"`
	SendingS    float64 `json:"sending_s"`
	ElapsedS    float64 `json:"elapsed_s"`
	P50Us       float64 `json:"p50_us"`
	P99Us       float64 `json:"p99_us"`
}

// Driver sends from several clients, each with a connection of its own and one request in flight.
type Driver struct {
	sink    *Sink
	clients map[string][]Client
}

// NewDriver returns a driver that waits for what it sent to reach the sink.
func NewDriver(sink *Sink) *Driver {
	return &Driver{sink: sink, clients: map[string][]Client{}}
}

// Run sends for as long as it is told, and waits until everything came out.
func (d *Driver) Run(order Order) (report Report, err error) {
	payload, err := os.ReadFile(order.Payload)
	if err != nil {
		return report, err
	}
	spans, err := countSpans(payload)
	if err != nil {
		return report, err
	}
	clients, err := d.open(order)
	if err != nil {
		return report, err
	}
	d.sink.reset()
	began := time.Now()
	until := began.Add(time.Duration(order.Seconds * float64(time.Second)))
	sent := make([]sending, len(clients))
	var all sync.WaitGroup
	for number, client := range clients {
		all.Go(func() { sent[number] = send(client, payload, until) })
	}
	all.Wait()
	report.SendingS = time.Since(began).Seconds()
	var took []time.Duration
	for _, each := range sent {
		if each.err != nil {
			return report, each.err
		}
		report.Refused += each.refused
		took = append(took, each.took...)
	}
	report.Requests = len(took)
	report.Spans = len(took) * spans
	for !order.Keeps && time.Since(began) < time.Duration(order.Seconds*float64(time.Second))+patience {
		if report.Received = int(d.sink.spans.Load()); report.Received >= report.Spans {
			break
		}
		time.Sleep(time.Millisecond)
	}
	report.ElapsedS = time.Since(began).Seconds()
	report.OutRequests = int(d.sink.requests.Load())
	report.Unmarked = int(-d.sink.marked.Load())
	slices.Sort(took)
	if len(took) > 0 {
		report.P50Us = float64(took[len(took)/2].Nanoseconds()) / 1e3
		report.P99Us = float64(took[len(took)*99/100].Nanoseconds()) / 1e3
	}
	return report, nil
}

func (d *Driver) open(order Order) ([]Client, error) {
	key := fmt.Sprintf("%s %d", order.Protocol, order.Port)
	for len(d.clients[key]) < order.Streams {
		client, err := dial(order.Protocol, order.Port)
		if err != nil {
			return nil, err
		}
		d.clients[key] = append(d.clients[key], client)
	}
	return d.clients[key][:order.Streams], nil
}

type sending struct {
	took    []time.Duration
	refused int
	err     error
}

// send sends until the time is over, one request after the other.
func send(client Client, payload []byte, until time.Time) (sent sending) {
	for {
		began := time.Now()
		if began.After(until) {
			return sent
		}
		for {
			isTaken, err := client.Send(payload)
			if err != nil {
				sent.err = err
				return sent
			}
			if isTaken {
				break
			}
			sent.refused++
			time.Sleep(pause)
		}
		sent.took = append(sent.took, time.Since(began))
	}
}
