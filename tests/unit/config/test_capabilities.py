"""
What a plugin is granted is checked before anything starts; each mistake has its line.
"""

from pathlib import Path

import pytest

from otelwasm.config.document import Document
from otelwasm.config.load import load
from otelwasm.config.settings import Config
from otelwasm.errors import ConfigError
from otelwasm.outbound.config import AllowConfig
from otelwasm.registry import Registry
from unit.config.good import GOOD


def read(folder: Path, capabilities: str) -> Config:
    """
    Read the good configuration with *capabilities*, its lines indented, from line 9 on.
    """
    (folder / "redact.wasm").touch()
    lines = "".join(f"      {line}\n" for line in capabilities.splitlines())
    marker = "    limits: {memory: 128MiB, deadline: 2s}\n"
    assert 1 == GOOD.count(marker)
    text = GOOD.replace(marker, f"{marker}    capabilities:\n{lines}")
    return load(Document.parse(text, path=folder / "p.yaml"), Registry.built_in())


def test_everything_can_be_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A URL alone is an entry; secrets come from the environment, and no representation has them.
    """
    monkeypatch.setenv("TOKEN", "s3cret")
    config = read(
        tmp_path,
        """\
http:
  allow:
    - https://api.example.com/v1/
    - url: http://localhost:9000
      methods: [GET, PUT]
      headers: {authorization: "Bearer ${env:TOKEN}"}
      sign:
        aws_sigv4:
          {service: s3, region: us-east-1, access_key_id: AKID, secret_access_key: "${env:TOKEN}"}
      private: true
  timeout: 2s
  max_response_size: 1MiB
state: {quota: 1MiB}
""",
    )
    granted = config.processors["wasm/redact"].settings.capabilities

    plain, full = granted.http.allow
    assert AllowConfig("https://api.example.com/v1/") == plain
    assert ("Bearer s3cret", True) == (full.headers["authorization"], full.private)
    assert "s3cret" == full.sign.aws_sigv4.secret_access_key
    assert (2, 1 << 20, 1 << 20) == (
        granted.http.timeout,
        granted.http.max_response_size,
        granted.state.quota,
    )
    assert "s3cret" not in repr(config)


def test_nothing_is_granted_by_default(tmp_path: Path) -> None:
    """
    State is beside the configuration, but kept for nobody who was not granted it.
    """
    config = read(tmp_path, "state:")
    granted = config.processors["wasm/redact"].settings.capabilities

    assert granted.http is None
    assert 16 << 20 == granted.state.quota
    assert tmp_path / "state" == config.service.state.directory


@pytest.mark.parametrize(
    ("capabilities", "message"),
    [
        ("http: {}", "10: processors.wasm/redact.capabilities.http.allow: missing;"),
        (
            "http: {allow: []}",
            "10: processors.wasm/redact.capabilities.http.allow: expected at least",
        ),
        ("http:\n  allow:\n    - {}", "12: {}.http.allow[0].url: missing"),
        ("http:\n  allow:\n    - api.example.com", "12: {}.http.allow[0].url: expected a URL that"),
        (
            "http:\n  allow:\n    - https://a.b/?x",
            "12: {}.http.allow[0].url: expected the beginning",
        ),
        ("http:\n  allow:\n    - https://u@a.b/", "12: {}.http.allow[0].url: a user name"),
        ("http:\n  allow:\n    - https://a.b:99999/", "12: {}.http.allow[0].url: expected a port"),
        (
            "http:\n  allow:\n    - url: https://a.b/\n      methods: [PSOT]",
            "13: {}.http.allow[0].methods[0]: expected one of GET, HEAD, POST, PUT, PATCH, DELETE, "
            "OPTIONS, not 'PSOT'; did you mean POST?",
        ),
        (
            "http:\n  allow:\n    - url: https://a.b/\n      methods: []",
            "13: {}.http.allow[0].methods: expected at least one",
        ),
        (
            "http:\n  allow:\n    - url: https://a.b/\n      headers: {Host: a}",
            "13: {}.http.allow[0].headers: the header host is set by the host alone",
        ),
        (
            'http:\n  allow:\n    - url: https://a.b/\n      headers: {X: "a\\nb"}',
            "13: {}.http.allow[0].headers: the value of the header X has characters",
        ),
        (
            "http:\n  allow:\n    - url: https://a.b/\n      headers: {x: a, X: b}",
            "13: {}.http.allow[0].headers: a header is given twice",
        ),
        (
            "http:\n  allow:\n    - url: https://a.b/\n      sign: {aws_sigv4: {service: s3}}",
            "13: {}.http.allow[0].sign.aws_sigv4.region: missing",
        ),
        (
            "http:\n  allow:\n    - url: https://a.b/\n      tls: {insecure: true}",
            "13: {}.http.allow[0].tls: insecure: the URL decides",
        ),
        (
            "http:\n  allow: [https://a.b/]\n  max_response_size: -1",
            "12: {}.http.max_response_size: expected a size",
        ),
        (
            "http:\n  allow: [https://a.b/]\n  max_response_size: 0",
            "12: {}.http.max_response_size: expected at least 1",
        ),
        ("http:\n  allow: [https://a.b/]\n  timeout: 0s", "12: {}.http.timeout: expected at least"),
        ("state: {quota: 0}", "10: {}.state.quota: expected at least 1"),
        ("files: {}", "10: {}.files: unknown key; known keys: http, state"),
    ],
)
def test_mistakes_have_their_line(tmp_path: Path, capabilities: str, message: str) -> None:
    """
    Each is told with file, line, path and what was expected.
    """
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, capabilities)
    first = str(caught.value).splitlines()[0]

    expected = message.replace("{}", "processors.wasm/redact.capabilities")
    assert f"{tmp_path}/p.yaml:{expected}" == first[: len(f"{tmp_path}/p.yaml:{expected}")]


def test_a_mistake_does_not_tell_secrets(tmp_path: Path) -> None:
    """
    What is wrong with a header is said without its value.
    """
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, 'http:\n  allow:\n    - {url: "https://a.b/", headers: {x: "s3cret\\n"}}')

    assert "s3cret" not in str(caught.value)
