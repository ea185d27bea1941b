"""
What a plugin logs is bounded and harmless, and nothing of it is left out in silence.
"""

from otelwasm.plugins._generated.log import Level
from otelwasm.plugins.capabilities.log import PluginLog
from unit.plugins.capabilities.recording import Lines


def test_lines_arrive_with_level_and_attributes() -> None:
    """
    A line within the limits arrives as it was written.
    """
    lines = Lines()
    PluginLog("x", lines).write(Level.WARN, "héllo", (("a", "1"), ("a", "2")))

    assert [("warn", "héllo", (("a", "1"), ("a", "2")))] == lines


def test_a_flood_is_cut_and_counted() -> None:
    """
    Beyond so many lines a second the rest is left out; the next line through says how many.
    """
    now = [0.0]
    lines = Lines()
    log = PluginLog("x", lines, lines_per_second=2, clock=lambda: now[0])
    for number in range(5):
        log.write(Level.INFO, f"line {number}", ())
    now[0] = 1.0
    log.write(Level.INFO, "later", ())

    assert ["line 0", "line 1", "later"] == [
        message for level, message, _ in lines if level == "info"
    ]
    assert [(("left_out", "3"),)] == [
        attributes for level, _, attributes in lines if level == "warn"
    ]
    assert "more than 2/s" in lines[2][1]


def test_what_was_left_out_is_said_at_the_end() -> None:
    """
    Closing tells of lines that no later line told of, once.
    """
    lines = Lines()
    log = PluginLog("x", lines, lines_per_second=1, clock=lambda: 0.0)
    log.write(Level.INFO, "a", ())
    log.write(Level.INFO, "b", ())
    log.close()
    log.close()

    assert [(), (("left_out", "1"),)] == [attributes for _, _, attributes in lines]


def test_long_texts_are_cut() -> None:
    """
    Message, keys, values and the number of attributes have limits; what is cut is said.
    """
    lines = Lines()
    many = tuple((f"k{number}", "v" * 3000) for number in range(100))
    PluginLog("x", lines).write(Level.INFO, "m" * 10_000, many)
    [(_, message, attributes)] = lines

    assert message == "m" * 8192 + "… (1808 more characters)"
    assert ("k0", "v" * 2048 + "… (952 more characters)") == attributes[0]
    assert ("more_attributes", "36") == attributes[-1]
    assert 65 == len(attributes)


def test_control_characters_do_nothing() -> None:
    """
    Escapes are shown, and a second line cannot pass for one of the host's own.
    """
    lines = Lines()
    forged = "\x1b[2Jgone\x00\x9b\u202e\n2026-11-28 [info] forged\r\n"
    PluginLog("x", lines).write(Level.INFO, forged, (("k\n", "v\x07"),))
    [(_, message, attributes)] = lines

    assert message == ("\\x1b[2Jgone\\x00\\x9b\\u202e\n  | 2026-11-28 [info] forged\\r")
    assert (("k", "v\\x07"),) == attributes


def test_output_is_logged_by_lines() -> None:
    """
    Standard error is a warning, and bytes that are no text do no harm.
    """
    lines = Lines()
    PluginLog("x", lines).output("stderr", b"one\ntw\xffo\n")

    assert [
        ("warn", "one", (("stream", "stderr"),)),
        ("warn", "tw\ufffdo", (("stream", "stderr"),)),
    ] == lines
