"""
Write the functions of an interface: a Protocol for what the host does, a class for a plugin's.
"""

from collections.abc import Sequence

from otelwasm.bindgen.functions import Functions
from otelwasm.bindgen.module import Module, docstring
from otelwasm.bindgen.names import Scope, constant, snake
from otelwasm.bindgen.reading import Reading
from otelwasm.bindgen.types import Types
from otelwasm.bindgen.writing import Code, Writing
from otelwasm.wit import abi
from otelwasm.wit.types import Function, Primitive, Result, Type, Variant, resolve_alias

__all__ = ["Calls"]

_SLOTS = {"i32": "I4x", "i64": "Q", "f32": "f4x", "f64": "d"}


class Calls:
    """
    Both directions of every function, each part in the module of its interface.
    """

    def __init__(self, types: Types) -> None:
        self._types = types
        functions = Functions(types)
        self._reading = Reading(types, functions)
        self._writing = Writing(types, functions)

    # What the host does

    def protocol(
        self, name: str, functions: Sequence[Function], module: Module, *, docs: str, fields: str
    ) -> str:
        """
        A Protocol with *functions*, after the properties in *fields*.
        """
        module.use("typing", "Protocol")
        methods = [fields] if fields else []
        for function in functions:
            head = self._head(function, module)
            text = docstring(function.docs, "        ")
            methods.append(f"    {head}\n{text}" if text else f"    {head[:-1]}: ...\n")
        about = docstring(docs, "    ")
        body = "\n".join(([about] if about else []) + methods) or "    pass\n"
        return f"class {name}({module.use('typing', 'Protocol')}):\n{body}".rstrip("\n")

    def host_function(self, function: Function, path: str, module: Module) -> list[str]:
        """
        The last arguments of a HostFunction: how to bind, take, give and fail.
        """
        host = f"lambda host: host.{path}{snake(function.name)}"
        # In the direct lane bytes stay in the plugin's memory; not for functions of the world.
        take = self._take(function, module, octets="payloads" if path else "memory")
        parts = [f"bind={host}", f"take={take}"]
        if function.result is not None:
            parts.append(f"give={self._give(function, module)}")
            if (fail := self._fail(function, module)) is not None:
                parts.append(f"fail={fail}")
        return parts

    def _take(self, function: Function, module: Module, *, octets: str) -> str:
        """
        The function that reads the arguments out of the window, and lists of bytes out of *octets*.
        """
        name = module.publish(module.scope.fresh(f"take_{snake(function.name)}"))
        memory = module.runtime("abi", "Memory")
        types = [param.type for param in function.params]
        returned = ", ".join(self._types.annotation(type_, module) for type_ in types)
        lines = []
        scope = Scope(("memory", "payloads", "at"))
        names = [scope.fresh(snake(param.name)) for param in function.params]
        core = abi.core_signature(function, "lift")
        slots = f"(memory.view, {module.runtime('abi', 'ARGUMENTS_AT')})" if types else ""
        if core.params_in_memory:
            struct = module.struct("I")
            size, alignment = _area(types)
            lines.append(f"at = {struct}.unpack_from{slots}[0]")
            lines.append(f"memory.place(at, {size}, alignment={alignment})")
            lines += self._reading.fields(types, names, module)
            values = self._reading.loaded(types, names, module, octets=octets)
        else:
            flats = [abi.flat(type_) for type_ in types]
            targets = [
                [f"{name}_{place}" if len(flat) > 1 else name for place in range(len(flat))]
                for name, flat in zip(names, flats, strict=True)
            ]
            if types:
                struct = module.struct("".join(_SLOTS[each] for flat in flats for each in flat))
                joined = ", ".join(target for group in targets for target in group)
                comma = "" if "," in joined else ","
                lines.append(f"{joined}{comma} = {struct}.unpack_from{slots}")
            values = [
                self._reading.lift(type_, group, module, octets=octets)
                for type_, group in zip(types, targets, strict=True)
            ]
        comma = "," if len(values) == 1 else ""
        lines.append(f"return ({', '.join(values)}{comma})")
        module.interfaces.append(
            f"def {name}(memory: {memory}, payloads: {memory}) -> tuple[{returned or '()'}]:\n"
            + "".join(f"    {line}\n" for line in lines).rstrip("\n")
        )
        return name

    def _give(self, function: Function, module: Module) -> str:
        """
        The function that leaves the result in the window.
        """
        result = function.result
        assert result is not None
        name = module.publish(module.scope.fresh(f"give_{snake(function.name)}"))
        place = module.runtime("abi", "RESULT_AT")
        code = Code()
        if abi.core_signature(function, "lift").result_in_memory:
            store = self._writing.store_function(result, module)
            code.lines.append(f"{store}(memory, {place}, value)")
        else:
            self._writing.lower(result, "value", "value", module, code)
            struct = module.struct(
                {"i32": "I", "i64": "Q", "f32": "f", "f64": "d"}[abi.flat(result)[0]]
            )
            code.lines.append(f"{struct}.pack_into(memory.view, {place}, {code.values[0]})")
        module.interfaces.append(
            f"def {name}(memory: {module.runtime('abi', 'Memory')}, "
            f"value: {self._types.annotation(result, module)}) -> None:\n"
            + "".join(f"    {line}\n" for line in code.lines).rstrip("\n")
        )
        return name

    def _fail(self, function: Function, module: Module) -> str | None:
        """
        The function that makes a text the function's error, where the error has a string: it is
        one, or a variant whose last case with a string is taken.
        """
        result = None if function.result is None else resolve_alias(function.result)
        if not isinstance(result, Result):
            return None
        error = None if result.err is None else resolve_alias(result.err)
        value = None
        if error is None:
            value = "None"
        elif error is Primitive.STRING:
            value = "text"
        elif isinstance(error, Variant):
            for number, case in enumerate(error.cases):
                if case.type is not None and resolve_alias(case.type) is Primitive.STRING:
                    value = f"{self._types.case(error, number, module)}(text)"
        if value is None:
            return None
        err = module.runtime("values", "Err")
        name = module.publish(module.scope.fresh(f"fail_{snake(function.name)}"))
        annotation = self._types.annotation(result.err, module)
        module.interfaces.append(
            f"def {name}(text: str) -> {err}[{annotation}]:\n    return {err}({value})"
        )
        return name

    # What the plugin does

    def guest_function(self, function: Function, owner: str, module: Module) -> str:
        """
        The constant that describes an exported function.
        """
        core = abi.core_signature(function, "lift")
        name = module.publish(module.scope.fresh(constant(function.name)))
        parts = [f'"{owner}"', f'"{function.name}"', f"params={_strings(core.params)}"]
        if core.results:
            parts.append(f'result="{core.results[0]}"')
        if core.result_in_memory and function.result is not None:
            parts.append(f"result_size={abi.size(function.result)}")
            parts.append(f"result_alignment={abi.alignment(function.result)}")
        class_ = module.runtime("world", "GuestFunction")
        lines = "".join(f"    {part},\n" for part in parts)
        module.interfaces.append(f"{name} = {class_}(\n{lines})")
        return name

    def guest_class(
        self,
        name: str,
        functions: Sequence[tuple[Function, str]],
        module: Module,
        *,
        docs: str,
        fields: Sequence[str] = (),
    ) -> str:
        """
        A class with *functions*, each with its constant; *fields* are more lines of `__init__`.
        """
        callee = module.runtime("calls", "Callee")
        lines = [f"        {field}\n" for field in fields]
        methods = []
        for function, described in functions:
            attribute = f"_{snake(function.name)}"
            lines.append(
                f"        self.{attribute} = callee.function("
                f"{described}, {self._load(function, module)})\n"
            )
            methods.append(self._method(function, attribute, module))
        text = docstring(docs, "    ")
        gap = "\n" if text else ""
        head = f"class {name}:\n{text}{gap}    def __init__(self, callee: {callee}) -> None:\n"
        return (head + ("".join(lines) or "        pass\n") + "".join(methods)).rstrip("\n")

    def _method(self, function: Function, attribute: str, module: Module) -> str:
        types = [param.type for param in function.params]
        names = _names(function)
        code = Code(Scope(("self", "call", "memory", *names)))
        if abi.core_signature(function, "lift").params_in_memory:
            size, alignment = _area(types)
            code.lines.append(f"at = memory.put_elements(1, size={size}, alignment={alignment})")
            code.lines += self._writing.store(types, names, names, module)
            code.values = ["at"]
        else:
            for type_, name in zip(types, names, strict=True):
                self._writing.lower(type_, name, name, module, code)
        lines = [f"call = self.{attribute}"]
        begin = "call.begin()"
        uses_memory = any("memory" in line for line in code.lines)
        lines.append(f"memory = {begin}" if uses_memory else begin)
        lines += code.lines
        lines.append(f"return call({', '.join(code.values)})")
        if function.result is None:
            lines[-1] = lines[-1].removeprefix("return ")
        head = self._head(function, module)
        text = docstring(function.docs, "        ")
        return f"\n    {head}\n{text}" + "".join(f"        {line}\n" for line in lines)

    def _load(self, function: Function, module: Module) -> str:
        """
        The function that reads the result of a call.
        """
        result = function.result
        if result is None:
            return module.runtime("abi", "nothing")
        if abi.core_signature(function, "lift").result_in_memory:
            value = self._reading.load(result, "number", module)
        else:
            value = self._reading.lift(result, ["number"], module)
        function_name = value.removesuffix("(memory, number)")
        return function_name if function_name != value else f"lambda memory, number: {value}"

    def _head(self, function: Function, module: Module) -> str:
        annotations = [self._types.annotation(param.type, module) for param in function.params]
        named = zip(_names(function), annotations, strict=True)
        params = ", ".join(["self", *(f"{name}: {text}" for name, text in named)])
        result = self._types.annotation(function.result, module)
        return f"def {snake(function.name)}({params}) -> {result}:"


def _names(function: Function) -> list[str]:
    scope = Scope(("self", "memory", "call", "at"))
    names = [snake(param.name) for param in function.params]
    return [scope.fresh(name, f"{name}_") for name in names]


def _area(types: Sequence[Type]) -> tuple[int, int]:
    """
    Size and alignment of parameters that lie in memory.
    """
    alignment = max(abi.alignment(type_) for type_ in types)
    end = abi.offsets(types)[-1] + abi.size(types[-1])
    return (end + alignment - 1) // alignment * alignment, alignment


def _strings(items: Sequence[str]) -> str:
    inner = ", ".join(f'"{item}"' for item in items)
    return f"({inner}{',' if len(items) == 1 else ''})"
