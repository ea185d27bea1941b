"""
The command line: `otelwasm new`, `run`, `check`, `replay`, `build`, `test`, `bench`, `validate`,
`inspect`, `bindgen`.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from otelwasm.errors import SetupError

if TYPE_CHECKING:
    from otelwasm.plugins.lane import Lane
    from otelwasm.scaffold import Language
    from otelwasm_sdk.definition import Kind

__all__ = ["main"]

_FILE = click.Path(path_type=Path)


class _Commands(click.Group):
    """
    Shows what a user has to mend as one message, and exits with 2.
    """

    def invoke(self, ctx: click.Context) -> Any:
        """
        Run the command that was asked for.
        """
        try:
            return super().invoke(ctx)
        except SetupError as error:
            click.echo(str(error), err=True)
            ctx.exit(2)
        except OSError as error:
            if error.filename is None:
                raise
            click.echo(f"{error.filename}: {error.strerror}", err=True)
            ctx.exit(2)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="otelwasm", prog_name="otelwasm")
def main() -> None:
    """
    Run OpenTelemetry pipelines with WebAssembly plugins.
    """


@main.command("run")
@click.argument("config", type=_FILE)
@click.option(
    "--watch",
    "is_watching",
    is_flag=True,
    help="Put changed plugins, and a changed CONFIG, in place while it runs.",
)
def _run(config: Path, is_watching: bool) -> None:
    """
    Run the pipelines of CONFIG until SIGINT or SIGTERM.

    The first signal stops in order and loses nothing; a second one ends at once.

    SIGHUP puts changed plugins, and a changed CONFIG, in place; from a terminal that is closed, it
    stops.
    """
    from otelwasm.cli.running import run_pipeline

    run_pipeline(config, is_watching=is_watching)


@main.command("check")
@click.argument("config", type=_FILE)
def _check(config: Path) -> None:
    """
    Check CONFIG and load its plugins, without opening a socket.
    """
    from otelwasm.cli.running import check_pipeline

    check_pipeline(config)
    click.echo(f"{config}: all good")


@main.command("replay")
@click.argument("config", type=_FILE)
@click.option("--list", "is_listing", is_flag=True, help="Only say what is there, and why.")
@click.option(
    "--only",
    metavar="COMPONENT",
    multiple=True,
    help="What this one left, as `--list` calls it; repeatable.",
)
@click.option("--to", metavar="EXPORTER", help="Send it all to this exporter of CONFIG.")
@click.pass_context
def _replay(
    ctx: click.Context, config: Path, is_listing: bool, only: tuple[str, ...], to: str | None
) -> None:
    """
    Send what is in the quarantine of CONFIG on its way again, while the service runs or not.

    What an exporter did not deliver it gets again; else it goes through what lies behind the
    component that could not hand it on. What is delivered is deleted, the rest stays. Exits with 0
    if nothing is left, with 1 if something is.
    """
    from otelwasm.cli.replaying import list_quarantined, replay_quarantined

    if is_listing:
        list_quarantined(config)
    else:
        ctx.exit(0 if replay_quarantined(config, only=only, to=to) else 1)


@main.command("new")
@click.argument("kind", type=click.Choice(["processor", "exporter", "receiver"]))
@click.argument("folder", type=_FILE)
@click.option(
    "--lang",
    type=click.Choice(["python", "rust", "go"]),
    default="python",
    show_default=True,
    help="The language to write it in.",
)
def _new(kind: "Kind", folder: Path, lang: "Language") -> None:
    """
    Make FOLDER with a new plugin of KIND, called like it, that can be tested and run at once.
    """
    from otelwasm.cli.scaffolding import make_plugin

    make_plugin(kind, folder, lang)


@main.command("build")
@click.argument("source", type=_FILE)
@click.option("-o", "--output", type=_FILE, help="The component to write.")
def _build(source: Path, output: Path | None) -> None:
    """
    Build the plugin SOURCE into a component: a Python file, or a folder with a plugin in Python,
    Rust, Go or JavaScript.

    What is written is called like the file, beside it, or like the folder, in this one.
    """
    from otelwasm.cli.building import build_plugin

    build_plugin(source, output)


@main.command("test")
@click.argument("plugin", type=_FILE, default=Path("."))
@click.option(
    "--update", "is_updating", is_flag=True, help="Accept what comes as what is expected."
)
@click.option("--case", "names", metavar="NAME", multiple=True, help="Run this case; repeatable.")
@click.option("--cases", type=_FILE, metavar="DIR", help="The folder of cases; PLUGIN's `cases`.")
@click.option(
    "--lane",
    type=click.Choice(["auto", "direct", "bridge"]),
    default="auto",
    help="How bytes cross into the plugin.",
)
@click.pass_context
def _test(
    ctx: click.Context,
    plugin: Path,
    is_updating: bool,
    names: tuple[str, ...],
    cases: Path | None,
    lane: "Lane",
) -> None:
    """
    Run the cases of PLUGIN, a Python file, a component, or a folder (this one unless given), and
    show how the telemetry that comes differs from what is expected.

    A case is a folder in `cases` with input-traces.json or the like; --update writes the rest.
    Exits with 0 if all pass, with 1 if one does not, with 2 if there is a mistake in the files.
    """
    from otelwasm.cli.testing import run_cases

    is_good = run_cases(plugin, cases=cases, names=names, lane=lane, is_updating=is_updating)
    ctx.exit(0 if is_good else 1)


@main.command("bench")
@click.argument("plugin", type=_FILE)
@click.option("--config", type=_FILE, metavar="FILE", help="YAML of what goes under `config:`.")
@click.option(
    "--input",
    "inputs",
    type=_FILE,
    metavar="FILE",
    multiple=True,
    help="A batch, as cart-traces.json or .pb; repeatable. Made ones of 1, 100, 1,000 items.",
)
@click.option("--case", type=_FILE, metavar="DIR", help="Configuration and input of a test case.")
@click.option(
    "--seconds", type=click.FloatRange(min=0, min_open=True), default=2.0, show_default=True
)
@click.option(
    "--lane",
    type=click.Choice(["auto", "direct", "bridge"]),
    default="auto",
    help="How bytes cross into the plugin.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def _bench(
    plugin: Path,
    config: Path | None,
    inputs: tuple[Path, ...],
    case: Path | None,
    seconds: float,
    lane: "Lane",
    as_json: bool,
) -> None:
    """
    Measure PLUGIN, a Python file, a component or a folder: throughput, latencies and memory, beside
    a nop of the same kind and lane.

    Each batch is measured for --seconds, the nop for as long, in turns. A receiver is measured with
    the messages of a --case.
    """
    from otelwasm.cli.benching import bench_plugin

    bench_plugin(
        plugin,
        config=config,
        inputs=inputs,
        case=case,
        seconds=seconds,
        lane=lane,
        as_json=as_json,
    )


@main.command("validate")
@click.argument("component", type=_FILE)
@click.option("--wit", type=_FILE, help="WIT to check against, a file or folder; our contract.")
@click.option("--world", "-w", help="The world to check against; any that fits.")
@click.option("--no-wasi", is_flag=True, help="Offer no WASI but what the world itself imports.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def _validate(
    ctx: click.Context,
    component: Path,
    wit: Path | None,
    world: str | None,
    no_wasi: bool,
    as_json: bool,
) -> None:
    """
    Say whether COMPONENT fits a world, and each thing that keeps it from that.

    Nothing of the component is compiled or run. Exits with 0 if it fits, with 1 if it does not,
    with 2 if it is no component or the WIT has a mistake.
    """
    from otelwasm.cli.validating import validate_component

    found = validate_component(
        component, wit=wit, world=world, has_wasi=not no_wasi, as_json=as_json
    )
    ctx.exit(0 if found else 1)


@main.command("inspect")
@click.argument("component", type=_FILE)
@click.option("--wit", "as_wit", is_flag=True, help="Print its imports and exports as WIT.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def _inspect(component: Path, as_wit: bool, as_json: bool) -> None:
    """
    Show what COMPONENT is for, what made it and what it is made of.

    Nothing of it is compiled or run. Exits with 2 if it is no component.
    """
    from otelwasm.cli.inspecting import inspect_component

    inspect_component(component, as_wit=as_wit, as_json=as_json)


@main.command("bindgen")
@click.argument("wit", type=_FILE)
@click.option("--world", "-w", required=True, help="The world to make bindings for.")
@click.option("--output", "-o", type=_FILE, required=True, help="The folder to write.")
def _bindgen(wit: Path, world: str, output: Path) -> None:
    """
    Write typed Python bindings for a WORLD of WIT, a file or a folder.
    """
    from otelwasm.cli.binding import write_bindings

    for path in write_bindings(wit, world, output=output):
        click.echo(str(path))


if __name__ == "__main__":
    sys.exit(main())
