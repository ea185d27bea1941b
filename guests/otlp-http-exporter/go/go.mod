module otlp-http-exporter

go 1.26.0

require github.com/otelwasm/otelwasm/guests/sdk/go v0.0.0

require google.golang.org/protobuf v1.36.12

replace github.com/otelwasm/otelwasm/guests/sdk/go => ../../sdk/go
