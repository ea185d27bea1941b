"""
Walk over the tokens of one file: look ahead, take what is expected, complain about the rest.
"""

import re
from collections.abc import Callable
from typing import TypeVar

from otelwasm.errors import WitError
from otelwasm.wit.lexer import Source, Token, tokenize
from otelwasm.wit.model import PackageName
from otelwasm.wit.syntax import Id, Path

__all__ = ["Cursor"]

_T = TypeVar("_T")

_PART = re.compile(r"[a-z0-9]+|[A-Z0-9]+")
_NUMBER = r"(?:0|[1-9][0-9]*)"
_PRE_RELEASE = rf"(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(?![0-9A-Za-z-])"
_VERSION = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}"
    rf"(?:-{_PRE_RELEASE}(?:\.{_PRE_RELEASE})*)?"
    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
    r"(?![0-9A-Za-z])"
)


class Cursor:
    """
    A place among the tokens of *source*.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self._tokens = tokenize(source)
        self._place = 0

    @property
    def token(self) -> Token:
        """
        The token to come.
        """
        return self._tokens[self._place]

    @property
    def keyword(self) -> str:
        """
        The keyword to come; empty if it is something else.
        """
        return self.token.text if self.token.kind == "keyword" else ""

    @property
    def docs(self) -> str:
        """
        The doc comment before the token to come.
        """
        return self.token.docs

    def ahead(self, count: int) -> Token:
        """
        The token *count* places further on.
        """
        return self._tokens[min(self._place + count, len(self._tokens) - 1)]

    def take(self) -> Token:
        """
        The token to come, and step over it; the end of the file stays.
        """
        token = self.token
        self._place = min(self._place + 1, len(self._tokens) - 1)
        return token

    def mark(self) -> int:
        """
        Where this is, for `rewind`.
        """
        return self._place

    def rewind(self, mark: int) -> None:
        """
        Go back to *mark*.
        """
        self._place = mark

    def eat(self, text: str) -> Token | None:
        """
        Take the mark or keyword *text* if it comes next.
        """
        token = self.token
        return self.take() if token.text == text and token.kind in ("mark", "keyword") else None

    def expect(self, text: str) -> Token:
        """
        Take the mark or keyword *text*, or complain.
        """
        token = self.eat(text)
        if token is None:
            raise self.unexpected(f"`{text}`")
        return token

    def id(self) -> Id:
        """
        Take an identifier.
        """
        token = self.token
        if token.kind != "id":
            hint = f"; to use it as a name write `%{token.text}`" if token.kind == "keyword" else ""
            raise self.error(token, f"expected an identifier, found {token}{hint}")
        name = token.text.removeprefix("%")
        for place, part in enumerate(name.split("-")):
            if not _PART.fullmatch(part) or (place == 0 and part[0].isdigit()):
                raise self.error(
                    token,
                    f"{token} is no identifier; expected words of one case (lower or upper), "
                    "joined by single hyphens, beginning with a letter",
                )
        self.take()
        return Id(name, token.at, len(token.text))

    def several(self, end: str, item: Callable[[], _T]) -> list[_T]:
        """
        Take *item*s between commas up to the mark *end*; a last comma does no harm.
        """
        found: list[_T] = []
        while not self.eat(end):
            found.append(item())
            if not self.eat(","):
                if not self.eat(end):
                    raise self.unexpected(f"`,` or `{end}`")
                break
        return found

    def version(self) -> str:
        """
        Take a semantic version.
        """
        match = _VERSION.match(self.source.text, self.token.at)
        if match is None:
            raise self.unexpected("a version such as `0.1.0`")
        while self.token.at < match.end() and self.token.kind != "end":
            self.take()
        return match[0]

    def path(self) -> Path:
        """
        Take `name` or `namespace:package/name@version`.
        """
        first = self.id()
        if not self.eat(":"):
            return Path(first)
        package = self.id()
        self.expect("/")
        name = self.id()
        version = self.version() if self.eat("@") else None
        return Path(name, PackageName(first.text, package.text, version))

    def unexpected(self, expected: str) -> WitError:
        """
        The complaint that something else than *expected* comes next.
        """
        return self.error(self.token, f"expected {expected}, found {self.token}")

    def error(self, place: Token | Id, message: str) -> WitError:
        """
        A complaint about *place*.
        """
        length = place.length if isinstance(place, Id) else len(place.text)
        return self.source.error(place.at, message, length=max(1, length))
