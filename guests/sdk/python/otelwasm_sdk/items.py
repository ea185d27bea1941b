"""
What a batch is made of: items (spans, log records, data points) of a resource and a scope.
"""

from typing import Any

from otelwasm_sdk.attributes import Attributes
from otelwasm_sdk.edits import Edits

__all__ = ["Item", "Part", "Resource", "Scope"]


class Part:
    """
    A view of one protobuf message in a batch that has attributes.
    """

    __slots__ = ("_attributes", "_edits", "_proto")

    def __init__(self, proto: Any, edits: Edits) -> None:
        self._proto = proto
        self._edits = edits
        self._attributes: Attributes | None = None

    @property
    def proto(self) -> Any:
        """
        The protobuf message itself, to read or to change.
        """
        self._edits.is_exposed = True
        return self._proto

    @property
    def attributes(self) -> Attributes:
        """
        Its attributes, like a dict.
        """
        if self._attributes is None:
            self._attributes = Attributes(self._proto.attributes, self._edits)
        return self._attributes


class Resource(Part):
    """
    Where telemetry comes from: a service, a host.
    """

    __slots__ = ()


class Scope(Part):
    """
    Which library made the telemetry.
    """

    __slots__ = ()

    @property
    def name(self) -> str:
        """
        The library's name.
        """
        return str(self._proto.name)

    @property
    def version(self) -> str:
        """
        The library's version; may be empty.
        """
        return str(self._proto.version)


class Item(Part):
    """
    What a signal counts: a span, a log record, a data point or a profile.
    """

    __slots__ = ("resource", "scope")

    def __init__(self, proto: Any, edits: Edits, *, resource: Resource, scope: Scope) -> None:
        super().__init__(proto, edits)
        self.resource = resource
        self.scope = scope
