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
)

func init() { stop() }

// Enter begins a call of the host; what it returns ends it.
func Enter() (leave func()) {
	start()
	return stop
}

// Pause begins an import that answers in lists or strings; what it returns ends it.
func Pause() (resume func()) {
	stop()
	return start
}

func start() { debug.SetGCPercent(100) }

func stop() {
	for {
		before := collections()
		debug.SetGCPercent(-1)
		if collections() == before {
			return
		}
		// The one that was under way has ended with the collector off, so with no goal for the heap.
		// Go takes that for a reason to give memory back whenever the heap grows, and reads a clock
		// for it, in cabi_realloc, too. Another one, with a goal, ends that.
		start()
		runtime.GC()
	}
}

func collections() uint64 {
	count := [...]metrics.Sample{{Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(count[:])
	return count[0].Value.Uint64()
}
