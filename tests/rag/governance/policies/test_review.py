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
