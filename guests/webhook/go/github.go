package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strings"
	"time"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

func (w webhook) github(message otelwasm.Message) (logs plog.Logs, err error) {
	if w.config.GithubSecret != "" {
		given := []byte(message.Headers.Get("x-hub-signature-256"))
		if !hmac.Equal(given, []byte(signature(message.Body, w.config.GithubSecret))) {
			return logs, refusal{401, "X-Hub-Signature-256 is not the signature of this body"}
		}
	}
	event := message.Headers.Get("x-github-event")
	if event == "" {
		return logs, refusal{400, "the header X-GitHub-Event is missing"}
	}
	body := message.Body
	if strings.HasPrefix(message.Headers.Get("content-type"), "application/x-www-form-urlencoded") {
		form, _ := url.ParseQuery(string(body))
		body = []byte(form.Get("payload"))
	}
	payload, err := readObject(body)
	if err != nil {
		return logs, err
	}
	logs, records := newBatch("github")
	record := records.AppendEmpty()
	record.SetObservedTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	record.SetSeverityNumber(plog.SeverityNumberInfo)
	record.SetEventName("github." + event)
	put(record.Attributes(), "github.event", event)
	put(record.Attributes(), "github.action", payload.text("action"))
	put(record.Attributes(), "github.delivery", message.Headers.Get("x-github-delivery"))
	put(record.Attributes(), "github.hook.id", message.Headers.Get("x-github-hook-id"))
	put(record.Attributes(), "github.repository", payload.text("repository", "full_name"))
	put(record.Attributes(), "github.sender", payload.text("sender", "login"))
	payload.writeTo(record.Body())
	return logs, nil
}

func signature(body []byte, secret string) string {
	signer := hmac.New(sha256.New, []byte(secret))
	signer.Write(body)
	return "sha256=" + hex.EncodeToString(signer.Sum(nil))
}

// put sets an attribute that there is something of.
func put(attributes pcommon.Map, key, value string) {
	if value != "" {
		attributes.PutStr(key, value)
	}
}
