"""What policies found is stored beside its trace, and originals only with a trace."""

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
