"""What a person decides about flags: limits for a collection, right or wrong for a flag, and a fit to that.

Where flags begin is a choice of the collection's owner; where the detector is off for their documents, their
own verdicts show it: from FITS_FROM of them the scores can be calibrated anew (Platt scaling on the logit,
pulled towards no change), which is shown before it is applied.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sqlmodel import Session, col, select

from rag.asking.rows import FITS_FROM, CalibrationFit
from rag.errors import NotFoundError, RagError
from rag.grounding.detector import VerdictLimits, log_odds
from rag.grounding.rows import Verdict
from rag.grounding.second_detector import SecondDetector
from rag.knowledge.collections import find_collection
from rag.storage import audit_log
from rag.storage.data_folder import RESOURCES
from rag.storage.store import now_ms
from rag.storage.tables.traces import Claim, FlagLimits, FlagOpinion, Trace
from rag.workspace import Workspace

_PULL = 4.0  # weight of "change nothing", in opinions

Array = npt.NDArray[np.float64]


def set_opinion(workspace: Workspace, trace_id: str, start: int, is_right: bool, note: str = "") -> None:
    """Store whether the verdict on the sentence at start is right; it replaces an earlier opinion."""
    with workspace.store.session() as session:
        trace = session.get(Trace, trace_id)
        claim = session.exec(select(Claim).where(Claim.trace_id == trace_id, Claim.start == start)).first()
        if trace is None or claim is None:
            raise NotFoundError(
                "This trace has no checked sentence there. Run `ragdeck traces show` to see them."
            )
        if not Verdict(claim.verdict).is_claim:
            raise RagError("This sentence was not checked, so there is no verdict to agree with.")
        session.merge(
            FlagOpinion(
                trace_id=trace_id,
                start=start,
                collection_id=trace.collection_id,
                verdict=claim.verdict,
                score=claim.score if claim.raw_score is None else claim.raw_score,
                is_right=is_right,
                note=note,
                created_ms=now_ms(),
            )
        )
        audit_log.record(
            session,
            audit_log.Action.FLAG_JUDGED,
            trace_id[:8],
            f"{claim.verdict}: {'right' if is_right else 'wrong'}",
        )


def remove_opinion(workspace: Workspace, trace_id: str, start: int) -> None:
    """Remove an opinion."""
    with workspace.store.session() as session:
        found = session.get(FlagOpinion, (trace_id, start))
        if found is not None:
            session.delete(found)


def limits_of(workspace: Workspace, collection_id: int | None) -> VerdictLimits:
    """Return the limits by which this collection's answers are checked."""
    with workspace.store.session() as session:
        found = session.get(FlagLimits, collection_id) if collection_id is not None else None
        return _limits(found)


def set_limits(
    workspace: Workspace,
    collection: str,
    check_from: float | None,
    unsupported_from: float | None,
    second_detector: str | None = None,
) -> None:
    """Set the scores from which sentences of this collection's future answers are flagged.

    Args:
        workspace: Where the limits are stored.
        collection: Its name.
        check_from: The score from which a sentence is “check”; None: as trained.
        unsupported_from: The score from which it is “unsupported”; None: as trained.
        second_detector: Folder of a second detector; "": none; None: as it is.

    Raises:
        RagError: The limits are out of order, or the second detector cannot be opened.
    """
    check, unsupported = check_from, unsupported_from
    trained = workspace.detector
    low = trained.check_from if check is None else check
    high = trained.unsupported_from if unsupported is None else unsupported
    if not 0.0 < low <= high <= 1.0:
        raise RagError(
            f"The limits must be above 0 and at most 1, and “check” ({low:.2f}) not above “unsupported” "
            f"({high:.2f})."
        )
    slope, intercept = recalibrate(SecondDetector.open(second_detector)) if second_detector else (1.0, 0.0)
    with workspace.store.session() as session:
        found = _row(session, find_collection(session, collection).id or 0)
        found.check_from, found.unsupported_from = check, unsupported
        if second_detector is not None:
            found.second_detector = second_detector
            found.second_slope, found.second_intercept = slope, intercept
        found.updated_ms = now_ms()
        session.add(found)
        audit_log.record(
            session, audit_log.Action.FLAG_LIMITS, collection, f"check {low:.3f}, unsupported {high:.3f}"
        )


def fit_calibration(workspace: Workspace, collection: str) -> CalibrationFit:
    """Fit the scores to the person's verdicts on this collection, without using the fit.

    Raises RagError with fewer than 50 verdicts, or when they all say the same.
    """
    with workspace.store.session() as session:
        number = find_collection(session, collection).id or 0
        rows = session.exec(
            select(FlagOpinion)
            .where(FlagOpinion.collection_id == number, col(FlagOpinion.score).is_not(None))
            .order_by(FlagOpinion.trace_id, col(FlagOpinion.start))
        ).all()
    if len(rows) < FITS_FROM:
        raise RagError(
            f"You have given {len(rows)} verdicts on the flags of “{collection}”; a calibration needs "
            f"{FITS_FROM}."
        )
    logits = np.array([log_odds(row.score or 0.0) for row in rows])
    labels = np.array([float(row.is_right == Verdict(row.verdict).is_doubt) for row in rows])
    if not 0 < labels.sum() < len(labels):
        raise RagError("All your verdicts say the same. A calibration needs sentences of both kinds.")
    slope, intercept = fit_platt(logits, labels)
    after = []
    fold_of = np.arange(len(rows)) % 10
    for fold in range(10):
        held = fold_of == fold
        a, b = fit_platt(logits[~held], labels[~held])
        after.append(_losses(a * logits[held] + b, labels[held]))
    return CalibrationFit(
        collection, len(rows), int(labels.sum()), round(slope, 4), round(intercept, 4),
        round(float(_losses(logits, labels).mean()), 4), round(float(np.concatenate(after).mean()), 4),
    )  # fmt: skip


def apply_calibration(workspace: Workspace, fit: CalibrationFit) -> None:
    """Use a fit for this collection's future answers."""
    _store_calibration(workspace, fit.collection, fit.slope, fit.intercept, fit.opinions)


def remove_calibration(workspace: Workspace, collection: str) -> None:
    """Go back to the detector's own scores."""
    _store_calibration(workspace, collection, 1.0, 0.0, 0)


def fit_platt(logits: Array, labels: Array) -> tuple[float, float]:
    """Return slope and intercept of calibrated logit = slope * logit + intercept (Platt 1999), by BFGS.

    logits (n,), labels (n,) with 1 = unsupported. A penalty pulls towards slope 1 and intercept 0, so that
    few opinions change little; the slope stays positive, so that the order of sentences stays.
    """
    from scipy.optimize import minimize  # takes a moment to import, and few ask for it

    design = np.column_stack([logits, np.ones(len(logits))])
    target = np.array([1.0, 0.0])

    def loss(beta: Array) -> tuple[float, Array]:
        calibrated = design @ beta
        p = 1 / (1 + np.exp(-np.clip(calibrated, -30, 30)))
        value = _losses(calibrated, labels).sum() + _PULL / 2 * ((beta - target) ** 2).sum()
        return float(value), design.T @ (p - labels) + _PULL * (beta - target)

    slope, intercept = minimize(loss, target, jac=True, method="BFGS").x
    return max(float(slope), 0.05), float(intercept)


def recalibrate(second: SecondDetector) -> tuple[float, float]:
    """Return slope and intercept that fit a second detector's log-odds to the bundled labelled sentences."""
    rows = [
        json.loads(line) for line in (RESOURCES / "grounding" / "slice.jsonl").read_text("utf-8").splitlines()
    ]
    scores = [float(second.unsupported("", [row["claim"]], [row["passage"]])[0]) for row in rows]
    labels = np.array([float(row["label"]) for row in rows])
    slope, intercept = fit_platt(np.array([log_odds(score) for score in scores]), labels)
    return round(slope, 4), round(intercept, 4)


def _store_calibration(workspace: Workspace, collection: str, slope: float, intercept: float, n: int) -> None:
    with workspace.store.session() as session:
        found = _row(session, find_collection(session, collection).id or 0)
        found.slope, found.intercept, found.fitted_on, found.updated_ms = slope, intercept, n, now_ms()
        session.add(found)
        audit_log.record(
            session,
            audit_log.Action.FLAG_CALIBRATION,
            collection,
            f"slope {slope}, intercept {intercept}, n {n}",
        )


def _losses(logits: Array, labels: Sequence[float] | Array) -> Array:
    result: Array = np.logaddexp(0, logits) - np.asarray(labels) * logits
    return result


def _limits(row: FlagLimits | None) -> VerdictLimits:
    if row is None:
        return VerdictLimits()
    return VerdictLimits(
        row.check_from, row.unsupported_from, row.slope, row.intercept,
        row.second_detector, row.second_slope, row.second_intercept,
    )  # fmt: skip


def _row(session: Session, collection_id: int) -> FlagLimits:
    return session.get(FlagLimits, collection_id) or FlagLimits(collection_id=collection_id, updated_ms=0)


def flag_defaults(workspace: Workspace) -> tuple[float, float]:
    """Return the scores from which the detector itself says check and unsupported."""
    return workspace.detector.check_from, workspace.detector.unsupported_from
