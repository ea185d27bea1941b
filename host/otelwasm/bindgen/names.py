"""
Turn WIT's kebab-case names into Python's, without two of them meeting.
"""

import builtins
import keyword

__all__ = ["Scope", "constant", "pascal", "snake"]

_RESERVED = frozenset(keyword.kwlist) | {"self", "cls"}


def snake(name: str) -> str:
    """
    `after-ms` -> `after_ms`; a keyword gets an underscore.
    """
    found = name.replace("-", "_").lower()
    return f"{found}_" if found in _RESERVED else found


def pascal(name: str) -> str:
    """
    `http-request` -> `HttpRequest`; a builtin gets an underscore.
    """
    found = "".join(word[:1].upper() + word[1:] for word in name.split("-"))
    return f"{found}_" if found in _RESERVED or hasattr(builtins, found) else found


def constant(name: str) -> str:
    """
    `after-ms` -> `AFTER_MS`.
    """
    return name.replace("-", "_").upper()


class Scope:
    """
    Names that are taken in one place of the generated code.
    """

    def __init__(self, taken: tuple[str, ...] = ()) -> None:
        self._taken = set(taken)

    def fresh(self, name: str, *others: str) -> str:
        """
        Take *name*, or the first of *others* that is free, or *name* with a number.
        """
        for candidate in (name, *others):
            if candidate not in self._taken:
                self._taken.add(candidate)
                return candidate
        number = 2
        while f"{name}_{number}" in self._taken:
            number += 1
        self._taken.add(f"{name}_{number}")
        return f"{name}_{number}"
