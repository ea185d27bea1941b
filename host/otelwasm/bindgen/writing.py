"""
Write the code that turns Python values into a plugin's numbers and bytes.

Two forms: *store* into memory at an offset, *lower* to flat core values. What a value points to
is put into memory first, because that may move or grow it; then its numbers are written at once.
"""

from collections.abc import Sequence

import attrs

from otelwasm.bindgen.functions import Functions
from otelwasm.bindgen.module import Module
from otelwasm.bindgen.names import Scope
from otelwasm.bindgen.reading import packed
from otelwasm.bindgen.scalars import bounds, number_code, scalars
from otelwasm.bindgen.scalars import code as code_of
from otelwasm.bindgen.shape import is_octets
from otelwasm.bindgen.types import Types, field_names, is_nullable
from otelwasm.wit import abi
from otelwasm.wit.types import (
    List,
    Option,
    Primitive,
    Record,
    Result,
    Tuple,
    Type,
    Variant,
    resolve_alias,
)

__all__ = ["Code", "Writing"]


@attrs.define
class Code:
    """
    Statements, then the expressions that they lead to; *scope* has the local names.
    """

    scope: Scope = attrs.field(factory=lambda: Scope(("memory", "at", "value")))
    lines: list[str] = attrs.field(factory=list)
    values: list[str] = attrs.field(factory=list)


class Writing:
    """
    Statements that write; the functions they call are added where their type belongs.
    """

    def __init__(self, types: Types, functions: Functions) -> None:
        self._types = types
        self._functions = functions

    def put(self, type_: Type, value: str, name: str, module: Module, code: Code) -> None:
        """
        Add the numbers of *value* as they are in memory; *name* is for local variables.
        """
        match resolve_alias(type_):
            case Primitive.STRING:
                at, length = code.scope.fresh(f"{name}_at"), code.scope.fresh(f"{name}_length")
                code.lines.append(f"{at}, {length} = memory.put_text({value})")
                code.values += [at, length]
            case Primitive.CHAR:
                code.values.append(f"{module.runtime('abi', 'number_of_char')}({value})")
            case List(element=element):
                at = code.scope.fresh(f"{name}_at")
                if is_octets(type_):
                    code.lines.append(f"{at} = memory.put_octets({value})")
                elif number_code(element) is not None:
                    put = f'memory.put_numbers("{code_of(element)}", {value}, size='
                    code.lines.append(f"{at} = {put}{abi.size(element)})")
                else:
                    put = self._put_function(type_, module)
                    code.lines.append(f"{at} = {put}(memory, {value})")
                code.values += [at, f"len({value})"]
            case _:
                code.values.append(value)

    def store(
        self, types: Sequence[Type], values: Sequence[str], names: Sequence[str], module: Module
    ) -> list[str]:
        """
        Statements that store neighbours at `at`.
        """
        code = Code()
        for name in names:
            code.scope.fresh(name)
        codes = ""
        end = 0
        nested = []
        for type_, value, name, offset in zip(
            types, values, names, abi.offsets(types), strict=True
        ):
            numbers = scalars(type_)
            place = f"at + {offset}" if offset else "at"
            if numbers is None:
                nested.append(f"{self.store_function(type_, module)}(memory, {place}, {value})")
                continue
            codes += "x" * (offset - end) + "".join(number.code for number in numbers)
            end = offset + abi.size(type_)
            self.put(type_, value, name, module, code)
        if codes:
            struct = module.struct(packed(codes))
            code.lines.append(f"{struct}.pack_into(memory.view, at, {', '.join(code.values)})")
        return [*code.lines, *nested]

    def lower(self, type_: Type, value: str, name: str, module: Module, code: Code) -> None:
        """
        Add the flat core values of *value*.
        """
        match resolve_alias(type_):
            case Primitive.BOOL:
                code.values.append(f"int({value})")
            case Primitive() as primitive if (limits := bounds(primitive)) is not None:
                ranged = module.runtime("abi", "ranged")
                code.values.append(f"{ranged}({value}, {limits[0]}, {limits[1]})")
            case Record() as record:
                for field, field_name in zip(record.fields, field_names(record), strict=True):
                    self.lower(field.type, f"{value}.{field_name}", field_name, module, code)
            case Tuple(items=items):
                for place, item in enumerate(items):
                    self.lower(item, f"{value}[{place}]", f"{name}_{place}", module, code)
            case Variant() | Option() | Result():
                flats = abi.flat(type_)
                targets = [code.scope.fresh(f"{name}_{place}") for place in range(len(flats))]
                comma = "," if len(targets) == 1 else ""
                function = self._lower_function(type_, module)
                code.lines.append(f"{', '.join(targets)}{comma} = {function}(memory, {value})")
                code.values += targets
            case _:
                self.put(type_, value, name, module, code)

    def store_function(self, type_: Type, module: Module) -> str:
        """
        The function that stores a value of *type_*.
        """

        def write(owner: Module, name: str) -> str:
            head = f"def {name}(memory: {owner.runtime('abi', 'Memory')}, at: int, "
            head += f"value: {self._types.annotation(type_, owner)}) -> None:\n"
            match resolve_alias(type_):
                case Record() as record:
                    types = [field.type for field in record.fields]
                    names = list(field_names(record))
                    values = [f"value.{name}" for name in names]
                case Tuple(items=items):
                    types = list(items)
                    names = [f"item{place}" for place in range(len(items))]
                    values = [f"value[{place}]" for place in range(len(items))]
                case _ if scalars(type_) is not None:
                    types, names, values = [type_], ["item"], ["value"]
                case _:
                    return head + self._store_cases(type_, owner)
            lines = self.store(types, values, names, owner)
            return head + "".join(f"    {line}\n" for line in lines).rstrip("\n")

        return self._functions.name("store", type_, module, write)

    def _store_cases(self, type_: Type, module: Module) -> str:
        cases = abi.cases(type_) or ()
        offset = abi.payload_offset(type_)
        code = {1: "B", 2: "H", 4: "I"}[abi.discriminant_size(len(cases))]
        lines = []
        for number, case in enumerate(cases):
            test, payload = self._test(type_, number, module)
            lines.append(f"    {_branch(test, number)}:\n")
            struct = module.struct(code)
            lines.append(f"        {struct}.pack_into(memory.view, at, {number})\n")
            if case.type is None:
                continue
            numbers = scalars(case.type)
            if numbers is None:
                store = self.store_function(case.type, module)
                lines.append(f"        {store}(memory, at + {offset}, {payload})\n")
                continue
            inner = Code()
            self.put(case.type, payload, "item", module, inner)
            struct = module.struct("".join(each.code for each in numbers))
            lines += [f"        {line}\n" for line in inner.lines]
            lines.append(
                f"        {struct}.pack_into(memory.view, at + {offset}, "
                f"{', '.join(inner.values)})\n"
            )
        return ("".join(lines) + _otherwise(type_, module)).rstrip("\n")

    def _lower_function(self, type_: Type, module: Module) -> str:
        def write(owner: Module, name: str) -> str:
            flats = abi.flat(type_)
            kinds = ["float" if core[0] == "f" else "int" for core in flats]
            lines = [
                f"def {name}(memory: {owner.runtime('abi', 'Memory')}, "
                f"value: {self._types.annotation(type_, owner)}) -> tuple[{', '.join(kinds)}]:\n"
            ]
            for number, case in enumerate(abi.cases(type_) or ()):
                test, payload = self._test(type_, number, owner)
                lines.append(f"    {_branch(test, number)}:\n")
                inner = Code()
                cores: tuple[str, ...] = ()
                if case.type is not None:
                    self.lower(case.type, payload, "item", owner, inner)
                    cores = abi.flat(case.type)
                parts = [str(number)]
                for place, joined in enumerate(flats[1:]):
                    if place < len(cores):
                        parts.append(_joined(inner.values[place], joined, cores[place], owner))
                    else:
                        parts.append("0.0" if joined[0] == "f" else "0")
                lines += [f"        {line}\n" for line in inner.lines]
                comma = "," if len(parts) == 1 else ""
                lines.append(f"        return ({', '.join(parts)}{comma})\n")
            return ("".join(lines) + _otherwise(type_, owner)).rstrip("\n")

        return self._functions.name("lower", type_, module, write)

    def _test(self, type_: Type, number: int, module: Module) -> tuple[str, str]:
        """
        The condition that `value` is this case (empty: else), and its payload then.
        """
        match resolve_alias(type_):
            case Option(some=some):
                if is_nullable(some):
                    class_ = module.runtime("values", "Some")
                    test = "value is None" if number == 0 else f"isinstance(value, {class_})"
                    return test, "value.value"
                return "value is None" if number == 0 else "", "value"
            case Result():
                class_ = module.runtime("values", "Err" if number else "Ok")
                return f"isinstance(value, {class_})", "value.error" if number else "value.value"
            case Variant() as variant:
                class_ = self._types.case(variant, number, module)
                return f"isinstance(value, {class_})", "value.value"
        raise TypeError(f"{type_} has no cases")

    def _put_function(self, type_: Type, module: Module) -> str:
        """
        The function that puts the elements of a list into memory.
        """

        def write(owner: Module, name: str) -> str:
            list_ = resolve_alias(type_)
            assert isinstance(list_, List)
            element = list_.element
            size, alignment = abi.size(element), abi.alignment(element)
            head = (
                f"def {name}(memory: {owner.runtime('abi', 'Memory')}, "
                f"values: {self._types.annotation(type_, owner)}) -> int:\n"
            )
            if code_of(element) is not None:
                inner = Code()
                self.put(element, "each", "item", owner, inner)
                numbers = "values"
                if inner.values != ["each"]:
                    numbers = f"[{inner.values[0]} for each in values]"
                put = f'memory.put_numbers("{code_of(element)}", {numbers}, size={size})'
                return f"{head}    return {put}"
            store = self.store_function(element, owner)
            return (
                f"{head}    start = memory.put_elements(len(values), size={size}, "
                f"alignment={alignment})\n"
                f"    for place, value in enumerate(values):\n"
                f"        {store}(memory, start + {size} * place, value)\n"
                f"    return start"
            )

        return self._functions.name("put", type_, module, write)


def _branch(test: str, number: int) -> str:
    if not test:
        return "else"
    return f"{'elif' if number else 'if'} {test}"


def _otherwise(type_: Type, module: Module) -> str:
    resolved = resolve_alias(type_)
    if isinstance(resolved, Option) and not is_nullable(resolved.some):
        return ""
    return f"    else:\n        {module.use('typing', 'assert_never')}(value)"


def _joined(value: str, joined: str, core: str, module: Module) -> str:
    if core == joined or core == "i32":
        return value
    return f"{module.runtime('abi', f'bits_of_{core}')}({value})"
