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

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"weak"
)

const (
	// A collection takes some 0.4 ms, however little there is: so much garbage is let grow first,
	// or as much as what is held on to, where that is more.
	leastGarbageBytes = 16 << 20
	// Go collects at 4 MiB times a hundredth of this, at the earliest.
	mostPercent = leastGarbageBytes / (4 << 20) * 100
)

var (
	percent = mostPercent
	// How much garbage is let grow.
	garbageBytes uint64 = leastGarbageBytes
	// How much the host was given memory for since the last collection that was asked for.
	lentBytes uint64
	// An object that nobody holds: it is gone after a collection. To look whether it is there keeps
	// it through one that is under way.
	canary weak.Pointer[[64]byte]
	held   = []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
)

func init() {
	debug.SetGCPercent(-1)
	canary = weak.Make(new([64]byte))
}

// Lend counts what the host is given memory for.
func Lend(size uintptr) { lentBytes += uint64(size) }

// Enter begins a call of the host, which ends with Leave.
func Enter() {
	debug.SetGCPercent(percent)
	// Go itself looks whether to collect only when the plugin asks for memory.
	if lentBytes > garbageBytes {
		collect()
	}
}

// Leave ends a call of the host.
func Leave() {
	debug.SetGCPercent(-1)
	if canary.Value() == nil {
		// A collection began in this call. It may have ended just now, with the collector off, so
		// with no goal for the heap. Go takes that for a reason to give memory back whenever the
		// heap grows, and reads a clock for it, in cabi_realloc, too. Another collection, with a
		// goal, ends that.
		debug.SetGCPercent(percent)
		collect()
		debug.SetGCPercent(-1)
	}
}

// Pause begins an import that answers in lists or strings, which ends with Resume.
func Pause() { Leave() }

// Resume ends such an import.
func Resume() { debug.SetGCPercent(percent) }

// collect also sets how much garbage is let grow, by what is held on to.
func collect() {
	runtime.GC()
	metrics.Read(held)
	heldBytes := held[0].Value.Uint64()
	garbageBytes = max(heldBytes, leastGarbageBytes)
	percent = int(min(garbageBytes*100/max(heldBytes, 1), mostPercent))
	lentBytes = 0
	canary = weak.Make(new([64]byte))
}
