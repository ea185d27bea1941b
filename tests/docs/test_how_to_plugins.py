"""
The plugins that how-to pages show do what the pages say.
"""

import sys
from pathlib import Path
from types import ModuleType

from pytest import MonkeyPatch

from docs.pages import blocks
from otelwasm.testing import Trial, a_span, run, traces
from otelwasm_sdk.http import Response


def shown(page: str, title: str) -> ModuleType:
    """
    A page's Python file, imported.
    """
    [text] = [block.text for block in blocks(page) if block.title == title]
    module = ModuleType(Path(title).stem)
    exec(compile(text, title, "exec"), module.__dict__)
    return module


def test_routes_part_what_comes() -> None:
    """
    `only` keeps the services that it names, and with `others` all but those.
    """
    page = shown("howto/route.md", "only.py")
    batch = [
        traces(a_span(name), resource={"service.name": name}) for name in ("pay", "shop", "ledger")
    ]
    names = []
    for others in (False, True):
        config = page.Config(services=("pay", "ledger"), others=others)
        results = [run(page.only, each, config=config) for each in batch]
        names.append([span.name for result in results if result for span in result.spans()])

    assert [["pay", "ledger"], ["shop"]] == names


def test_only_server_errors_are_kept() -> None:
    """
    `errors` keeps spans with a status from 500 on.
    """
    page = shown("howto/filter.md", "errors.py")
    batch = traces(
        *(
            a_span(f"{status}", attributes={"http.response.status_code": status})
            for status in (200, 500, 503)
        )
    )

    result = run(page.errors, batch)

    assert ["500", "503"] == [span.name for span in result.spans()]


def test_what_fails_is_told_once_and_taken_back(monkeypatch: MonkeyPatch) -> None:
    """
    `alert` tells of a threshold that is crossed, also over a restart, and the page's test passes.
    """
    page = shown("howto/alert.md", "alert.py")
    config = page.Config("http://hook", ratio=0.5, least=2)
    kept: dict[str, bytes] = {}
    told = []
    for errors in ([True, True], [True, True], [True], [False, True], [False, False]):
        with Trial(page.Alert, config=config, state=kept, http=lambda _: Response(200)) as trial:
            for is_error in errors:
                trial.send(traces(a_span(is_error=is_error), resource={"service.name": "pay"}))
            trial.tick()
            told.append([request.body for request in trial.requested])

    assert told == [
        [b'{"text": "pay: 100% of 2 spans failed"}'],
        [],
        [],
        [],
        [b'{"text": "pay: 0% of 2 spans failed"}'],
    ]
    monkeypatch.setitem(sys.modules, "alert", page)
    shown("howto/alert.md", "test_alert.py").test_a_failing_service_is_told_once()
