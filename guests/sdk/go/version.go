package otelwasm

// Version is what a plugin requires of this module: `require github.com/otelwasm/otelwasm/guests/sdk/go`
// with it. The otelwasm that builds the plugin brings the module along, and says so if it brings
// another version.
const Version = "v0.1.0"
