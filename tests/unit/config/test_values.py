"""
Durations and sizes are read with their units, and refused without.
"""

import pytest

from otelwasm.config.values import ByteSize, Duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("200ms", 0.2),
        ("5s", 5.0),
        ("1m30s", 90.0),
        ("1.5h", 5400.0),
        ("250us", 0.00025),
        ("250µs", 0.00025),
        ("1500ns", 0.0000015),
        ("0s", 0.0),
        ("0", 0.0),
        (0, 0.0),
    ],
)
def test_durations_carry_units(text: object, seconds: float) -> None:
    """
    A duration is read as the Collector reads it.
    """
    duration = Duration.parse(text)

    assert seconds == pytest.approx(duration)


@pytest.mark.parametrize("value", ["5", 5, 5.0, "5 s", "-5s", "", "soon", True, False, None, []])
def test_durations_without_units_are_refused(value: object) -> None:
    """
    A bare number could mean anything, so that it is refused with examples of what is meant.
    """
    with pytest.raises(ValueError, match="such as 200ms, 5s or 1m"):
        Duration.parse(value)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("64MiB", 64 << 20),
        ("64 MiB", 64 << 20),
        ("1.5GiB", 3 << 29),
        ("512KiB", 512 << 10),
        ("10kB", 10_000),
        ("7B", 7),
        ("65536", 64 << 10),
        (5_000_000, 5_000_000),
        (0, 0),
        (ByteSize(7), 7),
    ],
)
def test_sizes_may_carry_units(text: object, size: int) -> None:
    """
    A size is read with a binary or decimal unit, or as bytes.
    """
    assert size == ByteSize.parse(text)


@pytest.mark.parametrize("value", [1, 1000, "5000", (64 << 10) - 1])
def test_small_sizes_without_units_are_refused(value: object) -> None:
    """
    A queue of 1000 is one of requests to a Collector, a memory of 128 was meant in MiB.
    """
    with pytest.raises(ValueError, match="a size with its unit, such as 64MiB, 512KiB or 300B"):
        ByteSize.parse(value)


@pytest.mark.parametrize("value", ["64M", "MiB", -1, "-1", 1.5, True, None, "1 TiB", []])
def test_sizes_that_make_no_sense_are_refused(value: object) -> None:
    """
    Anything else is refused with examples of what is meant.
    """
    with pytest.raises(ValueError, match="such as 64MiB, 512KiB"):
        ByteSize.parse(value)


@pytest.mark.parametrize("text", ["200ms", "5s", "90s", "2m", "2h", "0s", "1.5s"])
def test_durations_print_as_they_are_written(text: str) -> None:
    """
    A duration in a message reads as it does in a configuration.
    """
    assert text == str(Duration.parse(text))


def test_sizes_print_with_the_unit_that_fits() -> None:
    """
    A size in a message has the largest binary unit that it fills.
    """
    assert [str(ByteSize(size)) for size in (12, 1536, 64 << 20, 2 << 30)] == [
        "12 B",
        "1.5 KiB",
        "64 MiB",
        "2 GiB",
    ]
