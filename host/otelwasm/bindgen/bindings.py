"""
Turn worlds into a package of Python modules and the text of their bridge components.

    out/<interface>.py                the types of an interface, its Protocol, its class
    out/<world>.py                    `Host` (what to implement), the plugin's exports, `WORLD`
    out/<world>.imports.wat           the bridge that stands for the host
    out/<world>.imports-direct.wat    the same for the direct lane
    out/<world>.exports.wat           the bridge that stands before the plugin
"""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from otelwasm.bindgen.bridges import exports_bridge, heap_at, imports_bridge
from otelwasm.bindgen.calls import Calls
from otelwasm.bindgen.module import Module
from otelwasm.bindgen.names import Scope, pascal, snake
from otelwasm.bindgen.shape import Call, Shape, ordered_types, shape_of
from otelwasm.bindgen.types import Types
from otelwasm.bindgen.wat import labels
from otelwasm.wit import Interface, World
from otelwasm.wit.types import Function

__all__ = ["stale", "texts", "write"]


def texts(
    worlds: Iterable[World],
    *,
    header: str,
    external: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """
    The files of the bindings for *worlds*, by name.

    *external* maps `interface-id#type` to a `module:name` that is used in place of a new type.
    """
    return _Package([shape_of(world) for world in worlds], header, dict(external or {})).texts()


def stale(found: Mapping[str, str], out_dir: Path) -> list[str]:
    """
    The names of the files in *out_dir* that are missing, differ or should not be there.
    """
    differing = []
    for name, text in found.items():
        path = out_dir / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            differing.append(name)
    present = [path for path in out_dir.glob("*") if path.suffix in (".py", ".wat")]
    return sorted([*differing, *(path.name for path in present if path.name not in found)])


def write(found: Mapping[str, str], out_dir: Path) -> list[Path]:
    """
    Make *out_dir* hold what was *found*; return the files that changed.
    """
    changed = [out_dir / name for name in stale(found, out_dir)]
    out_dir.mkdir(parents=True, exist_ok=True)
    for path in changed:
        if path.name in found:
            path.write_text(found[path.name], encoding="utf-8")
        else:
            path.unlink()
    return changed


class _Package:
    def __init__(self, shapes: list[Shape], header: str, external: dict[str, str]) -> None:
        self._shapes = shapes
        self._header = header
        self._files = Scope(("__init__",))
        self._modules: dict[str, Module] = {}
        self._wats: dict[str, str] = {}
        interfaces: dict[str, Interface] = {}
        for shape in shapes:
            for interface in (*shape.offered, *shape.wanted):
                interfaces.setdefault(interface.id, interface)
        for interface in interfaces.values():
            self._modules[interface.id] = self._module(interface.name, interface.docs)
        self._types = Types(self._modules, external)
        self._calls = Calls(self._types)
        self._protocols: dict[str, str] = {}
        self._classes: dict[str, str] = {}
        self._constants: dict[tuple[str, str], str] = {}
        self._parts: dict[tuple[str, str], list[str]] = {}
        for interface in interfaces.values():
            for type_ in ordered_types(interface):
                self._types.define(type_)

    def texts(self) -> dict[str, str]:
        for shape in self._shapes:
            self._add_world(shape)
        found = {f"{module.name}.py": module.text() for module in self._modules.values()}
        names = ", ".join(f"`{shape.world.name}`" for shape in self._shapes)
        about = f"Bindings for {'worlds' if len(self._shapes) > 1 else 'world'} {names}."
        found["__init__.py"] = f'"""\n{self._header}\n\n{about}\n"""\n'
        return found | self._wats

    def _module(self, name: str, docs: str) -> Module:
        about = docs or f"`{name}`."
        return Module(self._files.fresh(snake(name)), about=about, header=self._header)

    def _add_world(self, shape: Shape) -> None:
        world = shape.world
        module = self._module(world.name, world.docs)
        self._modules[f"world {world.id}"] = module
        for interface in shape.imported:
            self._add_protocol(interface)
        for interface in shape.exported:
            self._add_class(interface)
        self._add_host(shape, module)
        described = self._add_guest(shape, module)
        bridges = {
            "imports": imports_bridge(shape, is_direct=False),
            "imports-direct": imports_bridge(shape, is_direct=True),
            "exports": exports_bridge(shape),
        }
        digest = hashlib.sha256("\0".join(bridges.values()).encode()).hexdigest()[:16]
        self._add_descriptor(shape, module, described, digest=digest)
        for kind, text in bridges.items():
            self._wats[f"{module.name}.{kind}.wat"] = f";; {self._header}\n{text}"

    def _add_protocol(self, interface: Interface) -> None:
        if interface.id in self._protocols:
            return
        module = self._modules[interface.id]
        base = pascal(interface.name)
        name = module.publish(module.scope.fresh(base, f"{base}Import"))
        self._protocols[interface.id] = name
        module.interfaces.append(
            self._calls.protocol(name, interface.functions, module, docs=interface.docs, fields="")
        )

    def _add_class(self, interface: Interface) -> None:
        if interface.id in self._classes:
            return
        module = self._modules[interface.id]
        base = pascal(interface.name)
        name = module.publish(module.scope.fresh(base, f"{base}Export"))
        self._classes[interface.id] = name
        functions = []
        for function in interface.functions:
            constant = self._calls.guest_function(function, interface.id, module)
            self._constants[interface.id, function.name] = constant
            functions.append((function, constant))
        module.interfaces.append(
            self._calls.guest_class(name, functions, module, docs=interface.docs)
        )

    def _add_host(self, shape: Shape, module: Module) -> None:
        """
        The Protocol of all that the host does for a plugin of this world.
        """
        name = module.publish(module.scope.fresh("Host"))
        fields = []
        for interface in shape.imported:
            other = self._modules[interface.id]
            protocol = module.sibling(other, self._protocols[interface.id])
            fields.append(
                f"    @property\n    def {snake(interface.name)}(self) -> {protocol}: ...\n"
            )
        functions = [x.item for x in shape.world.imports if isinstance(x.item, Function)]
        module.interfaces.append(
            self._calls.protocol(
                name,
                functions,
                module,
                docs=f"What the host does for a plugin of world `{shape.world.name}`.",
                fields="\n".join(fields),
            )
        )

    def _add_guest(self, shape: Shape, module: Module) -> list[str]:
        """
        The class of all that a plugin of this world exports; returns its functions' constants.
        """
        base = pascal(shape.world.name)
        name = module.publish(module.scope.fresh(base, f"{base}Plugin"))
        described: list[str] = []
        fields = []
        functions = []
        for call in shape.exports:
            if call.interface is None:
                constant = self._calls.guest_function(call.function, "", module)
                functions.append((call.function, constant))
                described.append(constant)
            else:
                constant = self._constants[call.owner, call.function.name]
                other = self._modules[call.owner]
                described.append(f"{module.use('.', other.name)}.{constant}")
        for interface in shape.exported:
            other = self._modules[interface.id]
            class_ = module.sibling(other, self._classes[interface.id])
            fields.append(f"self.{snake(interface.name)} = {class_}(callee)")
        module.interfaces.append(
            self._calls.guest_class(
                name,
                functions,
                module,
                docs=f"What a plugin of world `{shape.world.name}` does.",
                fields=fields,
            )
        )
        return described

    def _add_descriptor(
        self, shape: Shape, module: Module, described: list[str], *, digest: str
    ) -> None:
        """
        The constant that tells the runtime how the world's functions cross.
        """
        host_function = module.runtime("world", "HostFunction")
        hosted = []
        for call in shape.imports:
            path = "" if call.interface is None else f"{snake(call.interface.name)}."
            owner = module if call.interface is None else self._modules[call.owner]
            key = (call.owner, call.function.name)
            if key not in self._parts:
                self._parts[key] = self._calls.host_function(call.function, path, owner)
            parts = [f'"{call.owner}"', f'"{call.function.name}"', f'label="{call.label}"']
            for part in self._parts[key]:
                parts.append(_qualified(part, owner, module))
            lines = "".join(f"            {part},\n" for part in parts)
            hosted.append(f"        {host_function}(\n{lines}        ),\n")
        guests = [
            f'        "{label}": {constant},\n'
            for label, constant in zip(labels(shape.exports), described, strict=True)
        ]
        world = shape.world
        text = (
            f"WORLD = {module.runtime('world', 'World')}(\n"
            f'    name="{world.name}",\n'
            f'    package="{world.package}",\n'
            f"    offered={_ids(shape.offered)},\n"
            f"    needed={_ids(shape.needed)},\n"
            f"    required={_ids(shape.exported)},\n"
            f"    offered_functions={_names(shape.imports)},\n"
            f"    required_functions={_names(shape.exports)},\n"
            f"    host_functions=(\n{''.join(hosted)}    ),\n"
            f"    guest_functions={{\n{''.join(guests)}    }},\n"
            f"    bridges=lambda: {module.runtime('world', 'Bridges')}.beside(__file__),\n"
            f'    digest="{digest}",\n'
            f"    heap_at={heap_at(shape)},\n"
            ")"
        )
        module.publish("WORLD")
        module.interfaces.append(text)


def _qualified(part: str, owner: Module, module: Module) -> str:
    """
    A part of a host function as the world's module writes it: functions of the interface's
    module by that module's name.
    """
    key, _, value = part.partition("=")
    if owner is module or key == "bind":
        return part
    return f"{key}={module.use('.', owner.name)}.{value}"


def _names(calls: Iterable[Call]) -> str:
    own = "".join(f'"{call.function.name}", ' for call in calls if call.interface is None)
    return f"({own})"


def _ids(interfaces: Iterable[Interface]) -> str:
    lines = "".join(f'        "{interface.id}",\n' for interface in interfaces)
    return f"(\n{lines}    )" if lines else "()"
