package main

import (
	"testing"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"github.com/otelwasm/otelwasm/guests/sdk/go/hosttest"
	"github.com/otelwasm/otelwasm/guests/sdk/go/http"
)

// What is beyond the budget is dropped, counted and told; a restart forgets nothing.
func TestABudgetIsKept(t *testing.T) {
	host := hosttest.Start(t)
	var asked []http.Request
	host.Answer = func(request http.Request) (http.Response, error) {
		asked = append(asked, request)
		return http.Response{Status: 204}, nil
	}
	config := Config{LimitBytes: 10, Notify: "https://chat.example.com/hook"}
	plugin, err := start(config)
	if err != nil {
		t.Fatal(err)
	}
	batch := otelwasm.Batch{Signal: otelwasm.Logs, Payload: []byte("\n\x06\x12\x04\x12\x02\x18\x09")}

	first, _ := plugin.Process(batch)
	second, _ := plugin.Process(batch)

	if _, isSent := second.Payload(batch); !first.IsPass() || isSent || len(asked) != 1 {
		t.Errorf("first passed: %v, second sent: %v, asked: %v", first.IsPass(), isSent, asked)
	}
	dropped := host.Measured[0]
	if dropped.Name != "budget.dropped" || dropped.Value != 8 || dropped.Attributes["signal"] != "logs" {
		t.Errorf("measured %v", dropped)
	}

	if err := plugin.(*Budget).Stop(); err != nil || string(host.State["spent"]) != "16" {
		t.Errorf("kept %q, %v", host.State["spent"], err)
	}
	again, err := start(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.(*Budget).Tick(); err != nil || len(host.Emitted) != 1 {
		t.Errorf("emitted %v, %v", host.Emitted, err)
	}
}
