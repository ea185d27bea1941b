"""
Let JSON that nests too deep raise RecursionError in Wasm, as it does elsewhere.

CPython's decoder, in C, calls itself for each list in a list and trusts the stack to tell it when
to stop. In Wasm the stack cannot be asked: it ends in a trap, and the instance with it. So the
nesting is looked at first. The encoder needs nothing: what it is given was built by Python code.
"""

import re
from itertools import accumulate
from json.decoder import JSONDecoder
from typing import Any

__all__ = ["MOST_NESTING", "limit_json"]

MOST_NESTING = 1000
_NO_BRACKETS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[^][{}"]+', re.DOTALL)


def limit_json() -> None:
    """
    Let `json.loads` raise RecursionError beyond *MOST_NESTING* levels.
    """
    decode = JSONDecoder.raw_decode

    def raw_decode(self: JSONDecoder, s: str, idx: int = 0) -> tuple[Any, int]:
        # Few brackets cannot nest deep; counting them takes next to no time.
        if (
            s.count("[", idx) + s.count("{", idx) > MOST_NESTING
            and _nesting(s[idx:]) > MOST_NESTING
        ):
            raise RecursionError(f"JSON that nests more than {MOST_NESTING} levels")
        return decode(self, s, idx)

    JSONDecoder.raw_decode = raw_decode  # type: ignore[method-assign]  # it is a patch


def _nesting(text: str) -> int:
    brackets = _NO_BRACKETS.sub("", text)
    return max(accumulate(1 if each in "[{" else -1 for each in brackets), default=0)
