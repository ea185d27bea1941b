package main

import (
	"io"
	"log"
	"net"
	"net/http"
	"sync/atomic"

	"google.golang.org/grpc"
)

// Ports is where the sinks listen.
type Ports struct {
	Grpc int `json:"grpc"`
	HTTP int `json:"http"`
}

// Sink takes OTLP trace requests over gRPC and HTTP, counts, and forgets them.
type Sink struct {
	spans    atomic.Int64
	marked   atomic.Int64
	requests atomic.Int64
}

// Listen serves on two free ports of 127.0.0.1.
func (s *Sink) Listen() (ports Ports, err error) {
	forGrpc, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return ports, err
	}
	forHTTP, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return ports, err
	}
	server := grpc.NewServer(
		grpc.ForceServerCodecV2(raw{}),
		grpc.MaxRecvMsgSize(256<<20),
		grpc.InitialWindowSize(4<<20),
		grpc.InitialConnWindowSize(16<<20),
		grpc.UnknownServiceHandler(s.export),
	)
	go func() { log.Fatal(server.Serve(forGrpc)) }()
	go func() { log.Fatal(http.Serve(forHTTP, s)) }()
	ports.Grpc = forGrpc.Addr().(*net.TCPAddr).Port
	ports.HTTP = forHTTP.Addr().(*net.TCPAddr).Port
	return ports, nil
}

func (s *Sink) export(_ any, stream grpc.ServerStream) error {
	var request, answer []byte
	if err := stream.RecvMsg(&request); err != nil {
		return err
	}
	s.take(request)
	return stream.SendMsg(&answer)
}

// ServeHTTP takes one request over HTTP.
func (s *Sink) ServeHTTP(answer http.ResponseWriter, request *http.Request) {
	body := make([]byte, 0, max(request.ContentLength, 512))
	for {
		read, err := request.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+read]
		if err == io.EOF {
			break
		}
		if err != nil {
			return
		}
		if len(body) == cap(body) {
			body = append(body, 0)[:len(body)]
		}
	}
	if coding := request.Header.Get("content-encoding"); coding != "" {
		log.Fatalf("sink: a request has the encoding %q; it must come plain", coding)
	}
	s.take(body)
	answer.Header().Set("content-type", "application/x-protobuf")
	answer.WriteHeader(http.StatusOK)
}

// take counts a request; the first of a run is looked at for what the pipeline has to set.
func (s *Sink) take(request []byte) {
	spans, err := countSpans(request)
	if err != nil {
		log.Fatalf("sink: a malformed request of %d bytes: %v", len(request), err)
	}
	if s.requests.Add(1) == 1 {
		if marks := marked(request); marks != spans {
			s.marked.Store(int64(marks - spans))
		}
	}
	s.spans.Add(int64(spans))
}

// reset begins a run.
func (s *Sink) reset() {
	s.spans.Store(0)
	s.requests.Store(0)
	s.marked.Store(0)
}
