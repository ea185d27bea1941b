"""
Take apart the ids of interfaces, and tell which versions can stand in for one another.

By semantic versioning, releases with the same first number that is not 0 are compatible, and a
later one has all that an earlier one has. A pre-release, and a package without a version, are
compatible with themselves alone.
"""

import re

from otelwasm.wit.model import PackageName

__all__ = ["is_compatible", "parse_id", "same_interface", "track", "version_key"]

_ID = re.compile(r"([^:/@]+):([^:/@]+)/([^/@]+)(?:@(.+))?")
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:-([^+]*))?")


def parse_id(name: str) -> tuple[PackageName, str] | None:
    """
    The package and interface in a name such as `otelwasm:plugin/log@0.1.0`; None for others.
    """
    match = _ID.fullmatch(name)
    if match is None:
        return None
    namespace, package, item, version = match.groups()
    return PackageName(namespace, package, version), item


def version_key(version: str) -> tuple[tuple[int, int, int], tuple[tuple[int, int, str], ...]]:
    """
    What sorts versions as semver says: a pre-release comes before its release.
    """
    match = _VERSION.match(version)
    if match is None:
        raise ValueError(f"{version!r} is no semantic version")
    major, minor, patch, pre = match.groups()
    release = (int(major), int(minor), int(patch))
    if pre is None:
        return release, ((2, 0, ""),)
    return release, tuple(
        (0, int(part), "") if part.isdigit() else (1, 0, part) for part in pre.split(".")
    )


def track(version: str | None) -> str:
    """
    What compatible versions share: `1` of 1.4.0, `0.2` of 0.2.9, all of 0.0.3 and 1.0.0-rc.1.
    """
    if version is None:
        return ""
    numbers = version.partition("+")[0]
    if "-" in numbers:
        return numbers
    parts = numbers.split(".")
    for count, part in enumerate(parts, start=1):
        if part != "0":
            return ".".join(parts[:count])
    return numbers


def same_interface(one: str, other: str) -> bool:
    """
    Whether two ids name one interface, in whatever version.
    """
    a, b = parse_id(one), parse_id(other)
    if a is None or b is None:
        return one == other
    return (a[0].namespace, a[0].name, a[1]) == (b[0].namespace, b[0].name, b[1])


def is_compatible(one: str, other: str) -> bool:
    """
    Whether two ids name one interface in versions that are compatible.
    """
    a, b = parse_id(one), parse_id(other)
    if a is None or b is None:
        return one == other
    return same_interface(one, other) and track(a[0].version) == track(b[0].version)
