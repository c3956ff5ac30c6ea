"""The words of the program: the field's standard terms in every text and docstring, and no private vocabulary."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# What used to be said, and what is said instead.
PRIVATE = {
    r"\bprobe[sd]?\b": "verification query",
    r"\bproofs?\b|\bproved?\b|\bproves\b": "verification, verified",
    r"\bfrozen (question|run)s?\b": "regression question",
    r"\bwhat-?if\b": "trial",
    r"\bpersons\b": "people",
    r"\btime-outs?\b": "timeout",
    r"\b(the|last|of|these|those|few|fewer|many|more|all|no|\d+) asks\b(?! the| for| a| both)": "questions",
    r"\bthose there are\b": "to see all of them",
    r"\bbeside what\b": "next to the current version",
    r"\bmeanwhile\b": "in the meantime",
    r"\bcannot be told\b": "could not recognise",
    r"\bmore than so many\b|\bat most so many\b": "maximum",
}


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Every string of a module that is more than one word, docstrings and parts of f-strings included."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            yield node.lineno, " ".join(node.value.split())


def private_words(text: str) -> list[str]:
    """What should be said instead of the private words of a text."""
    return [better for pattern, better in PRIVATE.items() if re.search(pattern, text, re.IGNORECASE)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Every probe gave what the version gave", ["verification query"]),
        ("It was proved by a search", ["verification, verified"]),
        ("The last 50 asks", ["questions"]),
        ("`ragdeck sets` lists those there are", ["to see all of them"]),
        ("A person asks the model", []),
        ("It approves and improves", []),
    ],
)
def test_private_words_are_told_from_others(text: str, found: list[str]) -> None:
    assert private_words(text) == found


def test_no_text_of_the_program_uses_private_words() -> None:
    wrong = []
    for path in [*(ROOT / "rag").rglob("*.py"), *(ROOT / "app").rglob("*.py"), ROOT / "main.py"]:
        if "migration" in path.parts:
            continue  # frozen: they name the tables and texts of their time
        for line, text in texts(path):
            for better in private_words(text):
                wrong.append(f"{path.relative_to(ROOT)}:{line} say “{better}” in: {text[:100]}")
    assert wrong == []


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_no_document_uses_private_words(name: str) -> None:
    lines = (ROOT / name).read_text("utf-8").splitlines()
    assert [line for line in lines if private_words(line)] == []


def test_sentences_end_and_no_two_spaces_are_left_by_an_edit() -> None:
    """An error is a sentence; what was cut out of one shows as two spaces."""
    wrong = []
    for path in [*(ROOT / "rag").rglob("*.py"), *(ROOT / "app").rglob("*.py")]:
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                name = getattr(node.exc.func, "id", "")
                argument = node.exc.args[0]
                if name.endswith("Error") and isinstance(argument, ast.Constant):
                    text = argument.value
                    if isinstance(text, str) and " " in text and ("  " in text or " , " in text):
                        wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}: {text}")
    assert wrong == []
