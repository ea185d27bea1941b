"""
Hold what WIT's `result` and nested `option` are in Python.
"""

from typing import Generic, TypeVar

import attrs

__all__ = ["Err", "Ok", "Some"]

T_co = TypeVar("T_co", covariant=True)
E_co = TypeVar("E_co", covariant=True)


@attrs.frozen
class Ok(Generic[T_co]):
    """
    The good half of a `result`; the value is None where WIT has none.
    """

    value: T_co


@attrs.frozen
class Err(Generic[E_co]):
    """
    The bad half of a `result`; the error is None where WIT has none.
    """

    error: E_co


@attrs.frozen
class Some(Generic[T_co]):
    """
    A present value of an `option` whose value may itself be None.
    """

    value: T_co
