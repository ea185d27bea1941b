"""
Let a Wasm plugin receive: the host owns the sockets and the clock, and calls it.

    http ──► desk ─────┐
    tcp ──► courier ───┼─► plugin's receive ──► emit ──► the pipelines that list the receiver
    udp ──► courier ───┤                                        │
    poll_interval ─────┴─► plugin's poll        the sender hears what they answer, from the plugin

A message that ends an instance is given to a fresh one, once: what the plugin emitted for it
before that it may emit again.
"""

import asyncio
import socket
from collections.abc import Mapping
from concurrent.futures import Future
from time import monotonic
from typing import Protocol

import attrs
import structlog

from otelwasm.config.plugin import PluginConfig
from otelwasm.config.values import ByteSize, Duration, at_least
from otelwasm.http.server import HttpServer
from otelwasm.messages import Message, Reply
from otelwasm.otlp.endpoints import Address
from otelwasm.pipeline.delivery import RetryConfig
from otelwasm.pipeline.emitting import Emitting
from otelwasm.pipeline.plugin import HostedPlugin, LoadedPlugin, LoadPlugin
from otelwasm.pipeline.quarantine import Quarantine
from otelwasm.pipeline.queue import PER_BATCH_BYTES, ByteBudget
from otelwasm.pipeline.step import ConsumerFor
from otelwasm.receivers.courier import Courier
from otelwasm.receivers.listening import bind
from otelwasm.receivers.plugin_http import HttpConfig, HttpDesk
from otelwasm.receivers.polling import Poller
from otelwasm.receivers.tcp import TcpConfig, TcpServer
from otelwasm.receivers.udp import UdpConfig, UdpServer
from otelwasm.signals import Signal
from otelwasm.telemetry import Telemetry

__all__ = ["ListenConfig", "PluginReceiver", "ReceiverConfig", "ReceivingPlugin"]

_log = structlog.get_logger(__name__)


class ReceivingPlugin(LoadedPlugin, Protocol):
    """
    What a receiver needs of its loaded plugin.
    """

    def submit_receive(self, message: Message) -> "Future[Reply]":
        """
        Give the guest one message, on a worker's thread.
        """

    def submit_poll(self) -> "Future[float | None]":
        """
        Have the guest look for what is new; the seconds until the next call, if it says.
        """


@attrs.frozen
class ListenConfig:
    """
    What the host listens for on the plugin's behalf: one of them, or several.
    """

    http: HttpConfig | None = None
    """Listen for HTTP requests."""
    tcp: TcpConfig | None = None
    """Listen for tcp streams of messages."""
    udp: UdpConfig | None = None
    """Listen for udp datagrams, each of them a message."""

    def __attrs_post_init__(self) -> None:
        if self.http is None and self.tcp is None and self.udp is None:
            raise ValueError('name http, tcp or udp, such as `listen: {http: "localhost:8088"}`')


@attrs.frozen
class ReceiverConfig(PluginConfig):
    """
    One `wasm/<name>` of the receivers: it listens, it polls, or both.

    *retry_on_failure* is for messages of tcp and udp, whose senders cannot be asked to come again.
    """

    listen: ListenConfig | None = None
    """What the host listens for; each message is one call of `receive`."""
    poll_interval: Duration | None = attrs.field(
        default=None, validator=attrs.validators.optional(at_least(Duration(0.001)))
    )
    """
    `poll` is called at the start and then so often; what it returns sets another pace, failures
    slow it down.
    """
    retry_on_failure: RetryConfig = attrs.field(default=RetryConfig(initial_interval=Duration(1)))
    """How messages of tcp and udp are tried again, whose senders cannot be asked to."""

    def __attrs_post_init__(self) -> None:
        if self.listen is None and self.poll_interval is None:
            raise ValueError(
                'nothing would call it: name listen, such as `listen: {http: "localhost:8088"}`, '
                "poll_interval, or both"
            )
        for key, size in self._largest().items():
            if size + PER_BATCH_BYTES > self.limits.waiting:
                raise ValueError(
                    f"limits.waiting, which is {self.limits.waiting}, has no room for a message "
                    f"of {key}, which is {size} (and {PER_BATCH_BYTES} B around it); raise the "
                    "one or lower the other"
                )

    def addresses(self) -> list[Address]:
        """
        Where it listens for what HTTP clients send.
        """
        http = None if self.listen is None else self.listen.http
        return [] if http is None else [Address.parse(http.endpoint)]

    def _largest(self) -> Mapping[str, ByteSize]:
        """
        How large a message may be, by the keys that say so.
        """
        sizes = {}
        if self.listen is not None and self.listen.http is not None:
            sizes["listen.http.max_request_body_size"] = self.listen.http.max_request_body_size
        if self.listen is not None and self.listen.tcp is not None:
            sizes["listen.tcp.max_message_size"] = self.listen.tcp.max_message_size
        return sizes


class PluginReceiver:
    """
    One plugin with its instances, and what calls it.
    """

    def __init__(
        self,
        component: str,
        config: ReceiverConfig,
        consumer_for: ConsumerFor,
        *,
        load: LoadPlugin[ReceivingPlugin],
        quarantine: Quarantine,
        telemetry: Telemetry,
    ) -> None:
        calls = {"receive": "listen"} if config.listen is not None else {}
        if config.poll_interval is not None:
            calls["poll"] = "poll_interval"
        self.plugin = HostedPlugin(
            component, config, world="receiver", load=load, telemetry=telemetry, calls=calls
        )
        self._id = component.partition("/")[2]
        self._component = component
        self._config = config
        self._consumer_for = consumer_for
        self._telemetry = telemetry
        name = self.plugin.name
        self._emitting = Emitting(component, name, consumer_for=consumer_for, quarantine=quarantine)
        self._budget = ByteBudget(f"plugin '{name}'", limit_bytes=config.limits.waiting)
        self._courier = Courier(
            component, name, take=self._take, retry=config.retry_on_failure, telemetry=telemetry
        )
        self._http: HttpServer | None = None
        self._tcp: TcpServer | None = None
        self._udp: UdpServer | None = None
        self._poller: Poller | None = None
        telemetry.watch_queue(component, self._budget)

    @property
    def http_port(self) -> int | None:
        """
        The port bound for HTTP, once started.
        """
        return None if self._http is None else self._http.port

    @property
    def tcp_port(self) -> int | None:
        """
        The port bound for tcp, once started.
        """
        return None if self._tcp is None else self._tcp.port

    @property
    def udp_port(self) -> int | None:
        """
        The port bound for udp, once started.
        """
        return None if self._udp is None else self._udp.port

    async def load(self) -> None:
        """
        Load the plugin and start its instances; raises SetupError.
        """
        self._emitting.open()
        await self.plugin.start(self._emitting.emit)
        for signal in Signal:
            if self._consumer_for(signal) is not None and not self.plugin.handles(signal):
                _log.warning(
                    "a pipeline lists a receiver that does not emit its signal",
                    owner=f"receiver {self._id!r}",
                    signal=signal.label,
                )

    async def start(self) -> None:
        """
        Listen and poll; raises SetupError if an endpoint cannot be had.
        """
        config = self._config
        if config.listen is not None:
            self._bind(config.listen)
            for server in (self._http, self._tcp, self._udp):
                if server is not None:
                    await server.start()
        if config.poll_interval is not None:
            self._poller = Poller(self.plugin.name, self._poll, interval=config.poll_interval)
            self._poller.start()

    async def stop(self, deadline: float) -> None:
        """
        Take no more, finish what is in flight until *deadline* (the loop's time), and have the
        plugin emit what it holds back.
        """
        self._courier.hurry()
        left_s = max(0.0, deadline - asyncio.get_running_loop().time())
        async with asyncio.TaskGroup() as stops:
            if self._http is not None:
                stops.create_task(self._http.close(grace_s=left_s))
            for each in (self._tcp, self._udp, self._poller):
                if each is not None:
                    stops.create_task(each.stop(deadline))
        self._emitting.finish_by(deadline)
        await self.plugin.stop(deadline)
        self._courier.close()

    def _bind(self, listen: ListenConfig) -> None:
        """
        Take the addresses of all servers, before any of them accepts anything.
        """
        name, budget = self.plugin.name, self._budget
        if listen.http is not None:
            desk = HttpDesk(
                self._component, name, take=self._take, budget=budget, telemetry=self._telemetry
            )
            tls = None if listen.http.tls is None else listen.http.tls.ssl_context()
            self._http = HttpServer(
                desk.answer,
                bind(Address.parse(listen.http.endpoint), owner=f"receiver {self._id!r}"),
                tls=tls,
                limits=listen.http.limits,
            )
        if listen.tcp is not None:
            tls = None if listen.tcp.tls is None else listen.tcp.tls.ssl_context()
            self._tcp = TcpServer(
                listen.tcp,
                bind(Address.parse(listen.tcp.endpoint), owner=f"receiver {self._id!r}"),
                name=name,
                courier=self._courier,
                budget=budget,
                tls=tls,
            )
        if listen.udp is not None:
            address = Address.parse(listen.udp.endpoint)
            self._udp = UdpServer(
                bind(address, owner=f"receiver {self._id!r}", kind=socket.SOCK_DGRAM),
                courier=self._courier,
                budget=budget,
                # So that an instance finds the next one there when it is done.
                at_once=2 * self._config.instances,
            )

    async def _take(self, message: Message) -> Reply:
        began = monotonic()
        try:
            return await self.plugin.call(lambda plugin: plugin.submit_receive(message))
        finally:
            self._telemetry.time(self._component, monotonic() - began)

    async def _poll(self) -> float | None:
        outcome = "failed"
        try:
            pace_s = await self.plugin.call(lambda plugin: plugin.submit_poll())
            outcome = "done"
            return pace_s
        finally:
            self._telemetry.count_call("polls", self._component, outcome)
