package host

import (
	"context"
	"log/slog"

	"github.com/otelwasm/otelwasm/guests/sdk/go/internal/bindings/otelwasm_plugin_log"
	wit "github.com/otelwasm/otelwasm/guests/sdk/go/internal/wit/types"
)

// What a plugin writes with log/slog, or with log, goes to the host's log.
func init() { slog.SetDefault(slog.New(logHandler{})) }

type logHandler struct {
	group string
	given []wit.Tuple2[string, string]
}

// Enabled is always true: the host decides what it keeps.
func (logHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h logHandler) Handle(_ context.Context, record slog.Record) error {
	attributes := append([]wit.Tuple2[string, string](nil), h.given...)
	record.Attrs(func(attribute slog.Attr) bool {
		attributes = appended(attributes, h.group, attribute)
		return true
	})
	otelwasm_plugin_log.Write(level(record.Level), valid(record.Message), attributes)
	return nil
}

func (h logHandler) WithAttrs(attributes []slog.Attr) slog.Handler {
	given := append([]wit.Tuple2[string, string](nil), h.given...)
	for _, attribute := range attributes {
		given = appended(given, h.group, attribute)
	}
	return logHandler{h.group, given}
}

func (h logHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return logHandler{h.group + name + ".", h.given}
}

func appended(to []wit.Tuple2[string, string], group string, attribute slog.Attr) []wit.Tuple2[string, string] {
	value := attribute.Value.Resolve()
	if value.Kind() != slog.KindGroup {
		return append(to, pair(group+attribute.Key, value.String()))
	}
	if attribute.Key != "" {
		group += attribute.Key + "."
	}
	for _, member := range value.Group() {
		to = appended(to, group, member)
	}
	return to
}

func level(given slog.Level) otelwasm_plugin_log.Level {
	switch {
	case given < slog.LevelInfo:
		return otelwasm_plugin_log.Level_Debug
	case given < slog.LevelWarn:
		return otelwasm_plugin_log.Level_Info
	case given < slog.LevelError:
		return otelwasm_plugin_log.Level_Warn
	default:
		return otelwasm_plugin_log.Level_Error
	}
}
