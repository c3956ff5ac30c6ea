"""A cascade is a pipeline: it is versioned, evaluated, gated and rolled out, and nothing in it moves in a run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import DirectReader, FakeEmbedder, ScriptedModel, drive, tiny_gguf

from rag.asking.cache.answer_cache import place_of, remember
from rag.asking.cascades.rows import list_cascade_steps
from rag.asking.rows import AskResult, Question, TraceSource, TraceStatus, get_trace
from rag.costs.budgets.limits import BudgetError, set_budget
from rag.errors import NotFoundError, RagError
from rag.evaluation import runs
from rag.evaluation.cascades.answering import (
    answer_with,
    model_files,
    models_identity,
    pinned_steps,
    steps_to_ask,
)
from rag.evaluation.cases import Case
from rag.evaluation.gates.runs import gate_run
from rag.evaluation.pipelines import (
    PipelineConfig,
    diff_configs,
    find_pipeline,
    make_config,
    move_pipeline_label,
    save_pipeline,
)
from rag.evaluation.rows import RunRow, list_results
from rag.evaluation.running import CaseTimeout
from rag.evaluation.sets import change_set, create_set
from rag.review.rollouts import promote_rollout, start_rollout
from rag.review.rows import RolloutKind
from rag.routing import ask
from rag.settings import GenerationSettings
from rag.storage.tables.endpoints import EndpointRow
from rag.storage.tables.traces import Trace
from rag.workspace import Workspace

GOOD = "Rye bread needs sourdough and 12 hours of rest [1]."
BAD = "Rye bread needs 40 kilograms of cheese from Norway [1]."
CASES = (
    Case(key="bread", question="What does rye bread need?", references=("sourdough",), tags=("food",)),
    Case(key="again", question="Which things does rye bread need to rise?", references=("sourdough",)),
)


class Models:
    """Scripted models by their file names, which are real files: a run stores their sha256."""

    def __init__(self, folder: Path) -> None:
        self.answers = {"small": BAD, "large": GOOD}
        self.errors: dict[str, Exception] = {}
        self.loaded: list[str] = []
        self.paths = {name: str(folder / f"{name}.gguf") for name in self.answers}
        for name, path in self.paths.items():
            Path(path).write_bytes(tiny_gguf() + name.encode())

    def load(self, path: Path, settings: GenerationSettings) -> ScriptedModel:
        self.loaded.append(path.stem)
        model = ScriptedModel(self.answers[path.stem])
        model.error = self.errors.get(path.stem)
        return model.load(path, settings)


@pytest.fixture
def models(tmp_path: Path) -> Models:
    return Models(tmp_path)


@pytest.fixture
def workspace(data: Path, models: Models) -> Iterator[Workspace]:
    with Workspace(
        data, "t", embedder=FakeEmbedder(), load_model=models.load, reader=DirectReader()
    ) as opened:
        save_pipeline(opened, "small", make_config({"collection": "A", "model": models.paths["small"]}))
        save_pipeline(opened, "large", make_config({"collection": "A", "model": models.paths["large"]}))
        create_set(opened, "S")
        change_set(opened, "S", put=CASES)
        yield opened


def cascade(**first: Any) -> PipelineConfig:
    steps = [{"pipeline": "small", "accept": {"supported": True}, **first}, {"pipeline": "large"}]
    return make_config({"collection": "A", "steps": steps})


def evaluated(workspace: Workspace, *names: str) -> list[RunRow]:
    return list(drive(runs.start_runs(workspace, "S", names, parallel=1)))


def test_a_question_to_a_cascade_is_answered_by_the_step_that_is_supported(workspace: Workspace) -> None:
    save_pipeline(workspace, "both", cascade())
    result = drive(ask(workspace, CASES[0].question, "A", pipeline="both"))
    assert isinstance(result, AskResult) and result.answer == GOOD
    first, second = list_cascade_steps(workspace.database, result.trace_id)
    assert (first.name, first.answer, second.name, second.answer) == ("small", BAD, "large", GOOD)


def test_a_step_that_names_a_model_answers_as_the_cascade_is_set(
    workspace: Workspace, models: Models
) -> None:
    steps = [
        {"model": models.paths["small"], "accept": {"supported": True}},
        {"model": models.paths["large"]},
    ]
    config = make_config({"collection": "A", "steps": steps, "generation": {"max_answer_tokens": 16}})
    save_pipeline(workspace, "both", config)
    result = drive(ask(workspace, CASES[0].question, "A", pipeline="both"))
    for step in list_cascade_steps(workspace.database, result.trace_id):
        used = json.loads(get_trace(workspace.database, step.trace_id).settings)
        assert used["generation"]["max_answer_tokens"] == 16


def test_tags_of_a_question_choose_its_step(workspace: Workspace) -> None:
    save_pipeline(workspace, "both", cascade(accept={}, when={"tags": ["food"]}))
    assert (
        drive(ask(workspace, "What does rye bread need?", "A", pipeline="both", tags=("food",))).answer == BAD
    )
    assert drive(ask(workspace, "What does rye bread need?", "A", pipeline="both")).answer == GOOD


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ([{"pipeline": "small"}], "at least two steps"),
        (
            [{"pipeline": "small"}, {"pipeline": "large", "when": {"min_words": 3}}],
            "the last step has no rule",
        ),
        ([{"pipeline": "gone"}, {"pipeline": "large"}], "no pipeline named “gone”"),
        ([{"pipeline": "search"}, {"pipeline": "large"}], "only searches"),
        ([{"pipeline": "both"}, {"pipeline": "large"}], "is a cascade"),
        ([{"pipeline": "small", "accept": {"at_least": {"luck": 1}}}, {}], "steps.0.accept.at_least"),
    ],
)
def test_a_cascade_that_cannot_answer_is_refused_when_it_is_saved(
    workspace: Workspace, steps: list[dict[str, Any]], sentence: str
) -> None:
    save_pipeline(workspace, "search", make_config({"collection": "A", "kind": "retrieval"}))
    save_pipeline(workspace, "both", cascade())
    with pytest.raises(RagError, match=sentence):
        save_pipeline(workspace, "new", make_config({"collection": "A", "steps": steps}))
    with pytest.raises(RagError, match="has no steps"):
        make_config({"collection": "A", "kind": "retrieval", "steps": [{}, {}]})


def test_a_cascade_is_versioned_and_labelled_like_any_pipeline(workspace: Workspace) -> None:
    first = save_pipeline(workspace, "both", cascade())
    assert save_pipeline(workspace, "both", cascade()).number == first.number
    second = save_pipeline(workspace, "both", cascade(accept={"at_least": {"support": 0.5}}))
    assert (first.number, second.number) == (1, 2)
    assert [key for key, _, _ in diff_configs(first.config, second.config)] == ["steps"]
    move_pipeline_label(workspace, "both", "production", 1)
    assert find_pipeline(workspace, "both", 1).labels == ("production",)
    result = drive(ask(workspace, CASES[0].question, "A", pipeline="both@production"))
    assert result.answer == GOOD


def test_a_run_of_a_cascade_counts_every_answer_it_made_and_pins_its_steps(
    workspace: Workspace, models: Models
) -> None:
    save_pipeline(workspace, "both", cascade())
    large, both = evaluated(workspace, "large", "both")
    assert both.model_file == "small.gguf → large.gguf"
    assert len(both.model_sha256) == 64 and both.model_sha256 != large.model_sha256
    for result in list_results(workspace.database, both.id):
        assert result.answer == GOOD and result.reused_trace == ""
        steps = list_cascade_steps(workspace.database, result.trace_id)
        traces = [get_trace(workspace.database, step.trace_id) for step in steps]
        assert {trace.source for trace in traces} == {TraceSource.EVALUATION}
        assert result.metrics["prompt_tokens"] == sum(trace.prompt_tokens for trace in traces)
        assert result.metrics["completion_tokens"] == sum(trace.completion_tokens for trace in traces)
        assert result.metrics["total_ms"] == traces[-1].total_ms and traces[-1].total_ms > traces[0].total_ms
    config = json.loads(both.config)
    assert [step["config"]["model"] for step in config["steps"]] == list(models.paths.values())
    assert config["steps"][0]["config"]["prompt"].endswith("@1")


def test_a_run_of_a_cascade_is_not_resumed_with_another_model(workspace: Workspace, models: Models) -> None:
    save_pipeline(workspace, "both", cascade())
    events = runs.start_runs(workspace, "S", ["both"], parallel=1)
    while next(events).done < 1:
        pass
    events.close()
    Path(models.paths["small"]).write_bytes(tiny_gguf() + b"other")
    with pytest.raises(RagError, match="The model of run 1 has changed"):
        drive(runs.resume_run(workspace, 1))
    Path(models.paths["small"]).unlink()
    with pytest.raises(NotFoundError, match="is missing"):
        drive(runs.resume_run(workspace, 1))


def test_a_case_whose_time_is_used_up_is_not_asked_of_the_next_step(
    workspace: Workspace, models: Models
) -> None:
    save_pipeline(workspace, "both", cascade())
    models.errors["small"] = CaseTimeout("It took longer than 1 s.")
    (both,) = evaluated(workspace, "both")
    assert [r.outcome for r in list_results(workspace.database, both.id)] == ["timeout", "timeout"]
    assert models.loaded == ["small"]


def test_deleting_a_run_of_a_cascade_leaves_no_trace(workspace: Workspace) -> None:
    save_pipeline(workspace, "both", cascade())
    (both,) = evaluated(workspace, "both")
    runs.delete_run(workspace, both.id)
    assert workspace.database.cells("SELECT count(*) FROM trace") == [(0,)]


def test_a_cascade_passes_a_gate_and_answers_after_a_roll_out(workspace: Workspace) -> None:
    save_pipeline(workspace, "both", cascade())
    (both,) = evaluated(workspace, "both")
    assert gate_run(workspace, both.id, "floors: {token_f1: 0.1}").passed
    rollout = start_rollout(workspace, RolloutKind.CANARY, collection="A", staging="both", share=1.0)
    result = drive(ask(workspace, CASES[0].question, "A"))
    assert result.answer == GOOD and len(list_cascade_steps(workspace.database, result.trace_id)) == 2
    promote_rollout(workspace, rollout.id)
    save_pipeline(workspace, "small", make_config({"collection": "A", "model": "gone"}))  # nothing moves
    result = drive(ask(workspace, CASES[0].question, "A"))
    assert result.answer == GOOD and len(list_cascade_steps(workspace.database, result.trace_id)) == 2


# --- answer_with ------------------------------------------------------------------------------------------


def connect(workspace: Workspace) -> None:
    """Store an endpoint on another computer, without asking it anything."""
    with workspace.store.session() as session:
        session.add(EndpointRow(name="cloud", url="https://cloud.example/v1", model="m", created_ms=1))


def dear_first(models: Models, **first: Any) -> PipelineConfig:
    """Return a cascade whose first step is on another computer."""
    steps = [{"model": "endpoint:cloud", **first}, {"model": models.paths["large"]}]
    return make_config({"collection": "A", "steps": steps})


def test_without_a_pipeline_the_settings_answer_and_no_step_is_stored(
    workspace: Workspace, models: Models
) -> None:
    question = Question(CASES[0].question, "A", model=models.paths["large"])
    result = drive(answer_with(workspace, None, question))
    assert (result.answer, result.notices) == (GOOD, ())
    assert list_cascade_steps(workspace.database, result.trace_id) == []


def test_a_pipeline_without_steps_answers_once_by_its_own_model(workspace: Workspace, models: Models) -> None:
    config = make_config({"collection": "A", "model": models.paths["large"]})
    result = drive(answer_with(workspace, config, config.question(CASES[0].question)))
    assert result.answer == GOOD
    assert models.loaded == ["large"]
    assert list_cascade_steps(workspace.database, result.trace_id) == []


@pytest.mark.parametrize(("action", "needs_yes"), [("ask", True), ("stop", False)])
def test_a_budget_refuses_a_single_model_elsewhere_before_there_is_a_trace(
    workspace: Workspace, action: str, needs_yes: bool
) -> None:
    connect(workspace)
    set_budget(workspace, "none", 0.0, "USD", action=action, unknown=action)
    with pytest.raises(BudgetError) as refused:
        drive(answer_with(workspace, None, Question(CASES[0].question, "A", model="endpoint:cloud")))
    assert refused.value.needs_yes is needs_yes
    assert workspace.database.cells("SELECT count(*) FROM trace") == [(0,)]


@pytest.mark.parametrize("action", ["warn", "ask"])
def test_what_a_budget_says_stands_before_what_the_answer_says(
    workspace: Workspace, models: Models, action: str
) -> None:
    connect(workspace)
    first = drive(answer_with(workspace, None, Question(CASES[0].question, "A", model=models.paths["large"])))
    place = place_of(workspace, workspace.settings, "A", None, "endpoint:cloud", "default")
    assert place is not None
    with workspace.store.session() as session:
        trace = session.get_one(Trace, first.trace_id)
    remember(workspace, place, trace, "d", None)  # as if the endpoint had said it
    set_budget(workspace, "none", 0.0, "USD", action=action, unknown=action)
    question = Question(CASES[0].question, "A", model="endpoint:cloud")
    again = drive(answer_with(workspace, None, question, is_confirmed=action == "ask"))
    assert again.answer == GOOD
    assert "“none”" in again.notices[0]


def test_a_step_that_a_budget_stops_is_passed_over_and_says_so(workspace: Workspace, models: Models) -> None:
    connect(workspace)
    set_budget(workspace, "none", 0.0, "USD", action="stop", unknown="stop")
    config = dear_first(models)
    result = drive(answer_with(workspace, config, config.question(CASES[0].question)))
    assert result.answer == GOOD
    assert any("it failed: " in note and "“none”" in note for note in result.notices)
    first, second = list_cascade_steps(workspace.database, result.trace_id)
    assert (get_trace(workspace.database, first.trace_id).status, second.answer) == (TraceStatus.FAILED, GOOD)
    assert models.loaded == ["large"]


def test_a_step_that_nothing_is_left_for_is_not_asked(workspace: Workspace, models: Models) -> None:
    connect(workspace)
    set_budget(workspace, "small", 0.25, "USD", unknown="warn")
    config = dear_first(models, when={"budget_left": 0.5})
    result = drive(answer_with(workspace, config, config.question(CASES[0].question)))
    assert result.answer == GOOD
    assert any("was not asked: only 0.25 of the budget is left" in note for note in result.notices)
    assert len(list_cascade_steps(workspace.database, result.trace_id)) == 1


def test_a_last_step_that_a_budget_stops_is_the_refusal(workspace: Workspace, models: Models) -> None:
    connect(workspace)
    set_budget(workspace, "none", 0.0, "USD", action="stop", unknown="stop")
    steps = [{"model": models.paths["small"], "when": {"min_words": 50}}, {"model": "endpoint:cloud"}]
    config = make_config({"collection": "A", "steps": steps})
    with pytest.raises(BudgetError, match="“none”"):
        drive(answer_with(workspace, config, config.question(CASES[0].question)))
    assert workspace.database.cells("SELECT status FROM trace") == [("failed",)]


def test_steps_are_asked_as_the_question_came(workspace: Workspace) -> None:
    config = cascade()
    question = replace(
        config.question(CASES[0].question, session_id="s" * 32, trace_id="t" * 32),
        tags=("food",),
        parent_id="p" * 32,
        pipeline="both",
    )
    question.overrides["generation"]["seed"] = 77  # type: ignore[index]
    for step, name in zip(steps_to_ask(workspace, config, question), ("small", "large"), strict=True):
        asked = step.question
        assert step.name == name
        assert (asked.tags, asked.parent_id, asked.pipeline) == (("food",), "p" * 32, "both")
        assert (asked.session_id, asked.trace_id) == ("s" * 32, "t" * 32)
        assert asked.overrides["generation"]["seed"] == 77


def test_pinned_steps_name_prompts_by_number_and_models_by_path(workspace: Workspace, models: Models) -> None:
    first, second = pinned_steps(workspace, cascade())
    assert [step.config["model"] for step in (first, second)] == list(models.paths.values())
    assert first.config["prompt"].partition("@")[2] == "1"
    assert pinned_steps(workspace, make_config({"collection": "A"})) == ()


def test_the_models_of_a_pipeline_have_one_identity_in_their_order(
    workspace: Workspace, models: Models
) -> None:
    paths = model_files(workspace, cascade())
    assert [str(path) for path in paths] == list(models.paths.values())
    both = models_identity(workspace.database, paths)
    assert len(both) == 64
    assert both != models_identity(workspace.database, paths[::-1])
    single = make_config({"collection": "A", "model": models.paths["small"]})
    alone = models_identity(workspace.database, model_files(workspace, single))
    assert len(alone) == 64 and alone != both
    with pytest.raises(NotFoundError):
        model_files(workspace, make_config({"collection": "A", "model": "gone"}))


def test_one_model_is_known_by_its_own_sum_and_several_by_all_in_their_order(
    workspace: Workspace, tmp_path: Path
) -> None:
    files = [tmp_path / name for name in ("a.gguf", "b.gguf", "copy.gguf")]
    for path, content in zip(files, (b"a", b"b", b"a"), strict=True):
        path.write_bytes(content)
    a, b, copy = files

    def identity(*paths: Path) -> str:
        return models_identity(workspace.database, list(paths))

    assert identity(a) == hashlib.sha256(b"a").hexdigest() == identity(copy), "a name says nothing"
    assert len({identity(a), identity(b), identity(a, b), identity(b, a), identity(a, a)}) == 5
    assert identity(a, b) == identity(copy, b) and len(identity(a, b)) == 64
    with pytest.raises(OSError, match=r"gone\.gguf"):
        identity(a, tmp_path / "gone.gguf")
