"""Runs: every case of a set through one version of a pipeline, by the same code that answers people.

A case is written when it is complete, so a kill at any moment loses the one in work. What goes wrong with a case
(its template, its metric, a model that says nothing, too long) marks that case; the run goes on. What goes wrong
with all of them (no model, no such collection) ends the run.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sqlmodel import Session

from rag.asking.answer import (
    Ask,
    Prepared,
    begin_ask,
    check_answer,
    finish_ask,
    prepare,
    run_ask,
    search_alone,
    take_answer,
)
from rag.asking.traces import delete_traces
from rag.errors import NotFoundError, RagError, of_the_disk
from rag.evaluation.cases import Case
from rag.evaluation.gate_rules import GatheredRun
from rag.evaluation.llm_judge import Judge
from rag.evaluation.pipelines import PipelineConfig, SavedPipeline, named_pipeline
from rag.evaluation.relevance import JudgedVersion, Relevance
from rag.evaluation.rows import (
    CaseOutcome,
    ResultRow,
    RunProgress,
    RunRow,
    get_run,
    list_results,
    list_runs,
    list_version_cases,
)
from rag.evaluation.scoring import Score, Vectors, score_answer, score_retrieval
from rag.knowledge.collections import open_version
from rag.models.batching import BatchAnswer, BatchContext, BatchRequest
from rag.models.catalogue import find_model
from rag.models.embedding import file_sha256
from rag.models.gguf import read_header
from rag.models.rows import forecast_memory, free_memory_bytes
from rag.prompts.registry import find_prompt, user_name
from rag.storage import audit_log
from rag.storage.database import Database
from rag.storage.store import now_ms
from rag.storage.tables.evaluation import (
    EvaluationResult,
    EvaluationRun,
    EvaluationRunTag,
    EvaluationSet,
    EvaluationSetVersion,
    ResultVerdict,
)
from rag.workspace import Workspace

TIMEOUT_S = 300.0
MOST_REPEATS = 100
_YIELD_S = 0.1
_WINDOW = 4  # windows of so many times the answers at once: sorted, they share more
_AT_ONCE = 16
_MOST_AT_ONCE = 64
_WORST = tuple(CaseOutcome(one) for one in ("error", "timeout", "assertion failed", "refused", "ok"))
_LIBRARIES = ("llama-cpp-python", "sentence-transformers", "torch", "tokenizers", "numpy", "chromadb")

Runs = Generator[RunProgress, None, tuple[RunRow, ...]]


class CaseTimeout(RagError):
    """A case took longer than its run allows."""


# --- running ----------------------------------------------------------------------------------------------


def start_runs(
    workspace: Workspace,
    set_name: str,
    pipelines: Sequence[str],
    *,
    set_version: int | None = None,
    repeats: int = 1,
    seed: int = 0,
    name: str = "",
    parallel: int | None = None,
    timeout_s: float = TIMEOUT_S,
    judge: str = "",
    tags: Sequence[str] = (),
) -> Runs:
    """Ask every case of a set through each pipeline ("NAME", "NAME@NUMBER" or "NAME@LABEL"), one after the other.

    parallel: prompts held at once, within a quarter of the free memory: what they share is read once, and a GPU
    writes all their answers together. More than 1 leaves times unmeasured. None: 16 on a GPU, else 1. judge: name or path of a model that judges the answers; empty: none. Closing the generator leaves the
    runs as cancelled; resume_run goes on with them. Raises RagError before anything is asked when a part is missing.
    """
    if not pipelines:
        raise RagError("Name at least one pipeline; `ragdeck pipelines list` shows those there are.")
    if not 1 <= repeats <= MOST_REPEATS:
        raise RagError(f"A case is asked 1 to {MOST_REPEATS} times.")
    if not 1 <= timeout_s <= 86_400:
        raise RagError("The time for a case lies between 1 second and a day.")
    if parallel is not None and not 1 <= parallel <= _MOST_AT_ONCE:
        raise RagError(f"1 to {_MOST_AT_ONCE} questions are answered at once.")
    rows = [named_pipeline(workspace, reference) for reference in pipelines]
    facts = [_facts(workspace, row) for row in rows]
    judged_by = json.dumps(Judge.facts(workspace, judge, seed)) if judge else ""
    with workspace.store.session() as session:
        version = _set_version(session, set_name, set_version)
        made = [
            EvaluationRun(
                name=name.strip() or f"{set_name} · {row.name} {row.number}",
                status="waiting",
                set_name=set_name,
                set_version_id=version.id or 0,
                set_number=version.number,
                set_fingerprint=version.fingerprint,
                pipeline=row.name,
                pipeline_version_id=row.id,
                pipeline_number=row.number,
                pipeline_fingerprint=row.fingerprint,
                case_count=version.case_count,
                repeats=repeats,
                seed=seed,
                parallel=default_parallel(row.config) if parallel is None else parallel,
                timeout_s=timeout_s,
                judge=judged_by,
                created_ms=now_ms(),
                **fact,
            )
            for row, fact in zip(rows, facts, strict=True)
        ]
        for run in made:
            session.add(run)
        session.flush()
        for run in made:
            for tag in dict.fromkeys(map(_checked_tag, tags)):
                session.add(EvaluationRunTag(run_id=run.id or 0, name=tag))
            audit_log.record(session, "evaluation begun", run.name, f"run {run.id}, {run.case_count} cases")
        ids = [run.id or 0 for run in made]
    return (yield from _work(workspace, ids))


def resume_run(workspace: Workspace, run_id: int) -> Runs:
    """Go on with a run that was cancelled, interrupted or failed: cases that are done are not asked again.

    Raises RagError when what it asks is no longer what it was.
    """
    run = get_run(workspace.database, run_id)
    if run.status == "done":
        raise RagError(f"Run {run_id} is done; start a new one to ask again.")
    _same_as_then(workspace, run)
    return (yield from _work(workspace, [run_id]))


def _work(workspace: Workspace, ids: Sequence[int]) -> Runs:
    """The runs one after the other; they share what was embedded and answered."""
    shared = _Shared(workspace, sum(_left(get_run(workspace.database, i)) for i in ids))
    _set_status(workspace, ids, "waiting")
    try:
        for run_id in ids:
            yield from _Run(shared, get_run(workspace.database, run_id)).work()
    except (GeneratorExit, KeyboardInterrupt):
        _set_status(workspace, ids, "cancelled", only="waiting")
        raise
    except BaseException:
        _set_status(workspace, ids, "failed", only="waiting", error="A run before this one failed.")
        raise
    return tuple(get_run(workspace.database, run_id) for run_id in ids)


def _left(run: RunRow) -> int:
    return run.total - run.done_count


@dataclass(frozen=True)
class _Known:
    """An answer that greedy sampling would give again."""

    trace_id: str
    text: str
    logprobs: tuple[float, ...]
    finish_reason: str


class _Shared:
    """What runs that were started together have in common."""

    def __init__(self, workspace: Workspace, left: int) -> None:
        self.workspace = workspace
        self.vectors = Vectors(workspace)
        self.answers: dict[tuple[str, str, str], _Known] = {}
        self._versions: dict[int, JudgedVersion] = {}
        self._begin = time.perf_counter()
        self._left = left
        self._done = 0

    def judged(self, version_id: int) -> JudgedVersion:
        if version_id not in self._versions:
            self._versions[version_id] = JudgedVersion(self.workspace.store, version_id)
        return self._versions[version_id]

    def count(self) -> None:
        self._done += 1

    def seconds_left(self) -> float | None:
        if not self._done:
            return None
        return (time.perf_counter() - self._begin) / self._done * (self._left - self._done)


@dataclass
class _Task:
    """A case in one repeat, on its way."""

    case: Case
    repeat: int
    ask: Ask | None = None
    prepared: Prepared | None = None
    reused: str = ""
    begin: float = field(default_factory=time.perf_counter)


class _Run:
    """One run being worked on."""

    def __init__(self, shared: _Shared, row: RunRow) -> None:
        self.shared, self.row = shared, row
        self.workspace = shared.workspace
        self.config = PipelineConfig.model_validate_json(row.config)
        self.done = row.done_count
        self._relevance: dict[str, Relevance] = {}
        self._shown = 0.0
        self._judge: Judge | None = None

    def work(self) -> Iterator[RunProgress]:
        begin, status, error = time.perf_counter(), "done", ""
        _set_status(self.workspace, [self.row.id], "running")
        try:
            yield from self._cases()
        except (GeneratorExit, KeyboardInterrupt):
            status = "cancelled"
            raise
        except RagError as failure:
            status, error = "failed", str(failure)
            raise
        except BaseException as failure:
            status, error = "failed", f"{type(failure).__name__}: {failure}"
            raise
        finally:
            _finish(self.workspace, self.row.id, status, error, time.perf_counter() - begin)

    def _cases(self) -> Iterator[RunProgress]:
        contents = list_version_cases(self.workspace.database, self.row.set_version_id)
        if not contents and self.row.case_count:
            raise RagError(f"The set “{self.row.set_name}” was deleted, so its run cannot go on.")
        done = _done(self.workspace, self.row.id)
        tasks = [
            (case, repeat)
            for case in map(Case.model_validate_json, contents)
            for repeat in range(self.row.repeats)
            if (case.key, repeat) not in done
        ]
        if self.config.kind == "retrieval":
            for case, repeat in tasks:
                yield from self._progress(case, force=True)
                self._retrieve(_Task(case, repeat))
            return
        if tasks:  # what fails for all of them fails here, before the first
            path = find_model(self.workspace.database, self.workspace.settings, self.config.model)
            self.workspace.language_model(path, self.config.generation)
        if self.row.parallel > 1:
            yield from self._together([_Task(case, repeat) for case, repeat in tasks])
        else:
            for case, repeat in tasks:
                yield from self._progress(case, force=True)
                yield from self._alone(_Task(case, repeat))
        if self.row.judge:
            yield from self._judge_all()

    # --- one case -----------------------------------------------------------------------------------------

    def _retrieve(self, task: _Task) -> None:
        try:
            ask = task.ask = self._begin(task)
            try:
                search_alone(ask)
            except BaseException as error:
                finish_ask(ask, error)
                raise
            finish_ask(ask)
            values = score_retrieval(ask, task.case, self._relevance_of(task.case))
            values["total_ms"] = ask.trace.total_ms
            self._keep(task, Score(CaseOutcome.OK, values))
        except Exception as error:
            self._keep_failure(task, error)

    def _alone(self, task: _Task) -> Iterator[RunProgress]:
        """Ask one case by itself."""
        try:
            ask = task.ask = self._begin(task)
            steps = run_ask(ask, lambda prepared: self._recall(task, prepared))
            deadline = task.begin + self.row.timeout_s
            try:
                for _ in steps:
                    if time.perf_counter() > deadline:
                        steps.throw(CaseTimeout(f"It took longer than {self.row.timeout_s:g} s."))
                    yield from self._progress(task.case)
            finally:
                steps.close()
            self._score(task, ask, timed=not task.reused)
        except Exception as error:
            self._keep_failure(task, error)

    # --- many at once -------------------------------------------------------------------------------------

    def _together(self, tasks: Sequence[_Task]) -> Iterator[RunProgress]:
        """Windows of cases: all searched, then answered at once in one context, each kept when it is complete."""
        size = _WINDOW * self.row.parallel
        context: BatchContext | None = None
        try:
            for begin in range(0, len(tasks), size):
                window = list(tasks[begin : begin + size])
                try:
                    ready = yield from self._prepare(window)
                    if ready and context is None:
                        context = self._context([prepared for _, prepared in ready])
                    if context is not None:
                        yield from self._answer_window(context, ready)
                except BaseException as error:
                    for task in window:
                        if task.ask is not None and task.ask.trace.status == "running":
                            finish_ask(task.ask, error)
                    raise
        finally:
            if context is not None:
                context.close()

    def _prepare(self, window: Sequence[_Task]) -> Generator[RunProgress, None, list[tuple[_Task, Prepared]]]:
        """Those of the window that the model is to be asked; the others are complete afterwards."""
        ready = []
        for task in window:
            yield from self._progress(task.case, force=True)
            try:
                ask = task.ask = self._begin(task)
                task.prepared = _last(prepare(ask))
                if task.prepared is not None:
                    ready.append((task, task.prepared))
                else:
                    finish_ask(ask)
                    self._score(task, ask, timed=False)
            except Exception as error:
                self._end_failure(task, error)
        return ready

    def _answer_window(
        self, context: BatchContext, ready: Sequence[tuple[_Task, Prepared]]
    ) -> Iterator[RunProgress]:
        first: dict[object, tuple[_Task, Prepared]] = {}  # of equal greedy prompts one is asked
        for number, (task, prepared) in enumerate(ready):
            first.setdefault(_greedy_key(prepared) or number, (task, prepared))
        asked = [pair for pair in first.values() if _greedy_key(pair[1]) not in self.shared.answers]
        requests = [
            BatchRequest(number, tuple(prepared.tokens), prepared.ask.settings.generation)
            for number, (_, prepared) in enumerate(asked)
        ]
        for event in context.answer(requests, self.row.timeout_s):
            if isinstance(event, BatchAnswer):
                self._take(*asked[event.key], event)
            elif asked:
                yield from self._progress(asked[-1][0].case)
        taken = {id(task) for task, _ in asked}
        for task, prepared in ready:
            if id(task) not in taken:
                yield from self._progress(task.case)
                self._complete(task, prepared.ask, lambda pair=(task, prepared): self._recall_or_fail(*pair))  # type: ignore[misc]

    def _take(self, task: _Task, prepared: Prepared, answer: BatchAnswer) -> None:
        def take() -> None:
            if answer.finish_reason == "timeout":
                raise CaseTimeout(f"It took longer than {self.row.timeout_s:g} s.")
            note = (
                f"answered in a batch, up to {self.row.parallel} prompts at once: its times are not its own"
            )
            take_answer(
                prepared, answer.text, answer.logprobs, answer.finish_reason, answer.cached_tokens, note
            )

        self._complete(task, prepared.ask, take)

    def _recall_or_fail(self, task: _Task, prepared: Prepared) -> None:
        if not self._recall(task, prepared):
            raise RagError("The same prompt was not answered before, so there is nothing to take over.")

    def _complete(self, task: _Task, ask: Ask, take: Callable[[], None]) -> None:
        try:
            take()
            check_answer(ask)
            finish_ask(ask)
            self._score(task, ask, timed=False)
        except Exception as error:
            self._end_failure(task, error)

    def _end_failure(self, task: _Task, error: Exception) -> None:
        if task.ask is not None and task.ask.trace.status == "running":
            finish_ask(task.ask, error)
        self._keep_failure(task, error)

    def _context(self, ready: Sequence[Prepared]) -> BatchContext:
        """Room for the prompts of a window, within a quarter of the free memory; always for one whole context."""
        model = ready[0].model
        longest = max(len(prepared.tokens) for prepared in ready)
        most = ready[0].ask.settings.generation.max_answer_tokens
        wanted = self.row.parallel * (longest + most)
        cell_bytes = max(forecast_memory(model.header, 1000).kv_cache // 1000, 1)
        free = free_memory_bytes()
        room = wanted if free is None else free // 4 // cell_bytes
        cells = max(min(wanted, room), model.context)
        return BatchContext(model, self.row.parallel, -(-cells // 256) * 256)

    # --- parts of a case ----------------------------------------------------------------------------------

    def _begin(self, task: _Task) -> Ask:
        seed = case_seed(self.row.seed, task.case.key, task.repeat)
        generation = self.config.generation.model_copy(update={"seed": seed})
        seeded = self.config.model_copy(update={"generation": generation})
        return begin_ask(self.workspace, seeded.question(task.case.question, source="evaluation"))

    def _recall(self, task: _Task, prepared: Prepared) -> bool:
        """Greedy sampling says the same to the same prompt: such an answer is taken over, and marked so."""
        task.prepared = prepared
        known = self.shared.answers.get(key) if (key := _greedy_key(prepared)) else None
        if known is None:
            return False
        task.reused = known.trace_id
        note = f"the answer was taken from trace {known.trace_id[:8]}: same prompt and model at temperature 0"
        take_answer(prepared, known.text, known.logprobs, known.finish_reason, len(prepared.tokens), note)
        return True

    def _score(self, task: _Task, ask: Ask, timed: bool) -> None:
        prepared = task.prepared
        if (
            prepared is not None
            and not task.reused
            and ask.trace.status == "done"
            and (key := _greedy_key(prepared))
        ):
            self.shared.answers[key] = _Known(
                ask.trace.id, ask.trace.answer, tuple(prepared.logprobs), ask.trace.finish_reason
            )
        checks = (*task.case.checks, *self.config.checks)
        relevance = self._relevance_of(task.case)
        self._keep(task, score_answer(ask, task.case, relevance, checks, self.shared.vectors, timed))

    def _relevance_of(self, case: Case) -> Relevance:
        if case.key not in self._relevance:
            judged = self.shared.judged(self.row.version_id)
            self._relevance[case.key] = judged.relevance(case.judgements)
        return self._relevance[case.key]

    def _keep_failure(self, task: _Task, error: Exception) -> None:
        """The case is marked and the run goes on, unless the disk is full: then nothing can be kept."""
        if refusal := of_the_disk(error):
            raise refusal from error
        sentence = str(error) if isinstance(error, RagError) else f"{type(error).__name__}: {error}"
        outcome = CaseOutcome.TIMEOUT if isinstance(error, CaseTimeout) else CaseOutcome.ERROR
        self._keep(task, Score(outcome, {}, error=sentence))

    def _keep(self, task: _Task, score: Score) -> None:
        trace = task.ask.trace if task.ask is not None else None
        with self.workspace.store.session() as session:
            session.add(
                EvaluationResult(
                    run_id=self.row.id,
                    case_key=task.case.key,
                    repeat=task.repeat,
                    outcome=score.outcome,
                    trace_id=trace.id if trace else "",
                    metrics=json.dumps(score.values),
                    checks=json.dumps([{"type": kind, **asdict(result)} for kind, result in score.checks]),
                    latency_ms=score.values.get("total_ms"),
                    prompt_tokens=trace.prompt_tokens if trace else 0,
                    completion_tokens=trace.completion_tokens if trace else 0,
                    reused_trace=task.reused,
                    error=score.error,
                    created_ms=now_ms(),
                )
            )
        self.done += 1
        self.shared.count()

    def _judge_all(self) -> Iterator[RunProgress]:
        """After the answers: the judge is another model, and only one is in memory."""
        judge = Judge(self.workspace, json.loads(self.row.judge))
        cases = {
            case.key: case
            for case in map(
                Case.model_validate_json,
                list_version_cases(self.workspace.database, self.row.set_version_id),
            )
        }
        for result in list_results(self.workspace.database, self.row.id):
            if result.judge or result.outcome in ("error", "timeout") or result.case_key not in cases:
                continue
            yield from self._progress(cases[result.case_key], force=True)
            self._keep_judgement(result, judge, cases[result.case_key])

    def _keep_judgement(self, result: ResultRow, judge: Judge, case: Case) -> None:
        try:
            said = judge.verdict(case, result.answer)
            value, text = float(said.right), json.dumps(asdict(said))
        except RagError as error:
            value, text = None, json.dumps({"error": str(error)})
        with self.workspace.store.session() as session:
            row = session.get_one(EvaluationResult, result.id)
            row.metrics = json.dumps({**result.metrics, "judge": value})
            row.judge = text
            session.add(row)

    def _progress(self, case: Case, force: bool = False) -> Iterator[RunProgress]:
        now = time.perf_counter()
        if force or now - self._shown >= _YIELD_S:
            self._shown = now
            yield RunProgress(
                self.row.id,
                self.row.label,
                self.done,
                self.row.total,
                self.shared.seconds_left(),
                case.question,
            )


def _last(steps: Generator[Any, None, Prepared | None]) -> Prepared | None:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: Prepared | None = end.value
            return found


def default_parallel(config: PipelineConfig) -> int:
    """On a GPU many answers at once; on a processor one by one, so that times are measured."""
    return _AT_ONCE if config.kind == "answer" and config.generation.gpu_layers else 1


def case_seed(run_seed: int, key: str, repeat: int) -> int:
    """The sampler's seed for a case in a repeat: the same in every pipeline, in whatever order cases are asked."""
    digest = hashlib.sha256(f"{run_seed}\0{key}\0{repeat}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "big") & 0x7FFFFFFF


def _greedy_key(prepared: Prepared) -> tuple[str, str, str] | None:
    """What a greedy answer depends on: the model, the prompt, and how long it may get; None: it is not greedy."""
    generation = prepared.ask.settings.generation
    if generation.temperature > 0 or not prepared.tokens:
        return None
    prompt = hashlib.sha256(json.dumps(prepared.tokens).encode()).hexdigest()
    sampling = f"{generation.max_answer_tokens} {generation.repeat_penalty} {generation.context}"
    return prepared.ask.trace.model_sha256, prompt, sampling


# --- what a run stands on ---------------------------------------------------------------------------------


def _facts(workspace: Workspace, pipeline: SavedPipeline) -> dict[str, Any]:
    """The columns of a run that say what it asked; all that can move is pinned. Raises RagError."""
    config = pipeline.config
    which = None if config.version == "active" else config.version
    _, version = open_version(workspace, config.collection, which)
    pinned: dict[str, Any] = {"version": str(version.number)}
    facts: dict[str, Any] = {
        "kind": config.kind,
        "collection": config.collection,
        "version_id": version.id,
        "version_number": version.number,
        "version_fingerprint": version.fingerprint,
        "index_fingerprint": version.index_fingerprint,
        "embedder": version.embedder,
        "libraries": json.dumps(library_versions()),
    }
    if config.kind == "answer":
        template = find_prompt(workspace.store, config.prompt)
        path = (
            find_model(workspace.database, workspace.settings, config.model)
            if config.model
            else workspace.active_model_path()
        )
        pinned.update(prompt=f"{template.name}@{template.version}", model=str(path))
        facts.update(
            prompt_name=template.name,
            prompt_version_id=template.version_id,
            prompt_version=template.version,
            prompt_fingerprint=template.fingerprint,
            model_file=path.name,
            model_sha256=file_sha256(path),
            quantisation=read_header(path).quantisation,
            sampling=config.generation.model_dump_json(
                include={"temperature", "top_p", "repeat_penalty", "max_answer_tokens", "context"}
            ),
        )
    facts["config"] = config.model_copy(update=pinned).model_dump_json()
    return facts


def library_versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _same_as_then(workspace: Workspace, run: RunRow) -> None:
    """Half a run on one thing and half on another would be compared as one."""
    config = PipelineConfig.model_validate_json(run.config)
    _, version = open_version(workspace, config.collection, config.version)
    changed = []
    if version.fingerprint != run.version_fingerprint:
        changed.append("dataset version")
    if run.kind == "answer":
        if find_prompt(workspace.store, config.prompt).fingerprint != run.prompt_fingerprint:
            changed.append("prompt")
        if not Path(config.model).is_file():
            raise NotFoundError(f"The model {config.model} of run {run.id} is gone; put it back to go on.")
        if file_sha256(Path(config.model)) != run.model_sha256:
            changed.append("model")
    if changed:
        raise RagError(
            f"The {' and the '.join(changed)} of run {run.id} changed since; start a new run instead."
        )


def _set_version(session: Session, name: str, number: int | None) -> EvaluationSetVersion:
    from sqlmodel import select

    from rag.evaluation.sets import find_set

    found: EvaluationSet = find_set(session, name)
    wanted = found.last_number if number is None else number
    version = session.exec(
        select(EvaluationSetVersion).where(
            EvaluationSetVersion.set_id == found.id, EvaluationSetVersion.number == wanted
        )
    ).first()
    if version is None and number is not None:
        raise NotFoundError(f"“{name}” has no version {number}; `ragdeck sets versions` lists them.")
    if version is None or not version.case_count:
        raise RagError(f"The set “{name}” has no cases yet; add some first.")
    return version


def _done(workspace: Workspace, run_id: int) -> set[tuple[str, int]]:
    with workspace.store.session() as session:
        rows = session.connection().exec_driver_sql(
            "SELECT case_key, repeat FROM evaluationresult WHERE run_id = ?", (run_id,)
        )
        return {(row[0], row[1]) for row in rows}


def _set_status(
    workspace: Workspace, ids: Sequence[int], status: str, only: str = "", error: str = ""
) -> None:
    with workspace.store.session() as session:
        for run_id in ids:
            run = session.get_one(EvaluationRun, run_id)
            if not only or run.status == only:
                run.status, run.error = status, error
                if status == "running":
                    run.started_ms = run.started_ms or now_ms()
                session.add(run)


def _finish(workspace: Workspace, run_id: int, status: str, error: str, seconds: float) -> None:
    with workspace.store.session() as session:
        run = session.get_one(EvaluationRun, run_id)
        run.status, run.error, run.finished_ms = status, error, now_ms()
        run.busy_s += seconds
        session.add(run)
        audit_log.record(
            session, f"evaluation {status}", run.name, f"run {run_id}" + (f": {error}" if error else "")
        )


# --- runs that there are ----------------------------------------------------------------------------------


def find_run(database: Database, which: str, set_name: str = "") -> RunRow:
    """A run by its number, else the newest one that has this tag (of that set, if one is named)."""
    if which.isdecimal():
        return get_run(database, int(which))
    tagged = list_runs(database, set_name, "", which)
    if not tagged:
        of_set = f" of the set “{set_name}”" if set_name else ""
        raise NotFoundError(
            f"No run{of_set} has the tag “{which}”; `ragdeck runs tag RUN {which}` gives it to one."
        )
    return tagged[0]


def run_results(database: Database, run: RunRow | int) -> GatheredRun:
    """A run as the gate and the comparison see it. A case that failed in one repeat counts as failed."""
    row = get_run(database, run) if isinstance(run, int) else run
    return gather(row, list_results(database, row.id), run_cases(database, row))


def run_cases(database: Database, run: RunRow) -> dict[str, Case]:
    """The cases of a run by key; none when its set was deleted."""
    contents = list_version_cases(database, run.set_version_id)
    return {case.key: case for case in map(Case.model_validate_json, contents)}


def gather(run: RunRow, results: Sequence[ResultRow], cases: dict[str, Case]) -> GatheredRun:
    values: defaultdict[str, dict[str, list[float | None]]] = defaultdict(dict)
    outcomes: dict[str, CaseOutcome] = {}
    for result in results:
        key, again = result.case_key, result.case_key in outcomes
        for metric, value in result.metrics.items():
            if again and key in values[metric]:
                values[metric][key].append(value)
            else:
                values[metric][key] = [value]
        before = outcomes.get(result.case_key, CaseOutcome.OK)
        outcomes[result.case_key] = min(before, result.outcome, key=_WORST.index)
    # What no case has a value of is not a metric of this run.
    known = {
        metric: by_case
        for metric, by_case in values.items()
        if any(value is not None for repeats in by_case.values() for value in repeats)
    }
    return GatheredRun(
        name=f"{run.label} (run {run.id})",
        values=known,
        outcomes=outcomes,
        clusters={key: case.source_cluster for key, case in cases.items()},
        tags={key: case.tags for key, case in cases.items()},
    )


def rename_run(workspace: Workspace, run_id: int, name: str, note: str | None = None) -> None:
    name = name.strip()
    if not name or len(name) > 200:
        raise RagError("A run needs a name of at most 200 characters.")

    def change(session: Session, run: EvaluationRun) -> None:
        audit_log.record(session, "evaluation run renamed", name, f"run {run_id}, before: {run.name}")
        run.name = name
        run.note = run.note if note is None else note

    _change(workspace, run_id, change)


def tag_run(workspace: Workspace, run_id: int, tag: str) -> None:
    """Give a run a tag, such as baseline; the newest run that has it is the one that is meant."""
    tag = _checked_tag(tag)

    def change(session: Session, run: EvaluationRun) -> None:
        session.merge(EvaluationRunTag(run_id=run_id, name=tag))
        audit_log.record(session, "evaluation run tagged", run.name, f"run {run_id}: {tag}")

    _change(workspace, run_id, change)


def untag_run(workspace: Workspace, run_id: int, tag: str) -> None:
    def change(session: Session, run: EvaluationRun) -> None:
        found = session.get(EvaluationRunTag, (run_id, tag))
        if found is None:
            raise NotFoundError(f"Run {run_id} has no tag “{tag}”.")
        session.delete(found)
        audit_log.record(session, "evaluation run untagged", run.name, f"run {run_id}: {tag}")

    _change(workspace, run_id, change)


def delete_run(workspace: Workspace, run_id: int) -> int:
    """Delete a run with its answers and their traces; returns how many answers."""
    with workspace.store.session() as session:
        run = _get(session, run_id)
        raw = session.connection()
        if run.status == "running":
            raise RagError(f"Run {run_id} is being worked on; cancel it first.")
        traces = raw.exec_driver_sql(
            """SELECT trace_id FROM evaluationresult r JOIN trace t ON t.id = r.trace_id
               WHERE r.run_id = ? AND t.source = 'evaluation'""",
            (run_id,),
        ).fetchall()
        delete_traces(session, [row[0] for row in traces])
        raw.exec_driver_sql(
            "DELETE FROM resultverdict WHERE result_id IN (SELECT id FROM evaluationresult WHERE run_id = ?)",
            (run_id,),
        )
        count = raw.exec_driver_sql("DELETE FROM evaluationresult WHERE run_id = ?", (run_id,)).rowcount
        for table in ("evaluationruntag", "evaluationgate"):
            raw.exec_driver_sql(f"DELETE FROM {table} WHERE run_id = ?", (run_id,))
        session.delete(run)
        audit_log.record(session, "evaluation run deleted", run.name, f"run {run_id}, {count} answers")
        return count


def give_verdict(workspace: Workspace, result_id: int, right: bool | None, note: str = "") -> None:
    """What a person says of an answer of a run; None takes it back."""
    with workspace.store.session() as session:
        if session.get(EvaluationResult, result_id) is None:
            raise NotFoundError("This answer is gone; look at the run again.")
        found = session.get(ResultVerdict, result_id)
        if right is None:
            if found is not None:
                session.delete(found)
            return
        session.merge(
            ResultVerdict(
                result_id=result_id, is_right=right, note=note, author=user_name(), created_ms=now_ms()
            )
        )


def _change(workspace: Workspace, run_id: int, change: Callable[[Session, EvaluationRun], None]) -> None:
    with workspace.store.session() as session:
        run = _get(session, run_id)
        change(session, run)
        session.add(run)


def _get(session: Session, run_id: int) -> EvaluationRun:
    found = session.get(EvaluationRun, run_id)
    if found is None:
        raise NotFoundError(f"There is no run {run_id}; `ragdeck runs list` shows those there are.")
    return found


def _checked_tag(tag: str) -> str:
    tag = tag.strip()
    if not tag or len(tag) > 60 or tag.isdecimal() or "\n" in tag:
        raise RagError("A tag is a word of at most 60 characters, and not a number: that is a run.")
    return tag
