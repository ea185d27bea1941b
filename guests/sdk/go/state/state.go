// Package state keeps values across restarts.
//
// They are this plugin's alone, and durable once Set returns. What the host refuses is an
// otelwasm.Permanent (not granted, a key that cannot be, over the quota) or an otelwasm.Retryable
// (trouble with the disk).
package state

import "github.com/otelwasm/otelwasm/guests/sdk/go/internal/host"

// Get returns the value kept under key, and whether there is one.
func Get(key string) (value []byte, isFound bool, err error) { return host.StateGet(key) }

// Set keeps value under key, in place of what was there.
func Set(key string, value []byte) error { return host.StateSet(key, value) }

// Delete forgets key, whether it was there or not.
func Delete(key string) error { return host.StateDelete(key) }
