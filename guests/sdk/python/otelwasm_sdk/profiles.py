"""
Profiles: batches of profiles. Their attributes stand in one table, which all of them share.
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from google.protobuf.message import Message
from opentelemetry.proto.collector.profiles.v1development.profiles_service_pb2 import (
    ExportProfilesServiceRequest,
)

from otelwasm_sdk.batch import Batch
from otelwasm_sdk.shared import SharingBatch
from otelwasm_sdk.signals import Signal
from otelwasm_sdk.views import Profile

__all__ = ["Profiles"]


class Profiles(Batch[Profile]):
    """
    Profiles; OTLP calls them still in development.
    """

    signal: ClassVar[Signal] = Signal.PROFILES
    _request: ClassVar[type[Message]] = ExportProfilesServiceRequest
    _way: ClassVar[tuple[str, str, str]] = ("resource_profiles", "scope_profiles", "profiles")
    _held_as: ClassVar[Callable[[bytes, Signal], Any]] = SharingBatch

    __slots__ = ()

    def profiles(self) -> Sequence[Profile]:
        """
        All profiles.
        """
        return self.items()
