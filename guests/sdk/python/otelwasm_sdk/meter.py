"""
Count and measure, in the host's own metrics: `meter.add("spans.dropped", 3, reason="noise")`.
"""

from otelwasm_sdk.host import current_host, pairs_of

__all__ = ["add", "observe"]


def add(name: str, amount: float = 1, /, **attributes: object) -> None:
    """
    Add *amount* to the counter *name*.
    """
    current_host().add(str(name), float(amount), pairs_of(attributes))


def observe(name: str, value: float, /, **attributes: object) -> None:
    """
    Record *value* in the distribution *name*.
    """
    current_host().observe(str(name), float(value), pairs_of(attributes))
