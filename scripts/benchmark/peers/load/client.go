package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

const timeout = 10 * time.Second

// Client sends one request and says whether it was taken; an error is one that should not be.
type Client interface {
	Send(payload []byte) (isTaken bool, err error)
}

func dial(protocol string, port int) (Client, error) {
	switch protocol {
	case "grpc":
		connection, err := grpc.NewClient(
			fmt.Sprintf("127.0.0.1:%d", port),
			grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithDefaultCallOptions(grpc.ForceCodecV2(raw{})),
		)
		return &grpcClient{connection}, err
	case "http":
		url := fmt.Sprintf("http://127.0.0.1:%d/v1/traces", port)
		return &httpClient{url, &http.Client{Transport: &http.Transport{}, Timeout: timeout}}, nil
	}
	return nil, fmt.Errorf("unknown protocol %q", protocol)
}

type grpcClient struct{ connection *grpc.ClientConn }

func (c *grpcClient) Send(payload []byte) (bool, error) {
	var answer []byte
	deadline, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	err := c.connection.Invoke(deadline, exportMethod, &payload, &answer)
	switch status.Code(err) {
	case codes.OK:
		return true, nil
	case codes.Unavailable, codes.ResourceExhausted:
		return false, nil
	}
	return false, err
}

type httpClient struct {
	url    string
	client *http.Client
}

func (c *httpClient) Send(payload []byte) (bool, error) {
	answer, err := c.client.Post(c.url, "application/x-protobuf", bytes.NewReader(payload))
	if err != nil {
		return false, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	switch answer.StatusCode {
	case http.StatusOK:
		return err == nil, err
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return false, nil
	}
	return false, fmt.Errorf("%s: %s: %.200s", c.url, answer.Status, body)
}
