"""
Make a new plugin's folder and say how to go on.
"""

import shlex
from pathlib import Path

import click

from otelwasm.build.toolchains import missing
from otelwasm.scaffold import Language, new_plugin, steps
from otelwasm_sdk.definition import Kind

__all__ = ["make_plugin"]


def make_plugin(kind: Kind, folder: Path, language: Language) -> None:
    """
    Make *folder*, print its files, what is still missing to build it, and the next commands.
    """
    for path in new_plugin(kind, folder, language):
        click.echo(f"  {path}")
    if reason := missing(language):
        click.echo(f"\nTo build it, first: {reason}")
    click.echo("\nNext:\n")
    commands = [
        ("cd " + shlex.quote(str(folder)), ""),
        *steps(kind, folder.resolve().name, language),
    ]
    for command, purpose in commands:
        if purpose:
            click.echo(f"  # {purpose}")
        click.echo(f"  {command}")
