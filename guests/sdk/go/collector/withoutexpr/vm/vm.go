// Package vm has what programs of expr would run on.
package vm

import "errors"

// Program is one that was compiled; there are none.
type Program struct{}

// VM runs programs.
type VM struct{}

// Run refuses.
func (*VM) Run(*Program, any) (any, error) { return nil, errors.New("there is no expr here") }
