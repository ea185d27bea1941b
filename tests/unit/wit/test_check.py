"""
A component is told which world it fits, or everything that keeps it from fitting.
"""

import pytest
import wasmtime

from otelwasm.errors import ComponentError
from otelwasm.wit import parse_text
from otelwasm.wit.check import Report, check
from unit.wit.component_text import component, component_text

CONTRACT = """
package o:p@0.1.0;
interface types {
  enum signal { traces, logs }
  record retry { reason: string, after-ms: option<u32> }
  variant failure { permanent(string), retryable(retry) }
  flags signals { traces, logs }
}
interface processing {
  use types.{signal, failure};
  process: func(signal: signal, payload: list<u8>) -> result<list<u8>, failure>;
  stop: func();
}
interface exporting { send: func(payload: list<u8>); }
interface log { use types.{signals}; write: func(line: string, about: signals); flush: func(); }
interface extra { run: func(); }
interface extra-host { emit: func(); }
world processor { import log; export processing; }
world exporter { import log; export exporting; }
world fast-processor { include processor; import extra-host; export extra; }
"""
PACKAGE = parse_text(CONTRACT).main


def problems(old: str, new: str, *, world: str = "processor") -> list[str]:
    """
    What is said about a component made for the contract with *old* replaced by *new*.
    """
    altered = CONTRACT.replace(old, new)
    assert altered != CONTRACT
    return texts(check(component(parse_text(altered).main.world(world)), PACKAGE, [world]))


def texts(report: Report) -> list[str]:
    """
    The problems in words.
    """
    return [problem.text for problem in report.problems]


@pytest.mark.parametrize("name", ["processor", "exporter", "fast-processor"])
def test_a_component_fits_the_world_it_was_made_for(name: str) -> None:
    """
    Among all worlds the one that a component was made for is found.
    """
    report = check(component(PACKAGE.world(name)), PACKAGE)

    assert PACKAGE.world(name) == report.world
    assert f"fits world {name} of o:p@0.1.0" == str(report)


def test_exports_beside_the_world_do_no_harm() -> None:
    """
    What a component exports in addition is listed, not refused.
    """
    text = component_text(PACKAGE.world("exporter")).removesuffix(")")
    data = bytes(wasmtime.wat2wasm(f'{text} (instance $x) (export "own" (instance $x)))'))
    report = check(data, PACKAGE, ["exporter"])

    assert PACKAGE.world("exporter") == report.world
    assert ("own",) == report.extras


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "payload: list<u8>) -> result",
            "payload: string) -> result",
            "parameter payload is string, the contract says list<u8>",
        ),
        (
            "payload: list<u8>) -> result",
            "data: list<u8>) -> result",
            "parameter payload is missing",
        ),
        ("process: func(signal: signal, ", "process: func(", "parameter signal is missing"),
        (
            "process: func(signal: signal, payload: list<u8>)",
            "process: func(payload: list<u8>, signal: signal)",
            "the parameters are in the order payload, signal, the contract says signal, payload",
        ),
        (
            "-> result<list<u8>, failure>",
            "-> result<_, failure>",
            "the result, its ok is `_`, the contract says list<u8>",
        ),
        (
            "-> result<list<u8>, failure>",
            "",
            "the result is nothing, the contract says result<list<u8>, failure>",
        ),
        (
            "-> result<list<u8>, failure>",
            "-> result<list<s8>, failure>",
            "the result, its ok, its element is s8, the contract says u8",
        ),
        (
            "after-ms: option<u32>",
            "after-ms: option<u64>",
            "the result, its error, variant failure, case retryable, record retry, field after-ms, "
            "its value is u64, the contract says u32",
        ),
        (
            "reason: string, ",
            "",
            "the result, its error, variant failure, case retryable, record retry, field reason "
            "is missing",
        ),
        (
            "permanent(string)",
            "permanent",
            "the result, its error, variant failure, case permanent is without a value, "
            "the contract says string",
        ),
        (
            "permanent(string), retryable(retry)",
            "retryable(retry), permanent(string)",
            "the result, its error, variant failure, the cases are in the order retryable, "
            "permanent, the contract says permanent, retryable",
        ),
        (
            "enum signal { traces, logs }",
            "enum signal { traces, logs, metrics }",
            "parameter signal, enum signal, case metrics is not in the contract",
        ),
        (
            "enum signal { traces, logs }",
            "flags signal { traces, logs }",
            "parameter signal is flags signal, the contract says enum signal",
        ),
    ],
)
def test_differences_in_exports_are_said_to_the_field(old: str, new: str, expected: str) -> None:
    """
    A type that differs is named with its way down from the function.
    """
    found = problems(old, new)

    assert f"export o:p/processing@0.1.0, function process: {expected}" in found


def test_differences_in_imports_are_said_to_the_flag() -> None:
    """
    What a component expects of the host is compared the same way.
    """
    found = problems("flags signals { traces, logs }", "flags signals { traces, logs, more }")

    assert [
        "import o:p/log@0.1.0, function write: parameter about, flags signals, flag more is not "
        "in the contract"
    ] == found


def test_missing_functions_and_exports_are_listed() -> None:
    """
    All that is missing is said at once.
    """
    world = PACKAGE.world("fast-processor")
    altered = parse_text(CONTRACT.replace("stop: func();", "")).main.world("fast-processor")

    assert ["export o:p/processing@0.1.0, function stop is missing"] == problems(
        "stop: func();", "stap: func();"
    )
    assert [
        "export o:p/processing@0.1.0, function stop is missing",
        "export o:p/extra@0.1.0 is missing",
    ] == texts(check(component(altered, without=["o:p/extra@0.1.0"]), PACKAGE, [world.name]))


def test_a_component_may_use_less_than_is_offered() -> None:
    """
    Imports that a component leaves out, and functions of them, are no problem.
    """
    assert [] == problems("flush: func(); }", "}")
    assert [] == problems("import log; export processing", "export processing")


def test_imports_that_nobody_offers_are_named() -> None:
    """
    An import that is not in the world, or a function that is not in the import, is said.
    """
    assert ["import o:p/log@0.1.0, function rotate: the contract has no such function"] == problems(
        "flush: func(); }", "rotate: func(); }"
    )
    assert ["import o:p/extra-host@0.1.0 is not offered to a processor"] == problems(
        "import log; export processing", "import extra-host; export processing"
    )


@pytest.mark.parametrize(
    ("version", "advice"),
    [
        ("0.2.0", "it is newer than this host, update otelwasm"),
        ("0.1.1", "it is newer than this host, update otelwasm"),
        ("0.1.0-rc.1", "it is older than this host, build it again"),
        ("0.0.9", "it is older than this host, build it again"),
    ],
)
def test_another_version_is_said_as_such(version: str, advice: str) -> None:
    """
    A component for another version of the contract gets one line, not a list.
    """
    expected = f"made for o:p@{version}; this host speaks 0.1.0: {advice}"

    assert [expected] == problems("p@0.1.0", f"p@{version}")


def test_another_world_is_said_as_such() -> None:
    """
    A component for another place in the pipeline is told where it belongs.
    """
    processor = component(PACKAGE.world("fast-processor"))
    exporter = component(PACKAGE.world("exporter"))

    assert "exports o:p/processing@0.1.0: a processor, not an exporter" == str(
        check(processor, PACKAGE, ["exporter"])
    )
    assert "exports o:p/exporting@0.1.0: an exporter, not a processor" == str(
        check(exporter, PACKAGE, ["fast-processor", "processor"])
    )


def test_strangers_are_told_what_is_needed() -> None:
    """
    A component that has nothing to do with the contract is told what one must export.
    """
    command = bytes(
        wasmtime.wat2wasm('(component (instance $i) (export "wasi:cli/run@0.2.0" (instance $i)))')
    )

    assert (
        "not a component for o:p@0.1.0: it exports wasi:cli/run@0.2.0; a processor exports "
        "o:p/processing@0.1.0" == str(check(command, PACKAGE, ["processor"]))
    )


@pytest.mark.parametrize(
    ("imported", "problem"),
    [
        ("wasi:cli/environment@0.2.9", None),
        ("wasi:io/poll@0.2.0", None),
        (
            "wasi:http/outgoing-handler@0.2.0",
            "import wasi:http/outgoing-handler@0.2.0: of WASI, only cli, clocks, filesystem, io, "
            "random, sockets are offered",
        ),
        ("wasi:cli/run@0.3.0", "import wasi:cli/run@0.3.0: WASI is offered in version 0.2.x"),
        ("x:y/z", "import x:y/z is not offered to an exporter"),
    ],
)
def test_wasi_is_offered_in_one_version(imported: str, problem: str | None) -> None:
    """
    A component may import WASI 0.2; what else it imports must be in the contract.
    """
    text = component_text(PACKAGE.world("exporter")).removesuffix(")")
    data = bytes(wasmtime.wat2wasm(f'{text} (import "{imported}" (instance (export "f" (func)))))'))

    assert ([] if problem is None else [problem]) == texts(check(data, PACKAGE, ["exporter"]))


def test_imports_of_types_alone_need_no_host() -> None:
    """
    An instance that holds only types may be imported from anywhere.
    """
    text = component_text(PACKAGE.world("exporter")).removesuffix(")")
    instance = '(instance (type $t (enum "a")) (export "t" (type (eq $t))))'
    data = bytes(wasmtime.wat2wasm(f'{text} (import "x:y/z" {instance}))'))

    assert PACKAGE.world("exporter") == check(data, PACKAGE).world


def test_long_lists_of_problems_are_cut() -> None:
    """
    A component that differs in everything is not described for pages.
    """
    wide = "\n".join(f"f{n}: func();" for n in range(30))
    package = parse_text(f"package o:p; interface i {{ {wide} }} world w {{ export i; }}").main
    empty = bytes(wasmtime.wat2wasm('(component (instance $i) (export "o:p/i" (instance $i)))'))
    lines = str(check(empty, package)).split("\n")

    assert 21 == len(lines)
    assert "and 10 more" == lines[-1]


def test_bytes_that_are_no_component_are_not_checked() -> None:
    """
    Other bytes end in the reader's error.
    """
    with pytest.raises(ComponentError, match="a core module, not a component"):
        check(bytes(wasmtime.wat2wasm("(module)")), PACKAGE)
