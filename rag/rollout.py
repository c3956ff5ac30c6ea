"""Roll-outs: another pipeline in use, beside the one that answers, until it is known which is better.

Canary: a share of the asks goes to staging, by a hash of the ask's id. Blind: both answer, in an order by chance,
and the person picks without knowing which is which. Both configurations are frozen at the start. Promotion makes
staging what answers: where the prompt alone differs its label `production` moves, else the collection keeps the
pipeline as its own.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlmodel import Session, col, select

from rag import audit
from rag.answering import answer_question
from rag.datasets import find_collection
from rag.errors import NotFoundError, RagError
from rag.evaluation.pipelines import (
    PipelineConfig,
    diff_configs,
    find_pipeline,
    named_pipeline,
    present_config,
)
from rag.evaluation.statistics.paired import LEAST_PAIRS, compare_runs, holm, sign_test
from rag.evaluation.statistics.two_sample import fisher, mean_interval, permutation, rate_interval
from rag.events import AskResult
from rag.people import (
    KINDS,
    LEAST_ARM,
    BlindResult,
    Difference,
    Revealed,
    RolloutResults,
    RolloutRow,
    running_rollout,
)
from rag.people import rollout as rollout_row
from rag.prompts.registry import PRODUCTION, find_prompt, move_label
from rag.store import now_ms
from rag.tables import ProductionPipeline, Rollout, RolloutAsk
from rag.traces import new_trace_id
from rag.workspace import Workspace

ALL = 0  # the key of "all collections" in ProductionPipeline
NOW = "what answers now"
# measure -> (words for a sentence, is less better)
MEASURES = {
    "thumbs up": ("answers rated up", False),
    "flagged": ("answers with a flag", True),
    "refused": ("refusals", True),
    "failed": ("failed asks", True),
    "latency": ("seconds an answer", True),
}
_SCORES = frozenset({"latency"})  # all others are yes or no

Asked = Generator[Any, None, AskResult | BlindResult]


# --- starting and ending ----------------------------------------------------------------------------------


def start_rollout(
    workspace: Workspace,
    kind: str,
    *,
    collection: str = "",
    staging: str = "",
    staging_number: int | None = None,
    prompt: str = "",
    production: str = "",
    production_number: int | None = None,
    share: float = 0.1,
    note: str = "",
) -> RolloutRow:
    """Begin one; collection "" means all. Staging is a pipeline, or what answers now with another prompt
    ("NAME@NUMBER"). production "": what answers now. Raises RagError when one runs there already.
    """
    if kind not in KINDS:
        raise RagError(f"“{kind}” is no kind of roll-out; choose one of: {', '.join(KINDS)}.")
    if not 0.0 <= share <= 1.0:
        raise RagError("The share of a canary lies between 0 and 1.")
    if bool(staging) == bool(prompt):
        raise RagError("Name the staging pipeline, or the prompt version that is to be tried.")
    now = _present(workspace, collection)
    first_name, first = NOW, now
    if production:
        row = find_pipeline(workspace, production, production_number)
        first_name, first = f"{row.name} {row.number}", row.config
    if staging:
        row = find_pipeline(workspace, staging, staging_number)
        second_name, second = f"{row.name} {row.number}", row.config
    else:
        second_name, second = f"prompt {prompt}", first.model_copy(update={"prompt": prompt})
    first, second = (_frozen(workspace, config, collection) for config in (first, second))
    if not diff_configs(first, second):
        raise RagError("Both pipelines are the same, so there is nothing to compare.")
    with workspace.store.session() as session:
        found = find_collection(session, collection) if collection else None
        running = session.exec(select(Rollout).where(Rollout.state == "running")).all()
        if any(found is None or other.collection_id in (None, found.id) for other in running):
            raise RagError("A roll-out runs there already; promote or stop it first.")
        made = Rollout(
            collection_id=found.id if found else None, collection=collection, kind=kind,
            share=1.0 if kind == "blind" else share, production=first_name,
            production_config=first.model_dump_json(), staging=second_name,
            staging_config=second.model_dump_json(), created_ms=now_ms(), note=note.strip(),
        )  # fmt: skip
        session.add(made)
        audit.record(session, "roll-out started", second_name, f"{kind} in {collection or 'all collections'}")
        session.flush()
        number = made.id or 0
    return rollout_row(workspace.reader, number)


def what_moves(workspace: Workspace, rollout_id: int) -> str:
    """What promoting it would change, in one sentence."""
    with workspace.store.session() as session:
        return _plan(session, _running(session, rollout_id)).sentence


def promote(workspace: Workspace, rollout_id: int) -> str:
    """Make staging what answers, and end the roll-out; returns what was moved."""
    with workspace.store.session() as session:
        found = _running(session, rollout_id)
        plan = _plan(session, found)
        if not plan.prompt:
            session.merge(
                ProductionPipeline(
                    collection_id=found.collection_id or ALL, name=found.staging, config=found.staging_config,
                    moved_ms=now_ms(), rollout_id=found.id or 0,
                )
            )  # fmt: skip
            _end(session, found, "promoted", plan.sentence)
    if plan.prompt:
        # The label first: were the program to end between the two, promoting again moves nothing and ends it.
        move_label(workspace.store, plan.prompt, PRODUCTION, plan.number, note=f"Roll-out {rollout_id}")
        with workspace.store.session() as session:
            _end(session, _running(session, rollout_id), "promoted", plan.sentence)
    return plan.sentence


def stop(workspace: Workspace, rollout_id: int) -> None:
    """End it; what answered before goes on answering."""
    with workspace.store.session() as session:
        _end(session, _running(session, rollout_id), "stopped", "")


def release_production(workspace: Workspace, collection: str = "") -> bool:
    """Let the settings answer a collection (or all) again, without a pipeline of its own; False: it had none."""
    with workspace.store.session() as session:
        key = (find_collection(session, collection).id or 0) if collection else ALL
        found = session.get(ProductionPipeline, key)
        if found is not None:
            session.delete(found)
            audit.record(session, "production pipeline removed", collection or "all collections", found.name)
        return found is not None


# --- asking -----------------------------------------------------------------------------------------------


def ask(
    workspace: Workspace,
    question: str,
    collection: str,
    *,
    version: int | str | None = None,
    model: str | None = None,
    session_id: str = "",
    alone: bool = False,
    pipeline: str = "",
) -> Asked:
    """Ask as the window and the command line do: a running roll-out or a promoted pipeline decides how.

    A pipeline ("NAME", "NAME@NUMBER", "NAME@LABEL"), a version or a model of one's own choice is asked as it is,
    outside of any roll-out. Of a blind comparison the
    result holds both answers; alone: there only production answers, and nothing is compared.
    """
    if pipeline:
        config = named_pipeline(workspace, pipeline).config
        if config.collection != collection:
            raise RagError(f"The pipeline “{pipeline}” answers “{config.collection}”, not “{collection}”.")
        return (
            yield from answer_question(workspace, question, session_id=session_id, **config.ask_arguments())
        )
    if version is not None or model is not None:
        return (
            yield from answer_question(
                workspace, question, collection, version=version, model=model, session_id=session_id
            )
        )
    row = running_rollout(workspace.reader, collection)
    if row is None:
        pinned = _pinned(workspace, collection)
        arguments = _arguments(pinned, collection) if pinned else {"collection": collection}
        return (yield from answer_question(workspace, question, session_id=session_id, **arguments))
    with workspace.store.session() as session:
        found = session.get_one(Rollout, row.id)
    if row.kind == "blind" and not alone:
        return (yield from _ask_both(workspace, found, question, collection, session_id or new_trace_id()))
    trace_id = new_trace_id()
    arm = arm_for(found.id or 0, trace_id, 0.0 if row.kind == "blind" else found.share)
    if row.kind != "blind":
        _record(workspace, [RolloutAsk(trace_id=trace_id, rollout_id=found.id or 0, arm=arm)])
    arguments = _arguments(_config(found, arm), collection)
    return (
        yield from answer_question(workspace, question, session_id=session_id, trace_id=trace_id, **arguments)
    )


def arm_for(rollout_id: int, trace_id: str, share: float) -> str:
    """ "staging" for this share of ids, always the same for one id."""
    digest = hashlib.sha256(f"{rollout_id}:{trace_id}".encode()).digest()
    return "staging" if int.from_bytes(digest[:8], "big") / 2**64 < share else "production"


def pick(workspace: Workspace, pair: str, choice: str) -> Revealed:
    """Store which answer of a blind comparison is better: "first", "second" or "no difference"; says which was which."""
    places = {"first": 1, "second": 2, "no difference": 0}
    if choice not in places:
        raise RagError("Pick “first”, “second” or “no difference”.")
    with workspace.store.session() as session:
        rows = session.exec(
            select(RolloutAsk).where(RolloutAsk.pair == pair).order_by(col(RolloutAsk.position))
        ).all()
        if not pair or len(rows) != 2:
            raise NotFoundError("There is no blind comparison with this id, or it was cancelled half-way.")
        states = session.connection().exec_driver_sql(
            "SELECT count(*) FROM trace WHERE id IN (?, ?) AND status IN ('done', 'nothing found')",
            (rows[0].trace_id, rows[1].trace_id),
        )
        if states.scalar_one() != 2:
            raise RagError("One of the two answers is not there, so they cannot be compared.")
        if rows[0].picked:
            raise RagError("This comparison was decided already; it is known which answer is which.")
        found = session.get_one(Rollout, rows[0].rollout_id)
        for row in rows:
            same = not places[choice]
            row.picked = "no difference" if same else "this" if row.position == places[choice] else "other"
            session.add(row)
        audit.record(session, "blind answers compared", pair[:8], choice)
        names = [found.staging if row.arm == "staging" else found.production for row in rows]
        return Revealed(names[0], names[1], rows[0].arm == "staging")


def _ask_both(
    workspace: Workspace, found: Rollout, question: str, collection: str, session_id: str
) -> Generator[Any, None, BlindResult]:
    """Both answers, one after the other; each arm follows up its own earlier answers."""
    pair = secrets.token_hex(8)
    arms = ["production", "staging"]
    if secrets.randbelow(2):
        arms.reverse()
    ids = [new_trace_id(), new_trace_id()]
    sessions = {
        "production": session_id,
        "staging": hashlib.sha256(f"{session_id}:staging".encode()).hexdigest()[:32],
    }
    _record(
        workspace,
        [
            RolloutAsk(trace_id=i, rollout_id=found.id or 0, arm=arm, pair=pair, position=n)
            for n, (i, arm) in enumerate(zip(ids, arms, strict=True), 1)
        ],
    )
    results = []
    for trace_id, arm in zip(ids, arms, strict=True):
        arguments = _arguments(_config(found, arm), collection)
        results.append(
            (
                yield from answer_question(
                    workspace, question, session_id=sessions[arm], trace_id=trace_id, **arguments
                )
            )
        )
    return BlindResult(pair, session_id, results[0], results[1])


def _record(workspace: Workspace, rows: Sequence[RolloutAsk]) -> None:
    with workspace.store.session() as session:
        session.add_all(rows)


# --- results ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Answer:
    arm: str
    pair: str
    picked: str
    values: dict[str, float | None]


def rollout_results(workspace: Workspace, rollout_id: int) -> RolloutResults:
    """Both arms compared: thumbs, flags, refusals, failures, latency; of a blind comparison the picks, too.

    A canary's groups are of different questions (evaluation.statistics.two_sample), a blind comparison's are pairs. Below 20
    answers an arm, or 6 pairs, nothing is tested. p values are corrected for the measures (Holm 1979).
    """
    row = rollout_row(workspace.reader, rollout_id)
    answers = _answers(workspace, rollout_id)
    found = _paired(answers) if row.kind == "blind" else _grouped(answers)
    corrected = holm([difference.p for difference in found])
    differences = tuple(
        _said(replace(difference, p_holm=p), row.kind) for difference, p in zip(found, corrected, strict=True)
    )
    mine = [answer.picked for answer in answers if answer.arm == "staging"]
    wins, losses, ties = mine.count("this"), mine.count("other"), mine.count("no difference")
    enough = wins + losses >= LEAST_PAIRS
    p = sign_test(wins, losses) if enough else None
    return RolloutResults(
        row, differences, wins, losses, ties, p, _summary(row, differences, wins, losses, p)
    )


def _answers(workspace: Workspace, rollout_id: int) -> list[_Answer]:
    found = []
    for arm, pair, picked, status, outcome, claims, flags, total_ms, is_up in workspace.reader.cells(
        """SELECT a.arm, a.pair, a.picked, t.status, t.outcome, t.claim_count, t.flag_count, t.total_ms,
                  (SELECT f.is_up FROM feedback f WHERE f.trace_id = t.id ORDER BY f.created_ms DESC LIMIT 1)
           FROM rolloutask a JOIN trace t ON t.id = a.trace_id
           WHERE a.rollout_id = ? AND t.status NOT IN ('running', 'cancelled') ORDER BY t.created_ms, t.id""",
        (rollout_id,),
    ):
        answered = status in ("done", "nothing found")
        found.append(
            _Answer(
                arm,
                pair,
                picked,
                {
                    "thumbs up": None if is_up is None else float(is_up),
                    "flagged": float(flags > 0) if claims else None,
                    "refused": float(outcome == "refused" or status == "nothing found") if answered else None,
                    "failed": float(not answered),
                    "latency": total_ms / 1000 if status == "done" and total_ms else None,
                },
            )
        )
    return found


def _values(answers: Sequence[_Answer], arm: str, measure: str) -> list[float]:
    return [v for answer in answers if answer.arm == arm and (v := answer.values[measure]) is not None]


def _grouped(answers: Sequence[_Answer]) -> list[Difference]:
    found = []
    for measure in MEASURES:
        a, b = (_values(answers, arm, measure) for arm in ("production", "staging"))
        bare = _bare(measure, a, b)
        if min(len(a), len(b)) < LEAST_ARM:
            found.append(bare)
        elif measure in _SCORES:
            low, high = mean_interval(a, b)
            found.append(replace(bare, low=low, high=high, p=permutation(a, b), test="permutation"))
        else:
            counts = (int(sum(a)), len(a), int(sum(b)), len(b))
            low, high = rate_interval(*counts)
            found.append(replace(bare, low=low, high=high, p=fisher(*counts), test="Fisher's exact"))
    return found


def _paired(answers: Sequence[_Answer]) -> list[Difference]:
    runs: list[dict[str, dict[str, list[float | None]]]] = []
    for arm in ("production", "staging"):
        own = [answer for answer in answers if answer.arm == arm]
        runs.append({m: {answer.pair: [answer.values[m]] for answer in own} for m in MEASURES})
    found = {comparison.metric: comparison for comparison in compare_runs(runs[0], runs[1])}
    differences = []
    for measure in MEASURES:
        bare = _bare(measure, *(_values(answers, arm, measure) for arm in ("production", "staging")))
        c = found[measure]
        differences.append(
            replace(bare, production=c.mean_a, staging=c.mean_b, production_count=c.pairs, staging_count=c.pairs,
                    difference=c.difference, low=c.low, high=c.high, p=c.p, test=c.test)
        )  # fmt: skip
    return differences


def _bare(measure: str, a: Sequence[float], b: Sequence[float]) -> Difference:
    means = [sum(values) / len(values) if values else None for values in (a, b)]
    known = means[0] is not None and means[1] is not None
    return Difference(
        measure, means[0], means[1], len(a), len(b), (means[1] or 0.0) - (means[0] or 0.0) if known else None,
        None, None, None, None, "", "",
    )  # fmt: skip


def _said(found: Difference, kind: str) -> Difference:
    """With its sentence: a claim only where the corrected p is below 0.05."""
    words, less_is_better = MEASURES[found.measure]
    least = LEAST_PAIRS if kind == "blind" else LEAST_ARM
    what = "pairs" if kind == "blind" else "answers of each"
    if found.p_holm is None or found.difference is None or found.low is None or found.high is None:
        count = min(found.production_count, found.staging_count)
        return replace(found, sentence=f"{words}: {count} {what}, {least} are the fewest to say anything")
    p = "p < 0.001" if found.p_holm < 0.001 else f"p = {found.p_holm:.2g}"
    if found.p_holm >= 0.05:
        return replace(found, sentence=f"{words}: no certain difference, {p}")
    better = (found.difference < 0) == less_is_better
    unit, scale = ("s", 1.0) if found.measure in _SCORES else ("points", 100.0)
    size = f"{abs(found.difference) * scale:.1f} {unit} {'more' if found.difference > 0 else 'less'}"
    between = f"{found.low * scale:+.1f} to {found.high * scale:+.1f}"
    return replace(
        found, sentence=f"{words}: staging has {size} ({between}), {'better' if better else 'worse'}, {p}"
    )


def _summary(
    row: RolloutRow, differences: Sequence[Difference], wins: int, losses: int, p: float | None
) -> str:
    parts = []
    if row.kind == "blind":
        if p is None:
            parts.append(f"{wins + losses} picks, {LEAST_PAIRS} are the fewest to say anything")
        elif p < 0.05:
            which = "staging" if wins > losses else "production"
            parts.append(f"people prefer {which}, {max(wins, losses)} to {min(wins, losses)}, p = {p:.2g}")
        else:
            parts.append(f"no certain preference, {wins} to {losses}, p = {p:.2g}")
    certain = [d.sentence for d in differences if d.p_holm is not None and d.p_holm < 0.05]
    if certain:
        parts += certain
    elif any(d.p_holm is not None for d in differences):
        parts.append("no measure differs for certain")
    elif row.kind != "blind":
        counts = f"{row.production_count} and {row.staging_count} answers"
        parts.append(f"{counts}: {LEAST_ARM} of each are the fewest to say anything")
    text = "; ".join(parts)
    return text[:1].upper() + text[1:] + "."


# --- helpers ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Plan:
    """What a promotion moves: the label of a prompt to a number, or the collection's pipeline."""

    sentence: str
    prompt: str = ""
    number: int = 0


def _plan(session: Session, found: Rollout) -> _Plan:
    old = PipelineConfig.model_validate_json(found.production_config)
    new = PipelineConfig.model_validate_json(found.staging_config)
    keys = {key for key, _, _ in diff_configs(old, new)}
    name, _, number = new.prompt.partition("@")
    pinned = session.exec(
        select(ProductionPipeline).where(
            col(ProductionPipeline.collection_id).in_((found.collection_id or ALL, ALL))
        )
    ).first()
    where = f"“{found.collection}”" if found.collection else "every collection"
    if (
        found.production == NOW
        and pinned is None
        and keys == {"prompt"}
        and old.prompt.partition("@")[0] == name
    ):
        return _Plan(
            f"The label {PRODUCTION} of the prompt “{name}” moves to version {number}, wherever it is used.",
            name,
            int(number),
        )
    return _Plan(f"“{found.staging}” becomes the pipeline that answers {where}.")


def _end(session: Session, found: Rollout, state: str, outcome: str) -> None:
    found.state, found.ended_ms, found.outcome = state, now_ms(), outcome
    session.add(found)
    audit.record(session, f"roll-out {state}", found.staging, outcome)


def _running(session: Session, rollout_id: int) -> Rollout:
    found = session.get(Rollout, rollout_id)
    if found is None:
        raise NotFoundError(f"There is no roll-out {rollout_id}; `ragdeck rollout status` lists them.")
    if found.state != "running":
        raise RagError(f"The roll-out {rollout_id} was {found.state} already.")
    return found


def _config(found: Rollout, arm: str) -> PipelineConfig:
    text = found.staging_config if arm == "staging" else found.production_config
    return PipelineConfig.model_validate_json(text)


def _arguments(config: PipelineConfig, collection: str) -> dict[str, Any]:
    return {**config.ask_arguments(), "collection": collection}


def _pinned(workspace: Workspace, collection: str) -> PipelineConfig | None:
    with workspace.store.session() as session:
        found = session.get(ProductionPipeline, find_collection(session, collection).id or -1)
        found = found or session.get(ProductionPipeline, ALL)
        return PipelineConfig.model_validate_json(found.config) if found else None


def _present(workspace: Workspace, collection: str) -> PipelineConfig:
    """What answers now: a promoted pipeline, else the settings."""
    if collection:
        return _pinned(workspace, collection) or present_config(workspace, collection)
    with workspace.store.session() as session:
        found = session.get(ProductionPipeline, ALL)
    return PipelineConfig.model_validate_json(found.config) if found else present_config(workspace, "(all)")


def _frozen(workspace: Workspace, config: PipelineConfig, collection: str) -> PipelineConfig:
    """With the prompt by number, and checked that it can answer here."""
    if config.kind != "answer":
        raise RagError("A pipeline that only searches gives no answer; choose one that answers.")
    if not collection and config.version != "active":
        raise RagError(
            f"This pipeline asks version {config.version} of one collection; a roll-out for all collections needs one "
            "that asks the active version."
        )
    template = find_prompt(workspace.store, config.prompt)
    if collection and config.collection not in (collection, "(all)"):
        raise RagError(f"This pipeline answers “{config.collection}”, not “{collection}”.")
    return config.model_copy(
        update={"prompt": f"{template.name}@{template.version}", "collection": collection or "(all)"}
    )
