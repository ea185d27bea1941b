package processor

import (
	// The world's functions, for the host to call.
	_ "github.com/otelwasm/otelwasm/guests/sdk/go/internal/bindings/processor"
	_ "github.com/otelwasm/otelwasm/guests/sdk/go/internal/host"
)
