"""
Make the command line's reference out of the help that click shows.
"""

from collections.abc import Iterator

import click

from otelwasm.cli import main

__all__ = ["page"]

_WIDTH = 90


def page() -> str:
    """
    The page: each command's help, and what the exit codes mean.
    """
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "# Command line"
    yield ""
    yield (
        "This page is for looking up a command: it is the text of `otelwasm COMMAND --help`, and"
        " the exit codes for scripts."
    )
    yield ""
    yield "## Exit codes"
    yield ""
    yield "| code | meaning |"
    yield "| --- | --- |"
    yield "| 0 | done; the answer is yes |"
    yield "| 1 | the answer is no: a component does not fit, a case differs |"
    yield (
        "| 2 | something that you have to mend: a wrong option, a mistake in a configuration, a"
        " source that does not build, a plugin that does not start, an address that is taken |"
    )
    yield "| 130, 143 | `run` was told twice to stop (SIGINT, SIGTERM), and ended at once |"
    yield ""
    yield (
        "What is wrong goes to standard error, in one message; what was asked for goes to standard"
        " output. The log of `run` goes to standard error."
    )
    with click.Context(main, info_name="otelwasm", max_content_width=_WIDTH) as top:
        for name, command in main.commands.items():
            yield ""
            yield f"## `otelwasm {name}` {{ #{name} }}"
            yield ""
            with click.Context(
                command, info_name=name, parent=top, max_content_width=_WIDTH, terminal_width=_WIDTH
            ) as context:
                yield "```text"
                yield command.get_help(context)
                yield "```"
