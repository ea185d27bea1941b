"""
Bring into a plugin's image what is imported inside of functions.

At run time there are no files: what was not imported while the component was made cannot be
imported later. A plugin's own imports stand at the top of its files and need nothing; but
codecs, and some parts of the standard library, are looked for only when they are used.
"""

import importlib
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

__all__ = ["close_imports", "preload"]

_MODULES = """
base64 bisect collections copy datetime decimal enum fnmatch functools hashlib heapq hmac ipaddress
itertools json linecache math operator random re string struct textwrap time traceback unicodedata
urllib.parse uuid zlib
_colorize _strptime
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
            f"{name!r} was not imported as the plugin started: imports stand at the top of its"
            " files, not inside of functions",
            name=name,
        )
