//go:build wasip1

// Package collector says when garbage is collected: while the plugin's own code runs, and never
// while the host hands memory over.
//
// Memory for what the host passes in is taken in cabi_realloc, from where a component may call no
// import. A collection there reads clocks and polls timers, which are imports, and traps with
// "cannot leave component instance" (https://github.com/bytecodealliance/wasmtime/issues/14318;
// this package can go when Go or the preview1 adapter spares those). Turning the collector off
// also waits for a collection under way, so none is left when a call ends.
package collector

import "runtime/debug"

func init() { debug.SetGCPercent(-1) }

// Enter begins a call of the host; what it returns ends it.
func Enter() (leave func()) {
	debug.SetGCPercent(100)
	return func() { debug.SetGCPercent(-1) }
}

// Pause begins an import that answers in lists or strings; what it returns ends it.
func Pause() (resume func()) {
	debug.SetGCPercent(-1)
	return func() { debug.SetGCPercent(100) }
}
