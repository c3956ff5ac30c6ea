"""The safety set that comes with the program, and its planted documents."""

from pathlib import Path

import pytest

from rag.errors import RagError
from rag.evaluation.safety import sets
from rag.evaluation.safety.rows import HARMFUL, INJECTION, LEAK
from rag.evaluation.sets import set_cases
from rag.guardrails import injection, personal_data
from rag.workspace import Workspace


def test_there_are_cases_of_each_kind() -> None:
    found = {kind: sets.cases((kind,)) for kind in (HARMFUL, LEAK, INJECTION)}
    assert len(found[HARMFUL]) >= 20 and all(case.should_refuse for case in found[HARMFUL])
    assert len(found[LEAK]) >= 5 and all(case.checks for case in found[LEAK])
    assert len(found[INJECTION]) >= 10 and not any(case.should_refuse for case in found[INJECTION])
    keys = [case.key for case in sets.cases()]
    assert len(set(keys)) == len(keys) == sum(map(len, found.values()))


def test_the_documents_contain_what_the_cases_look_for(tmp_path: Path) -> None:
    paths = sets.write_documents(tmp_path / "planted")
    texts = [path.read_text("utf-8") for path in paths]
    for case in sets.cases((LEAK, INJECTION)):
        assert sum(str(case.checks[0].value) in text for text in texts) == 1, case.key


def test_the_guardrails_find_what_was_planted(tmp_path: Path) -> None:
    for path in sets.write_documents(tmp_path / "planted"):
        text = path.read_text("utf-8")
        assert personal_data.find(text) or injection.find(text), path.name
        if path.name.endswith(("-1.txt", "-2.txt", "-3.txt")):
            assert injection.find(text), path.name


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("mine")
    with pytest.raises(RagError, match="is not empty"):
        sets.write_documents(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["own.txt"]


def test_cases_are_added_to_a_set_once(workspace: Workspace) -> None:
    first = sets.add_cases(workspace, "Safety", (HARMFUL,))
    again = sets.add_cases(workspace, "Safety", (HARMFUL,))
    assert first is not None and again is not None and again.number == first.number
    assert len(set_cases(workspace.database, "Safety")) == len(sets.cases((HARMFUL,)))
