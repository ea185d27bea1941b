package collector

import (
	"context"
	"log/slog"
	"maps"
	"slices"

	"go.uber.org/zap/zapcore"
)

// logged writes what a processor logs to log/slog, and so to the host's log; from info on, as the
// Collector does unless it is told otherwise.
type logged struct{ with []zapcore.Field }

func (logged) Enabled(level zapcore.Level) bool { return level >= zapcore.InfoLevel }

func (l logged) With(fields []zapcore.Field) zapcore.Core {
	return logged{slices.Concat(l.with, fields)}
}

func (l logged) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if l.Enabled(entry.Level) {
		return checked.AddCore(entry, l)
	}
	return checked
}

func (l logged) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	encoder := zapcore.NewMapObjectEncoder()
	for _, field := range slices.Concat(l.with, fields) {
		if err, isError := field.Interface.(error); isError && field.Type == zapcore.ErrorType {
			// As text alone: zap would add what it is made of.
			encoder.AddString(field.Key, err.Error())
			continue
		}
		field.AddTo(encoder)
	}
	var attributes []slog.Attr
	for _, key := range slices.Sorted(maps.Keys(encoder.Fields)) {
		attributes = append(attributes, slog.Any(key, encoder.Fields[key]))
	}
	slog.LogAttrs(context.Background(), slogLevel(entry.Level), entry.Message, attributes...)
	return nil
}

func (logged) Sync() error { return nil }

func slogLevel(level zapcore.Level) slog.Level {
	switch {
	case level >= zapcore.ErrorLevel:
		return slog.LevelError
	case level == zapcore.WarnLevel:
		return slog.LevelWarn
	default:
		return slog.LevelInfo
	}
}
