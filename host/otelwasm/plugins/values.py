"""
Hold what WIT's `result` and nested `option` are in Python.
"""

from typing import Generic, TypeVar

import attrs

__all__ = ["Err", "Ok", "Some"]

_T_co = TypeVar("_T_co", covariant=True)
_E_co = TypeVar("_E_co", covariant=True)


@attrs.frozen
class Ok(Generic[_T_co]):
    """
    The good half of a `result`; the value is None where WIT has none.
    """

    value: _T_co


@attrs.frozen
class Err(Generic[_E_co]):
    """
    The bad half of a `result`; the error is None where WIT has none.
    """

    error: _E_co


@attrs.frozen
class Some(Generic[_T_co]):
    """
    A present value of an `option` whose value may itself be None.
    """

    value: _T_co
