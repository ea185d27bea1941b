"""
Values as texts, as the Collector writes them (its `AsString`), whatever a plugin is written in.
"""

import json
import math
from base64 import b64encode
from collections.abc import Mapping

__all__ = ["text_of"]


def text_of(value: object) -> str:
    """
    Write the value of an attribute, or of a log record's body, as the Collector does.

    A text stays as it is, a truth value becomes `true` or `false`, bytes become Base64, lists and
    maps JSON, and no value the empty text. Patterns in conditions are matched against this.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _double(value)
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, list | tuple | Mapping):
        try:
            return _json(value)
        except ValueError:
            return ""  # as by the Collector: JSON has no way to say NaN or an infinity
    return str(value)


def _json(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_json, value))}]"
    if isinstance(value, Mapping):
        pairs = (f"{_quoted(key)}:{_json(member)}" for key, member in sorted(value.items()))
        return f"{{{','.join(pairs)}}}"
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("JSON has no such number")
    if value is None or value == b"":
        return "null"
    return _quoted(text_of(value)) if isinstance(value, str | bytes) else text_of(value)


def _quoted(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return quoted.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _double(value: float) -> str:
    """
    As few digits as tell the number apart, with an exponent below 1e-6 and from 1e21 on.
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    digits, _, exponent = repr(value).removesuffix(".0").partition("e")
    power = int(exponent or 0)
    if not exponent or not -7 < power < 21:
        return f"{digits}e{power:+d}" if exponent else digits
    sign, digits = "-" if value < 0 else "", digits.lstrip("-").replace(".", "")
    return sign + (digits.ljust(power + 1, "0") if power > 0 else f"0.{'0' * (-power - 1)}{digits}")
