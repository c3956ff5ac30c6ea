"""A cascade gives the first answer that is accepted, says why others were not, and links their traces."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import DirectReader, FakeEmbedder, ScriptedModel, drive

from rag.asking.cascades.conditions import Accept, QuestionRule
from rag.asking.cascades.rows import StepRejected, list_cascade_steps
from rag.asking.cascades.running import StepToAsk, answer_cascade
from rag.asking.rows import AskResult, Question, TraceFilter, TraceSource, TraceStatus, get_trace, list_traces
from rag.asking.traces import delete_traces
from rag.errors import OutOfTimeError, RagError
from rag.grounding.rows import Outcome
from rag.settings import GenerationSettings
from rag.workspace import Workspace

QUESTION = "What does rye bread need?"
GOOD = "Rye bread needs sourdough and 12 hours of rest [1]."
BAD = "Rye bread needs 40 kilograms of cheese from Norway [1]."


class Models:
    """Several scripted models in a folder, of which the workspace loads the one that is asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.by_name: dict[str, ScriptedModel] = {}

    def add(self, name: str, answer: str, error: Exception | None = None) -> str:
        path = self.folder / f"{name}.gguf"
        path.write_bytes(name.encode())
        model = self.by_name[str(path)] = ScriptedModel(answer)
        model.error = error
        return str(path)

    def load(self, path: Path, settings: GenerationSettings) -> ScriptedModel:
        return self.by_name[str(path)].load(path, settings)


@pytest.fixture
def models(tmp_path: Path) -> Models:
    return Models(tmp_path)


@pytest.fixture
def workspace(data: Path, models: Models) -> Iterator[Workspace]:
    with Workspace(
        data, "t", embedder=FakeEmbedder(), load_model=models.load, reader=DirectReader()
    ) as opened:
        yield opened


def steps(*models: str, accept: Accept = Accept(supported=True), **question: Any) -> list[StepToAsk]:
    return [
        StepToAsk(Path(model).stem, Question(QUESTION, "A", model=model, **question), accept=accept)
        for model in models
    ]


def asked(workspace: Workspace, wanted: list[StepToAsk]) -> AskResult:
    result = drive(answer_cascade(workspace, wanted))
    assert isinstance(result, AskResult)
    return result


def test_a_supported_answer_of_the_first_step_is_given_and_no_other_step_is_asked(
    workspace: Workspace, models: Models
) -> None:
    result = asked(workspace, steps(models.add("small", GOOD), models.add("large", GOOD)))
    assert (result.answer, result.notices) == (GOOD, ())
    assert [(s.name, s.is_given) for s in list_cascade_steps(workspace.database, result.trace_id)] == [
        ("small", True)
    ]
    assert len(list_traces(workspace.database, TraceFilter())) == 1


def test_an_unsupported_answer_goes_on_to_the_next_step_and_both_are_kept_with_the_reason(
    workspace: Workspace, models: Models
) -> None:
    wanted = steps(
        models.add("small", BAD), models.add("large", GOOD), trace_id="7" * 32, session_id="5" * 32
    )
    events = list(answer_cascade(workspace, wanted))
    trace = get_trace(workspace.database, "7" * 32)
    assert (trace.answer, trace.session_id, trace.source) == (GOOD, "5" * 32, TraceSource.PERSON)
    assert "the answer of small was not given: 1 sentence unsupported" in trace.fallbacks
    first, second = list_cascade_steps(workspace.database, trace.id)
    assert (first.answer, first.reason, first.is_given) == (BAD, "1 sentence unsupported", False)
    assert (second.answer, second.reason, second.is_given) == (GOOD, "", True)
    assert list_cascade_steps(workspace.database, first.trace_id) == [first, second]
    rejected = [event for event in events if isinstance(event, StepRejected)]
    assert rejected == [StepRejected("7" * 32, "small", "1 sentence unsupported", "large")]
    assert {event.trace_id for event in events} == {"7" * 32}  # whoever waits for one trace sees all of it
    assert trace.total_ms and first.total_ms and trace.total_ms > first.total_ms
    aside = get_trace(workspace.database, first.trace_id)
    assert aside.source == TraceSource.STEP and aside.session_id != trace.session_id
    assert aside.claims and aside.hits and aside.spans


def test_an_answer_that_is_not_given_is_no_earlier_question_of_the_session(
    workspace: Workspace, models: Models
) -> None:
    wanted = steps(models.add("small", BAD), models.add("large", GOOD), session_id="5" * 32)
    asked(workspace, wanted)
    follow_up = [
        StepToAsk(
            step.name, Question("And what about it?", "A", model=step.question.model, session_id="5" * 32)
        )
        for step in wanted[1:]
    ]
    asked(workspace, follow_up)
    assert GOOD in models.by_name[str(models.folder / "large.gguf")].prompts[-1]
    assert BAD not in models.by_name[str(models.folder / "large.gguf")].prompts[-1]


def test_a_step_that_fails_goes_on_and_says_so(workspace: Workspace, models: Models) -> None:
    down = models.add("remote", "", RagError("The endpoint does not answer."))
    result = asked(workspace, steps(down, models.add("local", BAD)))
    assert result.answer == BAD  # the last step's answer is given, whatever the check says
    assert "the answer of remote was not given: it failed: The endpoint does not answer" in result.notices
    first, _ = list_cascade_steps(workspace.database, result.trace_id)
    assert get_trace(workspace.database, first.trace_id).status is TraceStatus.FAILED


def test_when_the_last_step_fails_the_best_earlier_answer_is_given_although_it_was_refused(
    workspace: Workspace, models: Models
) -> None:
    down = models.add("remote", "", RagError("The endpoint does not answer."))
    result = asked(workspace, steps(models.add("small", BAD), down, trace_id="7" * 32, session_id="5" * 32))
    trace = get_trace(workspace.database, result.trace_id)
    assert (result.trace_id, trace.id, result.answer, trace.status) == (
        "7" * 32,
        "7" * 32,
        BAD,
        TraceStatus.DONE,
    )
    assert (trace.session_id, trace.source) == ("5" * 32, TraceSource.PERSON)
    assert "remote could not answer, so this is the answer of small although: 1 sentence unsupported" in (
        trace.fallbacks
    )
    given, failed = list_cascade_steps(workspace.database, trace.id)
    assert (given.is_given, failed.is_given) == (True, False)
    assert failed.reason == "it failed: The endpoint does not answer"


def test_when_every_step_fails_the_last_failure_is_raised_after_all_traces_were_saved(
    workspace: Workspace, models: Models
) -> None:
    down = [models.add(name, "", RagError(f"{name} is down.")) for name in ("a", "b")]
    with pytest.raises(RagError, match=r"b is down\."):
        asked(workspace, steps(*down, trace_id="7" * 32))
    assert get_trace(workspace.database, "7" * 32).status is TraceStatus.FAILED
    assert len(list_cascade_steps(workspace.database, "7" * 32)) == 2


def test_time_that_is_used_up_ends_the_cascade(workspace: Workspace, models: Models) -> None:
    late = models.add("late", "", OutOfTimeError("It took longer than 5 s."))
    with pytest.raises(OutOfTimeError):
        asked(workspace, steps(late, models.add("large", GOOD)))
    assert not models.by_name[str(models.folder / "large.gguf")].prompts


def test_a_cancelled_cascade_leaves_no_trace_running(workspace: Workspace, models: Models) -> None:
    stream = answer_cascade(workspace, steps(models.add("small", BAD), models.add("large", GOOD)))
    for event in stream:
        if isinstance(event, StepRejected):
            next(stream)
            stream.close()
            break
    statuses = {trace.status for trace in list_traces(workspace.database, TraceFilter())}
    assert statuses == {TraceStatus.DONE, TraceStatus.CANCELLED}


def test_a_rule_passes_over_a_step_and_says_why(workspace: Workspace, models: Models) -> None:
    wanted = steps(models.add("small", GOOD), models.add("large", GOOD))
    first = StepToAsk(wanted[0].name, wanted[0].question, QuestionRule(max_words=3))
    result = asked(workspace, [first, wanted[1]])
    assert result.notices == ("small was not asked: the question has 5 words, more than 3",)
    assert [step.position for step in list_cascade_steps(workspace.database, result.trace_id)] == [2]


def test_a_budget_that_is_used_up_passes_over_a_step(workspace: Workspace, models: Models) -> None:
    wanted = steps(models.add("dear", GOOD), models.add("cheap", GOOD))
    first = StepToAsk("dear", wanted[0].question, QuestionRule(budget_left=1.0))
    left = {"dear": 0.25}
    result = drive(answer_cascade(workspace, [first, wanted[1]], budget=lambda question: left["dear"]))
    assert result.notices == ("dear was not asked: only 0.25 of the budget is left",)
    left["dear"] = 2.0
    assert not drive(
        answer_cascade(workspace, [first, wanted[1]], budget=lambda question: left["dear"])
    ).notices


def test_deleting_an_answer_deletes_those_that_were_not_given(workspace: Workspace, models: Models) -> None:
    result = asked(workspace, steps(models.add("small", BAD), models.add("large", GOOD)))
    with workspace.store.session() as session:
        delete_traces(session, [result.trace_id])
    assert workspace.database.cells("SELECT count(*) FROM trace") == [(0,)]
    assert workspace.database.cells("SELECT count(*) FROM cascadestep") == [(0,)]


def test_the_found_answer_is_what_the_check_said_of_it(workspace: Workspace, models: Models) -> None:
    refusing = models.add("small", "The passages do not say.")
    result = asked(workspace, steps(refusing, models.add("large", GOOD)))
    first, _ = list_cascade_steps(workspace.database, result.trace_id)
    assert first.reason == "the model declined to answer"
    assert get_trace(workspace.database, first.trace_id).outcome == Outcome.REFUSED
    assert json.loads(get_trace(workspace.database, first.trace_id).settings)
