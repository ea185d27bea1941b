"""
What `otelwasm build` writes is called like what it was built from.
"""

from pathlib import Path

import pytest

from otelwasm.cli import building
from otelwasm.cli.building import build_plugin


@pytest.mark.parametrize(
    ("source", "written"),
    [
        ("redact/plugin.py", "redact/plugin.wasm"),
        ("redact", "redact.wasm"),
        ("redact/rust", "redact.wasm"),
        ("v1.2", "v1.2.wasm"),
        (".", "work.wasm"),
    ],
)
def test_a_component_is_called_like_its_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, written: str
) -> None:
    """
    A file's component lies beside it; a folder's in the current folder, by the plugin's name.
    """
    work = tmp_path / "work"
    for folder in ("redact/rust", "v1.2"):
        (work / folder).mkdir(parents=True)
    (work / "redact/plugin.py").touch()
    monkeypatch.chdir(work)

    def build(source: Path, out: Path, *, report: object) -> Path:
        out.touch()
        return out

    monkeypatch.setattr(building, "build", build)

    build_plugin(Path(source), None)

    assert [written] == [path.relative_to(work).as_posix() for path in work.rglob("*.wasm")]
