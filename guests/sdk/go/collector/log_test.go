package collector

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"go.uber.org/zap"
)

// What a processor logs goes to log/slog with its fields, from info on.
func TestLog(t *testing.T) {
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	var written bytes.Buffer
	slog.SetDefault(slog.New(slog.NewTextHandler(&written, &slog.HandlerOptions{Level: slog.LevelDebug})))

	logger := zap.New(logged{}).With(zap.String("b", "text"))
	logger.Debug("nobody reads this")
	logger.Warn("odd", zap.Int("a", 1), zap.Error(errors.Join(errors.New("e"))))

	if !strings.HasSuffix(written.String(), "level=WARN msg=odd a=1 b=text error=e\n") ||
		strings.Count(written.String(), "\n") != 1 {
		t.Errorf("expected one warning with its attributes, got %q", written.String())
	}
}
