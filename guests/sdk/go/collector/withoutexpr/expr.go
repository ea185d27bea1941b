// Package expr stands in for github.com/expr-lang/expr, in plugins whose go.mod says so:
//
//	replace github.com/expr-lang/expr => (this folder)
//
// Contrib's processors compile it in for one way to choose metrics, match_type: expr, which is
// refused then. It finds methods by name at run time, for which Go has to keep every method of
// every type: without it, a component is a third smaller.
package expr

import (
	"errors"

	"github.com/expr-lang/expr/vm"
)

// Option is one of Compile's.
type Option func()

// Compile refuses.
func Compile(string, ...Option) (*vm.Program, error) {
	return nil, errors.New("match_type expr is not part of this build: use OTTL conditions, or build it without the replacement of github.com/expr-lang/expr")
}
