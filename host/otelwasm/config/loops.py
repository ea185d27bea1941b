"""
Find exporters that send to this program's own receivers: a batch would go round without end.

    receivers.otlp ──► traces ──► exporters.otlp ──► localhost:4317, which is receivers.otlp

Only addresses that are this machine's for certain are compared: loopback, and equal hosts.
"""

from collections.abc import Callable, Iterator, Sequence

from otelwasm.config.document import Mistake
from otelwasm.config.settings import Config
from otelwasm.otlp.endpoints import Address, is_loopback
from otelwasm.registry import Registry
from otelwasm.signals import Signal

__all__ = ["find_loops"]

_Hop = tuple[str, str, Signal]

_LOCALHOST = ("127.0.0.1", "::1")


def find_loops(config: Config, registry: Registry) -> tuple[list[Mistake], list[Mistake]]:
    """
    Return which exporters certainly make a loop, and which plugins may make one.

    What a plugin is allowed to send to it may not send to, or not what it was given: that is only
    said. A hop into another pipeline is none of either.
    """
    mistakes: dict[Mistake, None] = {}
    warnings: dict[Mistake, None] = {}
    hops = list(_hops(config, registry))
    for exporter, receiver, signal in hops:
        if exporter not in _reached(config, hops, receiver=receiver, signal=signal):
            continue
        back = f"to receivers.{receiver} of this program, from where"
        if config.exporters[exporter].kind == "wasm":
            text = f"may send {back} it would come back, without end; is that URL meant?"
            warnings[Mistake(("exporters", exporter), text)] = None
        else:
            text = f"sends {signal.label} {back} they come back, without end; send them elsewhere"
            mistakes[Mistake(("exporters", exporter), text)] = None
    return list(mistakes), list(warnings)


def _hops(config: Config, registry: Registry) -> Iterator[_Hop]:
    """
    Each exporter with a receiver of ours that it sends a signal to.
    """
    listed = {name for pipeline in config.pipelines for name in pipeline.receivers}
    listening = [
        (name, address)
        for name, each in config.receivers.items()
        if name in listed
        for address in registry.receivers[each.kind]().listens_at(each.settings)
    ]
    for pipeline in config.pipelines:
        for name in pipeline.exporters:
            each = config.exporters[name]
            sends_to: Callable[..., Sequence[Address]] = registry.exporters[each.kind]().sends_to
            for target in sends_to(each.settings, pipeline.signal):
                for receiver, address in listening:
                    if _is_same(target, address):
                        yield name, receiver, pipeline.signal


def _reached(config: Config, hops: Sequence[_Hop], *, receiver: str, signal: Signal) -> set[str]:
    """
    The exporters that get what *receiver* takes of *signal*, at once or by way of other receivers.
    """
    found: set[str] = set()
    receivers, new = {receiver}, {receiver}
    while new:
        found |= {
            exporter
            for pipeline in config.pipelines
            if pipeline.signal is signal and new & {*pipeline.receivers}
            for exporter in pipeline.exporters
        }
        new = {to for exporter, to, of in hops if of is signal and exporter in found} - receivers
        receivers |= new
    return found


def _is_same(target: Address, listening: Address) -> bool:
    """
    Say whether who sends to *target* certainly reaches who listens at *listening*.
    """
    if target.port != listening.port:
        return False
    return target.host == listening.host or any(
        _takes(listening.host, address) for address in _addresses(target.host)
    )


def _addresses(host: str) -> tuple[str, ...]:
    """
    What a *host* to send to stands for, as far as that is this very machine.
    """
    if host in ("", "0.0.0.0", "::"):
        return _LOCALHOST
    if not is_loopback(host):
        return ()
    return _LOCALHOST if host.endswith("localhost") else (host,)


def _takes(host: str, address: str) -> bool:
    if host in ("0.0.0.0", "::"):
        return (":" in address) == (":" in host)
    return host == "" or address == host or (host == "localhost" and address in _LOCALHOST)
