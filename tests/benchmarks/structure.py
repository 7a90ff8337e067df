"""Print what the files of one or more checkouts look like from outside, side by side.

    python tests/benchmarks/structure.py
    python tests/benchmarks/structure.py /elsewhere/older . --list

Each CHECKOUT (default: this one) is read, not run. One table tells of data, features, models, flows and review, a
second one of tests. ``--list`` names what is counted.

files, lines
    Python files; ``__init__.py`` is left out of all counts, and takes part only in imports.
most files in a folder
    Files of any kind directly in one folder.
names of several files
    Base names that stand for more than one Python file.
import circles
    Sets of modules that all lead to each other by imports, wherever these stand: those of functions, and those for
    type checking only, count as well.
long functions
    Of more than 50 lines, from ``def`` to the last one.
public docstrings
    Share of modules, classes, functions and methods that have one, of those whose name, and whose class's name, does
    not begin with an underscore. Functions within functions are nobody's to call, and left out.
"""

from __future__ import annotations

import argparse
import ast
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

PACKAGES = ("data", "features", "models", "flows", "review")
TESTS = ("tests",)
LONG_LINES = 50
INIT = "__init__.py"
Function = ast.FunctionDef | ast.AsyncFunctionDef


def circles(imports: Mapping[str, Collection[str]]) -> list[list[str]]:
    """Return the sets of modules that all lead to each other, each in order of names, the largest first.

    Parameters
    ----------
    imports
        What each module imports; what is no key of it is left out.
    """
    reached = {module: _reached(module, imports) for module in imports}
    found = {
        tuple(sorted(other for other in reached[module] if module in reached[other]))
        for module in imports
        if module in reached[module]
    }
    return sorted((list(circle) for circle in found if len(circle) > 1), key=lambda circle: (-len(circle), circle))


def _reached(module: str, imports: Mapping[str, Collection[str]]) -> set[str]:
    reached: set[str] = set()
    ahead = [module]
    while ahead:
        new = {name for name in imports[ahead.pop()] if name in imports} - reached
        reached |= new
        ahead.extend(new)
    return reached


def repeated_names(paths: Iterable[Path]) -> dict[str, list[Path]]:
    """Return base names that stand for more than one of the files, and which, the most used first."""
    by_name: dict[str, list[Path]] = {}
    for path in sorted(paths):
        by_name.setdefault(path.name, []).append(path)
    names = sorted((name for name in by_name if len(by_name[name]) > 1), key=lambda name: (-len(by_name[name]), name))
    return {name: by_name[name] for name in names}


def module_of(path: Path) -> str:
    """Return the name by which a file is imported."""
    parts = path.parent.parts if path.name == INIT else path.with_suffix("").parts
    return ".".join(parts)


def imported(path: Path, tree: ast.Module, modules: Collection[str]) -> set[str]:
    """Return the modules among those given that a file imports, wherever it does."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = path.parent.parts[: len(path.parent.parts) + 1 - node.level] if node.level else ()
            source = ".".join((*above, *filter(None, [node.module])))
            names = {alias.name: f"{source}.{alias.name}" for alias in node.names}
            found |= {whole if whole in modules else source for whole in names.values()}
    return (found & set(modules)) - {module_of(path)}


def long_functions(tree: ast.Module, lines: int) -> dict[str, int]:
    """Return the lines of each function that has more than so many."""
    functions = [node for node in ast.walk(tree) if isinstance(node, Function)]
    lengths = {f"{node.name}, line {node.lineno}": (node.end_lineno or 0) + 1 - node.lineno for node in functions}
    return {name: length for name, length in lengths.items() if length > lines}


def public(node: ast.Module | ast.ClassDef | Function) -> Iterator[ast.Module | ast.ClassDef | Function]:
    """Yield what is public of a module or a class, itself included."""
    if not isinstance(node, ast.Module) and node.name.startswith("_"):
        return
    yield node
    if not isinstance(node, Function):
        for part in node.body:
            if isinstance(part, ast.ClassDef | Function):
                yield from public(part)


@dataclass(frozen=True, slots=True)
class Structure:
    """What some folders of a checkout look like.

    Parameters
    ----------
    lines
        Of each Python file.
    folders
        How many files of any kind each folder holds directly.
    repeated, circles, long
        Base names with several files; modules in circles; lines of long functions.
    documented
        Whether each public thing has a docstring.
    """

    lines: dict[Path, int]
    folders: Counter[Path]
    repeated: dict[str, list[Path]]
    circles: list[list[str]]
    long: dict[str, int]
    documented: list[bool]

    @classmethod
    def of(cls, root: Path, packages: Collection[str]) -> Structure:
        """Read the files of a checkout."""
        files = [
            path.relative_to(root)
            for package in packages
            for path in (root / package).rglob("*")
            if path.is_file() and path.parent.name != "__pycache__"
        ]
        texts = {path: (root / path).read_text() for path in sorted(files) if path.suffix == ".py"}
        trees = {path: ast.parse(text) for path, text in texts.items()}
        modules = {module_of(path) for path in trees}
        named = [path for path in trees if path.name != INIT]
        return cls(
            lines={path: len(texts[path].splitlines()) for path in named},
            folders=Counter(path.parent for path in files if path.name != INIT),
            repeated=repeated_names(named),
            circles=circles({module_of(path): imported(path, tree, modules) for path, tree in trees.items()}),
            long={
                f"{path}: {name}": length
                for path in named
                for name, length in long_functions(trees[path], LONG_LINES).items()
            },
            documented=[ast.get_docstring(node) is not None for path in named for node in public(trees[path])],
        )

    def figures(self) -> dict[str, str]:
        """Return the rows of the table."""
        longest = max(self.lines, key=self.lines.__getitem__)
        fullest, most = self.folders.most_common(1)[0]
        return {
            "files": str(len(self.lines)),
            "lines of a file, median": f"{median(self.lines.values()):.0f}",
            "lines of the longest": f"{self.lines[longest]} ({longest})",
            "most files in a folder": f"{most} ({fullest}/)",
            "names of several files": f"{len(self.repeated)} ({sum(map(len, self.repeated.values()))} files)",
            "import circles": f"{len(self.circles)} ({sum(map(len, self.circles))} modules)",
            "long functions": str(len(self.long)),
            "public docstrings": f"{sum(self.documented) / len(self.documented):.1%} of {len(self.documented)}",
        }

    def named(self) -> Iterator[str]:
        """Yield lines that name what is counted."""
        yield "  names of several files"
        yield from (f"    {name}: {', '.join(map(str, paths))}" for name, paths in self.repeated.items())
        yield "  import circles"
        yield from (f"    {len(circle)}: {', '.join(circle)}" for circle in self.circles)
        yield "  long functions"
        yield from (f"    {length} lines, {name}" for name, length in Counter(self.long).most_common())


def main() -> None:
    """Read every checkout and print one table for the packages and one for the tests."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = Path(__file__).resolve().parents[2]
    parser.add_argument("checkouts", nargs="*", type=Path, metavar="CHECKOUT", default=[here])
    parser.add_argument("--list", action="store_true", help="name what is counted, too")
    given = parser.parse_args()
    for title, packages in (("packages", PACKAGES), ("tests", TESTS)):
        found = {str(root): Structure.of(root, packages) for root in given.checkouts}
        rows = {title: list(found)}
        for structure in found.values():
            for name, figure in structure.figures().items():
                rows.setdefault(name, []).append(figure)
        width = max(len(figure) for figures in rows.values() for figure in figures)
        for name, figures in rows.items():
            print(f"{name:<24}" + "".join(f" | {figure:<{width}}" for figure in figures).rstrip())
        for root, structure in found.items() if given.list else ():
            print(f"\n{title}, {root}", *structure.named(), sep="\n")
        print()


if __name__ == "__main__":
    main()
