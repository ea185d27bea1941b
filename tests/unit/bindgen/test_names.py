"""
WIT's names become Python's without two of them meeting.
"""

import pytest

from otelwasm.bindgen.names import Scope, constant, pascal, snake


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("after-ms", ("after_ms", "AfterMs", "AFTER_MS")),
        ("import", ("import_", "Import", "IMPORT")),
        ("none", ("none", "None_", "NONE")),
        ("exception", ("exception", "Exception_", "EXCEPTION")),
        ("HTTP-url", ("http_url", "HTTPUrl", "HTTP_URL")),
        ("x1-y2", ("x1_y2", "X1Y2", "X1_Y2")),
    ],
)
def test_names_follow_pythons_habits(name: str, expected: tuple[str, str, str]) -> None:
    """
    A kebab-case name has a form for functions, one for classes and one for constants.
    """
    assert expected == (snake(name), pascal(name), constant(name))


def test_a_scope_gives_each_name_once() -> None:
    """
    A taken name gives way to the next choice, then to a number.
    """
    scope = Scope(("memory",))

    assert ["memory_", "x", "x_2", "x_3"] == [
        scope.fresh("memory", "memory_"),
        scope.fresh("x"),
        scope.fresh("x"),
        scope.fresh("x"),
    ]
