"""
Decide by its `@since`, `@unstable` and `@deprecated` gates whether an item is part of a contract.
"""

from collections.abc import Set

import attrs

from otelwasm.wit.ids import version_key
from otelwasm.wit.lexer import Source
from otelwasm.wit.model import PackageName
from otelwasm.wit.syntax import Gate
from otelwasm.wit.types import Stability

__all__ = ["Gatekeeper"]


@attrs.frozen
class Gatekeeper:
    """
    Knows which features are asked for; None asks for all.
    """

    features: Set[str] | None

    def admits(self, stability: Stability | None) -> bool:
        """
        Whether an item with these gates is part of the contract.
        """
        if stability is None or stability.feature is None or self.features is None:
            return True
        return stability.feature in self.features

    def read(
        self, gates: tuple[Gate, ...], package: PackageName, *, source: Source
    ) -> Stability | None:
        """
        What *gates* say together; WitError if they contradict each other or the package.
        """
        found: dict[str, Gate] = {}
        for gate in gates:
            if gate.name in found:
                raise source.error(gate.at, f"`@{gate.name}` stands twice on one item")
            found[gate.name] = gate
        since, unstable = found.get("since"), found.get("unstable")
        deprecated = found.get("deprecated")
        if since and unstable:
            raise source.error(since.at, "an item is `@since` or `@unstable`, not both")
        if deprecated and not since and not unstable:
            raise source.error(
                deprecated.at, "`@deprecated` needs `@since` or `@unstable` beside it"
            )
        if since:
            self._check_since(since, package, source=source)
        if not since and not unstable:
            return None
        return Stability(
            since=since.value if since else None,
            feature=unstable.value if unstable else None,
            deprecated=deprecated.value if deprecated else None,
        )

    def _check_since(self, since: Gate, package: PackageName, *, source: Source) -> None:
        if package.version is None:
            raise source.error(since.at, f"`@since` needs a version on package {package}")
        if version_key(since.value) > version_key(package.version):
            raise source.error(
                since.at,
                f"`@since` names version {since.value}, which is later than package {package}",
            )
