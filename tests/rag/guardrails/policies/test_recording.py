"""What policies found is stored beside its trace, and originals only with a trace."""

from dataclasses import replace

import pytest

from rag.guardrails.policies.recording import store_results
from rag.guardrails.policies.rows import Action, Place, Result, ResultFilter, list_results, read_masked
from rag.workspace import Workspace

RESULT = Result("Outside", 2, "f", "r", "length", Place.ANSWER, Action.WARN, "too long", 3, 6, 1.0, "because")


def test_results_are_stored_with_their_trace_and_collection(workspace: Workspace) -> None:
    with workspace.store.session() as session:
        store_results(session, [RESULT, RESULT], trace_id="t", collection="A", kept={"Person 1": "Anna"})
    found = list_results(workspace.database, ResultFilter(trace_id="t"))
    assert [(r.policy, r.end, r.collection, r.is_right, r.place) for r in found] == [
        ("Outside", 6, "A", None, Place.ANSWER)
    ] * 2
    assert read_masked(workspace.database, "t") == {"Person 1": "Anna"}


def test_originals_without_a_trace_are_not_kept(workspace: Workspace) -> None:
    with workspace.store.session() as session:
        store_results(session, [], kept={"Person 1": "Anna"})
    assert read_masked(workspace.database, "") == {}


def test_a_placeholder_that_is_kept_again_has_its_newest_original(workspace: Workspace) -> None:
    for original in ("Anna", "Bo"):
        with workspace.store.session() as session:
            store_results(session, [], trace_id="t", kept={"Person 1": original, "Person 2": "Cy"})
    assert read_masked(workspace.database, "t") == {"Person 1": "Bo", "Person 2": "Cy"}
    assert read_masked(workspace.database, "u") == {}


def test_results_of_a_transaction_that_fails_are_not_stored(workspace: Workspace) -> None:
    with pytest.raises(RuntimeError, match="stop"), workspace.store.session() as session:
        store_results(session, [RESULT], trace_id="t", kept={"Person 1": "Anna"})
        raise RuntimeError("stop")
    assert list_results(workspace.database, ResultFilter()) == []
    assert read_masked(workspace.database, "t") == {}


def test_results_of_one_call_have_the_same_moment_and_nobodys_opinion(workspace: Workspace) -> None:
    with workspace.store.session() as session:
        store_results(session, [RESULT, replace(RESULT, document="a.md", score=0.25)])
    found = list_results(workspace.database, ResultFilter())
    assert len({row.created_ms for row in found}) == 1 and found[0].created_ms > 0
    assert [(row.document, row.score, row.review_note, row.trace_id) for row in found] == [
        ("a.md", 0.25, "", ""), ("", 1.0, "", ""),
    ]  # fmt: skip
