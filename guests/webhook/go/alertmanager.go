package main

import (
	"cmp"
	"crypto/subtle"
	"fmt"
	"math"
	"strings"
	"time"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// The OpenTelemetry severity of what alerts usually call theirs.
var severities = map[string]plog.SeverityNumber{
	"info":     plog.SeverityNumberInfo,
	"warning":  plog.SeverityNumberWarn,
	"error":    plog.SeverityNumberError,
	"critical": plog.SeverityNumberError2,
	"page":     plog.SeverityNumberFatal,
}

func (w webhook) alertmanager(message otelwasm.Message) (logs plog.Logs, err error) {
	if w.config.AlertmanagerToken != "" {
		wanted := "Bearer " + w.config.AlertmanagerToken
		given := message.Headers.Get("authorization")
		if subtle.ConstantTimeCompare([]byte(wanted), []byte(given)) == 0 {
			return logs, refusal{401, "Authorization does not hold the token"}
		}
	}
	group, err := readObject(message.Body)
	if err != nil {
		return logs, err
	}
	if version := group.text("version"); version != "4" {
		return logs, refusal{400, fmt.Sprintf("expected Alertmanager's version 4, got %q", version)}
	}
	alerts, ok := group.list("alerts")
	if !ok {
		return logs, refusal{400, "`alerts` is no list of objects"}
	}
	logs, records := newBatch("alertmanager")
	for _, alert := range alerts {
		addAlert(records.AppendEmpty(), alert, group)
	}
	return logs, nil
}

func addAlert(record plog.LogRecord, alert, group object) {
	labels, notes := alert.texts("labels"), alert.texts("annotations")
	isFiring := alert.text("status") == "firing"
	name := labels.text("alertname")
	severity := labels.text("severity")
	record.SetObservedTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	record.SetSeverityText(severity)
	if isFiring {
		record.SetEventName("alert.firing")
		record.SetTimestamp(unixNano(alert.text("startsAt")))
		record.SetSeverityNumber(severities[strings.ToLower(severity)])
	} else {
		record.SetEventName("alert.resolved")
		record.SetTimestamp(unixNano(alert.text("endsAt")))
		// An alert that is over is no trouble any more, whatever it was.
		record.SetSeverityNumber(plog.SeverityNumberInfo)
	}
	attributes := record.Attributes()
	put(attributes, "alert.name", name)
	put(attributes, "alert.status", alert.text("status"))
	put(attributes, "alert.fingerprint", alert.text("fingerprint"))
	put(attributes, "alert.starts_at", alert.text("startsAt"))
	put(attributes, "alert.generator.url", alert.text("generatorURL"))
	put(attributes, "alert.group.key", group.text("groupKey"))
	put(attributes, "alert.receiver", group.text("receiver"))
	for key, value := range labels.members.All() {
		put(attributes, "alert.label."+key, value.AsString())
	}
	for key, value := range notes.members.All() {
		put(attributes, "alert.annotation."+key, value.AsString())
	}
	record.Body().SetStr(cmp.Or(notes.text("summary"), notes.text("description"), name))
}

// unixNano reads an RFC 3339 time, to the nanosecond; 0 for none.
func unixNano(text string) pcommon.Timestamp {
	moment, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || moment.Unix() < 0 || uint64(moment.Unix()) >= math.MaxUint64/1_000_000_000 {
		return 0
	}
	return pcommon.Timestamp(uint64(moment.Unix())*1_000_000_000 + uint64(moment.Nanosecond()))
}
