"""Steps of a cascade are listed from any of their traces, and a trace without a cascade has none."""

from rag.asking.cascades.rows import list_cascade_steps
from rag.storage.tables.traces import CascadeStep, Trace
from rag.workspace import Workspace


def test_steps_are_listed_in_order_from_any_of_their_traces(ingested: Workspace) -> None:
    with ingested.store.session() as session:
        for name in ("a", "b", "c"):
            session.add(
                Trace(id=name, session_id=name, created_ms=0, status="done", question="q", answer=name)
            )
        session.add(CascadeStep(trace_id="b", answer_id="b", position=2, name="large"))
        session.add(
            CascadeStep(
                trace_id="a", answer_id="b", position=1, name="small", reason="1 sentence unsupported"
            )
        )
    found = list_cascade_steps(ingested.database, "a")
    assert [(step.trace_id, step.answer, step.is_given) for step in found] == [
        ("a", "a", False),
        ("b", "b", True),
    ]
    assert list_cascade_steps(ingested.database, "b") == found
    assert list_cascade_steps(ingested.database, "c") == []
