"""
Bring the standard library's common modules into a plugin's image.

At run time there are no files: what was not imported while the component was made cannot be
imported later. Most of these are imported by somebody anyway; the rest is what plugins' code, or
the standard library itself, imports inside of functions.
"""

import importlib
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

__all__ = ["close_imports", "preload"]

_MODULES = """
abc ast base64 binascii bisect calendar cmath codecs collections collections.abc colorsys
configparser contextlib contextvars copy csv dataclasses datetime decimal difflib email.utils enum
fnmatch fractions functools gc gzip hashlib heapq hmac html html.entities http inspect io ipaddress
itertools json keyword linecache logging math mimetypes numbers operator pathlib pprint queue
quopri random re reprlib secrets shlex statistics string struct sys textwrap threading time token
tokenize traceback types typing unicodedata urllib.parse uuid warnings weakref zlib zoneinfo
_colorize _pydatetime _strptime
encodings.ascii encodings.base64_codec encodings.cp1252 encodings.hex_codec encodings.idna
encodings.iso8859_1 encodings.iso8859_15 encodings.latin_1 encodings.punycode
encodings.raw_unicode_escape encodings.unicode_escape encodings.utf_16 encodings.utf_16_be
encodings.utf_16_le encodings.utf_32 encodings.utf_8 encodings.utf_8_sig
"""


def preload() -> None:
    """
    Import them all.
    """
    for name in _MODULES.split():
        importlib.import_module(name)


def close_imports() -> None:
    """
    From now on, say why a module that is not there yet cannot be imported.
    """
    sys.meta_path.append(_TooLate())


class _TooLate:
    """
    An importer that is asked last, and has nothing.
    """

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """
        Refuse.
        """
        raise ModuleNotFoundError(
            f"no module {name!r} in the plugin's image; import it at the top of the plugin's file:"
            " imports happen while the plugin is built",
            name=name,
        )
