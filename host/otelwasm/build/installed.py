"""
Say which versions of packages are installed.
"""

import functools
import os
import sys

from otelwasm.errors import BuildError

__all__ = ["version_of"]


def version_of(package: str) -> str:
    """
    The version of an installed package, by the name of the folder that describes it.

    `importlib.metadata` reads the same, and imports a parser of e-mails to do so, which takes
    longer than to find a plugin that was built before; it is asked where this finds nothing.
    """
    found = _described().get(_plain(package))
    return _declared(package) if found is None else found


# Looked for once: what is installed stays while a process runs.
@functools.cache
def _described() -> dict[str, str]:
    """
    Versions by names, from folders that are called `<name>-<version>.dist-info`.
    """
    versions = {}
    for folder in reversed(sys.path):
        try:
            names = os.listdir(folder or ".")
        except OSError:
            continue  # an archive, or not there
        for name in names:
            described, dot, _ = name.rpartition(".dist-info")
            package, hyphen, version = described.partition("-")
            if dot and hyphen:
                versions[_plain(package)] = version
    return versions


def _plain(package: str) -> str:
    return package.replace("-", "_").replace(".", "_").lower()


def _declared(package: str) -> str:
    import importlib.metadata  # here, as it takes long to import

    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        raise BuildError(
            f"building a Python plugin needs the package {package}: pip install {package}"
        ) from None
