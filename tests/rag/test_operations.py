"""The list of operations: each names a function that exists, one lane and a title."""

import importlib
import inspect

import pytest

from rag import operations
from rag.operations import Lane, Operation

ALL = {name: value for name, value in vars(operations).items() if isinstance(value, Operation)}


@pytest.mark.parametrize("name", ALL)
def test_an_operation_names_a_public_function(name: str) -> None:
    module, _, function = ALL[name].function.partition(":")
    found = getattr(importlib.import_module(module), function)
    assert inspect.isfunction(found) and not function.startswith("_")
    assert inspect.getdoc(found), "the function has no docstring"


def test_a_function_has_one_lane_and_one_operation() -> None:
    functions = [operation.function for operation in ALL.values()]
    assert len(functions) == len(set(functions))
    assert {operation.lane for operation in ALL.values()} == set(Lane)


def test_a_title_names_keywords_of_the_call() -> None:
    operation: Operation[None] = Operation("a:b", Lane.WRITE, "Ask: {question:.5}")
    assert operation.title_of({"question": "Why is it?"}) == "Ask: Why i"
    assert operation.titled("Look at {this}").title_of({}) == "Look at {this}"
    assert operation.titled("x").function == "a:b"


def test_every_title_begins_with_a_capital_and_has_no_full_stop() -> None:
    for name, operation in ALL.items():
        assert operation.title[0].isupper() and not operation.title.endswith("."), name
