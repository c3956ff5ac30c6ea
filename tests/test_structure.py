"""Who may import whom, how large things may grow, and that the checks themselves can fail."""

import importlib
import typing
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests import structure
from tests.structure import Program

REAL = Program()
Make = Callable[[dict[str, str]], Program]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Make a small program of file names and texts."""

    def written(files: dict[str, str]) -> Program:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        return Program(tmp_path)

    return written


# The program itself ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rule",
    [
        structure.order_violations,
        structure.engine_violations,
        structure.rows_violations,
        structure.window_violations,
        structure.loaded_by_the_window,
        structure.page_violations,
        structure.owner_violations,
        structure.cycles,
        structure.operation_violations,
        structure.functions_as_text,
        structure.missing_tests,
    ],
    ids=lambda rule: rule.__name__,
)
def test_the_program_keeps_the_rule(rule: Callable[[Program], list[object]]) -> None:
    found = rule(REAL)
    assert not found, f"{len(found)} violations:\n" + "\n".join(map(str, found))


@pytest.mark.parametrize(
    ("measure", "most"),
    [
        (structure.files_per_folder, structure.MOST_FILES),
        (structure.lines_of_code, structure.MOST_LINES),
        (structure.methods_per_class, structure.MOST_METHODS),
        (structure.lines_per_function, structure.MOST_FUNCTION_LINES),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_nothing_grows_over_its_limit(measure: Callable[[Program], dict[str, int]], most: int) -> None:
    assert {place: count for place, count in measure(REAL).items() if count > most} == {}


def test_there_are_enough_lines_of_test() -> None:
    assert structure.share_of_tests(REAL) >= structure.LEAST_TEST_LINES


def test_every_place_in_the_order_that_a_rule_names_exists_in_it() -> None:
    named = [name for owners in structure.OWNERS.values() for name in owners]
    named += [*structure.WINDOW_MAY_IMPORT, *structure.PAGE_IMPORTERS, structure.IN_THE_ENGINE_PROCESS]
    for name in named:
        if name == "resources":  # no floor of the program: a package of data
            continue
        floor, package = name.split(".")[:2]
        assert package in {"rag": structure.RAG, "app": structure.APP}[floor], name


def test_every_operation_has_a_title_and_a_known_lane() -> None:
    listed = structure.operations(REAL)
    assert len(listed) > 10
    assert [o.name for o in listed if not o.title or o.lane not in structure.LANES] == []


def test_what_an_operation_returns_can_be_read_in_the_window() -> None:
    """A result crosses to the window's process: unpickling it imports the module of its class."""
    wrong = []
    for operation in structure.operations(REAL):
        for kind in classes_in(returned(operation.function)):
            module = kind.__module__
            light = structure.covers(structure.WINDOW_MAY_IMPORT, module) or module.endswith(".rows")
            if module.startswith("rag.") and not light:
                wrong.append(f"{operation.name} returns {module}.{kind.__name__}")
    assert wrong == []


def returned(function: str) -> object:
    """Return the type that a function is annotated to return, type-only imports of its module included."""
    module, _, name = function.partition(":")
    home = vars(importlib.import_module(module))
    hint = home[name].__annotations__["return"]
    if not isinstance(hint, str):
        return hint
    names = {**vars(typing), "np": np, **home}
    for imported in REAL.imports[module]:
        if not imported.at_start and imported.target in REAL.sources:
            for key, value in vars(importlib.import_module(imported.target)).items():
                names.setdefault(key, value)
    return eval(hint, names)


def classes_in(hint: object) -> set[type]:
    """Return the classes that a type is made of."""
    arguments = typing.get_args(hint)
    if not arguments:
        return {hint} if isinstance(hint, type) else set()
    return set().union(*(classes_in(part) for part in arguments))


def test_the_table_in_contributing_is_the_one_the_test_checks() -> None:
    text = (structure.ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert structure.with_table(text) == text, "run `python -m tests.structure --contributing`"


# The checks, on small made-up programs --------------------------------------------------------------------


def test_imports_may_only_go_down_the_order_of_packages(make: Make) -> None:
    program = make(
        {
            "rag/__init__.py": "",
            "rag/errors.py": "",
            "rag/asking/__init__.py": "",
            "rag/asking/answer.py": "from rag.knowledge.versions import x\nfrom rag.errors import RagError\n",
            "rag/knowledge/__init__.py": "",
            "rag/knowledge/versions.py": "def f():\n    from rag.asking import answer\n",
        }
    )
    assert structure.order_violations(program) == [
        "rag/knowledge/versions.py:2 imports rag.asking.answer, which comes after rag.knowledge"
    ]


def test_type_only_and_dynamic_imports_count_in_the_order(make: Make) -> None:
    program = make(
        {
            "rag/errors.py": (
                "import importlib\nfrom typing import TYPE_CHECKING\n"
                "if TYPE_CHECKING:\n    from rag.settings import Settings\n"
                "late = importlib.import_module('rag.workspace')\n"
            ),
            "rag/settings.py": "",
            "rag/workspace.py": "",
        }
    )
    assert [line.split(",")[0] for line in structure.order_violations(program)] == [
        "rag/errors.py:4 imports rag.settings",
        "rag/errors.py:5 imports rag.workspace",
    ]


def test_a_module_without_a_place_and_an_import_of_nothing_are_told(make: Make) -> None:
    program = make({"rag/utils.py": "", "rag/cli/__init__.py": "from rag.gone import x\nimport rag.utils\n"})
    assert structure.order_violations(program) == [
        "rag/cli/__init__.py:1 imports rag.gone, which does not exist",
        "rag/utils.py has no place in the order of packages",
    ]


def test_the_engine_and_the_widgets_of_the_window_are_independent(make: Make) -> None:
    program = make(
        {
            "app/engine/client.py": "from app.widgets import theme\n",
            "app/widgets/theme.py": "import app.engine.client\n",
        }
    )
    assert len(structure.order_violations(program)) == 2


def test_the_engine_imports_nothing_of_the_window(make: Make) -> None:
    program = make({"rag/errors.py": "from PySide6.QtCore import Qt\nimport app.console\nimport json\n"})
    assert len(structure.engine_violations(program)) == 2


def test_rows_import_only_what_is_light(make: Make) -> None:
    allowed = "import json\nfrom rag.errors import E\nfrom rag.text import plurals\n"
    allowed += "from rag.review.rows import Row\nfrom rag.storage.database import one\n"
    program = make(
        {
            "rag/asking/rows.py": allowed,
            "rag/costs/rows.py": "import numpy\nimport rag.storage.store\nfrom rag.settings import S\n",
        }
    )
    found = structure.rows_violations(program)
    assert [line.split(",")[0] for line in found] == [
        "rag/costs/rows.py:1 imports numpy",
        "rag/costs/rows.py:2 imports rag.storage.store",
        "rag/costs/rows.py:3 imports rag.settings",
    ]


def test_the_window_imports_only_the_light_part_of_the_engine(make: Make) -> None:
    allowed = "import numpy\nfrom rag import operations\nfrom rag.settings import S\n"
    allowed += "from rag.asking.rows import Trace\n"
    program = make(
        {
            "rag/operations.py": "",
            "app/console.py": allowed,
            "app/engine/server.py": "from rag.workspace import Workspace\n",
            "app/routes.py": "def f():\n    import torch\n    from rag.asking.answer import ask\n",
        }
    )
    assert [line.split(",")[0] for line in structure.window_violations(program)] == [
        "app/routes.py:2 imports torch",
        "app/routes.py:3 imports rag.asking.answer",
    ]


def test_a_heavy_library_is_found_behind_the_package_around_a_light_module(make: Make) -> None:
    program = make(
        {
            "app/console.py": "from rag.index.rows import Row\n",
            "rag/index/__init__.py": "from rag.index.chroma import Index\n",
            "rag/index/rows.py": "",
            "rag/index/chroma.py": "import chromadb\n\ndef f():\n    import torch\n",
        }
    )
    assert structure.loaded_by_the_window(program) == [
        "app.console > rag.index > rag.index.chroma > chromadb"
    ]


def test_nothing_reaches_into_a_page(make: Make) -> None:
    program = make(
        {
            "app/main_window.py": "from app.pages.ask.page import AskPage\nfrom app.pages.models import M\n",
            "app/routes.py": "from app.pages.ask import panel\n",
            "app/pages/ask/page.py": "from app.pages.ask.panel import P\nfrom app.pages.models import M\n",
            "app/pages/ask/panel.py": "",
            "app/pages/models.py": "",
            "app/shared/claim_panel.py": "from app.pages.models import M\n",
            "app/widgets/labels.py": "from rag.text import plurals\nfrom rag.errors import RagError\n",
        }
    )
    assert [line.split(",")[0] for line in structure.page_violations(program)] == [
        "app/pages/ask/page.py:2 imports app.pages.models",
        "app/routes.py:1 imports app.pages.ask.panel",
        "app/shared/claim_panel.py:1 imports app.pages.models",
        "app/widgets/labels.py:2 imports rag.errors",
    ]


def test_a_heavy_library_has_one_owner(make: Make) -> None:
    program = make(
        {
            "rag/index/chroma.py": "import chromadb.config\n",
            "rag/evaluation/statistics/paired.py": "def f():\n    from scipy import stats\n",
            "rag/evaluation/metrics.py": "def f():\n    from scipy import stats\n",
        }
    )
    assert structure.owner_violations(program) == [
        "rag/evaluation/metrics.py:2 imports scipy, which belongs to another module"
    ]


def test_a_cycle_is_found_through_type_only_and_relative_imports(make: Make) -> None:
    program = make(
        {
            "rag/text/__init__.py": "",
            "rag/text/a.py": "from . import b\n",
            "rag/text/b.py": "def f():\n    from rag.text.c import g\n",
            "rag/text/c.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .a import h\n",
            "rag/text/d.py": "from rag.text import a\n",
        }
    )
    assert structure.cycles(program) == [["rag.text.a", "rag.text.b", "rag.text.c"]]


def test_lines_of_code_leave_out_blanks_comments_and_docstrings(make: Make) -> None:
    text = '"""Doc.\n\nMore.\n"""\n\n# note\nX = """a\n\nb"""  # 2\n\n\n'
    text += 'def f():\n    "Doc."\n    return (\n        1,\n    )\n'
    assert structure.lines_of_code(make({"rag/errors.py": text})) == {"rag/errors.py": 6}


def test_methods_and_lines_are_counted(make: Make) -> None:
    text = "class A:\n    x = 1\n    def f(self):\n        def g():\n            pass\n"
    text += "    async def h(self): ...\n"
    program = make({"rag/errors.py": text})
    assert structure.methods_per_class(program) == {"rag/errors.py:1 A": 2}
    assert structure.lines_per_function(program)["rag/errors.py:3 f"] == 3


def test_files_are_counted_in_their_own_folder_only(make: Make) -> None:
    program = make({"rag/__init__.py": "", "rag/errors.py": "", "rag/cli/__init__.py": "", "main.py": ""})
    assert structure.files_per_folder(program) == {"rag": 2, "rag/cli": 1}


def test_public_things_without_a_docstring_are_listed(make: Make) -> None:
    text = '"""Doc."""\nclass A:\n    """Doc."""\n    def f(self): ...\n    def _g(self): ...\n'
    text += "class _B:\n    def h(self): ...\n"
    program = make({"rag/errors.py": text, "rag/settings.py": ""})
    assert structure.undocumented(program) == ["rag/errors.py:4 f", "rag/settings.py:1 (module)"]


def test_broad_excepts_are_listed(make: Make) -> None:
    kinds = ["OSError", "(OSError, ValueError)", "Exception", "(OSError, BaseException)", ""]
    text = "".join(f"try:\n    pass\nexcept {kind}:\n    pass\n".replace(" :", ":") for kind in kinds)
    found = structure.broad_excepts(make({"rag/errors.py": text}))
    assert found == ["rag/errors.py:11", "rag/errors.py:15", "rag/errors.py:19"]


OPERATIONS = (
    'ask: Operation[E, R] = Operation("rag.routing:ask", lane=Lane.MODEL, title="Ask")\n'
    'again = Operation[E, R]("rag.routing:ask", lane=Lane.READ, title="Ask again")\n'
    'lost = Operation("rag.routing:gone", lane=Lane.READ, title="Lost")\n'
)


def test_operations_are_read_from_the_text_and_checked_against_it(make: Make) -> None:
    program = make({"rag/operations.py": OPERATIONS, "rag/routing.py": "def ask(): ...\n"})
    assert structure.operations(program)[0] == structure.Operation("ask", "rag.routing:ask", "model", "Ask")
    assert structure.operation_violations(program) == [
        "rag.routing:ask has two lanes: model, read",
        "lost: rag.routing:gone is no function",
    ]


def test_a_program_without_operations_has_none(make: Make) -> None:
    assert structure.operations(make({"rag/errors.py": ""})) == []


def test_a_text_names_a_function_only_in_operations(make: Make) -> None:
    other = '"""Runs "rag.routing:ask"."""\nrun("rag.routing:ask")\nnote = "rag.routing: a sentence"\n'
    program = make(
        {"rag/operations.py": OPERATIONS, "app/console.py": other, "main.py": 'X = "rag.cli:main"\n'}
    )
    assert structure.functions_as_text(program) == ["app/console.py:2 names rag.routing:ask"]


def test_modules_and_pages_want_a_mirrored_test_file(make: Make) -> None:
    program = make(
        {
            "rag/text/__init__.py": "def public(): ...\n",
            "rag/text/plurals.py": "def plural(): ...\n",
            "rag/text/words.py": "def _private(): ...\n",
            "rag/settings.py": "class Settings: ...\n",
            "app/pages/ask/page.py": "",
            "app/pages/ask/panel.py": "class Panel: ...\n",
            "app/pages/models.py": "",
            "tests/rag/test_settings.py": "",
        }
    )
    assert structure.missing_tests(program) == [
        "tests/app/pages/test_ask.py",
        "tests/app/pages/test_models.py",
        "tests/rag/text/test_plurals.py",
    ]


def test_the_share_of_tests_counts_lines_that_are_not_blank(make: Make) -> None:
    program = make(
        {"rag/errors.py": "a = 1\n\n# b\n", "main.py": "c = 1\nd = 2\n", "tests/test_a.py": "\nx = 1\n"}
    )
    assert structure.share_of_tests(program) == 0.25


def test_the_report_names_every_figure(make: Make) -> None:
    program = make({"rag/operations.py": OPERATIONS, "rag/routing.py": "def ask(): ...\n"})
    text = "\n".join(structure.report(program))
    for part in ("Files a folder", "Methods a class", "Import cycles: 0", "Operations: 3 (2 read, 1 model)"):
        assert part in text


def test_the_table_is_written_between_its_markers() -> None:
    text = f"# Before\n{structure.TABLE_START}\nstale\n{structure.TABLE_END}\nafter\n"
    written = structure.with_table(text)
    assert "stale" not in written and written.startswith("# Before\n") and written.endswith("\nafter\n")
    assert written.index("`rag.errors`") < written.index("`rag.cli`") < written.index("`app.widgets`")
    assert structure.with_table(written) == written


def test_a_text_without_markers_is_refused() -> None:
    with pytest.raises(SystemExit, match="needs the lines"):
        structure.with_table("# Nothing here")
