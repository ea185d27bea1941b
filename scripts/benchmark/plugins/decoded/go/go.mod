module decoded

go 1.26.0

require (
	github.com/otelwasm/otelwasm/guests/sdk/go v0.0.0
	go.opentelemetry.io/proto/otlp v1.11.1
)

require google.golang.org/protobuf v1.36.12 // indirect

replace github.com/otelwasm/otelwasm/guests/sdk/go => ../../../../../guests/sdk/go
