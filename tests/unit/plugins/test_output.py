"""
A guest's output is logged by whole lines, however it is written.
"""

from otelwasm.plugins.output import WholeLines


def test_pieces_become_lines() -> None:
    """
    A line goes on once it is at its end; the last one may have none.
    """
    taken: list[bytes] = []
    lines = WholeLines(taken.append)
    for piece in (b"a", b" ", b"1", b"\n", b"b\nc"):
        lines.write(piece)
    before = list(taken)
    lines.close()
    lines.close()

    assert [b"a 1\n", b"b\n"] == before
    assert [b"a 1\n", b"b\n", b"c"] == taken


def test_a_line_without_an_end_is_not_kept_for_ever() -> None:
    """
    What grows beyond what a log shows of a line is let through.
    """
    taken: list[bytes] = []
    lines = WholeLines(taken.append)
    for _ in range(10):
        lines.write(b"x" * 1_000)

    assert [b"x" * 9_000] == taken
