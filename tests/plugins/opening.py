"""
Open instances of WAT guests in a test, and close them after it.
"""

from contextlib import ExitStack
from typing import Literal

from otelwasm.plugins.component import Component
from otelwasm.plugins.instance import Instance
from plugins.hosts import Notes
from plugins.wat import component

__all__ = ["LIMIT_BYTES", "Opening"]

LIMIT_BYTES = 64 << 20


class Opening:
    """
    Instances on one *lane*, served by one *host*.
    """

    def __init__(self, lane: Literal["bridge", "direct"], host: Notes) -> None:
        self.lane: Literal["bridge", "direct"] = lane
        self.host = host
        self._open = ExitStack()

    def __enter__(self) -> "Opening":
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def __call__(
        self,
        core: str,
        world: str = "processor",
        *,
        memory_bytes: int = LIMIT_BYTES,
        deadline_s: float = 10.0,
        realloc: str | None = None,
        host: Notes | None = None,
    ) -> Instance:
        """
        An instance of the guest whose core module is *core*.
        """
        more = {} if realloc is None else {"realloc": realloc}
        loaded = Component.load(component(core, world, **more), name="guest", lane=self.lane)
        instance = Instance(
            loaded, host or self.host, memory_bytes=memory_bytes, deadline_s=deadline_s
        )
        return self._open.enter_context(instance)
