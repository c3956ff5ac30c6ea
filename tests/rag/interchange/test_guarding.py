"""Policies act on received traces before any of their spans is stored."""

from typing import Any

import pytest

from rag.asking.rows import get_trace
from rag.governance.policies.registry import bind_policy, save_policy, set_policy_label
from rag.guardrails.policies.rows import ResultFilter, list_results
from rag.interchange.receiving import receive, received_spans
from rag.interchange.rows import RawEvent, RawSpan
from rag.storage.store import now_ms
from rag.workspace import Workspace

MAIL = "anna.berg@example.org"
TRACE = "ab" * 16


def spans(**attributes: Any) -> list[RawSpan]:
    begin = now_ms() * 10**6
    values = {"openinference.span.kind": "CHAIN", "input.value": f"Who is {MAIL}?", "output.value": "Anna."}
    event = RawEvent("note", begin, {"said": [f"{MAIL} wrote"]})
    return [
        RawSpan(
            TRACE, "01" * 8, "", "step", begin, begin + 10**9, values | attributes, (event,), service="bot"
        )
    ]


@pytest.fixture
def masked(workspace: Workspace) -> Workspace:
    rule = {"check": "personal data", "where": "received traces", "action": "mask",
            "kinds": ["e-mail address"]}  # fmt: skip
    save_policy(workspace.store, workspace.database, "Outside", [rule])
    set_policy_label(workspace.store, "Outside", "production", 1)
    bind_policy(workspace.store, "Outside")
    return workspace


def test_a_masked_text_is_nowhere_in_the_data_folder(masked: Workspace) -> None:
    receive(masked.store, spans(**{"user.id": MAIL, "tags": {"who": MAIL}}))
    assert get_trace(masked.database, TRACE).question == "Who is E-mail 1?"
    files = [path for path in masked.folder.rglob("*") if path.is_file()]
    assert not [path for path in files if MAIL.encode() in path.read_bytes()]


def test_what_was_masked_is_named_on_the_trace_and_counted_once_however_often_it_is_sent(
    masked: Workspace,
) -> None:
    sent = spans()
    for _ in range(3):
        receive(masked.store, sent)
    trace = get_trace(masked.database, TRACE)
    assert trace.guard_action == "mask"
    assert "the policy “Outside” masked e-mail address (2 times)" in trace.fallbacks
    assert len(list_results(masked.database, ResultFilter(trace_id=TRACE))) == 2


def test_an_id_that_had_to_be_masked_still_tells_sessions_apart(masked: Workspace) -> None:
    receive(masked.store, spans(**{"session.id": MAIL}))
    other = [RawSpan(**{**vars(span), "trace_id": "cd" * 16}) for span in spans(**{"session.id": f"x{MAIL}"})]
    receive(masked.store, other)
    first, second = (get_trace(masked.database, trace_id).session_id for trace_id in (TRACE, "cd" * 16))
    assert first != second
    assert MAIL not in first


def test_without_a_policy_spans_are_kept_as_they_came(workspace: Workspace) -> None:
    receive(workspace.store, spans())
    with workspace.store.session() as session:
        (kept,) = received_spans(session, TRACE)
    assert kept.attributes["input.value"] == f"Who is {MAIL}?"
    assert get_trace(workspace.database, TRACE).guard_action == ""
