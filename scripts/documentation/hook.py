"""
Hook into mkdocs: add the generated pages, and check what links lead to outside of the pages.

A page links into the repository as any file does, `../../guests/redact`, so that links work where
the sources are read, too. The site has the repository's address in their place.
"""

import logging
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

from documentation import command_line, configuration, contract, metrics

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


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    """
    Turn links to the repository's files into its address; warn of those that are not there.
    """
    folder = posixpath.join(DOCS, posixpath.dirname(page.file.src_uri))

    def replaced(match: re.Match[str]) -> str:
        opening, target = match.groups()
        path = posixpath.normpath(posixpath.join(folder, target))
        is_page = path.startswith(f"{DOCS}/") or path == DOCS
        if "://" in target or target.startswith(("/", "mailto:")) or is_page:
            return match[0]
        if path.startswith("..") or not (ROOT / path).exists():
            _log.warning(f"{page.file.src_uri} links to {target}: there is no {path}")
        kind = "tree" if (ROOT / path).is_dir() else "blob"
        return f"{opening}{config.repo_url.rstrip('/')}/{kind}/main/{path}"

    parts = re.split(r"(^ *```.*?^ *```$)", markdown, flags=re.MULTILINE | re.DOTALL)
    parts[::2] = [_LINK.sub(replaced, part) for part in parts[::2]]
    return "".join(parts)
