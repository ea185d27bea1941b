"""
Links of the documentation that lead out of its pages are held to what is there.
"""

import logging
from types import SimpleNamespace

import pytest
from documentation.hook import on_page_markdown
from mkdocs.structure.files import Files


def seen(markdown: str) -> tuple[str, list[str]]:
    """
    A page of `howto/`, as the site has it, and which copies the site has for it.
    """
    files = Files([])
    page = SimpleNamespace(file=SimpleNamespace(src_uri="howto/mine.md"))
    config = SimpleNamespace(
        site_dir="site", use_directory_urls=True, plugins=SimpleNamespace(_current_plugin=None)
    )
    text = on_page_markdown(markdown, page, config, files)
    return text, [file.src_uri for file in files]


def test_a_file_of_the_repository_is_in_the_site() -> None:
    """
    A link to it leads to a copy; links to pages and to other sites stay, and so does code.
    """
    stays = "[p](filter.md) [o](https://example.com/x)\n```sh\n[x](../../../gone)\n```\n"

    text, copies = seen(f"[w](../../../wit/plugin.wit#types)\n{stays}")

    assert f"[w](../source/wit/plugin.wit.txt#types)\n{stays}" == text
    assert ["source/wit/plugin.wit.txt"] == copies


def test_a_link_to_nothing_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """
    A link to a file that is not there is a warning, which fails the build.
    """
    with caplog.at_level(logging.WARNING, logger="mkdocs.plugins.documentation"):
        seen("[g](../../../guests/gone/plugin.py)")

    assert "howto/mine.md links to ../../../guests/gone/plugin.py" in caplog.text
