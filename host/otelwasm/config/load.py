"""
Check a whole document against the kinds of components there are.
"""

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

import attrs

from otelwasm.config.document import Document, KeyPath, Mistake
from otelwasm.config.loops import find_loops
from otelwasm.config.places import folder
from otelwasm.config.references import check_references, read_pipelines
from otelwasm.config.settings import (
    ComponentConfig,
    Config,
    ExporterConfig,
    PipelineConfig,
    ServiceConfig,
)
from otelwasm.config.structure import did_you_mean, structure, unknown_key
from otelwasm.pipeline.delivery import DeliveryConfig
from otelwasm.registry import ExporterKind, ProcessorKind, ReceiverKind, Registry

__all__ = ["load"]

_T = TypeVar("_T")
_AnyKind = ReceiverKind | ProcessorKind | ExporterKind

_SECTIONS = ("receivers", "processors", "exporters", "service")
_ID = re.compile(r"(?P<kind>[a-z][a-z0-9_]*)(/[^\s/]+)?")
_DELIVERY_KEYS = {field.name for field in attrs.fields(DeliveryConfig)}


def load(document: Document, registry: Registry) -> Config:
    """
    Return the settings in *document*, or raise ConfigError with all that is wrong in it.
    """
    loader = _Loader(document, registry)
    config = loader.load()
    document.refuse(loader.mistakes)
    return config


class _Loader:
    """
    Goes through the sections and collects mistakes.
    """

    def __init__(self, document: Document, registry: Registry) -> None:
        self.mistakes: list[Mistake] = []
        self._document = document
        self._registry = registry
        self._tree = self._sections(document.tree)

    def load(self) -> Config:
        """
        Read all sections; what is returned is of use only if there are no mistakes.
        """
        receivers = self._components("receivers", self._registry.receivers, self._plain_component)
        processors = self._components(
            "processors", self._registry.processors, self._plain_component
        )
        exporters = self._components("exporters", self._registry.exporters, self._exporter)
        service = ServiceConfig(pipelines={})
        pipelines: tuple[PipelineConfig, ...] = ()
        if "service" in self._tree:
            made = self._structured(self._tree["service"], ServiceConfig, ("service",))
            if made is not None:
                service = self._with_folder(made)
                pipelines, mistakes = read_pipelines(service.pipelines)
                self.mistakes += mistakes
        # Where a section is missing or no mapping, that is the one thing to say.
        defined = {
            name: self._names(name)
            for name in _SECTIONS[:3]
            if isinstance(self._tree.get(name, {} if name == "processors" else None), Mapping)
        }
        shared = self._shared()
        mistakes, unused = check_references(pipelines, defined=defined, shared=shared)
        self.mistakes += mistakes
        config = Config(
            receivers=receivers,
            processors=processors,
            exporters=exporters,
            pipelines=pipelines,
            service=service,
        )
        if self.mistakes:
            return config
        loops, hops = find_loops(config, self._registry)
        self.mistakes += loops
        return attrs.evolve(config, warnings=tuple(map(self._document.describe, [*unused, *hops])))

    def _sections(self, tree: object) -> Mapping[str, object]:
        if tree is None:
            self._note((), "empty; expected the keys receivers, exporters and service")
            return {}
        if not isinstance(tree, Mapping):
            self._note((), "expected the keys receivers, processors, exporters and service")
            return {}
        for key in tree:
            if key not in _SECTIONS:
                self._note((key,), unknown_key(key, _SECTIONS))
        for key in ("receivers", "exporters", "service"):
            if key not in tree:
                self._note((key,), "missing; nothing runs without it")
        return tree

    def _names(self, section: str) -> Mapping[str, object]:
        value = self._tree.get(section)
        return value if isinstance(value, Mapping) else {}

    def _components(
        self,
        section: str,
        kinds: Mapping[str, Callable[[], _AnyKind]],
        make: Callable[[str, str, _AnyKind, object, KeyPath], _T | None],
    ) -> dict[str, _T]:
        raw = self._tree.get(section)
        if raw is not None and not isinstance(raw, Mapping):
            self._note((section,), f"expected the {section} by their ids, such as otlp: {{}}")
        components: dict[str, _T] = {}
        for name, value in self._names(section).items():
            path = (section, name)
            match = _ID.fullmatch(name)
            if match is None:
                self._note(path, "an id is a kind, or kind/name: lower case, no spaces")
            elif match["kind"] not in kinds:
                kind = match["kind"]
                guess = did_you_mean(kind, kinds)
                known = ", ".join(sorted(kinds))
                self._note(path, f"unknown kind {kind!r};{guess} known kinds: {known}")
            else:
                component = make(name, match["kind"], kinds[match["kind"]](), value, path)
                if component is not None:
                    components[name] = component
        return components

    def _plain_component(
        self, name: str, kind_name: str, kind: _AnyKind, value: object, path: KeyPath
    ) -> ComponentConfig | None:
        settings = self._structured(value, kind.config, path)
        if settings is None:
            return None
        return ComponentConfig(name, kind_name, settings, self._document.describe(Mistake(path)))

    def _exporter(
        self, name: str, kind_name: str, kind: _AnyKind, value: object, path: KeyPath
    ) -> ExporterConfig | None:
        """
        Read the keys that all exporters have, and those of this kind; `timeout` may be both.
        """
        if value is not None and not isinstance(value, Mapping):
            self._structured(value, kind.config, path)
            return None
        given: Mapping[str, object] = value or {}
        own_keys = {field.name for field in attrs.fields(kind.config)}
        for key in given:
            if key not in own_keys | _DELIVERY_KEYS:
                self._note((*path, key), unknown_key(key, own_keys | _DELIVERY_KEYS))
        own = {key: item for key, item in given.items() if key in own_keys}
        shared = {
            key: item
            for key, item in given.items()
            if key in _DELIVERY_KEYS and key not in own_keys
        }
        settings = self._structured(own, kind.config, path)
        delivery = self._structured(shared, DeliveryConfig, path)
        if settings is None or delivery is None:
            return None
        both = {key: getattr(settings, key) for key in own_keys & _DELIVERY_KEYS}
        delivery = attrs.evolve(delivery, **both)
        return ExporterConfig(
            name, kind_name, settings, self._document.describe(Mistake(path)), delivery
        )

    def _with_folder(self, service: ServiceConfig) -> ServiceConfig:
        """
        Take the quarantine and the state from the configuration's folder, also by default.
        """
        made = {}
        for key in ("quarantine", "state"):
            settings = getattr(service, key)
            directory = self._document.folder / settings.directory
            try:
                folder(directory)
            except ValueError as error:
                self._note(("service", key, "directory"), str(error))
            made[key] = attrs.evolve(settings, directory=directory)
        return attrs.evolve(service, **made)

    def _structured(self, value: object, kind: type[_T], path: KeyPath) -> _T | None:
        made, mistakes = structure(value, kind, path=path, folder=self._document.folder)
        self.mistakes += mistakes
        return made

    def _shared(self) -> set[str]:
        kinds = self._registry.processors
        return {
            name
            for name in self._names("processors")
            if (kind := kinds.get(name.partition("/")[0])) is not None and kind().is_shared
        }

    def _note(self, path: KeyPath, text: str) -> None:
        self.mistakes.append(Mistake(path, text))
