"""A trace is there from the beginning, and finished once, with everything that was found."""

import re

from rag.asking.rows import Hit, TraceFilter, TraceSource, TraceStatus, count_traces, get_trace, list_traces
from rag.asking.traces import TraceRecorder, delete_traces, new_trace_id
from rag.grounding.rows import ClaimResult, Outcome, SilentFailure, Verdict
from rag.workspace import Workspace

HIT = Hit(1, 1, "a.txt", "/a.txt", "page 1", "page", 1, 0, 10, "some words", 2, dense_score=0.4, fused_rank=1)


def recorder(workspace: Workspace, **values: str) -> TraceRecorder:
    made = TraceRecorder(
        workspace.store, question="Why is the tide late?", session_id="s", source=TraceSource.PERSON, **values
    )
    made.begin()
    return made


def test_ids_are_those_of_opentelemetry_and_differ() -> None:
    ids = {new_trace_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(re.fullmatch("[0-9a-f]{32}", i) for i in ids)


def test_a_trace_is_running_until_it_is_finished(workspace: Workspace) -> None:
    made = recorder(workspace, trace_id="f" * 32)
    before = get_trace(workspace.database, "f" * 32)
    assert (before.status, before.total_ms, before.question) == (
        TraceStatus.RUNNING,
        None,
        "Why is the tide late?",
    )
    with made.span("load", "CHAIN", "m.gguf"):
        pass
    made.fallbacks.append("a plain template was used")
    made.set_hits([HIT, HIT.__class__(**{**HIT.__dict__, "marker": 1, "fused_rank": 2, "dense_score": 0.3})])
    made.trace.answer = "It is late [1]."
    made.set_claims([ClaimResult("It is late [1].", 0, 15, Verdict.CHECK, 0.6)], refused=False)
    made.finish(TraceStatus.DONE)
    after = get_trace(workspace.database, "f" * 32)
    assert (after.status, after.fallbacks) == (TraceStatus.DONE, ("a plain template was used",))
    assert (after.candidate_count, after.passage_count, after.passage_documents, after.best_score) == (
        2,
        1,
        1,
        0.4,
    )
    assert (after.claim_count, after.flag_count, after.worst_verdict, after.outcome) == (
        1, 1, "check", Outcome.ANSWERED,
    )  # fmt: skip
    (span,) = after.spans
    assert (span.name, span.kind, span.detail) == ("load", "CHAIN", "m.gguf")
    assert 0 <= span.start_ms <= span.end_ms <= (after.total_ms or 0)
    assert [hit.marker for hit in after.hits] == [None, 1]
    assert after.claims == made.claims


def test_a_search_without_a_model_has_no_answer_that_could_fail(workspace: Workspace) -> None:
    recorder(workspace).finish(TraceStatus.DONE)
    (row,) = list_traces(workspace.database, TraceFilter())
    assert row.silent_failures == ()


def test_only_an_answer_that_is_done_can_fail_silently(workspace: Workspace) -> None:
    for status in (TraceStatus.DONE, TraceStatus.FAILED):
        made = recorder(workspace)
        made.trace.answer, made.trace.finish_reason, made.trace.model = " ", "stop", "scripted"
        made.finish(status, "broken" if status == TraceStatus.FAILED else "")
    done, failed = sorted(list_traces(workspace.database, TraceFilter()), key=lambda row: row.status)
    assert (done.silent_failures, done.error) == ((SilentFailure.EMPTY,), "")
    assert (failed.silent_failures, failed.error) == ((), "broken")


def test_a_check_that_failed_leaves_no_rate(workspace: Workspace) -> None:
    made = recorder(workspace)
    made.trace.answer = "It is late."
    made.set_claims([], refused=False, error="no network")
    made.finish(TraceStatus.DONE)
    detail = get_trace(workspace.database, made.id)
    assert (detail.outcome, detail.check_error, detail.support_rate) == (
        Outcome.CHECK_FAILED,
        "no network",
        None,
    )


def test_a_deleted_trace_is_found_no_more_and_a_running_one_stays_searchable(workspace: Workspace) -> None:
    kept, gone = recorder(workspace), recorder(workspace)
    for made in (kept, gone):
        made.set_hits([HIT])
        with made.span("pack", "PROMPT"):
            pass
        made.finish(TraceStatus.DONE)
    with workspace.store.session() as session:
        delete_traces(session, [gone.id])
    database = workspace.database
    assert [row.id for row in list_traces(database, TraceFilter(text="tide"))] == [kept.id]
    assert count_traces(database, TraceFilter()) == 1
    for table in ("span", "tracehit"):
        assert {row[0] for row in database.cells(f"SELECT trace_id FROM {table}")} == {kept.id}
