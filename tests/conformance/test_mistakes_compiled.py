"""
A mistake in a Rust or Go plugin is one message, too: what compilers find, they say themselves
(test_compiled_builds.py); this is what is found when it runs.
"""

from pathlib import Path

import pytest

from conformance.building import built
from otelwasm.errors import BatchError, PluginStartError
from otelwasm.plugins.limits import Limits
from otelwasm.plugins.plugin import Plugin
from otelwasm.signals import Signal
from otelwasm_sdk import Logs

TESTS = Path(__file__).parents[1]
PROBES = {"go": TESTS / "conformance/probe_go", "rust": TESTS / "rust/probe"}

# What a probe is told to do, and what comes of it.
MISTAKES = {
    "go": {
        "file": "open /etc/passwd: Bad file number; a plugin has no files: //go:embed puts one",
        "socket": "Connection refused; a plugin opens no sockets: the SDK's package http sends",
        "panic": "panic: runtime error: slice bounds out of range",
        "loop": "a call ran beyond its deadline of 0.2 s (`limits: {deadline: …}`) (in two",
    },
    "rust": {
        "file": "operation not supported on this platform; a plugin has no files, sockets or"
        " threads: include_str! puts a file into it, and the SDK's http sends requests",
        "socket": "a plugin has no files, sockets or threads",
        "panic": "instruction executed; it panicked at src/lib.rs:56:24: told to, by a (in two",
        "thread": "failed to spawn thread: Error { kind: Unsupported",
        "loop": "a call ran beyond its deadline of 0.2 s (`limits: {deadline: …}`) (in two",
    },
}


def started(language: str, what: str) -> Plugin:
    """
    The language's probe, which is told by its configuration, or by its batches.
    """
    config: dict[str, object] = {"do": what} if language == "go" else {"words": ["a"]}
    return Plugin(
        built(PROBES[language], language),
        name="probe",
        config=config,
        limits=Limits(deadline_s=0.2),
    )


@pytest.mark.parametrize(
    ("language", "what"), [(language, what) for language in MISTAKES for what in MISTAKES[language]]
)
def test_what_a_plugin_does_wrong_is_said_once(language: str, what: str) -> None:
    """
    The error names the plugin, what happened and what helps, and no functions by numbers.
    """
    with started(language, what) as plugin, pytest.raises(BatchError) as raised:
        plugin.process(Signal.LOGS, bytes(Logs.of({"body": what})))

    assert str(raised.value).startswith("plugin 'probe': ")
    assert MISTAKES[language][what] in str(raised.value)
    assert "<wasm function" not in str(raised.value)


def test_what_go_makes_of_a_configuration_is_said() -> None:
    """
    A plugin that refuses its configuration does not start, and its own words say why.
    """
    with pytest.raises(PluginStartError) as raised:
        started("go", "nonsense")

    assert "plugin 'probe' did not start: config.do: there is no \"nonsense\"" == str(raised.value)
