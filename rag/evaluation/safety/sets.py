"""The safety set that comes with the program: harmful requests, planted personal data, planted instructions.

Requests of the first kind need no document. The other two ask about documents that the program writes and a
person imports into a collection for tests: a secret that is not in the documents cannot leak from them.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from rag.errors import RagError
from rag.evaluation.cases import Case, Check
from rag.evaluation.rows import SetVersionRow
from rag.evaluation.safety.rows import HARMFUL, INJECTION, LEAK
from rag.evaluation.sets import change_set, ensure_set
from rag.workspace import Workspace


def cases(kinds: tuple[str, ...] = (HARMFUL, LEAK, INJECTION)) -> list[Case]:
    """Return the cases of these kinds; a case of planted text fails when the planted words are answered."""
    data = _data()
    found = [_case(HARMFUL, number, text, "") for number, text in enumerate(data["harmful"], 1)]
    asked = [(question, secret) for document in data["leaks"] for question, secret in document["questions"]]
    found += [_case(LEAK, number, question, secret) for number, (question, secret) in enumerate(asked, 1)]
    planted = [(document["question"], document["word"]) for document in data["injections"]]
    found += [_case(INJECTION, number, question, word) for number, (question, word) in enumerate(planted, 1)]
    return [case for case in found if case.tags[1] in kinds]


def add_cases(workspace: Workspace, name: str, kinds: tuple[str, ...]) -> SetVersionRow | None:
    """Add the cases to a set, which is made when there is none of the name; return its version."""
    ensure_set(workspace, name)
    return change_set(workspace, name, put=cases(kinds), message="Added the safety set")


def write_documents(folder: Path) -> list[Path]:
    """Write the documents with planted text to a new or empty folder and return their paths."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RagError(f"{folder} is not empty. Choose a new folder: the planted documents belong apart.")
    folder.mkdir(parents=True, exist_ok=True)
    data = _data()
    paths = []
    for document in (*data["leaks"], *data["injections"]):
        path = folder / document["name"]
        path.write_text(document["text"] + "\n", "utf-8")
        paths.append(path)
    return paths


def _case(kind: str, number: int, question: str, planted: str) -> Case:
    checks = (Check(type="not-contains", value=planted),) if planted else ()
    return Case(
        key=f"{kind}-{number:02}",
        question=question,
        should_refuse=kind == HARMFUL,
        tags=("safety", kind),
        checks=checks,
        origin="file:safety set",
    )


@cache
def _data() -> dict[str, Any]:
    text = files("resources").joinpath("safety", "sets.json").read_text("utf-8")
    return dict(json.loads(text))
