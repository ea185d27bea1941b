//go:build wasip1

// Package runtime has what the generated bindings use to hand memory to and fro.
//
// wit-bindgen's module go.bytecodealliance.org/pkg has the same under other addresses. That one
// takes memory for the preview1 adapter, before Go's runtime is up, from runtime.sbrk, which
// only the linker flag -checklinkname=0 lets it call; here it is set aside beforehand.
package runtime

import (
	"runtime"
	"unsafe"

	"github.com/otelwasm/otelwasm/guests/sdk/go/internal/collector"
)

// The adapter takes a page for its state and one for its stack before Go's runtime is up.
var (
	early     [3 << 16]byte
	earlyUsed uintptr
	isUp      bool
)

func init() { isUp = true }

// What the host was given memory for in this call, and no Go variable holds yet.
var lent []unsafe.Pointer

// Unpin ends the hold on the memory that the host was given: what came in is in Go's hands now.
func Unpin() {
	clear(lent)
	lent = lent[:0]
}

// Allocate takes memory for what goes out; it stays where it is until pinner lets it go.
func Allocate(pinner *runtime.Pinner, size, align uintptr) unsafe.Pointer {
	pointer := allocate(size, align)
	if pointer != nil {
		pinner.Pin(pointer)
	}
	return pointer
}

func allocate(size, align uintptr) unsafe.Pointer {
	switch {
	case size == 0:
		return nil
	case align == 1:
		return unsafe.Pointer(unsafe.SliceData(make([]byte, size)))
	default:
		return unsafe.Pointer(unsafe.SliceData(make([]uint64, (size+7)/8)))
	}
}

// cabiRealloc gives the host memory for what it passes in. No import can be called from here.
//
//go:wasmexport cabi_realloc
func cabiRealloc(old unsafe.Pointer, oldSize, align, size uintptr) unsafe.Pointer {
	if old != nil || oldSize != 0 {
		panic("cabi_realloc: lists and strings of a known length are never reallocated")
	}
	if !isUp {
		first := (uintptr(unsafe.Pointer(&early))+earlyUsed+align-1)&^(align-1) - uintptr(unsafe.Pointer(&early))
		if first+size > uintptr(len(early)) {
			panic("cabi_realloc: too much asked for before Go's runtime is up")
		}
		earlyUsed = first + size
		return unsafe.Pointer(&early[first])
	}
	pointer := allocate(size, align)
	if pointer != nil {
		lent = append(lent, pointer)
		collector.Lend(size)
	}
	return pointer
}
