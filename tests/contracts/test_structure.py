"""What `tests/benchmarks/structure.py` counts, on files small enough to count by hand."""

from __future__ import annotations

import ast
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks.structure import PACKAGES, Structure, circles, imported, long_functions, public, repeated_names

GRAPHS = st.dictionaries(st.sampled_from("abcdef"), st.frozensets(st.sampled_from("abcdef")), max_size=6)


def test_a_circle_is_every_module_that_leads_back_to_itself_through_others():
    imports = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": {"e"}, "e": {"d"}, "f": {"a", "f", "json"}}
    assert circles(imports) == [["a", "b", "c"], ["d", "e"]]


@given(GRAPHS)
def test_there_is_no_circle_just_when_modules_can_stand_in_an_order(imports):
    left = {module: {name for name in names if name in imports and name != module} for module, names in imports.items()}
    while free := [module for module, names in left.items() if not names & left.keys()]:
        for module in free:
            del left[module]
    assert bool(circles(imports)) == bool(left)


def test_a_name_is_repeated_when_two_folders_have_it():
    paths = [Path("data/prices.py"), Path("data/goods.py"), Path("features/prices.py")]
    assert repeated_names(paths) == {"prices.py": [Path("data/prices.py"), Path("features/prices.py")]}


def test_imports_count_wherever_they_stand_and_by_the_module_they_reach():
    modules = {"data", "data.prices", "data.goods", "data.images", "data.images.fetch", "data.images.store", "models"}
    text = """
import json
import models.train
from data import prices, settings
from data.goods import Good
from . import store
def later():
    from ..moments import now
if TYPE_CHECKING:
    import models
"""
    found = imported(Path("data/images/fetch.py"), ast.parse(text), modules)
    assert found == {"data", "data.prices", "data.goods", "data.images.store", "models"}


def test_long_functions_are_those_with_more_lines_than_allowed():
    tree = ast.parse("def two():\n    pass\n\nclass A:\n    async def three(self):\n        pass\n        pass\n")
    assert long_functions(tree, 2) == {"three, line 5": 3}


def test_public_is_what_no_underscore_hides():
    tree = ast.parse(
        "class A:\n    def b(self): ...\n    def _c(self): ...\nclass _D:\n    def e(self): ...\ndef f(): ...\n"
    )
    assert [getattr(node, "name", "module") for node in public(tree)] == ["module", "A", "b", "f"]


def test_a_checkout_is_told_in_figures_without_its_init_files(tmp_path):
    files = {
        "data/__init__.py": "",
        "data/one.py": '"""One."""\nfrom data.two import b\n',
        "data/two.py": "import data.one\ndef b():\n    pass\n",
        "data/more/one.py": "",
        "data/more/page.html": "<p>",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert Structure.of(tmp_path, ["data"]).figures() == {
        "files": "3",
        "lines of a file, median": "2",
        "lines of the longest": "3 (data/two.py)",
        "most files in a folder": "2 (data/)",
        "names of several files": "1 (2 files)",
        "import circles": "1 (2 modules)",
        "long functions": "0",
        "public docstrings": "25.0% of 4",
    }


def test_the_packages_keep_their_bounds():
    structure = Structure.of(Path(__file__).resolve().parents[2], PACKAGES)
    assert {str(folder): count for folder, count in structure.folders.items() if count > 15} == {}
    assert {name: paths for name, paths in structure.repeated.items() if name != "__main__.py"} == {}
    assert structure.circles == []
    assert len(structure.long) <= 3, structure.long
    assert {str(path): lines for path, lines in structure.lines.items() if lines > 350} == {}
