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
	// How much the host was given memory for since the last collection of ours.
	lentBytes uint64
	// An object that nobody holds: it is gone after a collection. To look at it is quicker than to
	// read how many there were.
	canary weak.Pointer[[64]byte]
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
	var before uint64
	isGone := canary.Value() == nil
	if isGone {
		before = read("/gc/cycles/total:gc-cycles")
	}
	debug.SetGCPercent(-1)
	switch {
	case !isGone && canary.Value() != nil:
	case isGone && before == read("/gc/cycles/total:gc-cycles"):
		look()
	default:
		// A collection was under way, and ended with the collector off, so with no goal for the
		// heap. Go takes that for a reason to give memory back whenever the heap grows, and reads
		// a clock for it, in cabi_realloc, too. Another one, with a goal, ends that.
		debug.SetGCPercent(percent)
		collect()
		debug.SetGCPercent(-1)
	}
}

// Pause begins an import that answers in lists or strings, which ends with Resume.
func Pause() { Leave() }

// Resume ends such an import.
func Resume() { debug.SetGCPercent(percent) }

func collect() {
	runtime.GC()
	lentBytes = 0
	look()
}

// look sets how much garbage is let grow, by what was held on to at the last collection.
func look() {
	heldBytes := read("/gc/heap/live:bytes")
	garbageBytes = max(heldBytes, leastGarbageBytes)
	percent = int(min(garbageBytes*100/max(heldBytes, 1), mostPercent))
	canary = weak.Make(new([64]byte))
}

func read(name string) uint64 {
	sample := [...]metrics.Sample{{Name: name}}
	metrics.Read(sample[:])
	return sample[0].Value.Uint64()
}
