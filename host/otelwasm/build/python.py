"""
Build a Python plugin: its sources and pure-Python requirements become a component.

    source file or folder ──► app folder with an entry module ─┐
    what it requires      ──► installed by pip, pure Python ───┼──► componentize-py ──► component
    what every plugin has ──► SDK, attrs, protobuf, upb in C ──┘

A runner is the same less the source: it can be any plugin that requires as much, and is told which
one when it starts (wit/direct.wit, `sources`). Where there is one it is asked before a component is
made, as it says at once what cannot be a plugin. Components are cached by the content of all that
goes into them.
"""

import json
from collections.abc import Callable
from pathlib import Path, PurePath

from otelwasm.build.ingredients import Ingredients, RequirementError
from otelwasm.build.kept import find_component, kept_component, key_of
from otelwasm.build.source import PluginSource, read_source
from otelwasm.errors import BuildError, ComponentError
from otelwasm.plugins.sources import Sources

__all__ = ["build", "runner", "sources_of"]

Report = Callable[[str], None]

_EXPORTS = {
    "processor": "Lifecycle, Processing, Direct",
    "exporter": "Lifecycle, Exporting, Direct",
    "receiver": "Lifecycle, Receiving, Direct",
}
# What the SDK's otelwasm_sdk/guest/load.py begins its refusal with.
_REFUSAL = "otelwasm-refusal:"


def build(source: Path, *, report: Report = lambda line: None) -> Path:
    """
    Build the plugin at *source*, a file or a folder with a plugin.py, into the cache.
    """
    plugin = read_source(source)
    ingredients = _ingredients(plugin, report)
    settings = {"entry": plugin.entry, "name": plugin.name, "rest": ingredients.key}
    key = key_of(settings, sorted(plugin.files.items()))

    def make() -> bytes:
        if why := _refused_at_once(plugin, ingredients):
            raise BuildError(why)
        report(f"{plugin.name}: making a component, which takes some seconds")
        entry = f"""from pathlib import Path

from otelwasm_sdk.guest.worlds import exports

{_EXPORTS[plugin.kind]} = exports(
    {plugin.kind!r}, str(Path(__file__).with_name({plugin.entry!r}))
)
"""
        # Here, as a program that finds it built needs nothing of it.
        from otelwasm.build.componentize import FailedError, componentize

        try:
            return componentize(
                ingredients, world=f"python-{plugin.kind}", entry=entry, files=plugin.files
            )
        except FailedError as error:
            said = f"{error.tool} could not build {plugin.name} {error}"
            raise BuildError(_refused_while_made(plugin, error.said) or said) from None

    return kept_component(plugin.name, key, make=make, report=report)


def runner(plugin: PluginSource, *, report: Report = lambda line: None) -> tuple[Path, str]:
    """
    Build what can be *plugin*, and any of its kind that requires the same; return the component,
    and the key of all that is in it.
    """
    ingredients = _ingredients(plugin, report)
    name, key = _runner(plugin, ingredients)

    def make() -> bytes:
        report(f"making a runner for {plugin.kind}s, once, which takes some seconds")
        entry = f"""from otelwasm_sdk.guest.worlds import runner_exports

{_EXPORTS[plugin.kind]}, Sources = runner_exports(
    {plugin.kind!r}, {ingredients.modules!r}
)
"""
        # Here, as above.
        from otelwasm.build.componentize import FailedError, componentize

        try:
            return componentize(
                ingredients, world=f"python-{plugin.kind}-runner", entry=entry, files={}
            )
        except FailedError as error:
            raise BuildError(f"{error.tool} could not build a runner: {error}") from None

    return kept_component(name, key, make=make, report=lambda line: None), key


def _ingredients(plugin: PluginSource, report: Report) -> Ingredients:
    try:
        return Ingredients.of(plugin.requirements, report)
    except RequirementError as error:
        listed = plugin.files.get("requirements.txt", plugin.files[plugin.entry])
        raise BuildError(f"{listed}: {error}") from None


def sources_of(plugin: PluginSource, component: Path, *, key: str) -> Sources:
    """
    What the runner in *component*, known by *key*, is told to be *plugin*.
    """
    names = sorted(plugin.files, key=lambda name: (name != plugin.entry, name))
    return Sources(
        name=plugin.name,
        runner=component,
        key=key,
        files={name: plugin.files[name].read_bytes() for name in names},
        refusal=lambda answer: _refusal(plugin, answer),
    )


def _runner(plugin: PluginSource, ingredients: Ingredients) -> tuple[str, str]:
    """
    The name and the key of the runner that can be *plugin*.
    """
    return f"{plugin.kind}-runner", key_of({"runner": plugin.kind, "rest": ingredients.key}, ())


def _refusal(plugin: PluginSource, answer: str) -> str:
    """
    Say why there is no plugin in the sources, by what the SDK answered.
    """
    said = json.loads(answer)
    message: str = said["message"]
    name, _, rest = message.partition(":")
    entry = plugin.files[plugin.entry]
    file = plugin.files.get(name)
    text = f"{entry}: {message}" if file is None else f"{file}:{rest}"
    if said["missing"]:
        # Here, as most plugins miss nothing.
        from otelwasm.build.modules import why_missing

        text += f"\n{why_missing(said['missing'], beside=entry)}"
    return text


def _refused_at_once(plugin: PluginSource, ingredients: Ingredients) -> str | None:
    """
    Why there will be no component, by a runner, if there is one, and if a build would say the same.
    """
    name, key = _runner(plugin, ingredients)
    component = find_component(name, key)
    # A package may have ways of its own to find what is beside it, which need its files.
    if component is None or ingredients.packages is not None:
        return None
    # Here, as a program that finds it built needs nothing of it.
    from otelwasm.plugins.faults import Fault
    from otelwasm.plugins.starting import refused

    try:
        answer = refused(sources_of(plugin, component, key=key))
    except (ComponentError, Fault):
        return None
    if answer is None:
        return None
    said = json.loads(answer)
    missing = (said["missing"] or "").partition(".")[0]
    # So may the plugin, as another folder in sys.path.
    is_here = any(missing in PurePath(name).with_suffix("").parts for name in plugin.files)
    return _refusal(plugin, answer) if said["final"] and not is_here else None


def _refused_while_made(plugin: PluginSource, said: str) -> str | None:
    """
    Why there is no component, by what the SDK wrote while one was made, if it did.
    """
    answer = next((line for line in said.splitlines() if _REFUSAL in line), None)
    return None if answer is None else _refusal(plugin, answer.partition(_REFUSAL)[2])
