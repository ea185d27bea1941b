"""
Collect files into packages, and find what a name means at the top level of a file.
"""

from collections.abc import Iterable

import attrs

from otelwasm.errors import WitError
from otelwasm.wit.lexer import Source
from otelwasm.wit.model import PackageName
from otelwasm.wit.names import did_you_mean
from otelwasm.wit.syntax import Id, InterfaceNode, PackageNode, Path, TopUseNode, WorldNode

__all__ = ["Draft", "File", "Files", "error_at"]


@attrs.define
class File:
    """
    One file, or one `package { }` block, and what its top-level `use`s stand for.
    """

    node: PackageNode
    package: "Draft"
    aliases: dict[str, Path] = attrs.field(factory=dict)


@attrs.define
class Draft:
    """
    What is known of a package before it is resolved.
    """

    name: PackageName
    source: Source
    files: list[File] = attrs.field(factory=list)
    items: dict[str, tuple[InterfaceNode | WorldNode, File]] = attrs.field(factory=dict)
    docs: str = ""


class Files:
    """
    All files, as packages; the files of one group are one package.
    """

    def __init__(self, groups: Iterable[Iterable[PackageNode]]) -> None:
        self.drafts: dict[PackageName, Draft] = {}
        self._needs: dict[PackageName, dict[PackageName, None]] = {}
        for group in groups:
            self._add_group(list(group))
        for package in self.drafts.values():
            for file in package.files:
                self._check_top_uses(file)

    def _add_group(self, files: list[PackageNode]) -> None:
        named = [file for file in files if file.name is not None]
        nested = [package for file in files for package in file.nested]
        if not named:
            source = files[0].source
            raise WitError(
                f"{source.name}: no `package namespace:name;` is found; "
                "the first line of a package's file says its name"
            )
        first = named[0]
        for file in named[1:]:
            if file.name != first.name:
                raise file.source.error(
                    file.name_at, f"package {file.name} in the folder of package {first.name}"
                )
        self._add_package(first, files)
        for package in nested:
            if package.nested:
                inner = package.nested[0]
                raise inner.source.error(
                    inner.name_at, "a nested package stands at a file's top level"
                )
            self._add_package(package, [package])

    def _add_package(self, first: PackageNode, files: list[PackageNode]) -> None:
        assert first.name is not None
        if first.name in self.drafts:
            other = self.drafts[first.name].source.name
            raise first.source.error(
                first.name_at, f"package {first.name} is defined twice, first in {other}"
            )
        package = Draft(first.name, first.source)
        self.drafts[first.name] = package
        for node in files:
            if node.docs:
                if package.docs:
                    raise node.source.error(
                        node.name_at, "the package has its doc comment in another file already"
                    )
                package.docs = node.docs
            self._add_file(package, node)
        for file in package.files:
            self._add_aliases(file)

    def _add_file(self, package: Draft, node: PackageNode) -> None:
        file = File(node, package)
        package.files.append(file)
        for item in node.declarations:
            if isinstance(item, TopUseNode):
                continue
            if item.name.text in package.items:
                raise error_at(file, item.name, f"`{item.name.text}` is defined twice")
            package.items[item.name.text] = (item, file)

    def _add_aliases(self, file: File) -> None:
        own = {
            item.name.text for item in file.node.declarations if not isinstance(item, TopUseNode)
        }
        for item in file.node.declarations:
            if isinstance(item, TopUseNode):
                if item.name.text in own or item.name.text in file.aliases:
                    raise error_at(
                        file,
                        item.name,
                        f"the name `{item.name.text}` is defined twice in this file",
                    )
                file.aliases[item.name.text] = item.path

    def _check_top_uses(self, file: File) -> None:
        for path in file.aliases.values():
            if path.package is None:
                if path.name.text not in file.package.items:
                    raise error_at(file, path.name, _unknown(path.name.text, file.package.items))
            elif isinstance(self.find(path, file)[0], WorldNode):
                raise error_at(
                    file, path.name, f"`{path}` is a world; a `use` out here names an interface"
                )

    def find(self, path: Path, file: File) -> tuple[InterfaceNode | WorldNode, File]:
        """
        What *path* names when it stands in *file*, and the file that defines it.
        """
        if path.package is None:
            alias = file.aliases.get(path.name.text)
            if alias is not None:
                if alias.package is None and alias.name.text in file.package.items:
                    return file.package.items[alias.name.text]
                return self.find(alias, file)
            item = file.package.items.get(path.name.text)
            if item is None:
                known = [*file.aliases, *file.package.items]
                raise error_at(file, path.name, _unknown(path.name.text, known))
            return item
        package = self.drafts.get(path.package)
        if package is None:
            raise error_at(file, path.name, self._no_package(path.package))
        self._refuse_cycle(file, path)
        item = package.items.get(path.name.text)
        if item is None:
            raise error_at(
                file,
                path.name,
                f"package {path.package} has no interface or world `{path.name.text}`"
                f"{did_you_mean(path.name.text, package.items)}",
            )
        return item

    def _no_package(self, name: PackageName) -> str:
        others = [
            str(known)
            for known in self.drafts
            if (known.namespace, known.name) == (name.namespace, name.name)
        ]
        found = f"; found {', '.join(others)}" if others else "; is it missing in deps/?"
        return f"unknown package {name}{found}"

    def _refuse_cycle(self, file: File, path: Path) -> None:
        """
        Note that *file*'s package needs the one that *path* names; packages go one way only.
        """
        assert path.package is not None
        here = file.package.name
        if path.package in self._needs.setdefault(here, {}):
            return
        self._needs[here][path.package] = None
        chain = self._chain(path.package, here)
        if chain:
            text = " -> ".join(str(name) for name in [here, *chain])
            raise error_at(file, path.name, f"packages depend on each other: {text}")

    def _chain(self, start: PackageName, goal: PackageName) -> list[PackageName]:
        """
        How *start* needs *goal*; empty if it does not.
        """
        came: dict[PackageName, PackageName | None] = {start: None}
        queue = [start]
        for name in queue:
            if name == goal:
                chain = [name]
                while (before := came[chain[0]]) is not None:
                    chain.insert(0, before)
                return chain
            for needed in self._needs.get(name, ()):
                if needed not in came:
                    came[needed] = name
                    queue.append(needed)
        return []


def error_at(file: File, place: Id, message: str) -> WitError:
    """
    A complaint about *place* in *file*.
    """
    return file.node.source.error(place.at, message, length=place.length)


def _unknown(name: str, known: Iterable[str]) -> str:
    return f"unknown interface or world `{name}`{did_you_mean(name, known)}"
