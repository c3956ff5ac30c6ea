"""Works through the cases of a run, by the same code that answers people.

The strategies share one Results object that scores, stores and counts: Retrieving asks no model, OneByOne
measures times, Batched answers many prompts at once, InTurns asks an endpoint for several at once. A case is
written when it is complete, so a kill at any moment loses only the one being answered. What goes wrong with a
case (its template, its metric, an empty answer, too much time) marks that case, and the run goes on. What
goes wrong with all of them (no model, no such collection) ends the run.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

from rag.asking.answer import (
    Ask,
    Events,
    Prepared,
    begin_ask,
    check_answer,
    finish_ask,
    prepare,
    run_ask,
    search_alone,
    take_answer,
)
from rag.asking.cascades.running import ask_steps
from rag.asking.rows import Question, TraceSource, TraceStatus
from rag.costs.budgets.limits import BudgetError, before_asking
from rag.errors import OutOfTimeError, RagError, of_the_disk
from rag.evaluation.cascades.answering import steps_to_ask
from rag.evaluation.cases import Case, case_seed
from rag.evaluation.llm_judge import Judge
from rag.evaluation.pipelines import PipelineConfig
from rag.evaluation.relevance import JudgedVersion, Relevance
from rag.evaluation.rows import (
    NO_ANSWER,
    CaseOutcome,
    PipelineKind,
    ResultRow,
    RunProgress,
    RunRow,
    RunStatus,
    list_results,
    list_version_cases,
)
from rag.evaluation.scoring import Score, Values, Vectors, score_answer, score_retrieval
from rag.models.batching import BatchAnswer, BatchContext, BatchRequest
from rag.models.catalogue import find_model
from rag.models.endpoints.rows import endpoint_named_by
from rag.models.language_model import LanguageModel
from rag.models.rows import forecast_memory, free_memory_bytes
from rag.storage import audit_log
from rag.storage.store import now_ms
from rag.storage.tables.evaluation import EvaluationResult, EvaluationRun
from rag.workspace import Workspace

_YIELD_S = 0.1
_WINDOW = 4  # windows of so many times the answers at once: sorted, they share more


class CaseTimeout(OutOfTimeError):
    """A case took longer than its run allows."""


@dataclass(frozen=True)
class KnownAnswer:
    """An answer that greedy sampling would give again."""

    trace_id: str
    text: str
    logprobs: tuple[float, ...]
    finish_reason: str
    thinking: str = ""
    thinking_tokens: int = 0


@dataclass
class CaseTask:
    """A case in one repeat, on its way to a result."""

    case: Case
    repeat: int
    ask: Ask | None = None
    prepared: Prepared | None = None
    reused: str = ""
    earlier: list[Ask] = field(default_factory=list)  # steps of a cascade before `ask`
    begin: float = field(default_factory=time.perf_counter)


class SharedWork:
    """What runs that were started together share: embeddings, answers, judged versions and the time left."""

    def __init__(self, workspace: Workspace, left: int, is_confirmed: bool = False) -> None:
        """Begin to measure.

        Args:
            workspace: Where the runs are.
            left: How many answers all runs together still need.
            is_confirmed: A person has said yes to what a budget asks.
        """
        self.workspace, self.is_confirmed = workspace, is_confirmed
        self.vectors = Vectors(workspace)
        self._answers: dict[tuple[str, str, str], KnownAnswer] = {}
        self._versions: dict[int, JudgedVersion] = {}
        self._begin = time.perf_counter()
        self._left = left
        self._done = 0

    def judged(self, version_id: int) -> JudgedVersion:
        """Return a dataset version for judgements; it is read once."""
        if version_id not in self._versions:
            self._versions[version_id] = JudgedVersion(self.workspace.store, version_id)
        return self._versions[version_id]

    def known_answer(self, prepared: Prepared) -> KnownAnswer | None:
        """Return the answer that greedy sampling gave to the same prompt before; None: there is none."""
        key = greedy_key(prepared)
        return self._answers.get(key) if key else None

    def remember(self, prepared: Prepared) -> None:
        """Store an answer that greedy sampling would give again."""
        trace = prepared.ask.trace
        if key := greedy_key(prepared):
            self._answers[key] = KnownAnswer(
                trace.id, trace.answer, tuple(prepared.logprobs), trace.finish_reason, trace.thinking,
                trace.thinking_tokens,
            )  # fmt: skip

    def count(self) -> None:
        """Count one more answer."""
        self._done += 1

    def seconds_left(self) -> float | None:
        """Return how long all runs together will still take; None before the first answer."""
        if not self._done:
            return None
        return (time.perf_counter() - self._begin) / self._done * (self._left - self._done)


def work_on(shared: SharedWork, row: RunRow) -> Iterator[RunProgress]:
    """Answer what a run still needs, then judge the answers. Raises RagError for what ends the whole run."""
    with _recorded(shared.workspace, row.id):
        results = Results(shared, row)
        tasks = results.open_tasks()
        yield from _strategy(results).work(tasks)
        if row.judge:
            yield from _judge_answers(results)


def set_status(
    workspace: Workspace,
    run_ids: Sequence[int],
    status: RunStatus,
    only: RunStatus | None = None,
    error: str = "",
) -> None:
    """Set the status of runs; `only`: of those that have this one."""
    with workspace.store.session() as session:
        for run_id in run_ids:
            run = session.get_one(EvaluationRun, run_id)
            if only is None or run.status == only:
                run.status, run.error = status, error
                if status is RunStatus.RUNNING:
                    run.started_ms = run.started_ms or now_ms()
                session.add(run)


def greedy_key(prepared: Prepared) -> tuple[str, str, str] | None:
    """Return what a greedy answer depends on: model, prompt and limits; None: sampling is not greedy."""
    generation = prepared.ask.settings.generation
    if generation.temperature > 0 or not prepared.tokens:
        return None
    prompt = hashlib.sha256(json.dumps(prepared.tokens).encode()).hexdigest()
    limits = f"{generation.max_answer_tokens} {generation.max_thinking_tokens} {generation.context}"
    sampling = f"{limits} {generation.repeat_penalty}"
    return prepared.ask.trace.model_sha256, prompt, sampling


# --- results ----------------------------------------------------------------------------------------------


class Results:
    """The results of one run: it begins questions, scores their answers, stores and counts them."""

    def __init__(self, shared: SharedWork, row: RunRow) -> None:
        """Continue the results that the run already has."""
        self.shared, self.row = shared, row
        self.workspace = shared.workspace
        self.config = PipelineConfig.model_validate_json(row.config)
        self.done = row.done_count
        self._relevance: dict[str, Relevance] = {}
        self._shown = 0.0

    def cases(self) -> list[Case]:
        """Return the cases of the run. Raises RagError when its set was deleted."""
        contents = list_version_cases(self.workspace.database, self.row.set_version_id)
        if not contents and self.row.case_count:
            raise RagError(f"The set “{self.row.set_name}” was deleted, so its run cannot continue.")
        return [Case.model_validate_json(content) for content in contents]

    def open_tasks(self) -> list[CaseTask]:
        """Return every case and repeat that has no result yet. Raises RagError when the set was deleted."""
        done = set(
            self.workspace.database.cells(
                "SELECT case_key, repeat FROM evaluationresult WHERE run_id = ?", (self.row.id,)
            )
        )
        return [
            CaseTask(case, repeat)
            for case in self.cases()
            for repeat in range(self.row.repeats)
            if (case.key, repeat) not in done
        ]

    @contextmanager
    def case(self, task: CaseTask) -> Iterator[None]:
        """Turn an error into a result that says so, unless the disk is full: then nothing can be stored."""
        try:
            with self.traces([task]):
                yield
        except BudgetError:  # none of the cases that follow may be asked either
            raise
        except Exception as error:
            if refusal := of_the_disk(error):
                raise refusal from error
            outcome = CaseOutcome.TIMEOUT if isinstance(error, CaseTimeout) else CaseOutcome.ERROR
            self.keep(task, Score(outcome, self._searched(task), error=_sentence(error)))

    @contextmanager
    def traces(self, tasks: Sequence[CaseTask]) -> Iterator[None]:
        """Finish the traces that an error or a cancel would leave running; the error is raised again."""
        try:
            yield
        except BaseException as error:
            for task in tasks:
                if task.ask is not None and task.ask.trace.status == TraceStatus.RUNNING:
                    finish_ask(task.ask, error)
            raise

    def begin(self, task: CaseTask) -> Ask:
        """Open the trace of a case's question."""
        task.begin = time.perf_counter()
        question = self._question(task)
        if self.config.kind is PipelineKind.ANSWER:
            self._allowed(question)
        task.ask = begin_ask(self.workspace, question)
        return task.ask

    def _allowed(self, question: Question) -> list[str]:
        """Return what budgets have to say before a question. Raises BudgetError when one is used up."""
        confirmed = self.shared.is_confirmed
        return before_asking(
            self.workspace, question.model or "", question.pipeline, question.source, confirmed
        )

    def cascade(self, task: CaseTask) -> Generator[Any, None, Ask]:
        """Ask the steps of a cascade. Each answers afresh: what was taken over would have cost nothing."""
        task.begin = time.perf_counter()

        def opened(ask: Ask) -> None:
            if task.ask is not None:
                task.earlier.append(task.ask)
            task.ask = ask

        steps = steps_to_ask(self.workspace, self.config, self._question(task))
        given = yield from ask_steps(self.workspace, steps, opened=opened, allowed=self._allowed)
        if given is not task.ask and task.ask is not None:  # the last step failed
            task.earlier = [*(ask for ask in task.earlier if ask is not given), task.ask]
            task.ask = given
        return given

    def _question(self, task: CaseTask) -> Question:
        """Return the question of a case, with the seed of its repeat."""
        seed = case_seed(self.row.seed, task.case.key, task.repeat)
        generation = self.config.generation.model_copy(update={"seed": seed})
        seeded = self.config.model_copy(update={"generation": generation})
        return replace(
            seeded.question(task.case.question, source=TraceSource.EVALUATION), tags=task.case.tags,
            pipeline=self.row.pipeline, pipeline_version=self.row.pipeline_number,
        )  # fmt: skip

    def recall(self, task: CaseTask, prepared: Prepared) -> bool:
        """Take over the answer that greedy sampling gave to the same prompt, and say so in the trace."""
        task.prepared = prepared
        known = self.shared.known_answer(prepared)
        if known is None:
            return False
        task.reused = known.trace_id
        note = f"the answer was taken from trace {known.trace_id[:8]}: same prompt and model at temperature 0"
        take_answer(
            prepared, known.text, known.logprobs, known.finish_reason, len(prepared.tokens), note,
            known.thinking, known.thinking_tokens,
        )  # fmt: skip
        return True

    def score(self, task: CaseTask, ask: Ask, timed: bool) -> None:
        """Score and store a finished answer; `timed` says whether its time is its own."""
        if task.prepared is not None and not task.reused and ask.trace.status == TraceStatus.DONE:
            self.shared.remember(task.prepared)
        checks = (*task.case.checks, *self.config.checks)
        relevance = self.relevance(task.case)
        score = score_answer(ask, task.case, relevance, checks, self.shared.vectors, timed)
        if task.earlier and "prompt_tokens" in score.values:
            score.values.update({key: float(count) for key, count in _tokens(task).items()})
        self.keep(task, score)

    def relevance(self, case: Case) -> Relevance:
        """Return the judgements of a case, found in the run's dataset version."""
        if case.key not in self._relevance:
            judged = self.shared.judged(self.row.version_id)
            self._relevance[case.key] = judged.relevance(case.judgements)
        return self._relevance[case.key]

    def _searched(self, task: CaseTask) -> Values:
        """Return the metrics that a case has although its answer failed: those of the search, if it ended."""
        if task.ask is None or task.ask.trace.retrieve_ms is None:
            return {}
        values = score_retrieval(task.ask, task.case, self.relevance(task.case))
        if not task.ask.trace.passage_count:  # it failed before passages were chosen
            values.update(context_precision=None, context_recall=None)
        return values

    def keep(self, task: CaseTask, score: Score) -> None:
        """Store the result of a case and count it."""
        trace = task.ask.trace if task.ask is not None else None
        tokens = _tokens(task)
        stale = [judgement.label for judgement in self.relevance(task.case).stale]
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
                    prompt_tokens=tokens["prompt_tokens"],
                    completion_tokens=tokens["completion_tokens"],
                    reused_trace=task.reused,
                    error=score.error,
                    stale=json.dumps(stale),
                    created_ms=now_ms(),
                )
            )
        self.done += 1
        self.shared.count()

    def progress(self, case: Case, force: bool = False) -> Iterator[RunProgress]:
        """Yield how far the run is, at most ten times a second unless forced."""
        now = time.perf_counter()
        if force or now - self._shown >= _YIELD_S:
            self._shown = now
            left = self.shared.seconds_left()
            yield RunProgress(
                self.row.id, self.row.label, self.done, self.row.total, left, case.question
            )  # fmt: skip


# --- strategies -------------------------------------------------------------------------------------------


class Strategy(Protocol):
    """A way to give every case its result."""

    def work(self, tasks: Sequence[CaseTask]) -> Iterator[RunProgress]:
        """Store a result for each task."""
        ...


class Retrieving:
    """A strategy that only searches: no model is asked."""

    def __init__(self, results: Results) -> None:
        """Store into these results."""
        self._results = results

    def work(self, tasks: Sequence[CaseTask]) -> Iterator[RunProgress]:
        """Search for each case and score the ranking."""
        for task in tasks:
            yield from self._results.progress(task.case, force=True)
            with self._results.case(task):
                ask = self._results.begin(task)
                search_alone(ask)
                finish_ask(ask)
                values = score_retrieval(ask, task.case, self._results.relevance(task.case))
                values["total_ms"] = ask.trace.total_ms
                self._results.keep(task, Score(CaseOutcome.OK, values))


class OneByOne:
    """A strategy that answers each case by itself, so that its time is measured."""

    def __init__(self, results: Results) -> None:
        """Store into these results."""
        self._results = results

    def work(self, tasks: Sequence[CaseTask]) -> Iterator[RunProgress]:
        """Answer each case within the run's time limit."""
        for task in tasks:
            yield from self._results.progress(task.case, force=True)
            with self._results.case(task):
                yield from self._answer(task, self._steps(task))
                assert task.ask is not None
                self._results.score(task, task.ask, timed=not task.reused)

    def _steps(self, task: CaseTask) -> Generator[Any, None, object]:
        if self._results.config.steps:
            return self._results.cascade(task)
        ask = self._results.begin(task)
        if self._results.row.parallel > 1:
            ask.recorder.fallbacks.append("a model that thinks answers alone, not in a batch")
        return run_ask(ask, lambda prepared: self._results.recall(task, prepared))

    def _answer(self, task: CaseTask, steps: Generator[Any, None, object]) -> Iterator[RunProgress]:
        timeout_s = self._results.row.timeout_s
        try:
            for _ in steps:
                if time.perf_counter() > task.begin + timeout_s:
                    steps.throw(_too_long(timeout_s))
                yield from self._results.progress(task.case)
        finally:
            steps.close()


class InTurns:
    """A strategy that asks an endpoint several cases at the same time, and looks at each answer in turn.

    The requests run by themselves; everything that is stored is stored by this thread.
    """

    def __init__(self, results: Results) -> None:
        """Store into these results."""
        self._results = results

    def work(self, tasks: Sequence[CaseTask]) -> Iterator[RunProgress]:
        """Keep as many answers going as the run allows until all cases have one."""
        waiting = list(reversed(tasks))
        running: list[tuple[CaseTask, Events]] = []
        try:
            while waiting or running:
                while waiting and len(running) < self._results.row.parallel:
                    task = waiting.pop()
                    with self._results.case(task):
                        running.append((task, self._begin(task)))
                for pair in list(running):
                    has_ended = True
                    with self._results.case(pair[0]):
                        has_ended = self._go_on(*pair)
                    if has_ended:
                        running.remove(pair)
                    yield from self._results.progress(pair[0].case)
        finally:
            for _, steps in running:
                steps.close()

    def _begin(self, task: CaseTask) -> Events:
        return run_ask(self._results.begin(task), lambda prepared: self._results.recall(task, prepared))

    def _go_on(self, task: CaseTask, steps: Events) -> bool:
        """Take the next event of an answer; return whether it was the last."""
        timeout_s = self._results.row.timeout_s
        try:
            next(steps)
        except StopIteration:
            assert task.ask is not None
            self._results.score(task, task.ask, timed=False)
            return True
        if time.perf_counter() > task.begin + timeout_s:
            steps.throw(_too_long(timeout_s))
        return False


class Batched:
    """A strategy that answers windows of cases at once: what their prompts share is read once."""

    def __init__(self, results: Results) -> None:
        """Store into these results."""
        self._results = results
        self._row = results.row

    def work(self, tasks: Sequence[CaseTask]) -> Iterator[RunProgress]:
        """Search for all cases of a window, then answer them in one context; each is stored when complete."""
        size = _WINDOW * self._row.parallel
        context: BatchContext | None = None
        try:
            for begin in range(0, len(tasks), size):
                window = tasks[begin : begin + size]
                with self._results.traces(window):
                    ready = yield from self._prepare(window)
                    if ready and context is None:
                        context = self._context([prepared for _, prepared in ready])
                    if context is not None:
                        yield from self._answer(context, ready)
        finally:
            if context is not None:
                context.close()

    def _prepare(
        self, window: Sequence[CaseTask]
    ) -> Generator[RunProgress, None, list[tuple[CaseTask, Prepared]]]:
        """Search for every case. Return those the model must answer; the others are finished here."""
        ready = []
        for task in window:
            yield from self._results.progress(task.case, force=True)
            with self._results.case(task):
                ask = self._results.begin(task)
                task.prepared = _last(prepare(ask))
                if task.prepared is not None:
                    ready.append((task, task.prepared))
                else:
                    finish_ask(ask)
                    self._results.score(task, ask, timed=False)
        return ready

    def _answer(
        self, context: BatchContext, ready: Sequence[tuple[CaseTask, Prepared]]
    ) -> Iterator[RunProgress]:
        """Answer every prepared case; equal greedy prompts are asked once and share the answer."""
        first: dict[object, tuple[CaseTask, Prepared]] = {}
        for number, (task, prepared) in enumerate(ready):
            first.setdefault(greedy_key(prepared) or number, (task, prepared))
        asked = [pair for pair in first.values() if self._results.shared.known_answer(pair[1]) is None]
        requests = [
            BatchRequest(number, tuple(prepared.tokens), prepared.ask.settings.generation)
            for number, (_, prepared) in enumerate(asked)
        ]
        for event in context.answer(requests, self._row.timeout_s):
            if isinstance(event, BatchAnswer):
                self._take(*asked[event.key], event)
            elif asked:
                yield from self._results.progress(asked[-1][0].case)
        taken = {id(task) for task, _ in asked}
        for task, prepared in ready:
            if id(task) not in taken:
                yield from self._results.progress(task.case)
                with self._results.case(task):
                    if not self._results.recall(task, prepared):
                        raise RagError("The case with the same prompt has no answer to take over.")
                    self._complete(task, prepared.ask)

    def _take(self, task: CaseTask, prepared: Prepared, answer: BatchAnswer) -> None:
        with self._results.case(task):
            if answer.finish_reason == "timeout":
                raise _too_long(self._row.timeout_s)
            note = f"answered in a batch of up to {self._row.parallel} prompts: its times are not its own"
            take_answer(
                prepared, answer.text, answer.logprobs, answer.finish_reason, answer.cached_tokens, note
            )
            self._complete(task, prepared.ask)

    def _complete(self, task: CaseTask, ask: Ask) -> None:
        check_answer(ask)
        finish_ask(ask)
        self._results.score(task, ask, timed=False)

    def _context(self, ready: Sequence[Prepared]) -> BatchContext:
        """Make room for a window's prompts in a quarter of the free memory, at least for one context."""
        model = ready[0].model
        assert isinstance(model, LanguageModel)  # see _strategy
        longest = max(len(prepared.tokens) for prepared in ready)
        most = ready[0].ask.settings.generation.max_answer_tokens
        wanted = self._row.parallel * (longest + most)
        cell_bytes = max(forecast_memory(model.header, 1000).kv_cache // 1000, 1)
        free = free_memory_bytes()
        room = wanted if free is None else free // 4 // cell_bytes
        cells = max(min(wanted, room), model.context)
        return BatchContext(model, self._row.parallel, -(-cells // 256) * 256)


def _strategy(results: Results) -> Strategy:
    """Return the strategy of a run; what would fail for all cases fails here, before the first."""
    config = results.config
    if config.kind is PipelineKind.RETRIEVAL:
        return Retrieving(results)
    if config.steps:
        return OneByOne(results)
    workspace = results.workspace
    path = find_model(workspace.database, workspace.settings, config.model)
    if endpoint_named_by(path):
        return InTurns(results) if results.row.parallel > 1 else OneByOne(results)
    model = workspace.language_model(path, config.generation)
    # The thinking of many answers at once cannot be ended when its tokens are used up.
    return Batched(results) if results.row.parallel > 1 and not model.thinks else OneByOne(results)


# --- judging ----------------------------------------------------------------------------------------------


def _judge_answers(results: Results) -> Iterator[RunProgress]:
    """Judge all answers after the last one: the judge is another model, and only one is in memory."""
    judge = Judge(results.workspace, json.loads(results.row.judge), results.config.collection)
    cases = {case.key: case for case in results.cases()}
    for result in list_results(results.workspace.database, results.row.id):
        if result.judge or result.outcome in NO_ANSWER or result.case_key not in cases:
            continue
        yield from results.progress(cases[result.case_key], force=True)
        _keep_verdict(results.workspace, result, judge, cases[result.case_key])


def _keep_verdict(workspace: Workspace, result: ResultRow, judge: Judge, case: Case) -> None:
    try:
        said = judge.verdict(case, result.answer)
        value, text = float(said.right), json.dumps(asdict(said))
    except RagError as error:
        value, text = None, json.dumps({"error": str(error)})
    with workspace.store.session() as session:
        row = session.get_one(EvaluationResult, result.id)
        row.metrics = json.dumps({**result.metrics, "judge": value})
        row.judge = text
        session.add(row)


# --- parts ------------------------------------------------------------------------------------------------


@contextmanager
def _recorded(workspace: Workspace, run_id: int) -> Iterator[None]:
    """Store that a run is being worked on, and how that ended."""
    begin, status, error = time.perf_counter(), RunStatus.DONE, ""
    set_status(workspace, [run_id], RunStatus.RUNNING)
    try:
        yield
    except (GeneratorExit, KeyboardInterrupt):
        status = RunStatus.CANCELLED
        raise
    except BaseException as failure:
        status, error = RunStatus.FAILED, _sentence(failure)
        raise
    finally:
        with workspace.store.session() as session:
            run = session.get_one(EvaluationRun, run_id)
            run.status, run.error, run.finished_ms = status, error, now_ms()
            run.busy_s += time.perf_counter() - begin
            session.add(run)
            detail = f"run {run_id}" + (f": {error}" if error else "")
            audit_log.record(session, audit_log.Action(f"evaluation {status}"), run.name, detail)


def _sentence(error: BaseException) -> str:
    return str(error) if isinstance(error, RagError) else f"{type(error).__name__}: {error}"


def _tokens(task: CaseTask) -> dict[str, int]:
    """Return what was read and written for a case, by all steps of a cascade together."""
    traces = [ask.trace for ask in (*task.earlier, task.ask) if ask is not None]
    return {
        "prompt_tokens": sum(trace.prompt_tokens for trace in traces),
        "completion_tokens": sum(trace.completion_tokens for trace in traces),
    }


def _too_long(timeout_s: float) -> CaseTimeout:
    return CaseTimeout(f"It took longer than {timeout_s:g} s.")


def _last(steps: Generator[Any, None, Prepared | None]) -> Prepared | None:
    """Run a generator to its end and return its result."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: Prepared | None = end.value
            return found
