"""
WIT text means what the reference implementation, wit-parser, makes of the files it is tested with.
"""

import json
import re
from pathlib import Path

import pytest

from otelwasm.errors import WitError
from otelwasm.wit import parse, parse_text
from otelwasm.wit.writer import packages_text
from unit.wit.outlines import outline_of_json, outline_of_model, without_docs
from unit.wit.upstream import upstream_tests

GOOD = upstream_tests("wit-parser") / "ui"
BAD = GOOD / "parse-fail"
FEATURES = {"active"}

# Packages in WebAssembly's text form, which only a WebAssembly assembler reads.
UNSUPPORTED = {"kinds-of-deps", "simple-wasm-text.wat"}

# wit-parser takes plain comments as documentation; by the specification `///` and `/**` are that.
WITH_PLAIN_COMMENTS = {
    "accessors.wit",
    "comments.wit",
    "include-accessor-pair.wit",
    "maps.wit",
    "multi-package-gated-include.wit",
}

# Where the message stands on another line than upstream's.
ELSEWHERE = {
    # at the reference that closes a circle, where upstream shows what it leads to
    "bad-include2.wit": 8,
    "bad-include3.wit": 4,
    "cycle2.wit": 6,
    "cycle3.wit": 6,
    "cycle4.wit": 6,
    "cycle5.wit": 6,
    "include-cycle.wit": 8,
    "multiple-package-inline-cycle.wit": 10,
    "use-cycle1.wit": 6,
    "use-cycle4.wit": 11,
    # at the gate, where upstream shows what is behind it
    "bad-since-on-include.wit": 6,
    "bad-since-on-interface.wit": 3,
    "bad-since-on-type.wit": 4,
    "bad-since-on-world-import.wit": 4,
    "bad-since-on-world.wit": 3,
    # at the other one of two that clash
    "async-bad-world3.wit": 5,
    "async-bad-world4.wit": 9,
    "use-shadow1.wit": 3,
    # behind the last word, where upstream shows the empty line at the end of the file
    "dangling-type.wit": 4,
    "multi-file-missing-delimiter": 5,
    # at the package's name, where upstream shows its doc comment
    "multiple-package-docs": 2,
    # at the first mistake of two
    "use-and-include-world": 3,
}


def inputs(folder: Path) -> list[object]:
    """
    The files and folders to read, those that are not supported yet marked as such.
    """
    found = sorted(folder.iterdir())
    return [
        pytest.param(
            path, marks=pytest.mark.xfail(raises=WitError) if path.name in UNSUPPORTED else ()
        )
        for path in found
        if path.suffix in (".wit", ".wat") or (path.is_dir() and path != BAD)
    ]


@pytest.mark.parametrize("path", inputs(GOOD), ids=lambda path: path.name)
def test_good_files_mean_what_upstream_says(path: Path) -> None:
    """
    Packages, interfaces, worlds, types, functions, docs and gates are those of wit-parser.
    """
    document = json.loads(path.with_name(f"{path.stem}.wit.json").read_text())
    expected = outline_of_json(document)
    packages = parse(path, features=FEATURES)
    actual = outline_of_model((packages.main, *packages.others))

    if path.name in WITH_PLAIN_COMMENTS:
        assert expected != actual
        expected, actual = without_docs(expected), without_docs(actual)
    assert expected == actual


@pytest.mark.parametrize("path", inputs(GOOD), ids=lambda path: path.name)
def test_what_is_written_is_read_as_the_same(path: Path) -> None:
    """
    Packages written as text, docs and gates included, are the same packages when read again.
    """
    packages = parse(path, features=FEATURES)
    text = packages_text(packages.main, packages.others)
    again = parse_text(text, features=FEATURES)

    assert outline_of_model((packages.main, *packages.others)) == outline_of_model(
        (again.main, *again.others)
    )


@pytest.mark.parametrize("path", inputs(BAD), ids=lambda path: path.name)
def test_bad_files_are_refused_where_upstream_does(path: Path) -> None:
    """
    What wit-parser refuses is refused in one sentence, with a caret below the same line.
    """
    expected = path.with_name(f"{path.stem}.wit.result").read_text()
    place = re.search(r"--> tests/ui/parse-fail/(\S+?):(\d+):\d+", expected)

    with pytest.raises(WitError) as caught:
        parse(path, features=FEATURES)

    message = str(caught.value)
    if place is not None:
        found = re.fullmatch(rf"{BAD}/(\S+?):(\d+):\d+: .+\n    .*\n    \s*\^+", message)
        assert found is not None, message
        line = int(place[2])
        if path.name in ELSEWHERE:
            assert line != ELSEWHERE[path.name]
            line = ELSEWHERE[path.name]
        if path.name != "pkg-cycle2":  # either package of the circle will do
            assert (place[1], line) == (found[1], int(found[2])), message
    else:
        assert str(BAD) in message
