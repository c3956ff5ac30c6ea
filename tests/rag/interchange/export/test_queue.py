"""The queue sends what waits, in order, tries again while the endpoint is away, and counts what it leaves out."""

from collections.abc import Iterator
from typing import Any

import pytest
from exported_traces import add_trace
from otlp_endpoint import OtlpEndpoint, otlp_endpoint

from rag.asking.traces import delete_traces
from rag.errors import RagError
from rag.interchange.export.queue import clear_queue, enqueue, follow_traces, send_traces, send_waiting
from rag.interchange.export.spans import span_id
from rag.interchange.rows import ExportQueue, ExportReport, read_export_queue
from rag.review.feedback import add_feedback
from rag.storage.store import now_ms
from rag.storage.tables.knowledge import Collection
from rag.workspace import Workspace

IDS = [f"{n:02x}" * 16 for n in range(1, 30)]


@pytest.fixture
def endpoint(workspace: Workspace) -> Iterator[OtlpEndpoint]:
    with otlp_endpoint() as made:
        use(workspace, endpoint=f"{made.url}/v1/traces")
        yield made


def use(workspace: Workspace, **values: Any) -> None:
    workspace.change_settings({"export": values})


def queue(workspace: Workspace) -> ExportQueue:
    return read_export_queue(workspace.database)


def test_without_an_endpoint_nothing_can_be_sent(workspace: Workspace) -> None:
    add_trace(workspace)
    with pytest.raises(RagError, match="no endpoint"):
        send_traces(workspace, ["ab" * 16])
    assert queue(workspace) == ExportQueue()


def test_chosen_traces_are_sent_once_in_their_order(workspace: Workspace, endpoint: OtlpEndpoint) -> None:
    for trace_id in IDS[:23]:
        add_trace(workspace, trace_id)
    report = send_traces(workspace, [IDS[1][:8], *IDS[:23]])
    assert report == ExportReport(sent=23) and report.sentence() == "23 traces sent."
    assert endpoint.trace_ids == [IDS[1], IDS[0], *IDS[2:23]] and len(endpoint.requests) == 2
    assert send_waiting(workspace, force=True) == ExportReport() and len(endpoint.requests) == 2
    assert queue(workspace).sent == 23 and queue(workspace).sentence() == "0 traces wait; 23 sent."


def test_while_the_endpoint_is_away_everything_waits_longer_each_time(
    workspace: Workspace, endpoint: OtlpEndpoint
) -> None:
    for trace_id in IDS[:2]:
        add_trace(workspace, trace_id)
    waits = []
    endpoint.statuses = [503, 503, 503]
    begin = now_ms()
    report = send_traces(workspace, IDS[:2])
    assert (report.sent, report.waiting) == (0, 2) and "503" in report.sentence()
    for _ in range(2):
        waits.append((queue(workspace).next_ms or 0) - begin)
        assert send_waiting(workspace) == ExportReport(waiting=2), "its time has not come"
        send_waiting(workspace, force=True)
    waits.append((queue(workspace).next_ms or 0) - begin)
    assert waits[0] >= 5000 and waits[1] >= 10_000 and waits[2] >= 20_000
    add_trace(workspace, IDS[2])
    enqueue(workspace, [IDS[2]])
    assert send_waiting(workspace).sent == 0, "what comes later waits for the endpoint too"
    state = queue(workspace)
    assert (state.waiting, state.attempts) == (3, 3) and "503" in state.sentence()
    assert send_waiting(workspace, force=True).sent == 3 and queue(workspace).last_error == ""


def test_the_endpoint_may_say_when_to_come_again(workspace: Workspace, endpoint: OtlpEndpoint) -> None:
    add_trace(workspace, IDS[0])
    endpoint.statuses, endpoint.retry_after = [429], "600"
    begin = now_ms()
    send_traces(workspace, IDS[:1])
    assert (queue(workspace).next_ms or 0) - begin >= 600_000


def test_one_trace_that_is_refused_does_not_hold_up_the_others(
    workspace: Workspace, endpoint: OtlpEndpoint
) -> None:
    for trace_id in IDS[:3]:
        add_trace(workspace, trace_id)
    endpoint.refused_ids = {IDS[1]}
    assert send_traces(workspace, IDS[:3]) == ExportReport(sent=2, refused=1)
    state = queue(workspace)
    assert (state.sent, state.refused, state.waiting) == (2, 1, 0) and "400" in state.last_error
    assert clear_queue(workspace) == 1 and queue(workspace).refused == 0 and queue(workspace).sent == 2


def test_past_the_bound_the_oldest_are_dropped_and_counted(
    workspace: Workspace, endpoint: OtlpEndpoint
) -> None:
    use(workspace, most_waiting=2)
    for trace_id in IDS[:4]:
        add_trace(workspace, trace_id)
    enqueue(workspace, IDS[:4])
    assert (queue(workspace).waiting, queue(workspace).dropped) == (2, 2)
    assert send_waiting(workspace).sent == 2 and endpoint.trace_ids == IDS[2:4]
    assert "2 dropped because too many waited" in queue(workspace).sentence()


def test_a_trace_that_is_deleted_leaves_the_queue(workspace: Workspace, endpoint: OtlpEndpoint) -> None:
    add_trace(workspace, IDS[0])
    enqueue(workspace, IDS[:1])
    with workspace.store.session() as session:
        delete_traces(session, IDS[:1])
    assert queue(workspace) == ExportQueue() and send_waiting(workspace) == ExportReport()


def test_followed_are_questions_of_people_from_now_on_and_feedback_that_comes_later(
    workspace: Workspace, endpoint: OtlpEndpoint
) -> None:
    add_trace(workspace, IDS[0], created_ms=now_ms() - 5000)
    assert follow_traces(workspace) == 0, "it is off"
    use(workspace, continuous=True)
    assert follow_traces(workspace) == 0, "what was asked before is not sent"
    later = now_ms() + 1000
    add_trace(workspace, IDS[1], created_ms=later)
    add_trace(workspace, IDS[2], created_ms=later, source="evaluation")
    add_trace(workspace, IDS[3], created_ms=later, source="received", application="bot")
    add_trace(workspace, IDS[4], created_ms=later, status="running")
    assert follow_traces(workspace) == 1 and send_waiting(workspace).sent == 1
    assert endpoint.trace_ids == [IDS[1]] and follow_traces(workspace) == 0
    with workspace.store.session() as session:
        session.connection().exec_driver_sql(
            "UPDATE traceexport SET sent_ms = sent_ms - 1000 WHERE state = 'sent'"
        )
    add_feedback(workspace, IDS[1], True, author="ann")
    assert follow_traces(workspace) == 1 and send_waiting(workspace).sent == 1
    assert [s.name for s in endpoint.spans if s.name == "feedback"] == ["feedback"]
    use(workspace, continuous=False)
    assert follow_traces(workspace) == 0
    use(workspace, continuous=True)
    add_trace(workspace, IDS[5], created_ms=now_ms() - 1)
    assert follow_traces(workspace) == 0, "switched on again, it begins anew"


FAR = "http://192.0.2.1:4318/v1/traces"  # an address for documentation: nobody is there


@pytest.mark.parametrize("setting", ["never", "ask"])
def test_what_may_not_leave_this_computer_is_refused_without_asking_the_network(
    workspace: Workspace, setting: str
) -> None:
    collection(workspace, setting)
    add_trace(workspace, IDS[0])
    add_trace(workspace, IDS[1], source="received", collection="", application="bot")
    use(workspace, endpoint=FAR)
    assert send_traces(workspace, IDS[:2]) == ExportReport(refused=2)
    assert "may not leave this computer" in queue(workspace).last_error


def test_what_a_person_allows_is_tried(workspace: Workspace, endpoint: OtlpEndpoint) -> None:
    collection(workspace, "never")
    add_trace(workspace, IDS[0])
    assert send_traces(workspace, IDS[:1]).sent == 1, "an endpoint on this computer is no border"
    workspace.endpoints.border.allow("Harbour", "Ragdeck")
    assert workspace.endpoints.border.is_allowed("Harbour", "Ragdeck")
    assert not workspace.endpoints.border.is_allowed("", "Ragdeck")


def collection(workspace: Workspace, may_leave: str) -> None:
    with workspace.store.session() as session:
        session.add(Collection(key="h", name="Harbour", created_ms=1, embedder="e", embedder_name="e", chunking="{}",
                               may_leave=may_leave))  # fmt: skip


def test_what_is_hidden_is_hidden_on_the_wire(workspace: Workspace, endpoint: OtlpEndpoint) -> None:
    use(workspace, hide_inputs=True, hide_outputs=True, phoenix_annotations=True)
    add_trace(workspace, IDS[0])
    add_feedback(workspace, IDS[0], False, note="salty", author="ann")
    assert send_traces(workspace, IDS[:1]).sent == 1
    said = repr(endpoint.spans) + repr(endpoint.annotations)
    assert "tide" not in said.replace("tides", "") and "salty" not in said and "3.5" not in said
    assert [row["name"] for row in endpoint.annotations] == [
        "support",
        "sentence support",
        "sentence support",
        "feedback",
    ]
    assert {row["span_id"] for row in endpoint.annotations} == {span_id(IDS[0], "root")}


def test_what_is_known_of_answers_is_sent_as_well_when_traces_are_sent_one_by_one(
    workspace: Workspace, endpoint: OtlpEndpoint
) -> None:
    use(workspace, phoenix_annotations=True)
    for trace_id in IDS[:3]:
        add_trace(workspace, trace_id)
    endpoint.refused_ids = {IDS[1]}
    assert send_traces(workspace, IDS[:3]) == ExportReport(sent=2, refused=1)
    assert {row["span_id"] for row in endpoint.annotations} == {span_id(IDS[n], "root") for n in (0, 2)}


def test_an_endpoint_that_goes_away_while_traces_are_sent_one_by_one_ends_it(
    workspace: Workspace, endpoint: OtlpEndpoint
) -> None:
    for trace_id in IDS[:25]:
        add_trace(workspace, trace_id)
    endpoint.statuses = [400, 200, 503]
    report = send_traces(workspace, IDS[:25])
    assert (report.sent, report.refused, report.waiting) == (1, 0, 24)
    assert "503" in report.error and report.error.endswith("it is tried again later.")
    assert endpoint.trace_ids == IDS[:1], "nothing more was tried"
    assert queue(workspace).attempts == 1


def test_refused_annotations_are_not_taken_for_sent(workspace: Workspace, endpoint: OtlpEndpoint) -> None:
    use(workspace, phoenix_annotations=True)
    add_trace(workspace, IDS[0])
    endpoint.statuses = [200, 400]
    assert send_traces(workspace, IDS[:1]) == ExportReport(refused=1)
    assert "400" in queue(workspace).last_error
