"""Which received answers are checked: all, a share that stays the same, only new ones, none."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from stored_traces import add_traces

from rag.interchange.checking import check_waiting, choose_unchecked, is_in_share
from rag.interchange.rows import count_unchecked
from rag.settings import ReceivingSettings
from rag.workspace import Workspace


def add(workspace: Workspace, count: int, **values: Any) -> None:
    add_traces(workspace, count, 1000, source="received", application="bot", outcome="", **values)
    with workspace.store.session() as session:
        session.connection().exec_driver_sql(
            """INSERT INTO tracehit (trace_id, chunk_id, document_id, document, path, place, place_kind, start, "end",
                   text, token_count, fused_rank, fused_score, rank, lists, moves, marker)
               SELECT id, 0, 0, 'd', '', '', '', 0, 2, 'It', 1, 1, 0, 1, '[]', '[]', 1 FROM trace
               WHERE id NOT IN (SELECT trace_id FROM tracehit)"""
        )


def test_the_newest_come_first_and_what_cannot_be_checked_never(workspace: Workspace) -> None:
    add(workspace, 2, id=lambda n: f"{n:032x}")
    add(workspace, 1, id="a" * 32, passage_count=0)
    add(workspace, 1, id="b" * 32, answer="")
    add(workspace, 1, id="c" * 32, check_error="no")
    add_traces(workspace, 1, 1000, outcome="")
    assert count_unchecked(workspace.database) == 2
    found = choose_unchecked(workspace.database, ReceivingSettings(check="all"), None)
    assert found == [f"{1:032x}", f"{0:032x}"]
    assert choose_unchecked(workspace.database, ReceivingSettings(check="off"), 0) == []
    assert choose_unchecked(workspace.database, ReceivingSettings(check="new"), None) == []


def test_a_share_is_about_as_large_as_asked(workspace: Workspace) -> None:
    add(workspace, 200)
    chosen = choose_unchecked(workspace.database, ReceivingSettings(check="share", check_share=0.3), None)
    assert 30 < len(chosen) < 90 and choose_unchecked(
        workspace.database, ReceivingSettings(check="share", check_share=0.0), None
    ) == []  # fmt: skip


def test_an_answer_whose_documents_are_gone_does_not_stop_the_others(workspace: Workspace) -> None:
    add(workspace, 3)
    add_traces(workspace, 2, 9000, source="received", application="bot", outcome="")
    assert [check_waiting(workspace, limit=2) for _ in range(3)] == [2, 1, 0]


@given(st.text(), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_has_all_of_a_smaller_one(trace: str, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert is_in_share(trace, high) or not is_in_share(trace, low)
    assert not is_in_share(trace, 0) and is_in_share(trace, 1)
