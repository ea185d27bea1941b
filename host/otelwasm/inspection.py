"""
Look into a component: what it is for, what made it and what it is made of. Nothing of it runs.
"""

import hashlib
import os
import re
from itertools import chain
from typing import Any

import attrs

from otelwasm.anatomy import Anatomy, Memory, Module, take_apart
from otelwasm.errors import ComponentError
from otelwasm.validation import Validation, read_file, validate
from otelwasm.wit.binary import Port
from otelwasm.wit.model import Interface
from otelwasm.wit.names import wire_name
from otelwasm.wit.types import Resource

__all__ = ["Inspection", "functions_of", "inspect"]

# What is known by the interpreter that a component carries, whose own language is another one.
_PYTHON = re.compile(r"libpython(\d+\.\d+)\.so")
_BY_TOOL = {"ComponentizeJS": "JavaScript", "componentize-py": "Python"}
# What makes bindings for one language alone leaves its name in the module that uses them, also
# where the linker stripped what the compiler says of itself, as it does for our Rust plugins.
_BY_BINDINGS = {"wit-bindgen-rust": "Rust"}
# A module with less of the component's code than this, an adapter say, tells nothing of the rest.
_LEAST_SHARE = 0.1


@attrs.frozen
class Inspection:
    """
    What a component is; *validation* says how it fits this host's contract.
    """

    size_bytes: int
    sha256: str
    validation: Validation
    anatomy: Anatomy

    @property
    def language(self) -> str | None:
        """
        What it is written in, as far as can be told: by its interpreter or by its largest module.
        """
        for producer in self.anatomy.producers:
            if producer.name in _BY_TOOL:
                return _BY_TOOL[producer.name]
        module = self._main()
        if module is None:
            return None
        if match := _PYTHON.fullmatch(module.name):
            return f"Python {match[1]}"
        return _language(module)

    @property
    def tools(self) -> tuple[str, ...]:
        """
        What processed that module, and the component as a whole.
        """
        module = self._main()
        lines = (*self.anatomy.producers, *(module.producers if module else ()))
        return tuple(dict.fromkeys(str(line) for line in lines if line.field != "language"))

    @property
    def memories(self) -> tuple[Memory, ...]:
        """
        The memories of all modules.
        """
        return tuple(memory for module in self.anatomy.modules for memory in module.memories)

    def as_json(self) -> dict[str, Any]:
        """
        All of it as values that JSON has.
        """
        surface = self.validation.report.surface
        return {
            "size_bytes": self.size_bytes,
            "sha256": self.sha256,
            **self.validation.as_json(),
            "language": self.language,
            "tools": list(self.tools),
            "exports": {port.name: list(functions_of(port)) for port in surface.exports},
            "imports": {port.name: list(functions_of(port)) for port in surface.imports},
            "memories": [attrs.asdict(memory) for memory in self.memories],
            "sections": {**self.anatomy.sections(), "component": self.anatomy.own_bytes},
            "modules": [
                {
                    "name": module.name,
                    "size_bytes": module.size_bytes,
                    "sections": module.sections,
                    "memories": [attrs.asdict(memory) for memory in module.memories],
                    "producers": [attrs.asdict(producer) for producer in module.producers],
                }
                for module in self.anatomy.modules
            ],
        }

    def _main(self) -> Module | None:
        least = _LEAST_SHARE * sum(_code_bytes(module) for module in self.anatomy.modules)
        known = [
            module
            for module in self.anatomy.modules
            if _code_bytes(module) >= least
            and (_PYTHON.fullmatch(module.name) or _language(module))
        ]
        return max(known, key=lambda module: module.size_bytes, default=None)


def inspect(source: str | os.PathLike[str] | bytes) -> Inspection:
    """
    Look into a component, a file or its bytes; ComponentError if it is none.
    """
    data = source if isinstance(source, bytes) else read_file(source)
    try:
        return Inspection(
            len(data), hashlib.sha256(data).hexdigest(), validate(data), take_apart(data)
        )
    except ComponentError as error:
        where = "" if isinstance(source, bytes) else f"{os.fspath(source)}: "
        raise ComponentError(f"{where}{error}") from None


def functions_of(port: Port) -> tuple[str, ...]:
    """
    The functions of an imported or exported interface, as components call them.
    """
    if not isinstance(port.item, Interface):
        return ()
    members = [
        wire_name(function.kind, function.name, resource=type_.name)
        for type_ in port.item.types
        if isinstance(type_, Resource)
        for function in type_.functions
    ]
    plain = [wire_name(function.kind, function.name) for function in port.item.functions]
    return (*plain, *members)


def _language(module: Module) -> str | None:
    """
    What a module's compiler says, or else what its bindings do.
    """
    said = (str(each) for each in module.producers if each.field == "language")
    bound = (_BY_BINDINGS[each.name] for each in module.producers if each.name in _BY_BINDINGS)
    return next(chain(said, bound), None)


def _code_bytes(module: Module) -> int:
    return module.sections.get("code", 0)
