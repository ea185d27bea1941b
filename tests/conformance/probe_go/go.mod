module probe

go 1.26.0

require github.com/otelwasm/otelwasm/guests/sdk/go v0.0.0

replace github.com/otelwasm/otelwasm/guests/sdk/go => ../../../guests/sdk/go
