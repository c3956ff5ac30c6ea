"""Every operation that the window starts is called with keywords that the engine's function takes."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rag import operations
from rag.operations import Lane, Operation

APP = Path(__file__).resolve().parents[2] / "app"
PARTS = ("workspace", "store", "database", "settings", "folder", "lanes")  # what the engine adds by name
ALL = {name: value for name, value in vars(operations).items() if isinstance(value, Operation)}


def function_of(operation: Operation[Any]) -> Callable[..., Any]:
    module, _, name = operation.function.partition(":")
    return getattr(importlib.import_module(module), name)


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """(place, operation, call) of every call in the window that hands on `operations.NAME`."""
    for path in sorted(APP.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                for argument in node.args:
                    name = named(argument)
                    if name:
                        yield f"{path.relative_to(APP)}:{node.lineno}", name, node


def named(node: ast.expr) -> str:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "titled":
        node = node.func.value
    is_operation = isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "operations"
    return node.attr if is_operation and isinstance(node, ast.Attribute) else ""


def test_every_call_binds_to_the_signature_of_its_function() -> None:
    found = list(calls())
    assert len(found) > 100
    wrong = []
    for place, name, call in found:
        parameters = inspect.signature(function_of(ALL[name])).parameters
        given = {keyword.arg for keyword in call.keywords if keyword.arg}
        if not given <= set(parameters):
            wrong.append(f"{place}: {name} takes no {given - set(parameters)}")
        # A panel's own method may add keywords; a call of the console or the engine has them all.
        is_whole = isinstance(call.func, ast.Attribute) and call.func.attr in ("run", "start", "_follow")
        if is_whole and all(keyword.arg for keyword in call.keywords):
            needed = {n for n, p in parameters.items() if p.default is p.empty and n not in PARTS}
            if not needed <= given:
                wrong.append(f"{place}: {name} needs {needed - given}")
    assert wrong == []


def test_titles_name_only_keywords_of_their_function() -> None:
    for name, operation in ALL.items():
        parameters = inspect.signature(function_of(operation)).parameters
        assert operation.title_of(dict.fromkeys(parameters, "x")), name


def test_a_function_has_one_operation_and_the_window_starts_each() -> None:
    functions = [operation.function for operation in ALL.values()]
    assert sorted(functions) == sorted(set(functions))
    text = "\n".join(path.read_text("utf-8") for path in APP.rglob("*.py"))
    assert [name for name in ALL if f"operations.{name}" not in text] == []


def test_a_title_may_hold_braces() -> None:
    assert operations.load_model.titled("Load {odd} name").title_of({"path": "x"}) == "Load {odd} name"


@pytest.mark.parametrize("name", ["list_models", "render_page", "compare_runs", "diff_versions"])
def test_what_only_reads_runs_on_the_reading_lane(name: str) -> None:
    assert ALL[name].lane is Lane.READ
