"""A person says whether a result was right, and may take that back."""

import pytest

from rag.errors import NotFoundError
from rag.governance.policies.review import review_result
from rag.guardrails.policies.recording import store_results
from rag.guardrails.policies.rows import Action, Place, Result, ResultFilter, list_results
from rag.workspace import Workspace

RESULT = Result("Outside", 2, "f", "r", "length", Place.ANSWER, Action.WARN, "too long", 3, 6, 1.0, "because")


def opinions(workspace: Workspace, opinion: str = "") -> list[str]:
    return [row.opinion for row in list_results(workspace.database, ResultFilter(opinion=opinion))]


def test_an_opinion_is_stored_changed_and_taken_back(workspace: Workspace) -> None:
    with workspace.store.session() as session:
        store_results(session, [RESULT, RESULT])
    review_result(workspace.store, 1, False, "a false alarm")
    assert (opinions(workspace), opinions(workspace, "wrong")) == (["", "wrong"], ["wrong"])
    review_result(workspace.store, 1, True)
    assert (opinions(workspace, "right"), opinions(workspace, "wrong")) == (["right"], [])
    review_result(workspace.store, 1, None)
    assert opinions(workspace, "none") == ["", ""]


def test_a_result_that_is_not_there_is_refused(workspace: Workspace) -> None:
    with pytest.raises(NotFoundError, match="no guardrail result 9"):
        review_result(workspace.store, 9, True)


def test_a_note_stays_with_the_opinion_and_each_opinion_is_logged(workspace: Workspace) -> None:
    with workspace.store.session() as session:
        store_results(session, [RESULT])
    review_result(workspace.store, 1, False, "a false alarm")
    (row,) = list_results(workspace.database, ResultFilter())
    assert (row.is_right, row.review_note) == (False, "a false alarm")
    review_result(workspace.store, 1, None)
    (row,) = list_results(workspace.database, ResultFilter())
    assert (row.is_right, row.review_note) == (None, "")
    assert workspace.database.cells("SELECT reviewed_ms FROM guardrailresult") == [(None,)]
    logged = workspace.database.cells("SELECT subject, detail FROM auditevent ORDER BY id DESC LIMIT 2")
    assert logged == [("result 1", "taken back"), ("result 1", "wrong")]
