"""Runs lose at most the case in work, mark what failed, and say the same again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from fakes import ScriptedModel, drive

from rag.asking.rows import (
    TraceFilter,
    count_traces,
    get_trace,
    list_traces,
    list_traces_between,
    read_overview,
)
from rag.errors import NotFoundError, RagError
from rag.evaluation import gate_runs as gating
from rag.evaluation import pipelines, running, runs
from rag.evaluation.cases import Case, Check, Judgement
from rag.evaluation.comparison import compare
from rag.evaluation.rows import get_run, list_pipeline_label_moves, list_pipelines, list_results, list_runs
from rag.evaluation.sets import change_set, create_set, rename_set
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import read_chunk_use
from rag.prompts.registry import move_label, rollback_label, save_prompt
from rag.prompts.rows import find_required_gate
from rag.workspace import Workspace

CASES = (
    Case(
        key="bread",
        question="What does rye bread need?",
        references=("sourdough",),
        judgements=(Judgement(document="bread.md", quote="Rye bread needs sourdough and 12 hours of rest."),),
        checks=(Check(type="contains", value="sourdough"),),
        tags=("food",),
    ),
    Case(
        key="tide",
        question="How far does the tide at Bremen rise?",
        references=("3.5 metres",),
        judgements=(Judgement(document="tides.txt"),),
        checks=(Check(type="contains", value="metres"),),
        tags=("water",),
    ),
    Case(key="moon", question="Quantum chromodynamics lattice?", should_refuse=True),
)


@pytest.fixture
def filled(workspace: Workspace, documents: Path) -> Workspace:
    drive(ingest_files(workspace, "A", [documents]))
    create_set(workspace, "S")
    change_set(workspace, "S", put=CASES)
    save(workspace, "P")
    save(workspace, "R", kind="retrieval")
    return workspace


def save(workspace: Workspace, name: str, **values: Any) -> None:
    pipelines.save_pipeline(workspace, name, pipelines.make_config({"collection": "A", **values}))


def start(workspace: Workspace, *names: str, **arguments: Any) -> tuple[Any, ...]:
    arguments.setdefault("parallel", 1)
    return drive(runs.start_runs(workspace, "S", names or ("P",), **arguments))


def results(workspace: Workspace, run: Any) -> dict[str, Any]:
    return {r.case_key: r for r in list_results(workspace.database, run.id)}


def model(workspace: Workspace) -> ScriptedModel:
    assert isinstance(workspace.loaded_model, ScriptedModel)
    return workspace.loaded_model


def test_a_run_answers_every_case_and_keeps_what_it_stood_on(filled: Workspace) -> None:
    (run,) = start(filled)
    assert (run.status, run.done_count, run.total, run.failed_count) == ("done", 3, 3, 0)
    assert (run.set_number, run.version_number, run.prompt_name, run.prompt_version) == (1, 1, "default", 1)
    assert run.version_fingerprint and run.index_fingerprint and len(run.model_sha256) == 64
    assert json.loads(run.libraries)["numpy"] and json.loads(run.sampling)["temperature"] == 0
    assert json.loads(run.config)["version"] == "1"
    found = results(filled, run)
    bread = found["bread"]
    assert bread.outcome == "ok"
    assert bread.metrics["hit_rate"] == bread.metrics["context_recall"] == 1.0
    assert bread.metrics["citation_precision"] == 1.0
    assert bread.metrics["token_f1"] == pytest.approx(
        2 * 1 / (4 + 1)
    )  # rye bread needs sourdough | sourdough
    assert bread.metrics["support_rate"] == 1.0 and bread.metrics["contradiction_rate"] == 0.0
    assert bread.metrics["total_ms"] > 0 and bread.metrics["answer_similarity"] == pytest.approx(0.5)
    assert found["tide"].outcome == "assertion failed"  # the scripted model speaks of bread
    assert found["tide"].metrics["checks_passed"] == 0.0
    assert (found["moon"].outcome, found["moon"].metrics["correct_refusal"]) == ("ok", 1.0)
    trace = get_trace(filled.database, bread.trace_id)
    assert trace.source == "evaluation" and trace.prompt and trace.claims and trace.spans


def test_what_an_evaluation_asks_stays_out_of_figures_and_lists(filled: Workspace) -> None:
    start(filled)
    assert list_traces(filled.database, TraceFilter(source="person")) == []
    assert count_traces(filled.database, TraceFilter(source="evaluation")) == 3
    assert list_traces_between(filled.database, 0, 10**15) == []
    assert (
        read_overview(filled.database, 0).trace_count == read_overview(filled.database, 0).question_count == 0
    )
    hit = get_trace(filled.database, list_traces(filled.database, TraceFilter())[0].id).hits[0]
    assert read_chunk_use(filled.database, 1, hit.chunk_id).candidate_count == 0


def test_a_retrieval_pipeline_needs_no_model(filled: Workspace) -> None:
    (run,) = start(filled, "R")
    found = results(filled, run)
    assert found["bread"].metrics["mrr"] == 1.0
    assert found["bread"].metrics["context_recall"] == 1.0
    assert "token_f1" not in found["bread"].metrics
    assert model(filled).prompts == []
    assert run.model_file == ""


def test_a_cancelled_run_goes_on_where_it_stopped(filled: Workspace) -> None:
    events = runs.start_runs(filled, "S", ["P", "R"], parallel=1)
    while next(events).done < 1:
        pass
    events.close()
    second, first = list_runs(filled.database)
    assert (first.status, first.done_count, second.status) == ("cancelled", 1, "cancelled")
    prompts = len(model(filled).prompts)
    (again,) = drive(runs.resume_run(filled, first.id))
    assert (again.status, again.done_count) == ("done", 3)
    assert len(model(filled).prompts) > prompts
    kept = list_results(filled.database, first.id)
    assert len({r.case_key for r in kept}) == len(kept) == 3
    with pytest.raises(RagError, match="is done"):
        drive(runs.resume_run(filled, first.id))
    (other,) = drive(runs.resume_run(filled, second.id))
    assert other.status == "done"


KILLED = """
import sys
sys.path[:0] = [{root!r}, {tests!r}]
import time
from pathlib import Path
from fakes import FakeEmbedder, ScriptedModel
import rag.workspace
from rag.evaluation import runs

class Slow(ScriptedModel):
    def generate(self, tokens, settings):
        for event in super().generate(tokens, settings):
            time.sleep(0.05)
            yield event

with rag.workspace.Workspace(Path({folder!r}), embedder=FakeEmbedder(), load_model=Slow().load) as workspace:
    for event in runs.start_runs(workspace, "S", ["P"], parallel=1):
        print(event.done, flush=True)
"""


def test_a_killed_run_loses_the_case_in_work_alone(folder: Path, tmp_path: Path, documents: Path) -> None:
    from fakes import FakeEmbedder

    root = Path(__file__).resolve().parents[3]
    with Workspace(folder, embedder=FakeEmbedder(), load_model=ScriptedModel().load) as workspace:
        drive(ingest_files(workspace, "A", [documents]))
        create_set(workspace, "S")
        many = [c.model_copy(update={"key": f"{c.key}{n}"}) for n in range(5) for c in CASES[:2]]
        change_set(workspace, "S", put=many)
        save(workspace, "P", generation={"temperature": 0.7})  # nothing is taken over
    script = KILLED.format(root=str(root), tests=str(root / "tests"), folder=str(folder))
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    for line in child.stdout:
        if int(line) >= 3:
            break
    time.sleep(0.1)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    with Workspace(folder, embedder=FakeEmbedder(), load_model=ScriptedModel().load) as workspace:
        (run,) = list_runs(workspace.database)
        assert run.status == "interrupted"
        assert 3 <= run.done_count < 10
        kept = {r.id: r.trace_id for r in list_results(workspace.database, run.id)}
        (again,) = drive(runs.resume_run(workspace, run.id))
        assert (again.status, again.done_count) == ("done", 10)
        after = {r.id: r.trace_id for r in list_results(workspace.database, run.id)}
        assert kept.items() <= after.items()  # not asked again


def test_what_fails_in_a_case_marks_that_case(filled: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    save_prompt(
        filled.store,
        "picky",
        "Short.",
        "{{ question | nofilter if false else question }}{{ passages[2].text }}",
    )
    save(filled, "T", prompt="picky@1", retrieval={"max_passages": 1})
    (run,) = start(filled, "T")
    found = results(filled, run)
    assert run.status == "done"
    assert found["bread"].outcome == "error" and "cannot be rendered" in found["bread"].error
    assert found["bread"].metrics == {}
    assert get_trace(filled.database, found["bread"].trace_id).status == "failed"
    assert found["moon"].outcome == "ok"

    def broken(answer: str, references: Sequence[str]) -> float:
        raise ZeroDivisionError("no words")

    monkeypatch.setattr("rag.evaluation.metrics.token_f1", broken)
    (run,) = start(filled)
    assert run.failed_count == 3 and "no words" in results(filled, run)["bread"].error


def test_a_model_that_says_nothing_or_fails_is_marked(filled: Workspace) -> None:
    model(filled).answer = ""
    (run,) = start(filled)
    assert results(filled, run)["bread"].outcome == "error"
    assert "answered nothing" in results(filled, run)["bread"].error
    model(filled).error = RagError("The model ran out of memory.")
    (run,) = start(filled)
    assert results(filled, run)["tide"].error == "The model ran out of memory."
    assert run.status == "done"


def test_a_case_that_takes_too_long_is_a_timeout(filled: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    generate = ScriptedModel.generate

    def slow(self: ScriptedModel, *arguments: Any) -> Iterator[Any]:
        for event in generate(self, *arguments):
            time.sleep(0.6)
            yield event

    monkeypatch.setattr(ScriptedModel, "generate", slow)
    (run,) = start(filled, timeout_s=1.0)
    found = results(filled, run)
    assert found["bread"].outcome == found["tide"].outcome == "timeout"
    assert "longer than 1 s" in found["bread"].error and found["bread"].metrics == {}
    assert run.failed_count == 2


def test_greedy_answers_to_the_same_prompt_are_made_once(filled: Workspace) -> None:
    (run,) = start(filled, repeats=3)
    found = list_results(filled.database, run.id)
    bread = [r for r in found if r.case_key == "bread"]
    assert [r.repeat for r in bread] == [0, 1, 2]
    assert [bool(r.reused_trace) for r in bread] == [False, True, True]
    assert bread[1].reused_trace == bread[0].trace_id and bread[1].latency_ms is None
    assert {r.answer for r in bread} == {bread[0].answer}
    assert bread[1].metrics["support_rate"] == bread[0].metrics["support_rate"]
    assert "was taken from trace" in " ".join(get_trace(filled.database, bread[1].trace_id).fallbacks)
    save(filled, "W", generation={"temperature": 0.5})
    (warm,) = start(filled, "W", repeats=2)
    assert not any(r.reused_trace for r in list_results(filled.database, warm.id))


def test_a_seed_belongs_to_a_case_and_repeat() -> None:
    assert running.case_seed(7, "a", 0) == running.case_seed(7, "a", 0)
    made = {running.case_seed(seed, key, repeat) for seed in (1, 2) for key in "abc" for repeat in (0, 1)}
    assert len(made) == 12 and all(0 <= seed < 2**31 for seed in made)


def test_what_is_missing_is_said_before_anything_is_asked(filled: Workspace) -> None:
    for arguments, message in (
        (("missing", ["P"]), "no evaluation set"),
        (("S", ["nobody"]), "no pipeline named"),
        (("S", []), "at least one pipeline"),
        (("S", ["P@9"]), "no version 9"),
        (("S", ["P@production"]), "no version of the pipeline"),
    ):
        with pytest.raises(RagError, match=f"(?i){message}"):
            drive(runs.start_runs(filled, *arguments))
    assert list_runs(filled.database) == []


def test_runs_are_named_tagged_and_deleted_with_their_traces(filled: Workspace) -> None:
    first, second = (*start(filled), *start(filled))
    runs.rename_run(filled, first.id, "before", "a note")
    runs.tag_run(filled, first.id, "baseline")
    assert runs.find_run(filled.database, "baseline", "S").id == first.id
    runs.tag_run(filled, second.id, "baseline")
    assert runs.find_run(filled.database, "baseline").id == second.id
    assert runs.find_run(filled.database, str(first.id)).name == "before"
    runs.untag_run(filled, second.id, "baseline")
    with pytest.raises(RagError, match="not a number"):
        runs.tag_run(filled, first.id, "12")
    assert runs.delete_run(filled, first.id) == 3
    with pytest.raises(NotFoundError):
        runs.get_run(filled.database, first.id)
    assert count_traces(filled.database, TraceFilter()) == 3
    assert (
        count_traces(filled.database, TraceFilter(text="rye bread")) == 2
    )  # one question, one that was answered so


def test_a_comparison_counts_as_by_hand(filled: Workspace) -> None:
    keys = [f"c{n:02}" for n in range(8)]
    change_set(
        filled,
        "S",
        put=[
            Case(
                key=k,
                question=f"What does rye bread need, case {k}?",
                references=("sourdough",),
                tags=("half",) if k < "c04" else (),
            )
            for k in keys
        ],
        remove=[case.key for case in CASES],
    )
    model(filled).answer = "Sourdough"
    (a,) = start(filled)
    model(filled).answer = "Patience"
    save(filled, "P", generation={"max_answer_tokens": 99})
    (b,) = start(filled)
    report = compare(filled.database, [a.id, b.id])
    exact = next(m for m in report.metrics if m.name == "exact_match")
    assert [mean.mean for mean in exact.means] == [1.0, 0.0]
    (difference,) = exact.differences
    assert (difference.pairs, difference.wins, difference.ties, difference.losses) == (8, 0, 0, 8)
    assert difference.difference == -1.0 and difference.test == "McNemar"
    assert difference.p == pytest.approx(2 * 0.5**8)
    assert difference.p_holm is not None and difference.p_holm >= difference.p
    assert report.sentences[0].count("P 2 answers 8 of 8 fewer") == 1
    tag = next(t for t in report.tags if t.metric == "exact_match")
    assert (tag.tag, tag.pairs, tag.mean_first, tag.mean, tag.losses) == ("half", 4, 1.0, 0.0, 4)
    case = report.cases[0]
    assert case.change < 0 < case.size
    assert [answer.answer for answer in case.answers if answer] == ["Sourdough", "Patience"]
    assert report.detectable.cases == 8 and report.detectable.needed[0][0] == 0.05
    assert dict(report.failures)[a.id] == {"ok": 8}
    alone = compare(filled.database, [a.id])
    assert alone.sentences == () and alone.metrics[0].differences == ()


GATE = "floors: {exact_match: 0.5}\n"


def test_production_waits_for_a_passed_gate(filled: Workspace) -> None:
    save_prompt(filled.store, "default", "New.", "{{ question }} {{ passages | length }}")
    gating.require_gate(filled, "prompt", "default", "S", GATE)
    gating.require_gate(filled, "pipeline", "P", "S", GATE)
    with pytest.raises(RagError, match=r"ragdeck evaluate .*--required-gate"):
        move_label(filled.store, "default", "production", 2)
    with pytest.raises(RagError, match="version 1 did not"):
        pipelines.move_pipeline_label(filled, "P", "production", 1)
    pipelines.move_pipeline_label(filled, "P", "staging", 1)  # only production waits
    save(filled, "P", prompt="default@2")
    (run,) = start(filled)
    assert not gating.gate_run(filled, run.id, GATE).passed
    with pytest.raises(RagError, match="--force"):
        move_label(filled.store, "default", "production", 2)
    model(filled).answer = "Sourdough"
    change_set(filled, "S", remove=["tide"])
    (run,) = start(filled)
    rename_set(filled, "S", "Set")
    assert gating.gate_run(filled, run.id, GATE.replace("\n", "  \r\n")).passed
    assert get_run(filled.database, run.id).gate_passed
    (rows,) = filled.database.cells("SELECT rows FROM evaluationgate WHERE run_id = ? AND passed", (run.id,))
    assert json.loads(rows[0])[0]["passed"]
    assert {r.kind for r in gating.requirements_of(filled, run.id)} == {"prompt", "pipeline"}
    assert move_label(filled.store, "default", "production", 2).to_number == 2
    assert pipelines.move_pipeline_label(filled, "P", "production", 2).from_number is None
    assert rollback_label(filled.store, "default").to_number == 1
    assert list_pipelines(filled.database)[0].labels == ("production",)


def test_a_label_is_forced_with_a_reason_that_is_logged(filled: Workspace) -> None:
    gating.require_gate(filled, "pipeline", "P", "S", GATE)
    with pytest.raises(RagError, match="needs a note"):
        pipelines.move_pipeline_label(filled, "P", "production", 1, force=True)
    pipelines.move_pipeline_label(filled, "P", "production", 1, force=True, note="The site is down")
    with filled.store.session() as session:
        logged = session.connection().exec_driver_sql("SELECT action, detail FROM auditevent").fetchall()
    assert ("gate overridden", "The site is down") in [tuple(row) for row in logged]
    assert list_pipeline_label_moves(filled.database, "P")[0].note == "The site is down"
    gating.drop_requirement(filled, "pipeline", "P")
    assert find_required_gate(filled.database, "pipeline", "P") is None
