"""Compares the arms of a roll-out: differences with intervals and tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.evaluation.statistics.paired import LEAST_PAIRS, compare_runs, holm, sign_test
from rag.evaluation.statistics.two_sample import fisher, mean_interval, permutation, rate_interval
from rag.review.rows import (
    LEAST_ARM,
    Arm,
    ArmDifference,
    Picked,
    RolloutKind,
    RolloutResults,
    RolloutRow,
    get_rollout,
)
from rag.workspace import Workspace

# Of each measure: its words in a sentence, and whether less is better.
MEASURES = {
    "thumbs up": ("answers rated up", False),
    "flagged": ("answers with a flag", True),
    "refused": ("refusals", True),
    "failed": ("failed questions", True),
    "latency": ("seconds an answer", True),
}


_SCORES = frozenset({"latency"})  # all others are yes or no


@dataclass(frozen=True)
class _Answer:
    arm: Arm
    pair: str
    picked: Picked
    values: dict[str, float | None]


def rollout_results(workspace: Workspace, rollout_id: int) -> RolloutResults:
    """Compare both arms: thumbs, flags, refusals, failures, latency, and the picks of a blind comparison.

    The groups of a canary are of different questions (evaluation.statistics.two_sample), those of a blind
    comparison are pairs. Below 20 answers an arm, or 6 pairs, nothing is tested. p values are corrected for
    the measures (Holm 1979). Raises NotFoundError.
    """
    row = get_rollout(workspace.database, rollout_id)
    answers = _answers(workspace, rollout_id)
    found = _paired(answers) if row.kind is RolloutKind.BLIND else _grouped(answers)
    corrected = holm([difference.p for difference in found])
    differences = tuple(
        _said(replace(difference, p_holm=p), row.kind) for difference, p in zip(found, corrected, strict=True)
    )
    mine = [answer.picked for answer in answers if answer.arm is Arm.STAGING]
    wins, losses, ties = (mine.count(one) for one in (Picked.THIS, Picked.OTHER, Picked.NO_DIFFERENCE))
    enough = wins + losses >= LEAST_PAIRS
    p = sign_test(wins, losses) if enough else None
    return RolloutResults(
        row, differences, wins, losses, ties, p, _summary(row, differences, wins, losses, p)
    )


def _answers(workspace: Workspace, rollout_id: int) -> list[_Answer]:
    found = []
    for arm, pair, picked, status, outcome, claims, flags, total_ms, is_up in workspace.database.cells(
        """SELECT a.arm, a.pair, a.picked, t.status, t.outcome, t.claim_count, t.flag_count, t.total_ms,
                  (SELECT f.is_up FROM feedback f WHERE f.trace_id = t.id ORDER BY f.created_ms DESC LIMIT 1)
           FROM rolloutanswer a JOIN trace t ON t.id = a.trace_id
           WHERE a.rollout_id = ? AND t.status NOT IN ('running', 'cancelled') ORDER BY t.created_ms, t.id""",
        (rollout_id,),
    ):
        answered = status in ("done", "nothing found")
        found.append(
            _Answer(
                Arm(arm),
                pair,
                Picked(picked),
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


def _values(answers: Sequence[_Answer], arm: Arm, measure: str) -> list[float]:
    return [v for answer in answers if answer.arm == arm and (v := answer.values[measure]) is not None]


def _grouped(answers: Sequence[_Answer]) -> list[ArmDifference]:
    found = []
    for measure in MEASURES:
        a, b = (_values(answers, arm, measure) for arm in Arm)
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


def _paired(answers: Sequence[_Answer]) -> list[ArmDifference]:
    runs: list[dict[str, dict[str, list[float | None]]]] = []
    for arm in ("production", "staging"):
        own = [answer for answer in answers if answer.arm == arm]
        runs.append({m: {answer.pair: [answer.values[m]] for answer in own} for m in MEASURES})
    found = {comparison.metric: comparison for comparison in compare_runs(runs[0], runs[1])}
    differences = []
    for measure in MEASURES:
        bare = _bare(measure, *(_values(answers, arm, measure) for arm in Arm))
        c = found[measure]
        differences.append(
            replace(
                bare,
                production=c.mean_a,
                staging=c.mean_b,
                production_count=c.pairs,
                staging_count=c.pairs,
                difference=c.difference,
                low=c.low,
                high=c.high,
                p=c.p,
                test=c.test,
            )
        )
    return differences


def _bare(measure: str, a: Sequence[float], b: Sequence[float]) -> ArmDifference:
    means = [sum(values) / len(values) if values else None for values in (a, b)]
    known = means[0] is not None and means[1] is not None
    return ArmDifference(
        measure,
        means[0],
        means[1],
        len(a),
        len(b),
        (means[1] or 0.0) - (means[0] or 0.0) if known else None,
        None,
        None,
        None,
        None,
        "",
        "",
    )


def _said(found: ArmDifference, kind: RolloutKind) -> ArmDifference:
    """Add the sentence that a reader may rely on: a difference is claimed only below p = 0.05."""
    words, less_is_better = MEASURES[found.measure]
    least, what = (LEAST_PAIRS, "pairs") if kind is RolloutKind.BLIND else (LEAST_ARM, "answers of each")
    if found.p_holm is None or found.difference is None or found.low is None or found.high is None:
        count = min(found.production_count, found.staging_count)
        return replace(found, sentence=f"{words}: {count} {what}; at least {least} are needed")
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
    row: RolloutRow, differences: Sequence[ArmDifference], wins: int, losses: int, p: float | None
) -> str:
    parts = []
    blind = row.kind is RolloutKind.BLIND
    if blind:
        if p is None:
            parts.append(f"{wins + losses} picks; at least {LEAST_PAIRS} are needed")
        elif p < 0.05:
            which = "staging" if wins > losses else "production"
            parts.append(f"people prefer {which}, {max(wins, losses)} to {min(wins, losses)}, p = {p:.2g}")
        else:
            parts.append(f"no certain preference, {wins} to {losses}, p = {p:.2g}")
    certain = [d.sentence for d in differences if d.p_holm is not None and d.p_holm < 0.05]
    if certain:
        parts += certain
    elif any(d.p_holm is not None for d in differences):
        parts.append("no measure differs with certainty")
    elif not blind:
        counts = f"{row.production_count} and {row.staging_count} answers"
        parts.append(f"{counts}; at least {LEAST_ARM} of each are needed")
    text = "; ".join(parts)
    return text[:1].upper() + text[1:] + "."
