"""A trace is answered again with one thing changed, from what is stored of it; what cannot be is said."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fakes import drive
from sqlmodel import select

from rag.asking.answer import answer_question
from rag.asking.applications.rows import list_question_times
from rag.asking.replay.answering import answer_again, replay
from rag.asking.replay.prompts import ERASED
from rag.asking.replay.rows import (
    Changes,
    ReplayReport,
    VariantStarted,
    changes_of,
    find_replay,
    list_replays,
)
from rag.asking.rows import (
    Question,
    TraceDetail,
    TraceFilter,
    TraceSource,
    TraceStatus,
    count_traces,
    get_trace,
    read_overview,
)
from rag.asking.traces import delete_traces, new_trace_id
from rag.errors import RagError
from rag.governance import erased_rows
from rag.governance.erasure import erase_document
from rag.knowledge.edits import remove_documents
from rag.prompts.registry import delete_prompt, save_prompt
from rag.storage.tables.prompts import PromptVersion
from rag.storage.tables.traces import Trace
from rag.workspace import Workspace

from .conftest import ReadingModel


def again(workspace: Workspace, parent: TraceDetail, *variants: Changes) -> ReplayReport:
    report: ReplayReport = drive(replay(workspace, parent.id, variants or (Changes(),)))
    return report


def answered(workspace: Workspace, parent: TraceDetail, changes: Changes = Changes()) -> TraceDetail:
    """Replay with one change, which must be answered; return the new trace."""
    (variant,) = again(workspace, parent, changes).variants
    assert variant.error == ""
    return get_trace(workspace.database, variant.trace_id)


def refused(workspace: Workspace, parent: TraceDetail, changes: Changes = Changes()) -> str:
    """Replay with one change that cannot be answered; return the sentence."""
    report = again(workspace, parent, changes)
    assert len(report.failed) == 1
    return report.failed[0].error


def markers(trace: TraceDetail) -> dict[str, int]:
    return {hit.document: hit.marker for hit in trace.hits if hit.marker is not None}


def change(workspace: Workspace, trace_id: str, **values: Any) -> None:
    with workspace.store.session() as session:
        trace = session.get_one(Trace, trace_id)
        for name, value in values.items():
            setattr(trace, name, value)
        session.add(trace)


def test_a_trace_is_answered_again_as_it_was(workspace: Workspace, parent: TraceDetail) -> None:
    made = answered(workspace, parent)
    assert made.id != parent.id and made.source is TraceSource.REPLAY
    for name in (
        "question",
        "prompt",
        "answer",
        "model_sha256",
        "version_fingerprint",
        "prompt_version",
        "hits",
    ):
        assert getattr(made, name) == getattr(parent, name), name
    assert [c.verdict for c in made.claims] == [c.verdict for c in parent.claims]
    assert json.loads(made.settings) == json.loads(parent.settings)


def test_a_passage_that_is_left_out_takes_its_sentence_with_it(
    workspace: Workspace, parent: TraceDetail
) -> None:
    numbers = markers(parent)
    assert {"bread.md", "tides.txt"} <= set(numbers)
    made = answered(workspace, parent, Changes(without=(numbers["bread.md"],)))
    assert "sourdough" not in made.prompt and "sourdough" not in made.answer
    assert "3.5 metres" in made.answer
    assert sorted(markers(made).values()) == list(range(1, len(numbers)))  # without a gap
    (gone,) = [hit for hit in made.hits if hit.document == "bread.md"]
    assert gone.marker is None and gone.dropped == f"left out of this replay; it was [{numbers['bread.md']}]"
    assert made.passage_count == parent.passage_count - 1


def test_passages_are_read_and_checked_in_their_new_order(workspace: Workspace, parent: TraceDetail) -> None:
    order = tuple(range(parent.passage_count, 0, -1))
    made = answered(workspace, parent, Changes(order=order))
    assert [markers(made)[hit.document] for hit in parent.hits if hit.marker] == [
        order.index(hit.marker) + 1 for hit in parent.hits if hit.marker
    ]
    assert made.prompt != parent.prompt and sorted(made.prompt) == sorted(parent.prompt)
    by_marker = {hit.marker: hit for hit in made.hits}
    for claim in made.claims:  # the evidence is the passage with that number, whatever its rank is
        assert claim.evidence_text.strip() in by_marker[claim.evidence_marker].text


def test_a_setting_of_the_model_is_changed_and_the_prompt_is_not(
    workspace: Workspace, parent: TraceDetail, model: ReadingModel
) -> None:
    made = answered(workspace, parent, Changes(settings=(("generation.temperature", 0.9),)))
    assert model.used[-1].temperature == 0.9 and made.prompt == parent.prompt
    assert json.loads(made.settings)["generation"]["temperature"] == 0.9


def test_another_prompt_is_given_the_same_passages(workspace: Workspace, parent: TraceDetail) -> None:
    save_prompt(
        workspace.store,
        "short",
        "Be brief.",
        "{% for p in passages %}{{ p.text }} {% endfor %}{{ question }}",
    )
    made = answered(workspace, parent, Changes(prompt="short@1"))
    assert made.prompt.startswith("system: Be brief.") and (made.prompt_name, made.prompt_version) == (
        "short",
        1,
    )
    assert markers(made) == markers(parent)


def test_another_version_or_search_setting_searches_anew(workspace: Workspace, parent: TraceDetail) -> None:
    tides = next(hit.document_id for hit in parent.hits if hit.document == "tides.txt")
    drive(remove_documents(workspace, "A", [tides]))
    made = answered(workspace, parent, Changes(version="2"))
    assert made.version_number == 2 and "tides.txt" not in markers(made)
    fewer = answered(workspace, parent, Changes(settings=(("retrieval.max_passages", 1),)))
    assert (fewer.version_number, fewer.passage_count) == (1, 1)


def test_another_model_is_asked_the_same(workspace: Workspace, parent: TraceDetail, folder: Any) -> None:
    other = folder / "other.gguf"
    other.write_bytes(b"GGUF")
    made = answered(workspace, parent, Changes(model=str(other)))
    assert made.prompt == parent.prompt
    assert "There is no model “nothing.gguf”" in refused(workspace, parent, Changes(model="nothing.gguf"))


def test_a_follow_up_keeps_the_questions_before_it(workspace: Workspace, parent: TraceDetail) -> None:
    result = drive(
        answer_question(
            workspace, Question("And why?", "A", session_id=parent.session_id, parent_id=parent.id)
        )
    )
    follow_up = get_trace(workspace.database, result.trace_id)
    assert parent.question in follow_up.prompt
    made = answered(workspace, follow_up, Changes(order=tuple(range(follow_up.passage_count, 0, -1))))
    assert parent.question in made.prompt and parent.answer in made.prompt
    with workspace.store.session() as session:
        session.connection().exec_driver_sql("DELETE FROM trace WHERE id = ?", (parent.id,))
    assert "question before this one was deleted" in refused(workspace, follow_up, Changes(without=(1,)))
    assert answered(workspace, follow_up).prompt == follow_up.prompt  # its own text needs no other


def test_a_replay_names_its_origin_and_the_origin_its_replays(
    workspace: Workspace, parent: TraceDetail
) -> None:
    report = again(workspace, parent, Changes(without=(1,)), Changes(settings=(("generation.seed", 7),)))
    assert report.sentence() == "2 variants answered."
    rows = list_replays(workspace.database, parent.id)
    assert [row.trace_id for row in rows] == [one.trace_id for one in report.variants]
    assert [row.what for row in rows] == ["without [1]", "seed 7"]
    found = find_replay(workspace.database, rows[0].trace_id)
    assert found is not None and found.parent_id == parent.id
    assert changes_of(found.changes) == Changes(without=(1,))
    assert find_replay(workspace.database, parent.id) is None
    with workspace.store.session() as session:
        delete_traces(session, [rows[0].trace_id])
    assert [row.trace_id for row in list_replays(workspace.database, parent.id)] == [rows[1].trace_id]
    assert workspace.database.cells("SELECT count(*) FROM replay") == [(1,)]


def test_replays_do_not_count_as_questions_of_people(workspace: Workspace, parent: TraceDetail) -> None:
    before = (read_overview(workspace.database, 0), list_question_times(workspace.database))
    again(workspace, parent, Changes(without=(1,)))
    assert (read_overview(workspace.database, 0), list_question_times(workspace.database)) == before
    assert count_traces(workspace.database, TraceFilter(source="replay")) == 1
    assert workspace.database.cells(
        "SELECT count(*) FROM asksession WHERE id != ?", (parent.session_id,)
    ) == [(0,)]


def test_a_cancelled_replay_keeps_what_was_answered(workspace: Workspace, parent: TraceDetail) -> None:
    events = replay(workspace, parent.id, [Changes(), Changes(without=(1,))])
    started = 0
    for event in events:
        started += isinstance(event, VariantStarted)
        if started == 2 and not isinstance(event, VariantStarted):
            break
    events.close()
    assert [row.status for row in list_replays(workspace.database, parent.id)] == [
        TraceStatus.DONE,
        TraceStatus.CANCELLED,
    ]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (Changes(without=(9,)), "The prompt has no passage .9."),
        (Changes(order=(1, 1)), "must name each passage that stays once"),
        (Changes(without=(1,), order=(1, 2)), "must name each passage"),
        (Changes(version="1", without=(1,)), "Another search finds other passages"),
        (Changes(settings=(("generation.temperature", 9),)), "generation.temperature: "),
        (Changes(settings=(("generation.nothing", 9),)), "There is no setting generation.nothing"),
        (Changes(settings=(("costs.power_watts", 9),)), "does not decide about an answer"),
    ],
)
def test_changes_that_make_no_sense_are_refused_before_anything_is_asked(
    workspace: Workspace, parent: TraceDetail, model: ReadingModel, changes: Changes, sentence: str
) -> None:
    asked = len(model.used)
    with pytest.raises(RagError, match=sentence):
        again(workspace, parent, Changes(), changes)
    assert len(model.used) == asked and list_replays(workspace.database, parent.id) == []


def test_a_trace_without_a_prompt_has_nothing_to_answer_again(
    workspace: Workspace, parent: TraceDetail
) -> None:
    change(workspace, parent.id, prompt="")
    with pytest.raises(RagError, match="The model was not asked"):
        again(workspace, parent)
    assert answered(workspace, parent, Changes(version="1")).status is TraceStatus.DONE


def test_a_prompt_version_that_was_deleted_is_named(workspace: Workspace, parent: TraceDetail) -> None:
    save_prompt(
        workspace.store, "mine", "Answer.", "{% for p in passages %}{{ p.text }}{% endfor %} {{ question }}"
    )
    own = get_trace(
        workspace.database,
        drive(answer_question(workspace, Question(parent.question, "A", prompt="mine"))).trace_id,
    )
    delete_prompt(workspace.store, "mine")
    assert refused(workspace, own, Changes(without=(1,))).startswith(
        "The prompt “mine” version 1 does not exist"
    )
    assert answered(workspace, own).prompt == own.prompt  # its text is stored
    assert answered(workspace, own, Changes(without=(1,), prompt="default")).prompt_name == "default"


def test_a_prompt_that_would_not_be_what_it_was_is_refused(workspace: Workspace, parent: TraceDetail) -> None:
    with workspace.store.session() as session:
        session.connection().exec_driver_sql(
            "UPDATE tracehit SET text = 'other' WHERE trace_id = ?", (parent.id,)
        )
    sentence = refused(workspace, parent, Changes(without=(1,)))
    assert sentence.startswith("The prompt of this trace cannot be built again as it was")


def test_a_prompt_version_with_another_text_is_not_taken_for_it(
    workspace: Workspace, parent: TraceDetail
) -> None:
    with workspace.store.session() as session:
        version = session.exec(
            select(PromptVersion).where(PromptVersion.id == parent.prompt_version_id)
        ).one()
        version.fingerprint = "0" * 16
        session.add(version)
    assert "does not exist any more" in refused(workspace, parent, Changes(without=(1,)))


def test_an_erased_document_leaves_nothing_to_replay(workspace: Workspace, parent: TraceDetail) -> None:
    made = answered(workspace, parent)
    drive(erase_document(workspace, "A", "bread.md"))
    assert ERASED == erased_rows.ERASED
    for trace_id in (parent.id, made.id):
        erased = get_trace(workspace.database, trace_id)
        with pytest.raises(RagError, match="A document of this trace was erased"):
            again(workspace, erased, Changes(without=(1,)))
        sentence = refused(workspace, erased, Changes(settings=(("retrieval.max_passages", 1),)))
        assert sentence.startswith("Version 1 of “A” is not what it was")


def test_another_file_under_the_name_of_the_model_is_not_taken_for_it(
    workspace: Workspace, parent: TraceDetail
) -> None:
    change(workspace, parent.id, model_sha256="f" * 64, model=str(workspace.active_model_path()))
    told = get_trace(workspace.database, parent.id)
    assert "is not the model that answered this trace" in refused(workspace, told)
    sentence = refused(workspace, told, Changes(settings=(("retrieval.max_passages", 1),)))
    assert "is not the model that answered this trace" in sentence
    change(workspace, parent.id, model="gone.gguf")
    assert "There is no model “gone.gguf”" in refused(workspace, get_trace(workspace.database, parent.id))


def test_a_version_that_is_gone_is_named(workspace: Workspace, parent: TraceDetail) -> None:
    change(workspace, parent.id, version_number=7)
    told = get_trace(workspace.database, parent.id)
    assert "has no version 7" in refused(workspace, told, Changes(settings=(("retrieval.max_passages", 1),)))
    change(workspace, parent.id, collection_id=99)
    told = get_trace(workspace.database, parent.id)
    assert "collection was deleted" in refused(workspace, told, Changes(version="1"))


def test_settings_of_another_release_are_not_guessed(workspace: Workspace, parent: TraceDetail) -> None:
    change(workspace, parent.id, settings='{"retrieval": {"of_the_future": 1}}')
    with pytest.raises(RagError, match="another release"):
        again(workspace, parent)


def test_a_prompt_that_is_too_long_is_refused_and_no_passage_is_dropped(
    workspace: Workspace, parent: TraceDetail
) -> None:
    report = again(
        workspace,
        parent,
        Changes(settings=(("generation.context", 512), ("generation.max_answer_tokens", 500))),
    )
    (failed,) = report.failed
    assert "more than its context of 512" in failed.error
    stored = get_trace(workspace.database, failed.trace_id)
    assert stored.status is TraceStatus.FAILED and stored.error == failed.error
    assert (
        report.sentence() == f"0 variants answered. Not answered, {failed.changes.sentence()}: {failed.error}"
    )


def test_one_failed_variant_does_not_stop_the_others(workspace: Workspace, parent: TraceDetail) -> None:
    report = again(workspace, parent, Changes(model="nothing.gguf"), Changes())
    assert [bool(one.error) for one in report.variants] == [True, False]
    failed = get_trace(workspace.database, report.variants[0].trace_id)
    assert failed.status is TraceStatus.FAILED and failed.error == report.variants[0].error


def test_a_budget_is_asked_first_and_its_warning_is_kept(workspace: Workspace, parent: TraceDetail) -> None:
    asked: list[str] = []

    def allowed(name: str) -> list[str]:
        asked.append(name)
        return ["the budget is nearly used up"]

    key = new_trace_id()
    drive(answer_again(workspace, parent, Changes(), key, allowed=allowed))
    assert len(asked) == 1 and "the budget is nearly used up" in get_trace(workspace.database, key).fallbacks

    def stops(name: str) -> list[str]:
        raise RagError("The budget is used up.")

    with pytest.raises(RagError, match="used up"):
        drive(answer_again(workspace, parent, Changes(), new_trace_id(), allowed=stops))
    assert len(list_replays(workspace.database, parent.id)) == 1
