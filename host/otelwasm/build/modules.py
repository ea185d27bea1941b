"""
Say why a module cannot be imported in a Python plugin, and what to do about it.
"""

import sys
from pathlib import Path

__all__ = ["instead_of", "why_missing"]

_HTTP = "otelwasm_sdk.http sends requests"
# What people reach for first, and what does it in a plugin; "" where nothing does.
_COMPILED = {
    "Cryptodome": "hashlib and hmac are there",
    "aiohttp": _HTTP,
    "cryptography": "hashlib and hmac are there",
    "grpc": _HTTP,
    "grpcio": _HTTP,
    "lxml": "xml.etree.ElementTree is there",
    "msgspec": "json and attrs are there",
    "numpy": "",
    "orjson": "json is there",
    "pandas": "",
    "polars": "",
    "pyarrow": "",
    "pycurl": _HTTP,
    "pydantic": "attrs is there",
    "pydantic-core": "attrs is there",
    "pydantic_core": "attrs is there",
    "rapidjson": "json is there",
    "re2": "re is there",
    "regex": "re is there",
    "scipy": "",
    "simdjson": "json is there",
    "sklearn": "",
    "ujson": "json is there",
}
# Pure Python, and of no use without sockets.
_NEEDS_SOCKETS = frozenset({"httpx", "requests", "urllib3"})
_STANDARD = {"ssl": _HTTP, "ctypes": ""}


def why_missing(module: str, *, beside: Path) -> str:
    """
    Say why the module of that name is not in the plugin whose file is *beside*.
    """
    top = module.partition(".")[0]
    name = top.removeprefix("_")
    is_beside = (beside.parent / f"{top}.py").is_file() or (beside.parent / top).is_dir()
    if is_beside and beside.name != "plugin.py":
        return (
            f"{top} lies beside it, but a .py file alone is the whole plugin: call it plugin.py"
            f" and name its folder, {beside.parent}, as the plugin"
        )
    if (instead := instead_of(top)) is not None:
        return instead
    if top in sys.stdlib_module_names or name in sys.stdlib_module_names:
        return f"Python has no {name} in WebAssembly{_and(_STANDARD.get(name, ''))}"
    place = "requirements.txt" if beside.name == "plugin.py" else "`# /// script` block"
    return (
        f"no package of the plugin's has a module {top}: list the one that does in its {place}; it"
        " has to be pure Python"
    )


def instead_of(package: str) -> str | None:
    """
    Say why a known package cannot be used in a plugin, and what can; None if it is not known.
    """
    if package in _NEEDS_SOCKETS:
        return f"{package} opens sockets, which plugins do not have; {_HTTP}"
    if package in _COMPILED:
        return (
            f"{package} is compiled code, which does not run in WebAssembly"
            f"{_and(_COMPILED[package])}"
        )
    return None


def _and(what: str) -> str:
    return f"; {what}" if what else ""
