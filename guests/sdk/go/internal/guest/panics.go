package guest

import (
	"fmt"
	"log/slog"
	"path"
	"runtime"
	"strings"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
)

const sdk = "github.com/otelwasm/otelwasm/guests/sdk/go"

// recovered turns a panic of the author's code into a permanent failure that names the panic and
// the author's line. The log gets the whole way there.
func recovered(err *error) {
	value := recover()
	if value == nil {
		return
	}
	text := fmt.Sprintf("panic: %v", value)
	frames := stack()
	slog.Error(text + "\n" + listed(frames))
	if frame, ok := authors(frames); ok {
		text += fmt.Sprintf(" (%s:%d in %s)", path.Base(frame.File), frame.Line, frame.Function)
	}
	*err = otelwasm.Permanent{Reason: text}
}

// stack returns what was running when the panic began, innermost first, without Go's own
// handling of panics and without the SDK.
func stack() []runtime.Frame {
	callers := make([]uintptr, 64)
	walked := runtime.CallersFrames(callers[:runtime.Callers(3, callers)])
	var found []runtime.Frame
	for more := true; more; {
		var frame runtime.Frame
		frame, more = walked.Next()
		if isGuest(frame) {
			break
		}
		if frame.Function != "" && (len(found) > 0 || !strings.HasPrefix(frame.Function, "runtime.")) {
			found = append(found, frame)
		}
	}
	return found
}

func isGuest(frame runtime.Frame) bool {
	return strings.HasPrefix(frame.Function, sdk+"/internal/guest.")
}

// authors finds the innermost frame of the plugin's main package; else the innermost of all.
func authors(frames []runtime.Frame) (runtime.Frame, bool) {
	for _, frame := range frames {
		if strings.HasPrefix(frame.Function, "main.") {
			return frame, true
		}
	}
	if len(frames) > 0 {
		return frames[0], true
	}
	return runtime.Frame{}, false
}

func listed(frames []runtime.Frame) string {
	var text strings.Builder
	for _, frame := range frames {
		fmt.Fprintf(&text, "  %s:%d in %s\n", frame.File, frame.Line, frame.Function)
	}
	return strings.TrimSuffix(text.String(), "\n")
}
