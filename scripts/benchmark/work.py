"""
The same work on the same bytes: native Go, native CPython, and our plugins in each language.
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack

from benchmark.guests import Guests
from benchmark.native import NativeGo, extism, native_rewrite, native_set_attribute
from benchmark.payloads import SIZES, described, payload
from benchmark.rounds import Timed, Took, in_turns, timed
from benchmark.session import Session
from benchmark.tables import Chart, LeftOut, Table, figure
from otelwasm.errors import BuildError

__all__ = ["work"]

_SET, _REWRITE = "set one", "read and rewrite one, in a loop"
_GO = (_SET, "native Go: the Collector's attributes processor")
_EXTISM = (_SET, "Extism's Python SDK, a Go guest with pdata")
_NATIVE = {_SET: native_set_attribute, _REWRITE: native_rewrite}
# What is done, and who does it -> the plugin, its lane, its configuration.
_PLUGINS = {
    (_SET, "Python plugin, views, direct lane"): ("set_attribute", "direct", {}),
    (_SET, "Python plugin, views, bridge lane"): ("set_attribute", "bridge", {}),
    (_SET, "Python plugin, decoded, direct lane"): ("decoded", "direct", {}),
    (_REWRITE, "Python plugin, views, direct lane"): ("rewrite", "direct", {}),
    (_REWRITE, "Python plugin, views, bridge lane"): ("rewrite", "bridge", {}),
    (_REWRITE, "Python plugin, decoded, direct lane"): ("decoded", "direct", {"rewrite": True}),
}
_ENV = {"key": "env", "value": "prod"}
# The same for languages that need a toolchain: without it, a row is left out.
_COMPILED = {
    (_SET, "Rust plugin, views, direct lane"): ("add-attribute/rust", "direct", _ENV),
    (_SET, "Rust plugin, views, bridge lane"): ("add-attribute/rust", "bridge", _ENV),
    (_SET, "Rust plugin, decoded (prost), direct lane"): ("decoded/rust", "direct", {}),
    (_SET, "Go plugin, decoded (pdata), direct lane"): ("add-attribute/go", "direct", _ENV),
    (_SET, "Go plugin, decoded (proto/otlp), direct lane"): ("decoded/go", "direct", {}),
}
_Key = tuple[str, str]
_Figures = dict[_Key, dict[int, Took]]


def work(session: Session) -> Table:
    """
    Measure each size in turns: set an attribute of each span; read and rewrite one of each.
    """
    table = Table(
        "The same work: one attribute of each span",
        ["", "", *(f"{described(spans)}, us" for spans in SIZES)],
        labels=2,
        notes=[
            "Each cell: elapsed microseconds a batch (its ratio to native Go's; the ratio of "
            "processor time, on all cores). Native Go's figure is for setting one, in all rows."
        ],
    )
    took: _Figures = {}
    with ExitStack() as stack:
        guests = stack.enter_context(Guests.open(session.report))
        go = None
        try:
            go = stack.enter_context(NativeGo.running(session.report))
        except LeftOut as reason:
            table.notes.append(f"Left out: {_GO[1]}: {reason}.")
        plugins: dict[_Key, Callable[[bytes], object]] = {
            key: guests.instance(source, lane, **config)
            for key, (source, lane, config) in _PLUGINS.items()
        }
        for key, (source, lane, config) in _COMPILED.items():
            try:
                plugins[key] = guests.instance(source, lane, **config)
            except BuildError as error:
                table.notes.append(f"Left out: {key[1]}: {error}.")
        in_thread = (_SET, "Python plugin, views, direct lane, Plugin with its thread")
        plugins[in_thread] = guests.plugin("set_attribute", "direct")
        try:
            plugins[_EXTISM] = extism(session.report)
        except LeftOut as reason:
            table.notes.append(f"Left out: {_EXTISM[1]}: {reason}.")
        for spans in SIZES:
            runs = _runs(payload(spans), plugins)
            if go is not None:
                runs[_GO] = go.on(session.file(spans))
            for key, each in in_turns(runs, seconds=session.seconds * 4).items():
                took.setdefault(key, {})[spans] = each
    for case in _NATIVE:
        rows = sorted((key for key in took if key[0] == case), key=lambda key: _cpu_s(took, key))
        for key in rows:
            table.add(*key, *(_cell(took, key, spans) for spans in SIZES))
        table.charts.append(_chart(case, rows, took))
    return table


def _runs(data: bytes, plugins: Mapping[_Key, Callable[[bytes], object]]) -> dict[_Key, Timed]:
    runs = {
        (case, "native CPython with upb"): timed(native(data)) for case, native in _NATIVE.items()
    }
    for key, run in plugins.items():
        runs[key] = timed(lambda run=run: run(data))
    return runs


def _cpu_s(took: _Figures, key: _Key) -> float:
    return took[key][1_000].cpu_s


def _cell(took: _Figures, key: _Key, spans: int) -> str:
    each = took[key][spans]
    shown = figure(each.elapsed_s * 1e6)
    if _GO not in took:
        return shown
    go = took[_GO][spans]
    return f"{shown} ({each.elapsed_s / go.elapsed_s:.2f}x; {each.cpu_s / go.cpu_s:.2f}x)"


def _chart(case: str, rows: list[_Key], took: _Figures) -> Chart:
    """
    Plot ratios to native Go where that ran, else times.
    """
    has_go = _GO in took
    groups: dict[str, dict[str, float | None]] = {}
    for spans in SIZES:
        unit_s = took[_GO][spans].cpu_s if has_go else 1e-6
        groups[described(spans)] = {key[1]: took[key][spans].cpu_s / unit_s for key in rows}
    unit = "processor time, x native Go's" if has_go else "us of processor time"
    name = case.replace(",", "").replace(" ", "-")
    return Chart(f"work-{name}", f"One attribute of each span: {case}", unit, groups)
