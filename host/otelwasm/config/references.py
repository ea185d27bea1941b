"""
Check which components the pipelines name: all exist, each stands where it can work.
"""

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from otelwasm.config.document import Mistake
from otelwasm.config.settings import PipelineConfig, RouteConfig
from otelwasm.config.structure import did_you_mean
from otelwasm.signals import Signal

__all__ = ["check_references", "read_pipelines"]

_SIGNALS = {signal.label: signal for signal in Signal}
_PIPELINES = ("service", "pipelines")


def read_pipelines(
    routes: Mapping[str, RouteConfig],
) -> tuple[tuple[PipelineConfig, ...], list[Mistake]]:
    """
    Read the signal out of each pipeline's id.
    """
    pipelines: list[PipelineConfig] = []
    mistakes: list[Mistake] = []
    if not routes:
        mistakes.append(Mistake(_PIPELINES, "no pipelines; nothing would run"))
    for name, route in routes.items():
        label, slash, rest = name.partition("/")
        if label not in _SIGNALS or (slash and not rest):
            guess = did_you_mean(label, _SIGNALS)
            known = ", ".join(_SIGNALS)
            text = f"expected a signal, or signal/name;{guess} signals: {known}"
            mistakes.append(Mistake((*_PIPELINES, name), text))
            continue
        pipelines.append(
            PipelineConfig(
                name, _SIGNALS[label], route.receivers, route.processors, route.exporters
            )
        )
    return tuple(pipelines), mistakes


def check_references(
    pipelines: Sequence[PipelineConfig],
    *,
    defined: Mapping[str, Iterable[str]],
    shared: set[str],
) -> tuple[list[Mistake], list[Mistake]]:
    """
    Return what is wrong, and what is only not used.

    *defined* has the ids of each section, *shared* those of the processors that pipelines share.
    """
    mistakes: list[Mistake] = []
    used: dict[str, set[str]] = {section: set() for section in defined}
    for pipeline in pipelines:
        for section, names in _by_section(pipeline).items():
            if section in defined:
                used[section].update(names)
                mistakes += _check_names(pipeline, section, names, defined)
        mistakes += _check_ends(pipeline, pipelines, shared)
    if not mistakes:
        mistakes += _check_order(pipelines, shared)
    unused = [
        Mistake((section, name), "defined, but no pipeline lists it")
        for section, names in defined.items()
        for name in names
        if name not in used[section]
    ]
    return mistakes, unused


def _by_section(pipeline: PipelineConfig) -> dict[str, tuple[str, ...]]:
    return {
        "receivers": pipeline.receivers,
        "processors": pipeline.processors,
        "exporters": pipeline.exporters,
    }


def _check_names(
    pipeline: PipelineConfig,
    section: str,
    names: Sequence[str],
    defined: Mapping[str, Iterable[str]],
) -> list[Mistake]:
    mistakes = []
    for index, name in enumerate(names):
        path = (*_PIPELINES, pipeline.id, section, index)
        if name in names[:index]:
            mistakes.append(Mistake(path, f"{name} is listed twice"))
        elif name not in defined[section]:
            others = [other for other in defined if name in defined[other]]
            known = ", ".join(defined[section]) or "none"
            hint = did_you_mean(name, defined[section])
            if others and not hint:
                hint = f" {name} is one of the {others[0]};"
            mistakes.append(Mistake(path, f"{name} is not defined;{hint} {section}: {known}"))
    return mistakes


def _check_ends(
    pipeline: PipelineConfig, pipelines: Sequence[PipelineConfig], shared: set[str]
) -> list[Mistake]:
    path = (*_PIPELINES, pipeline.id)
    mistakes = []
    if not pipeline.exporters:
        text = "no exporters; list at least one, or nothing has anywhere to go"
        mistakes.append(Mistake(path, text))
    feeding = {
        name
        for other in pipelines
        if other is not pipeline and other.receivers
        for name in other.processors
    }
    if not pipeline.receivers and not feeding & shared & set(pipeline.processors):
        text = (
            "no receivers; list at least one, or a wasm processor that emits "
            f"{pipeline.signal.label} in another pipeline"
        )
        mistakes.append(Mistake(path, text))
    return mistakes


def _check_order(pipelines: Sequence[PipelineConfig], shared: set[str]) -> list[Mistake]:
    """
    Refuse shared processors in opposite orders: they could not be stopped one after the other.
    """
    order: TopologicalSorter[str] = TopologicalSorter()
    for pipeline in pipelines:
        names = [name for name in pipeline.processors if name in shared]
        for before, after in pairwise(names):
            order.add(after, before)
    try:
        order.prepare()
    except CycleError as error:
        circle = " before ".join(error.args[1])
        text = (
            f"pipelines list {circle}; processors that pipelines share need one order: "
            "give one of them another id in one of the pipelines"
        )
        return [Mistake(_PIPELINES, text)]
    return []
