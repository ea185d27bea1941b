"""
Split WIT text into tokens, and point at a place in it when something is wrong there.
"""

import re
from collections.abc import Iterator

import attrs

from otelwasm.errors import WitError

__all__ = ["Source", "Token", "is_keyword", "tokenize", "unquote"]

_KEYWORD = re.compile(
    r"as|async|bool|borrow|char|constructor|enum|error-context|export|f32|f64|flags|from|func"
    r"|future|import|include|interface|list|map|option|own|package|record|resource|result"
    r"|s8|s16|s32|s64|static|stream|string|tuple|type|u8|u16|u32|u64|use|variant|with|world|_"
)
_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\n]+)
  | (?P<line>//[^\n]*)
  | (?P<block>/\*)
  | (?P<id>%?[^\W\d][\w-]*|%?-[\w-]+|%)
  | (?P<integer>[0-9]+)
  | (?P<string>")
  | (?P<mark>->|[=,:.;(){}<>*@/+-])
    """,
    re.VERBOSE,
)
_STRING = re.compile(
    r'"(?:[^"\\\x00-\x1f\x7f]|\\(?:["\'tnr\\]|u\{[0-9a-fA-F_]+\}|[0-9a-fA-F]{2}))*"'
)
_ESCAPE = re.compile(r"""\\(?:(["'tnr\\])|u\{([0-9a-fA-F_]+)\}|([0-9a-fA-F]{2}))""")
_ESCAPED = {"t": "\t", "n": "\n", "r": "\r"}
_BLOCK_EDGE = re.compile(r"/\*|\*/")

_REFUSED = re.compile(
    r"(?P<control>[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f])"
    r"|(?P<direction>[\u202a-\u202e\u2066-\u2069])"
    r"|[\u0149\u0673\u0f77\u0f79\u17a3\u17a4\u17b4\u17b5]"
)
_REASONS = {
    "control": "is a control character and is not allowed",
    "direction": "changes the direction of text and is not allowed",
    None: "is deprecated by Unicode and is not allowed",
}


@attrs.frozen
class Source:
    """
    One file's name and text.
    """

    name: str
    text: str = attrs.field(repr=False)

    def error(self, at: int, message: str, *, length: int = 1) -> WitError:
        """
        An error that shows *length* characters at offset *at* of this file.
        """
        start = self.text.rfind("\n", 0, at) + 1
        end = self.text.find("\n", start)
        line = self.text[start : end if end >= 0 else None].rstrip("\r")
        number = self.text.count("\n", 0, at) + 1
        column = at - start
        if len(line) > 200:
            cut = max(0, column - 80)
            line, shown = line[cut : cut + 160], column - cut
        else:
            shown = column
        indent = "".join("\t" if char == "\t" else " " for char in line[:shown])
        carets = "^" * max(1, min(length, len(line) - shown))
        return WitError(
            f"{self.name}:{number}:{column + 1}: {message}\n    {line}\n    {indent}{carets}"
        )


@attrs.frozen
class Token:
    """
    One word or mark; *docs* are the doc comments right before it.
    """

    kind: str
    text: str
    at: int
    docs: str = ""

    @property
    def end(self) -> int:
        """
        The offset behind it.
        """
        return self.at + len(self.text)

    def __str__(self) -> str:
        match self.kind:
            case "end":
                return "the end of the file"
            case "keyword":
                return f"the keyword `{self.text}`"
            case _:
                return f"`{self.text}`"


def is_keyword(word: str) -> bool:
    """
    Whether *word* is a name only with `%` before it.
    """
    return _KEYWORD.fullmatch(word) is not None


def tokenize(source: Source) -> list[Token]:
    """
    All tokens of *source*, closed by one of kind `end`.

    Kinds: `id` (with its `%`, if it has one), `keyword`, `integer`, `string`, `mark`, `end`.
    """
    if refused := _REFUSED.search(source.text):
        code = f"U+{ord(refused[0]):04X}"
        raise source.error(refused.start(), f"{code} {_REASONS[refused.lastgroup]}")
    return list(_tokens(source))


def _tokens(source: Source) -> Iterator[Token]:
    text = source.text
    at = 1 if text.startswith("\ufeff") else 0
    docs: list[str] = []
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise source.error(at, f"unexpected character {text[at]!r}")
        start, at = at, match.end()
        match match.lastgroup:
            case "space":
                continue
            case "line":
                if match[0].startswith("///"):
                    docs.append(match[0][3:].rstrip("\r"))
                continue
            case "block":
                at = _block_end(source, start)
                if text.startswith("/**", start) and at - start > 4:
                    docs.extend(_block_docs(text[start + 3 : at - 2]))
                continue
            case "string":
                string = _STRING.match(text, start)
                if string is None:
                    raise source.error(start, "a string that does not end or has a bad escape")
                at = string.end()
                kind, word = "string", string[0]
            case "id":
                word = match[0]
                kind = "keyword" if is_keyword(word) else "id"
            case kind:
                word = match[0]
        yield Token(str(kind), word, start, _joined(docs))
        docs = []
    yield Token("end", "", len(text.rstrip()), _joined(docs))


def unquote(source: Source, token: Token) -> str:
    """
    What a string token means.
    """

    def replace(match: re.Match[str]) -> str:
        simple, code, byte = match.groups()
        if simple:
            return _ESCAPED.get(simple, simple)
        value = int(code.replace("_", "") or "0", 16) if code else int(byte, 16)
        if value > 0x10FFFF or 0xD800 <= value < 0xE000:
            raise source.error(token.at, f"\\u{{{code}}} is no character", length=len(token.text))
        return chr(value)

    return _ESCAPE.sub(replace, token.text[1:-1])


def _block_end(source: Source, start: int) -> int:
    depth = 0
    at = start
    while edge := _BLOCK_EDGE.search(source.text, at):
        at = edge.end()
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return at
    raise source.error(start, "a comment that is not closed; expected `*/`", length=2)


def _block_docs(text: str) -> list[str]:
    lines = text.strip("\n").split("\n")
    return [re.sub(r"^\s*\* ?", " ", line).rstrip() for line in lines]


def _joined(docs: list[str]) -> str:
    """
    Doc lines as one text; the one space that usually follows the slashes goes.
    """
    if not docs:
        return ""
    return "\n".join(line.removeprefix(" ").rstrip() for line in docs).strip("\n")
