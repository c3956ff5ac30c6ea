"""Runs lose at most the case being answered, mark what failed, and say the same again."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeEmbedder, ScriptedModel, drive

from rag.asking.rows import (
    TraceFilter,
    count_traces,
    get_trace,
    list_traces,
    list_traces_between,
    read_overview,
)
from rag.errors import RagError
from rag.evaluation import running, runs
from rag.evaluation.cases import case_seed
from rag.evaluation.rows import list_results, list_runs
from rag.evaluation.sets import change_set, create_set
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import read_chunk_use
from rag.prompts.registry import save_prompt
from rag.workspace import Workspace
from tests.rag.evaluation.filled import CASES, fill, model, results, save, start

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
    assert get_trace(filled.database, found["bread"].trace_id).silent_failures == ()
    assert list_traces(filled.database, TraceFilter(silent="any")) == [], "no model was asked, so none failed"
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


def test_a_killed_run_loses_the_case_in_work_alone(folder: Path, tmp_path: Path, documents: Path) -> None:

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


def test_what_fails_in_a_case_marks_that_case(filled: Workspace) -> None:
    save_prompt(
        filled.store,
        "picky",
        "Short.",
        "{% if 'rye' in question and passages %}{{ passages[9].text }}{% endif %}{{ question }}",
    )
    save(filled, "T", prompt="picky@1", retrieval={"max_passages": 1})
    (run,) = start(filled, "T")
    found = results(filled, run)
    assert run.status == "done"
    assert found["bread"].outcome == "error" and "cannot be rendered" in found["bread"].error
    assert found["bread"].metrics["hit_rate"] == 1.0, "the search had ended"
    assert found["bread"].metrics["context_recall"] == 1.0, "and its passages were chosen"
    assert "exact_match" not in found["bread"].metrics
    assert get_trace(filled.database, found["bread"].trace_id).status == "failed"
    assert found["moon"].outcome == "ok"


def test_a_model_that_says_nothing_or_fails_is_marked(filled: Workspace) -> None:
    model(filled).answer = ""
    (run,) = start(filled)
    assert results(filled, run)["bread"].outcome == "error"
    assert "answered nothing" in results(filled, run)["bread"].error
    model(filled).error = RagError("The model ran out of memory.")
    (run,) = start(filled)
    assert results(filled, run)["tide"].error == "The model ran out of memory."
    assert run.status == "done"


class Slow(ScriptedModel):
    """A model that takes 0.6 s for every event."""

    def generate(self, tokens: Sequence[int], settings: Any, grammar: str = "") -> Iterator[Any]:
        for event in super().generate(tokens, settings, grammar):
            time.sleep(0.6)
            yield event


def test_a_case_that_takes_too_long_is_a_timeout(folder: Path, documents: Path) -> None:
    with Workspace(folder, embedder=FakeEmbedder(), load_model=Slow().load) as workspace:
        fill(workspace, documents)
        workspace.language_model(Path("scripted.gguf"))
        (run,) = start(workspace, timeout_s=1.0)
        found = results(workspace, run)
        assert found["bread"].outcome == found["tide"].outcome == "timeout"
        assert "longer than 1 s" in found["bread"].error
        # What was searched for before the time was up is known, and counts.
        assert found["bread"].metrics["hit_rate"] == found["bread"].metrics["context_recall"] == 1.0
        assert "exact_match" not in found["bread"].metrics
        assert run.failed_count == 2


class Choking(FakeEmbedder):
    """An embedder that fails for one text."""

    def encode(self, texts: Sequence[str]) -> Any:
        if "sourdough" in texts:
            raise ZeroDivisionError("no words")
        return super().encode(texts)


def test_an_unexpected_error_in_a_metric_marks_its_case(folder: Path, documents: Path) -> None:
    with Workspace(folder, embedder=Choking(), load_model=ScriptedModel().load) as workspace:
        fill(workspace, documents)
        workspace.language_model()
        (run,) = start(workspace)
        found = results(workspace, run)
        assert (run.status, run.failed_count) == ("done", 1)
        assert found["bread"].error == "ZeroDivisionError: no words"
        assert found["tide"].outcome == "assertion failed"
        assert get_trace(workspace.database, found["bread"].trace_id).status == "done", "it was answered"


def test_a_cancelled_batch_leaves_no_trace_running(filled: Workspace) -> None:
    run = new_run(filled, "P", parallel=2)
    shared = running.SharedWork(filled, 3)
    results_ = running.Results(shared, run)
    task = results_.open_tasks()[0]
    with pytest.raises(GeneratorExit), results_.traces([task]):
        results_.begin(task)
        raise GeneratorExit
    assert task.ask is not None and task.ask.trace.status == "cancelled"
    assert list_results(filled.database, run.id) == []


def test_one_place_turns_an_error_into_a_marked_case(filled: Workspace) -> None:
    run = new_run(filled, "P")
    found = running.Results(running.SharedWork(filled, 3), run)
    first, second, third = found.open_tasks()
    with found.case(first):
        found.begin(first)
        raise ZeroDivisionError("no words")
    with found.case(second):
        raise running.CaseTimeout("It took longer than 1 s.")
    with pytest.raises(KeyboardInterrupt), found.case(third):
        raise KeyboardInterrupt
    stored = results(filled, run)
    assert (stored["bread"].outcome, stored["bread"].error) == ("error", "ZeroDivisionError: no words")
    assert first.ask is not None and first.ask.trace.status == "failed"
    assert (stored["tide"].outcome, stored["tide"].trace_id) == ("timeout", "")
    assert "moon" not in stored, "a cancel is no result"
    assert found.done == 2
    assert [task.case.key for task in found.open_tasks()] == ["moon"]


def test_a_full_disk_ends_the_run(filled: Workspace) -> None:
    found = running.Results(running.SharedWork(filled, 3), new_run(filled, "P"))
    task = found.open_tasks()[0]
    with pytest.raises(RagError, match=r"(?i)space|full"), found.case(task):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert found.done == 0


def test_the_time_left_is_shared_by_runs_that_start_together(filled: Workspace) -> None:
    shared = running.SharedWork(filled, 4)
    assert shared.seconds_left() is None
    for _ in range(4):
        shared.count()
    assert shared.seconds_left() == 0.0
    assert shared.judged(1) is shared.judged(1), "a version is read once"


def new_run(workspace: Workspace, name: str, **arguments: Any) -> Any:
    """Make a run that waits, without an answer."""
    events = runs.start_runs(workspace, "S", [name], **{"parallel": 1, **arguments})
    next(events)
    events.close()
    return list_runs(workspace.database)[0]


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
    assert case_seed(7, "a", 0) == case_seed(7, "a", 0)
    made = {case_seed(seed, key, repeat) for seed in (1, 2) for key in "abc" for repeat in (0, 1)}
    assert len(made) == 12 and all(0 <= seed < 2**31 for seed in made)


def test_a_model_that_thinks_answers_alone_and_its_thinking_is_not_measured(filled: Workspace) -> None:
    (plain,) = start(filled)
    used = model(filled)
    used.header = replace(used.header, chat_template="{{ messages }}</think>")
    used.answer = f"<think> {'The moon is made of butter. ' * 9}</think> {used.answer}"
    (run,) = start(filled, parallel=4)
    before, after = results(filled, plain), results(filled, run)
    for key in ("bread", "tide"):
        trace = get_trace(filled.database, after[key].trace_id)
        assert "a model that thinks answers alone, not in a batch" in trace.fallbacks
        assert "butter" in trace.thinking and "butter" not in trace.answer
        ignored = ("_ms", "per_s", "tokens", "logprob")
        for name, value in before[key].metrics.items():
            assert name.endswith(ignored) or after[key].metrics[name] == value, name
        assert after[key].completion_tokens == before[key].completion_tokens
