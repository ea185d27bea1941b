module my-plugin

go 1.26.0

require github.com/otelwasm/otelwasm/guests/sdk/go v0.1.0

replace github.com/otelwasm/otelwasm/guests/sdk/go => ./.otelwasm/sdk
