"""
Write the code that makes Python values out of a plugin's numbers and bytes.

Two forms: *load* from memory at an offset, *lift* from flat core values. The code is straight:
one `struct` read for the numbers of a record, calls for what is not numbers.
"""

from collections.abc import Sequence

from otelwasm.bindgen.functions import Functions
from otelwasm.bindgen.module import Module
from otelwasm.bindgen.names import Scope, snake
from otelwasm.bindgen.scalars import code as code_of
from otelwasm.bindgen.scalars import number_code, scalars
from otelwasm.bindgen.shape import is_octets, is_split
from otelwasm.bindgen.types import Types, field_names, is_nullable
from otelwasm.wit import abi
from otelwasm.wit.types import (
    Enum,
    Flags,
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

__all__ = ["Reading", "packed"]


class Reading:
    """
    Expressions that read; the functions they call are added where their type belongs.
    """

    def __init__(self, types: Types, functions: Functions) -> None:
        self._types = types
        self._functions = functions

    def load(self, type_: Type, at: str, module: Module) -> str:
        """
        The value of *type_* at the offset *at* of `memory`.
        """
        numbers = scalars(type_)
        if numbers is None:
            return f"{self._load_function(type_, module)}(memory, {at})"
        struct = module.struct("".join(number.code for number in numbers))
        read = f"{struct}.unpack_from(memory.view, {at})"
        if len(numbers) == 1:
            return self.value(type_, [f"{read}[0]"], module)
        return self.value(type_, [f"*{read}"], module)

    def fields(self, types: Sequence[Type], names: Sequence[str], module: Module) -> list[str]:
        """
        Statements that read the numbers of neighbours at `at`, each into its name.

        What is no number is left out.
        """
        codes = ""
        targets = []
        end = 0
        for type_, name, offset in zip(types, names, abi.offsets(types), strict=True):
            numbers = scalars(type_)
            if numbers is None:
                continue
            codes += "x" * (offset - end) + "".join(number.code for number in numbers)
            end = offset + abi.size(type_)
            targets += [name + number.suffix for number in numbers]
        if not targets:
            return []
        unpacked = f"{module.struct(packed(codes))}.unpack_from(memory.view, at)"
        if len(targets) == 1:
            return [f"{targets[0]} = {unpacked}[0]"]
        return [f"{', '.join(targets)} = {unpacked}"]

    def loaded(
        self, types: Sequence[Type], names: Sequence[str], module: Module, octets: str = "memory"
    ) -> list[str]:
        """
        The values of neighbours at `at`, after their numbers were read by `fields`.
        """
        values = []
        for type_, name, offset in zip(types, names, abi.offsets(types), strict=True):
            numbers = scalars(type_)
            if numbers is None:
                place = f"at + {offset}" if offset else "at"
                values.append(self.load(type_, place, module))
            else:
                read = [name + number.suffix for number in numbers]
                source = octets if is_split(type_) else "memory"
                values.append(self.value(type_, read, module, memory=source))
        return values

    def value(
        self, type_: Type, numbers: Sequence[str], module: Module, memory: str = "memory"
    ) -> str:
        """
        The value whose numbers were read from memory already.
        """
        first = numbers[0]
        match resolve_alias(type_):
            case Primitive.STRING:
                return f"{memory}.text({', '.join(numbers)})"
            case Primitive.CHAR:
                return f"{module.runtime('abi', 'char')}({first})"
            case Primitive():
                return first
            case Enum() as enum:
                return f"{self.lift_enum(enum, module)}({first})"
            case Flags() as flags:
                mask = (1 << len(flags.flags)) - 1
                return f"{self._types.name(flags, module)}({first} & {mask:#x})"
            case List(element=element):
                if is_octets(type_):
                    return f"{memory}.octets({', '.join(numbers)})"
                if number_code(element) is None or first.startswith("*"):
                    return f"{self._get_function(type_, module)}(memory, {', '.join(numbers)})"
                code, size = number_code(element), abi.size(element)
                return f'memory.numbers("{code}", {first}, count={numbers[1]}, size={size})'
        raise TypeError(f"{type_} is no number")

    def lift(
        self, type_: Type, flats: Sequence[str], module: Module, octets: str = "memory"
    ) -> str:
        """
        The value whose flat core values are *flats*.
        """
        match resolve_alias(type_):
            case Primitive.BOOL:
                return f"{flats[0]} != 0"
            case Primitive.U8:
                return f"{flats[0]} & 0xFF"
            case Primitive.U16:
                return f"{flats[0]} & 0xFFFF"
            case Primitive.S8 | Primitive.S16 | Primitive.S32 | Primitive.S64 as integer:
                return f"{module.runtime('abi', 'signed')}({flats[0]}, {8 * abi.size(integer)})"
            case Record() as record:
                values = self._lifted([field.type for field in record.fields], flats, module)
                return f"{self._types.name(record, module)}({', '.join(values)})"
            case Tuple(items=items):
                values = self._lifted(items, flats, module)
                return f"({', '.join(values)}{',' if len(values) == 1 else ''})"
            case Variant() | Option() | Result():
                return f"{self._lift_function(type_, module)}(memory, {', '.join(flats)})"
            case _:
                source = octets if is_split(type_) else "memory"
                return self.value(type_, flats, module, memory=source)

    def _lifted(self, types: Sequence[Type], flats: Sequence[str], module: Module) -> list[str]:
        values = []
        start = 0
        for type_ in types:
            end = start + len(abi.flat(type_))
            values.append(self.lift(type_, flats[start:end], module))
            start = end
        return values

    def lift_enum(self, enum: Enum, module: Module) -> str:
        """
        The function that turns a number into a member of *enum*.
        """

        def write(owner: Module, name: str) -> str:
            class_ = self._types.name(enum, owner)
            error = owner.runtime("abi", "case_error")
            members = owner.scope.fresh(f"_{snake(enum.name).upper()}_CASES")
            return (
                f"{members} = tuple({class_})\n\n\n"
                f"def {name}(number: int) -> {class_}:\n"
                f"    if number >= {len(enum.cases)}:\n"
                f'        raise {error}("{enum.name}", number)\n'
                f"    return {members}[number]"
            )

        return self._functions.name("lift", enum, module, write)

    def _load_function(self, type_: Type, module: Module) -> str:
        def write(owner: Module, name: str) -> str:
            head = f"def {name}(memory: {owner.runtime('abi', 'Memory')}, at: int)"
            head += f" -> {self._types.annotation(type_, owner)}:\n"
            match resolve_alias(type_):
                case Record() as record:
                    types = [field.type for field in record.fields]
                    names = _locals(field_names(record))
                    made = self._types.name(record, owner)
                case Tuple(items=items):
                    types = list(items)
                    names = _locals([f"item{place}" for place in range(len(items))])
                    made = ""
                case _:
                    return head + self._load_cases(type_, owner)
            body = self.fields(types, names, owner)
            values = self.loaded(types, names, owner)
            comma = "," if not made and len(values) == 1 else ""
            body.append(f"return {made}({', '.join(values)}{comma})")
            return head + "".join(f"    {line}\n" for line in body).rstrip("\n")

        return self._functions.name("load", type_, module, write)

    def _load_cases(self, type_: Type, module: Module) -> str:
        cases = abi.cases(type_) or ()
        offset = abi.payload_offset(type_)
        code = {1: "B", 2: "H", 4: "I"}[abi.discriminant_size(len(cases))]
        read = f"{module.struct(code)}.unpack_from(memory.view, at)[0]"
        lines = [f"    number = {read if code != 'B' else 'memory.view[at]'}\n"]
        for number, case in enumerate(cases):
            lines.append(f"    if number == {number}:\n")
            payload = None
            if case.type is not None:
                payload = self.load(case.type, f"at + {offset}", module)
            made = self._case(type_, number, payload, module)
            if made == payload and number_code(case.type) is not None:
                annotation = self._types.annotation(case.type, module)
                lines.append(f"        payload: {annotation} = {made}\n")
                made = "payload"
            lines.append(f"        return {made}\n")
        error = module.runtime("abi", "case_error")
        lines.append(f'    raise {error}("{type_}", number)')
        return "".join(lines)

    def _lift_function(self, type_: Type, module: Module) -> str:
        def write(owner: Module, name: str) -> str:
            flats = abi.flat(type_)
            params = "".join(
                f", part{place}: {'float' if core[0] == 'f' else 'int'}"
                for place, core in enumerate(flats[1:])
            )
            lines = [
                f"def {name}(memory: {owner.runtime('abi', 'Memory')}, number: int{params})"
                f" -> {self._types.annotation(type_, owner)}:\n"
            ]
            for number, case in enumerate(abi.cases(type_) or ()):
                payload = None
                if case.type is not None:
                    parts = [
                        _from_joined(f"part{place}", flats[place + 1], core, owner)
                        for place, core in enumerate(abi.flat(case.type))
                    ]
                    payload = self.lift(case.type, parts, owner)
                made = self._case(type_, number, payload, owner)
                lines.append(f"    if number == {number}:\n        return {made}\n")
            error = owner.runtime("abi", "case_error")
            lines.append(f'    raise {error}("{type_}", number)')
            return "".join(lines)

        return self._functions.name("lift", type_, module, write)

    def _case(self, type_: Type, number: int, payload: str | None, module: Module) -> str:
        match resolve_alias(type_):
            case Option(some=some):
                if number == 0:
                    return "None"
                some_ = module.runtime("values", "Some") if is_nullable(some) else ""
                return f"{some_}({payload})" if some_ else str(payload)
            case Result():
                half = module.runtime("values", "Err" if number else "Ok")
                return f"{half}({payload})"
            case Variant() as variant:
                return f"{self._types.case(variant, number, module)}({payload or ''})"
        raise TypeError(f"{type_} has no cases")

    def _get_function(self, type_: Type, module: Module) -> str:
        """
        The function that reads the elements of a list.
        """

        def write(owner: Module, name: str) -> str:
            list_ = resolve_alias(type_)
            assert isinstance(list_, List)
            element = list_.element
            size, alignment = abi.size(element), abi.alignment(element)
            head = (
                f"def {name}(memory: {owner.runtime('abi', 'Memory')}, start: int, length: int)"
                f" -> {self._types.annotation(type_, owner)}:\n"
            )
            code = code_of(element)
            if code is not None:
                numbers = f'memory.numbers("{code}", start, count=length, size={size})'
                if number_code(element) is not None:
                    return f"{head}    return {numbers}"
                return (
                    f"{head}    numbers = {numbers}\n"
                    f"    return tuple({self.value(element, ['each'], owner)} for each in numbers)"
                )
            return (
                f"{head}    places = memory.elements(start, length, size={size}, "
                f"alignment={alignment})\n"
                f"    return tuple({self.load(element, 'at', owner)} for at in places)"
            )

        return self._functions.name("get", type_, module, write)


def _locals(names: Sequence[str]) -> list[str]:
    scope = Scope(("memory", "at"))
    return [scope.fresh(name) for name in names]


def packed(codes: str) -> str:
    """
    `xxxI` -> `3xI`.
    """
    out = ""
    place = 0
    while place < len(codes):
        run = len(codes[place:]) - len(codes[place:].lstrip(codes[place]))
        count = str(run) if codes[place] == "x" and run > 1 else ""
        out += count + codes[place] * (1 if codes[place] == "x" else run)
        place += run
    return out


def _from_joined(name: str, joined: str, core: str, module: Module) -> str:
    if core == joined:
        return name
    if core == "i32":
        return f"{name} & 0xFFFF_FFFF"
    return f"{module.runtime('abi', f'{core}_of_bits')}({name})"
