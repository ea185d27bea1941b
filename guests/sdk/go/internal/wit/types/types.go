// Package types has what the generated bindings use for WIT's own types.
//
// wit-bindgen's module go.bytecodealliance.org/pkg has the same under other addresses; with these,
// the SDK needs no other module, and cabi_realloc is its own (see ../runtime).
package types

// Unit is WIT's `_`: nothing.
type Unit struct{}

// Option is WIT's `option`.
type Option[T any] struct {
	value  T
	isSome bool
}

// Some makes an option that has a value.
func Some[T any](value T) Option[T] { return Option[T]{value, true} }

// None makes an option without a value.
func None[T any]() Option[T] { return Option[T]{} }

// IsSome says whether there is a value.
func (o Option[T]) IsSome() bool { return o.isSome }

// Some returns the value; it panics where there is none.
func (o Option[T]) Some() T {
	if !o.isSome {
		panic("the option is none")
	}
	return o.value
}

// The tags of an option and of a result, as the canonical ABI numbers them.
const (
	OptionNone = 0
	OptionSome = 1
	ResultOk   = 0
	ResultErr  = 1
)

// Tag returns OptionNone or OptionSome.
func (o Option[T]) Tag() uint8 {
	if o.isSome {
		return OptionSome
	}
	return OptionNone
}

// Result is WIT's `result`.
type Result[T, E any] struct {
	ok    T
	err   E
	isErr bool
}

// Ok makes a success.
func Ok[T, E any](value T) Result[T, E] { return Result[T, E]{ok: value} }

// Err makes a failure.
func Err[T, E any](value E) Result[T, E] { return Result[T, E]{err: value, isErr: true} }

// IsOk says whether it is a success.
func (r Result[T, E]) IsOk() bool { return !r.isErr }

// Ok returns what succeeded; it panics where nothing did.
func (r Result[T, E]) Ok() T {
	if r.isErr {
		panic("the result is an error")
	}
	return r.ok
}

// Err returns what went wrong; it panics where nothing did.
func (r Result[T, E]) Err() E {
	if !r.isErr {
		panic("the result is a success")
	}
	return r.err
}

// Tag returns ResultOk or ResultErr.
func (r Result[T, E]) Tag() uint8 {
	if r.isErr {
		return ResultErr
	}
	return ResultOk
}

// Tuple2 is WIT's `tuple` of two.
type Tuple2[A, B any] struct {
	F0 A
	F1 B
}
