"""
The check of what receivers take is protobuf's, whether the extension does the work or not.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otelwasm.errors import BuildError, PermanentError
from otelwasm.otlp import checking, wire
from otelwasm.otlp.checking import PayloadCheck
from otelwasm.signals import Signal
from unit.otlp.payloads import a_payload


@pytest.fixture(scope="module")
def loaded() -> PayloadCheck:
    """
    A check with the extension in it.
    """
    check = PayloadCheck()
    check.load()
    return check


def is_refused(check: object, signal: Signal, payload: bytes) -> str | None:
    """
    Return the words of the refusal; None if there is none.
    """
    assert callable(check)
    try:
        check(signal, payload)
    except PermanentError as error:
        return str(error)
    return None


def test_the_extension_does_the_work(loaded: PayloadCheck, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Once loaded, a well-formed request is not parsed.
    """
    monkeypatch.delattr(wire, "refuse_malformed")

    for signal in Signal:
        loaded(signal, a_payload(signal, 20))


@given(
    signal=st.sampled_from(Signal),
    cut=st.floats(0, 1),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=3),
)
@settings(max_examples=300, deadline=None)
def test_both_ways_agree(
    loaded: PayloadCheck, signal: Signal, cut: float, changes: list[tuple[float, int]]
) -> None:
    """
    Damaged requests are refused with the same words, and others taken, with and without it.
    """
    payload = bytearray(a_payload(signal, 3))
    for where, value in changes:
        payload[int(where * len(payload))] = value
    if cut < 0.3:
        del payload[int(cut / 0.3 * len(payload)) :]
    damaged = bytes(payload)

    assert is_refused(PayloadCheck(), signal, damaged) == is_refused(loaded, signal, damaged)


@pytest.mark.parametrize("signal", Signal)
@pytest.mark.parametrize("items", [0, 1, 7])
def test_both_ways_count_the_items(loaded: PayloadCheck, signal: Signal, items: int) -> None:
    """
    What is well-formed is counted, with and without it.
    """
    payload = a_payload(signal, items) if items else b""

    assert [items, items] == [loaded(signal, payload), PayloadCheck()(signal, payload)]


def test_requests_are_checked_without_the_extension(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Where the extension cannot be built, malformed requests are refused all the same.
    """

    monkeypatch.setenv("OTELWASM_CACHE", "/proc/nowhere")
    monkeypatch.setattr(checking, "_native_check", checking._native_check.__wrapped__)
    check = PayloadCheck()
    check.load()

    check(Signal.LOGS, a_payload(Signal.LOGS))
    with pytest.raises(PermanentError, match="malformed logs request of 5 bytes"):
        check(Signal.LOGS, b"hello")


def test_a_cache_that_cannot_be_written_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Why the extension could not be built is told without a traceback.
    """
    monkeypatch.setenv("OTELWASM_CACHE", "/proc/nowhere")

    with pytest.raises(BuildError) as caught:
        checking._build()
    assert "its extension could not be built: the cache's folder " in str(caught.value)
    assert "\n" not in str(caught.value)
