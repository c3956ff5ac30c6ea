"""Runs of evaluation sets: start, resume, find, tag, rename and delete them, and gather their results.

rag.evaluation.running works through their cases.
"""

from __future__ import annotations

import importlib.metadata
import json
import platform
from collections import defaultdict
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

from sqlmodel import Session, select

from rag.asking.traces import delete_traces
from rag.costs.budgets.limits import cost_of_asking
from rag.costs.budgets.rows import Expected
from rag.errors import NotFoundError, RagError
from rag.evaluation.cascades.answering import model_files, models_identity, pinned_steps
from rag.evaluation.cases import Case
from rag.evaluation.llm_judge import Judge
from rag.evaluation.pairing import GatheredRun
from rag.evaluation.pipelines import PipelineConfig, SavedPipeline, named_pipeline
from rag.evaluation.rows import (
    CaseOutcome,
    PipelineKind,
    ResultRow,
    RunProgress,
    RunRow,
    RunStatus,
    get_run,
    list_results,
    list_runs,
    list_version_cases,
)
from rag.evaluation.running import SharedWork, set_status, work_on
from rag.evaluation.sets import find_set
from rag.knowledge.collections import open_version
from rag.models.endpoints.rows import endpoint_named_by, find_endpoint
from rag.models.gguf import read_header
from rag.prompts.registry import find_prompt, user_name
from rag.storage import audit_log
from rag.storage.database import Database
from rag.storage.store import now_ms
from rag.storage.tables.evaluation import (
    EvaluationResult,
    EvaluationRun,
    EvaluationRunTag,
    EvaluationSetVersion,
    ResultVerdict,
)
from rag.workspace import Workspace

TIMEOUT_S = 300.0
MOST_REPEATS = 100
_AT_ONCE = 16
_MOST_AT_ONCE = 64
_LIBRARIES = ("llama-cpp-python", "sentence-transformers", "torch", "tokenizers", "numpy", "chromadb")
# A case that ends differently in its repeats counts as the first of these.
_WORST = (
    CaseOutcome.ERROR,
    CaseOutcome.TIMEOUT,
    CaseOutcome.ASSERTION_FAILED,
    CaseOutcome.REFUSED,
    CaseOutcome.OK,
)

RunSteps = Generator[RunProgress, None, tuple[RunRow, ...]]


# --- starting ---------------------------------------------------------------------------------------------


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
    is_confirmed: bool = False,
) -> RunSteps:
    """Ask every case of a set through each pipeline, one pipeline after the other.

    Closing the generator leaves the runs as cancelled; resume_run continues them.

    Args:
        workspace: Where the set and the pipelines are.
        set_name: The evaluation set.
        pipelines: "NAME", "NAME@NUMBER" or "NAME@LABEL".
        set_version: Number; None: the current one.
        repeats: How often each case is asked, 1 to 100.
        seed: The same seed samples the same answers.
        name: Of the runs; "": made from set and pipeline.
        parallel: How many questions are answered at once, within a quarter of the free memory. More than 1
            leaves times unmeasured. None: of an endpoint as many as it is sent, 16 on a GPU, else 1.
        timeout_s: Maximum seconds per case, 1 to 86,400.
        judge: Name or path of a model that judges the answers; "": none.
        tags: Words that the runs are found by.
        is_confirmed: A person has said yes to what a budget asks.

    Raises:
        RagError: Something is missing; nothing has been asked then.
    """
    _check_options(pipelines, repeats, parallel, timeout_s)
    rows = [named_pipeline(workspace, reference) for reference in pipelines]
    common: dict[str, Any] = {"repeats": repeats, "seed": seed, "timeout_s": timeout_s}
    common["judge"] = json.dumps(Judge.facts(workspace, judge, seed)) if judge else ""
    made = []
    for row in rows:
        at_once = _at_once(workspace, row.config) if parallel is None else parallel
        label = name.strip() or f"{set_name} · {row.name} {row.number}"
        made.append(EvaluationRun(name=label, parallel=at_once, **common, **_facts(workspace, row)))
    with workspace.store.session() as session:
        version = _set_version(session, set_name, set_version)
        for run in made:
            run.set_name, run.set_number, run.set_version_id = set_name, version.number, version.id or 0
            run.set_fingerprint, run.case_count = version.fingerprint, version.case_count
            session.add(run)
        session.flush()
        for run in made:
            for tag in dict.fromkeys(map(_checked_tag, tags)):
                session.add(EvaluationRunTag(run_id=run.id or 0, name=tag))
            detail = f"run {run.id}, {run.case_count} cases"
            audit_log.record(session, audit_log.Action.EVALUATION_BEGUN, run.name, detail)
        ids = [run.id or 0 for run in made]
    return (yield from _work(workspace, ids, is_confirmed))


def expected_costs(
    workspace: Workspace,
    set_name: str,
    pipelines: Sequence[str],
    *,
    set_version: int | None = None,
    repeats: int = 1,
) -> dict[str, Expected]:
    """Return what a run of each pipeline that answers will probably cost. Raises RagError."""
    with workspace.store.session() as session:
        questions = _set_version(session, set_name, set_version).case_count * repeats
    found = {}
    for row in (named_pipeline(workspace, reference) for reference in pipelines):
        if row.config.kind is not PipelineKind.ANSWER:
            continue
        if row.config.steps:
            reason = "how many steps a cascade asks depends on the answers."
            found[row.name] = Expected(questions, reason=reason)
        else:
            found[row.name] = cost_of_asking(workspace, row.config.model, questions)
    return found


def resume_run(workspace: Workspace, run_id: int, is_confirmed: bool = False) -> RunSteps:
    """Continue a run that was cancelled, interrupted or failed; answered cases are not asked again.

    is_confirmed: A person has said yes to what a budget asks.

    Raises RagError when what it asks has changed since.
    """
    run = get_run(workspace.database, run_id)
    if run.status is RunStatus.DONE:
        raise RagError(f"Run {run_id} is done. Start a new one to ask again.")
    _refuse_changed(workspace, run)
    return (yield from _work(workspace, [run_id], is_confirmed))


def _check_options(pipelines: Sequence[str], repeats: int, parallel: int | None, timeout_s: float) -> None:
    if not pipelines:
        raise RagError("Name at least one pipeline. Run `ragdeck pipelines list` to see all pipelines.")
    if not 1 <= repeats <= MOST_REPEATS:
        raise RagError(f"A case can be asked 1 to {MOST_REPEATS} times.")
    if not 1 <= timeout_s <= 86_400:
        raise RagError("The time for a case must be between 1 second and a day.")
    if parallel is not None and not 1 <= parallel <= _MOST_AT_ONCE:
        raise RagError(f"1 to {_MOST_AT_ONCE} questions can be answered at once.")


def _work(workspace: Workspace, ids: Sequence[int], is_confirmed: bool = False) -> RunSteps:
    """Work through runs one after the other; they share what was embedded and answered."""
    rows = [get_run(workspace.database, run_id) for run_id in ids]
    shared = SharedWork(workspace, sum(row.total - row.done_count for row in rows), is_confirmed)
    set_status(workspace, ids, RunStatus.WAITING)
    try:
        for run_id in ids:
            yield from work_on(shared, get_run(workspace.database, run_id))
    except (GeneratorExit, KeyboardInterrupt):
        set_status(workspace, ids, RunStatus.CANCELLED, only=RunStatus.WAITING)
        raise
    except BaseException:
        sentence = "A run before this one failed."
        set_status(workspace, ids, RunStatus.FAILED, only=RunStatus.WAITING, error=sentence)
        raise
    return tuple(get_run(workspace.database, run_id) for run_id in ids)


def default_parallel(config: PipelineConfig) -> int:
    """Return how many questions are answered at once: many on a GPU, else 1, so that times are measured."""
    at_once = config.kind is PipelineKind.ANSWER and not config.steps and config.generation.gpu_layers
    return _AT_ONCE if at_once else 1


def _at_once(workspace: Workspace, config: PipelineConfig) -> int:
    """Return how many questions are answered at once: of an endpoint, as many as it is sent."""
    name = "" if config.steps else endpoint_named_by(config.model or workspace.active_model_path())
    if name and config.kind is PipelineKind.ANSWER:
        return find_endpoint(workspace.database, name).at_once
    return default_parallel(config)


# --- what a run was made with -----------------------------------------------------------------------------


def _facts(workspace: Workspace, pipeline: SavedPipeline) -> dict[str, Any]:
    """Return the columns that say what a run asks, with everything that can move pinned. Raises RagError."""
    config = pipeline.config
    which = None if config.version == "active" else config.version
    _, version = open_version(workspace, config.collection, which)
    pinned: dict[str, Any] = {"version": str(version.number)}
    facts: dict[str, Any] = {
        "status": RunStatus.WAITING,
        "created_ms": now_ms(),
        "pipeline": pipeline.name,
        "pipeline_version_id": pipeline.id,
        "pipeline_number": pipeline.number,
        "pipeline_fingerprint": pipeline.fingerprint,
        "kind": config.kind,
        "collection": config.collection,
        "version_id": version.id,
        "version_number": version.number,
        "version_fingerprint": version.fingerprint,
        "index_fingerprint": version.index_fingerprint,
        "embedder": version.embedder,
        "libraries": json.dumps(library_versions()),
    }
    if config.kind is PipelineKind.ANSWER:
        template = find_prompt(workspace.store, config.prompt)
        paths = model_files(workspace, config)
        pinned.update(prompt=f"{template.name}@{template.version}", model=str(paths[0]))
        pinned.update(steps=pinned_steps(workspace, config))
        facts.update(
            prompt_name=template.name,
            prompt_version_id=template.version_id,
            prompt_version=template.version,
            prompt_fingerprint=template.fingerprint,
            model_file=" → ".join(path.name for path in paths),
            model_sha256=models_identity(workspace.database, paths),
            quantisation=" → ".join(
                read_header(path).quantisation for path in paths if not endpoint_named_by(path)
            ),
            sampling=config.generation.model_dump_json(
                include={"temperature", "top_p", "repeat_penalty", "context"}
                | {"max_answer_tokens", "max_thinking_tokens"}
            ),
        )
    facts["config"] = config.model_copy(update=pinned).model_dump_json()
    return facts


def library_versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that answers depend on."""
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _refuse_changed(workspace: Workspace, run: RunRow) -> None:
    """Raise RagError when what a run asks has changed: half a run on each would be compared as one."""
    config = PipelineConfig.model_validate_json(run.config)
    _, version = open_version(workspace, config.collection, config.version)
    changed = []
    if version.fingerprint != run.version_fingerprint:
        changed.append("dataset version")
    if run.kind is PipelineKind.ANSWER:
        if find_prompt(workspace.store, config.prompt).fingerprint != run.prompt_fingerprint:
            changed.append("prompt")
        paths = [Path(step.config["model"]) for step in config.steps] or [Path(config.model)]
        if gone := [path for path in paths if not endpoint_named_by(path) and not path.is_file()]:
            raise NotFoundError(f"The model {gone[0]} of run {run.id} is missing. Put it back to continue.")
        if models_identity(workspace.database, paths) != run.model_sha256:
            changed.append("model")
    if changed:
        what = " and the ".join(changed)
        raise RagError(f"The {what} of run {run.id} has changed since. Start a new run instead.")


def _set_version(session: Session, name: str, number: int | None) -> EvaluationSetVersion:
    found = find_set(session, name)
    wanted = found.last_number if number is None else number
    version = session.exec(
        select(EvaluationSetVersion).where(
            EvaluationSetVersion.set_id == found.id, EvaluationSetVersion.number == wanted
        )
    ).first()
    if version is None and number is not None:
        raise NotFoundError(f"“{name}” has no version {number}. Run `ragdeck sets versions` to see them all.")
    if version is None or not version.case_count:
        raise RagError(f"The set “{name}” has no cases yet. Add some first.")
    return version


# --- finding and changing runs ----------------------------------------------------------------------------


def find_run(database: Database, which: str, set_name: str = "") -> RunRow:
    """Return a run by its number, else the newest one with this tag, of that set if one is named.

    Raises NotFoundError.
    """
    if which.isdecimal():
        return get_run(database, int(which))
    tagged = list_runs(database, set_name, "", which)
    if not tagged:
        of_set = f" of the set “{set_name}”" if set_name else ""
        raise NotFoundError(
            f"No run{of_set} has the tag “{which}”. Run `ragdeck runs tag RUN {which}` to tag one."
        )
    return tagged[0]


def run_results(database: Database, run: RunRow | int) -> GatheredRun:
    """Return the values of a run by metric and case. A case that failed in one repeat counts as failed."""
    row = get_run(database, run) if isinstance(run, int) else run
    return gather(row, list_results(database, row.id), run_cases(database, row))


def run_cases(database: Database, run: RunRow) -> dict[str, Case]:
    """Return the cases of a run by key; none when its set was deleted."""
    contents = list_version_cases(database, run.set_version_id)
    return {case.key: case for case in map(Case.model_validate_json, contents)}


def gather(run: RunRow, results: Sequence[ResultRow], cases: dict[str, Case]) -> GatheredRun:
    """Return the values of results by metric and case; a metric without any value is left out."""
    values: defaultdict[str, dict[str, list[float | None]]] = defaultdict(dict)
    outcomes: dict[str, CaseOutcome] = {}
    reasons: dict[str, str] = {}
    for result in results:
        key, again = result.case_key, result.case_key in outcomes
        for metric, value in result.metrics.items():
            if again and key in values[metric]:
                values[metric][key].append(value)
            else:
                values[metric][key] = [value]
        before = outcomes.get(key, CaseOutcome.OK)
        outcomes[key] = min(before, result.outcome, key=_WORST.index)
        if outcomes[key] != before:
            reasons[key] = _reason(result)
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
        cases=cases,
        reasons=reasons,
        stale={result.case_key: result.stale for result in results if result.stale},
    )


def _reason(result: ResultRow) -> str:
    """Return why a case did not end "ok"."""
    if result.error:
        return result.error
    failed = [reason for _, passed, reason in result.checks if not passed]
    if failed:
        return " ".join(failed)
    return "The answer declines, and the case has an answer." if result.outcome is CaseOutcome.REFUSED else ""


def rename_run(workspace: Workspace, run_id: int, name: str, note: str | None = None) -> None:
    """Give a run another name, and another note unless that is None. Raises RagError."""
    name = name.strip()
    if not name or len(name) > 200:
        raise RagError("A run needs a name of at most 200 characters.")

    def change(session: Session, run: EvaluationRun) -> None:
        audit_log.record(
            session, audit_log.Action.EVALUATION_RUN_RENAMED, name, f"run {run_id}, before: {run.name}"
        )
        run.name = name
        run.note = run.note if note is None else note

    _change(workspace, run_id, change)


def tag_run(workspace: Workspace, run_id: int, tag: str) -> None:
    """Give a run a tag, such as baseline, which means the newest run that has it. Raises RagError."""
    tag = _checked_tag(tag)

    def change(session: Session, run: EvaluationRun) -> None:
        session.merge(EvaluationRunTag(run_id=run_id, name=tag))
        audit_log.record(session, audit_log.Action.EVALUATION_RUN_TAGGED, run.name, f"run {run_id}: {tag}")

    _change(workspace, run_id, change)


def untag_run(workspace: Workspace, run_id: int, tag: str) -> None:
    """Remove a tag of a run. Raises NotFoundError."""

    def change(session: Session, run: EvaluationRun) -> None:
        found = session.get(EvaluationRunTag, (run_id, tag))
        if found is None:
            raise NotFoundError(f"Run {run_id} has no tag “{tag}”.")
        session.delete(found)
        audit_log.record(session, audit_log.Action.EVALUATION_RUN_UNTAGGED, run.name, f"run {run_id}: {tag}")

    _change(workspace, run_id, change)


def delete_run(workspace: Workspace, run_id: int) -> int:
    """Delete a run with its answers and their traces; return how many answers it had. Raises RagError."""
    with workspace.store.session() as session:
        run = _get(session, run_id)
        raw = session.connection()
        if run.status == RunStatus.RUNNING:
            raise RagError(f"Run {run_id} is running. Cancel it first.")
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
        audit_log.record(
            session, audit_log.Action.EVALUATION_RUN_DELETED, run.name, f"run {run_id}, {count} answers"
        )
        return count


def give_verdict(workspace: Workspace, result_id: int, right: bool | None, note: str = "") -> None:
    """Store whether a person calls an answer of a run right; None removes that. Raises NotFoundError."""
    with workspace.store.session() as session:
        if session.get(EvaluationResult, result_id) is None:
            raise NotFoundError("This answer no longer exists. Look at the run again.")
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
        raise NotFoundError(f"There is no run {run_id}. Run `ragdeck runs list` to see all runs.")
    return found


def _checked_tag(tag: str) -> str:
    tag = tag.strip()
    if not tag or len(tag) > 60 or tag.isdecimal() or "\n" in tag:
        raise RagError("A tag is a word of at most 60 characters and not a number, since numbers are runs.")
    return tag
