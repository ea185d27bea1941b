"""
Hook into mkdocs: add the generated pages and parts of pages, and check links to other files.

A page links to the repository's files as any file does, `../../wit/plugin.wit`, so that links work
where the sources are read, too. The site has a copy of each such file, as text.
"""

import logging
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

from documentation import command_line, configuration, contract, metrics, sdk_reference

ROOT = Path(__file__).resolve().parents[2]
DOCS = "host/docs"
PAGES = {
    "reference/command-line.md": command_line.page,
    "reference/configuration.md": configuration.page,
    "reference/contract.md": contract.page,
    "reference/metrics.md": metrics.page,
}
_LINK = re.compile(r"(\]\(|^\[[^\]]+\]: )([^)\s#]+)(?=[)#\s]|$)", re.MULTILINE)
_log = logging.getLogger("mkdocs.plugins.documentation")


def on_files(files: Files, config: Any) -> Files:
    """
    Add the pages that are generated.
    """
    for name, page in PAGES.items():
        files.append(File.generated(config, name, content=page()))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """
    Fill in what a page shows of the SDKs, and take files that it links to into the site; warn of
    those that are not there.
    """
    markdown = sdk_reference.filled(
        markdown, warn=lambda text: _log.warning(f"{page.file.src_uri}: {text}")
    )
    folder = posixpath.dirname(page.file.src_uri)

    def replaced(match: re.Match[str]) -> str:
        opening, target = match.groups()
        path = posixpath.normpath(posixpath.join(DOCS, folder, target))
        if "://" in target or target.startswith(("/", "mailto:")) or path.startswith(f"{DOCS}/"):
            return match[0]
        if path.startswith("..") or not (ROOT / path).is_file():
            _log.warning(f"{page.file.src_uri} links to {target}: there is no file {path}")
            return match[0]
        copy = f"source/{path}.txt"
        if files.get_file_from_path(copy) is None:
            files.append(File.generated(config, copy, content=(ROOT / path).read_text()))
        return f"{opening}{posixpath.relpath(copy, folder or '.')}"

    parts = re.split(r"(^ *```.*?^ *```$)", markdown, flags=re.MULTILINE | re.DOTALL)
    parts[::2] = [_LINK.sub(replaced, part) for part in parts[::2]]
    return "".join(parts)
