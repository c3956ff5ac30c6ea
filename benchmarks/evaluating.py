"""Measures evaluation: questions per minute against asking one by one, and opening and comparing large runs.

    python -m benchmarks.evaluating [--questions 24] [--at-once 16] [--data FOLDER] [--threads 2]

Both ways run over the same XQuAD questions (or the sample's) in the same process, in turns, greedy. "bare" is a plain
loop over llama-cpp-python with the prompts that the runs sent.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import llama_cpp
import numpy as np
from sqlmodel import Session

from rag.asking.rows import TraceDetail, get_trace
from rag.evaluation import pipelines, runs
from rag.evaluation.cases import Case
from rag.evaluation.comparison import compare
from rag.evaluation.metrics import METRICS
from rag.evaluation.rows import RunRow, list_results, list_set_versions
from rag.evaluation.sets import change_set, create_set
from rag.knowledge.ingest import ingest_files
from rag.models.language_model import starter_model_path
from rag.sample.making import ingest_sample
from rag.sample.rows import SAMPLE_COLLECTION, sample_questions
from rag.storage.store import insert_rows, now_ms
from rag.storage.tables.evaluation import EvaluationResult, EvaluationRun
from rag.storage.tables.traces import Trace
from rag.workspace import Workspace


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--questions", type=int, default=24)
    parser.add_argument("--at-once", type=int, default=16)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/retrieval/xquad.en.json"))
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--compare-alone", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, Workspace(Path(scratch)) as workspace:
        if not options.compare_alone:
            answering(workspace, options)
        comparing(workspace)


def answering(workspace: Workspace, options: argparse.Namespace) -> None:
    collection, cases = questions(workspace, options.data, options.questions)
    create_set(workspace, "S")
    change_set(workspace, "S", put=cases)
    generation = {"threads": options.threads, "max_answer_tokens": 64}
    config = pipelines.make_config({"collection": collection, "generation": generation})
    pipelines.save_pipeline(workspace, "P", config)
    drive(runs.start_runs(workspace, "S", ["P"], parallel=1, timeout_s=3600))  # warms up: embeddings, pages
    singly, alone_s = timed(workspace, 1)
    together, batch_s = timed(workspace, options.at_once)
    rows = {r.case_key: r for r in list_results(workspace.database, singly.id)}
    same = [rows[r.case_key].answer == r.answer for r in list_results(workspace.database, together.id)]
    traces = [get_trace(workspace.database, r.trace_id) for r in rows.values()]
    shared = [
        get_trace(workspace.database, r.trace_id) for r in list_results(workspace.database, together.id)
    ]
    bare_s = bare(workspace, traces, options.threads)
    count = len(cases)
    read, write = (sum(getattr(t, name) or 0 for t in traces) for name in ("read_ms", "generate_ms"))
    other = sum((t.retrieve_ms or 0) + (t.check_ms or 0) for t in traces)
    total = sum(t.total_ms for t in traces)
    print(f"{count} questions, {sum(t.prompt_tokens for t in traces) / count:.0f} prompt tokens each")
    print(f"one by one   {count / alone_s * 60:6.1f} questions/min: reading the prompt {read / total:.0%}, "
          f"writing {write / total:.0%}, search and check {other / total:.0%} of the time")  # fmt: skip
    print(
        f"at once      {count / batch_s * 60:6.1f} questions/min = {alone_s / batch_s:.2f} of one by one (goal: 3)"
    )
    print(f"bare loop    {count / bare_s * 60:6.1f} questions/min (llama-cpp-python, the prompts alone)")
    print(f"shared       {sum(t.cached_tokens for t in shared) / sum(t.prompt_tokens for t in shared):.0%} of the "
          f"prompt tokens, one by one {sum(t.cached_tokens for t in traces) / sum(t.prompt_tokens for t in traces):.0%}")  # fmt: skip
    print(f"identical    {sum(same)} of {len(same)} answers")
    begin = time.perf_counter()
    drive(runs.start_runs(workspace, "S", ["P"], parallel=1, repeats=3, timeout_s=3600))
    seconds = (time.perf_counter() - begin) / 3
    print(
        f"3 repeats    {count / seconds * 60:6.1f} answers/min = {alone_s / seconds:.2f} of one by one (greedy, taken over)"
    )


def timed(workspace: Workspace, parallel: int) -> tuple[RunRow, float]:
    model = workspace.language_model()
    model._llama.reset()
    model._llama._ctx.kv_cache_clear()
    begin = time.perf_counter()
    (run,) = drive(runs.start_runs(workspace, "S", ["P"], parallel=parallel, timeout_s=3600))
    assert run.failed_count == 0, list_results(workspace.database, run.id)[0].error
    return run, time.perf_counter() - begin


def bare(workspace: Workspace, traces: list[TraceDetail], threads: int) -> float:
    llama = llama_cpp.Llama(
        str(starter_model_path()), n_ctx=4096, verbose=False,
        n_threads=threads or None, n_threads_batch=threads or None,
    )  # fmt: skip
    begin = time.perf_counter()
    for trace in traces:
        if trace.prompt:
            llama.create_completion(trace.prompt, max_tokens=64, temperature=0.0, repeat_penalty=1.0)
    return time.perf_counter() - begin


def questions(workspace: Workspace, data: Path, most: int) -> tuple[str, list[Case]]:
    """XQuAD's paragraphs as files and its questions as cases; the sample's where the file is missing."""
    if not data.exists():
        drive(ingest_sample(workspace))
        return SAMPLE_COLLECTION, [Case(key=str(n), question=q) for n, q in enumerate(sample_questions())]
    folder = Path(tempfile.mkdtemp())
    cases = []
    for article in json.loads(data.read_text("utf-8"))["data"]:
        for number, paragraph in enumerate(article["paragraphs"]):
            name = f"{article['title']}-{number}.txt".replace("/", "_")
            (folder / name).write_text(paragraph["context"], "utf-8")
            cases += [
                Case(key=q["id"], question=q["question"], cluster=name,
                     references=tuple({a["text"] for a in q["answers"]}))
                for q in paragraph["qas"]
            ]  # fmt: skip
    drive(ingest_files(workspace, "XQuAD", [folder]))
    step = max(len(cases) // most // 4, 1)  # neighbours, so that some ask about one paragraph
    chosen = [case for begin in range(0, len(cases), 4 * step) for case in cases[begin : begin + 4]]
    return "XQuAD", chosen[:most]


def comparing(workspace: Workspace, cases: int = 2000, count: int = 4) -> None:
    """Runs of random values, written as runs write them: 20 metrics a case."""
    create_set(workspace, "large")
    change_set(
        workspace, "large",
        put=[Case(key=f"c{n}", question=f"Question {n}?", cluster=f"d{n // 5}", tags=(f"t{n % 10}",)) for n in range(cases)],
    )  # fmt: skip
    version = list_set_versions(workspace.database, "large")[0]
    names = [name for name in METRICS if name not in ("judge",)][:20]
    random = np.random.default_rng(1)
    ids = []
    for number in range(count):
        with workspace.store.session() as session:
            ids.append(_fill(session, version.id, number, cases, names, random))
    compare(workspace.database, ids[:1])  # opens the file
    begin = time.perf_counter()
    report = compare(workspace.database, ids)
    seconds = time.perf_counter() - begin
    assert len(report.cases) == cases
    print(
        f"comparing    {count} runs of {cases:,} cases, {len(report.metrics)} metrics: {seconds:.2f} s (goal: 1)"
    )


def _fill(session: Session, version_id: int, number: int, cases: int, names: list[str], random) -> int:
    run = EvaluationRun(
        name=f"run {number}", status="done", set_name="large", set_version_id=version_id, set_number=1,
        set_fingerprint="f", pipeline=f"P{number}", pipeline_version_id=0, pipeline_number=1, pipeline_fingerprint="f",
        kind="answer", config="{}", case_count=cases, repeats=1, seed=0, parallel=1, timeout_s=1, collection="A",
        version_id=1, version_number=1, version_fingerprint="f", index_fingerprint="f", embedder="e", created_ms=now_ms(),
    )  # fmt: skip
    session.add(run)
    session.flush()
    values = (random.random((cases, len(names))) < 0.6 + 0.01 * number).astype(float)
    insert_rows(session, Trace, [
        {**Trace(id=f"{number}-{n}", session_id="", created_ms=0, status="done", source="evaluation",
                 question=f"Question {n}?", answer="An answer of some length. " * 5).model_dump()} for n in range(cases)
    ])  # fmt: skip
    insert_rows(session, EvaluationResult, [
        EvaluationResult(run_id=run.id, case_key=f"c{n}", repeat=0, outcome="ok", trace_id=f"{number}-{n}", created_ms=0,
                         metrics=json.dumps(dict(zip(names, values[n].tolist(), strict=True)))).model_dump(exclude={"id"})
        for n in range(cases)
    ])  # fmt: skip
    return run.id or 0


def drive(generator):
    try:
        while True:
            next(generator)
    except StopIteration as end:
        return end.value


if __name__ == "__main__":
    main()
