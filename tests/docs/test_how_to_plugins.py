"""
The plugins that how-to pages show do what the pages say.
"""

from pathlib import Path
from types import ModuleType

from docs.pages import blocks
from otelwasm.testing import a_span, run, traces


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
