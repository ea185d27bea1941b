"""
Put values of the environment where a configuration says `${env:NAME}`.
"""

import os
import re

__all__ = ["Substituted", "substitute"]

# What is written as `${1}` is text: a replacement for a regular expression.
_REFERENCE = re.compile(
    r"\$\$|\$\{env:(?P<name>[^}:]*)(?P<rest>[^}]*)\}|\$\{(?P<other>[A-Za-z_]\w*(:[^}]*)?)\}"
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Substituted(str):
    """
    A whole value that came from the environment: text that may stand for a number, too.
    """


def substitute(text: str) -> str:
    """
    Replace each `${env:NAME}` and `${env:NAME:-default}` in *text*, and `$$` by `$`.
    """
    whole = _REFERENCE.fullmatch(text)
    value = _REFERENCE.sub(_value, text)
    return Substituted(value) if whole and whole["name"] is not None else value


def _value(match: re.Match[str]) -> str:
    name, rest = match["name"], match["rest"]
    if other := match["other"]:
        meant = f"${{env:{other}}}" if _NAME.fullmatch(other) else "${env:NAME}"
        raise ValueError(
            f"{match[0]}: an environment variable is written {meant}, and the text itself"
            f" ${match[0]}"
        )
    if name is None:
        return "$"
    if not _NAME.fullmatch(name) or (rest and not rest.startswith(":-")):
        raise ValueError(f"{match[0]}: expected ${{env:NAME}} or ${{env:NAME:-default}}")
    value = os.environ.get(name)
    if value is not None:
        return value
    if not rest:
        raise ValueError(
            f"environment variable {name} is not set; set it, or give a default: "
            f"${{env:{name}:-value}}"
        )
    return rest.removeprefix(":-")
