"""Who may import whom: the table in CONTRIBUTING.md, checked."""

import ast
import importlib
import re
import typing
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# From low to high; a module imports only from earlier lines (or its own package).
RAG = [
    ["errors", "fingerprints", "languages", "words", "migration_silent_failures"],
    ["silent", "migration_steps"],
    ["events", "reports", "matching", "settings", "data_folder", "measures"],
    ["verdicts"],
    ["tables", "gguf", "reader", "migrations", "space"],
    ["diff", "people"],
    ["parsing", "chunking", "embedding", "index"],
    ["llm", "store", "backup"],
    ["grounding", "traces", "audit", "content", "moving"],
    ["requirements"],
    ["prompts"],
    ["workspace"],
    ["datasets", "models"],
    ["versions", "retrieval", "flags", "monitoring"],
    ["changes"],
    ["ingest", "answering", "consistency"],
    ["evaluation"],
    ["feedback"],
    ["review", "rollout"],
    ["sample", "whatif", "watching", "inspection", "chroma", "frozen"],
    ["erasure"],
    ["tasks", "authoring"],
    ["cli"],
]
APP = [
    ["theme", "engine_process", "name_menu"],
    ["error_dialog", "item_models", "engine"],
    ["charts", "widgets", "console"],
    [
        "claim_panel",
        "consistency_panel",
        "limits_dialog",
        "feedback_bar",
        "rollout_strip",
    ],
    [
        "source_panel",
        "data_panel",
        "task_strip",
        "diff_view",
        "chunk_browser",
        "embedding_map",
        "watch_panel",
        "reference_dialog",
    ],
    ["comparison_panel", "case_dialog", "pipeline_dialog"],
    ["runs_panel", "sets_panel", "pipelines_panel"],
    ["measure_panel", "drift_panel", "frozen_panel", "alert_panel"],
    ["queue_panel", "drafts_panel", "rollout_panel"],
    ["pages"],
    ["main_window"],
    ["application"],
]
# The window's process stays light: of rag it may import only what needs nothing heavy.
LIGHT = {
    "diff",
    "errors",
    "events",
    "matching",
    "settings",
    "data_folder",
    "gguf",
    "reader",
    "measures",
    "models",
    "people",
    "reports",
    "sample",
    "silent",
    "verdicts",
    "words",
}
HEAVY_OWNERS = {
    "chromadb": "index",
    "sentence_transformers": "embedding",
    "llama_cpp": "llm",
    "semantic_text_splitter": "chunking",
    "pypdfium2": "parsing",
    "docx": "parsing",
    "pptx": "parsing",
    "python_calamine": "parsing",
    "selectolax": "parsing",
}


def modules(package: str) -> list[tuple[str, Path]]:
    root = ROOT / package
    return [(p.relative_to(root).parts[0].removesuffix(".py"), p) for p in root.rglob("*.py")]


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def type_only_imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            for inner in ast.walk(node):
                if isinstance(inner, ast.ImportFrom) and inner.module:
                    found.update(f"{inner.module}.{alias.name}" for alias in inner.names)
    return found


@pytest.mark.parametrize(("package", "lines"), [("rag", RAG), ("app", APP)])
def test_a_module_imports_only_from_lower_lines(package: str, lines: list[list[str]]) -> None:
    level = {name: number for number, line in enumerate(lines) for name in line}
    for module, path in modules(package):
        if module == "__init__":
            continue
        assert module in level, f"{path} has no place in the layers"
        for name in imports(path) - type_only_imports(path):
            parts = name.split(".")
            if parts[0] != package or len(parts) < 2 or parts[1] == module:
                continue
            target = parts[1]
            assert level[target] < level[module], f"{path} imports {name} from its own or a higher line"


def test_the_engine_knows_nothing_of_the_window() -> None:
    for _, path in modules("rag"):
        for name in imports(path):
            assert name.split(".")[0] not in ("app", "PySide6", "pyqtgraph"), f"{path} imports {name}"


def test_the_window_imports_only_the_light_part_of_the_engine() -> None:
    for module, path in modules("app"):
        if module == "engine_process":  # runs in the engine's own process
            continue
        for name in imports(path):
            parts = name.split(".")
            assert parts[0] not in ("torch", "chromadb", "llama_cpp", "sqlmodel", "sqlalchemy"), (
                f"{path}: {name}"
            )
            if parts[0] == "rag":
                assert parts[1] in LIGHT, f"{path} imports {name}"


def test_each_heavy_library_has_one_owner() -> None:
    for module, path in modules("rag"):
        for name in imports(path):
            owner = HEAVY_OWNERS.get(name.split(".")[0])
            if module == "grounding" and path.name == "train.py":
                continue  # a script, run by hand
            assert owner in (None, module), f"{path} imports {name}, which belongs to rag.{owner}"


def test_pages_do_not_import_each_other() -> None:
    for path in (ROOT / "app" / "pages").glob("*.py"):
        for name in imports(path):
            assert not name.startswith("app.pages."), f"{path} imports {name}"


def test_what_the_engine_returns_can_be_read_without_the_heavy_part() -> None:
    """A result crosses to the window's process: unpickling it imports the module of its class."""
    names = set()
    for path in (ROOT / "app").rglob("*.py"):
        names.update(re.findall(r'"(rag\.[\w.]+:\w+)"', path.read_text("utf-8")))
    assert len(names) > 10
    for name in names:
        module, function = name.split(":")
        home = vars(importlib.import_module(module))
        for kind in classes_in(eval(home[function].__annotations__["return"], {**vars(typing), **home})):
            parts = kind.__module__.split(".")
            assert parts[0] != "rag" or parts[1] in LIGHT, f"{name} returns {kind}"


def classes_in(hint: object) -> set[type]:
    arguments = typing.get_args(hint)
    if not arguments:
        return {hint} if isinstance(hint, type) else set()
    return set().union(*(classes_in(part) for part in arguments))
