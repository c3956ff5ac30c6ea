"""A person's limits and verdicts change what is flagged; a second detector is asked where the first is unsure."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import drive
from tiny_detector import tiny_model

from rag.asking import flag_limits as flags
from rag.asking.answer import answer_question
from rag.asking.rows import Question, get_trace, read_flag_opinion, read_flag_state
from rag.errors import ModelError, NotFoundError, RagError
from rag.grounding.detector import VerdictLimits
from rag.grounding.rows import ClaimResult
from rag.grounding.second_detector import recognise
from rag.storage.tables.traces import FlagOpinion
from rag.workspace import Workspace


def test_an_opinion_is_kept_replaced_and_taken_back(asked: tuple[Workspace, str]) -> None:
    workspace, trace_id = asked
    start = get_trace(workspace.database, trace_id).claims[0].start
    flags.set_opinion(workspace, trace_id, start, True, "checked by hand")
    flags.set_opinion(workspace, trace_id, start, False)
    assert read_flag_opinion(workspace.database, trace_id, start) is False
    flags.remove_opinion(workspace, trace_id, start)
    assert read_flag_opinion(workspace.database, trace_id, start) is None
    with pytest.raises(NotFoundError):
        flags.set_opinion(workspace, trace_id, 999, True)


def test_limits_change_verdicts_of_answers_from_now_on(asked: tuple[Workspace, str]) -> None:
    workspace, first = asked
    flags.set_limits(workspace, "A", 1e-6, 1e-6)
    second = drive(answer_question(workspace, Question("What does rye bread need?", "A"))).trace_id
    verdicts = [get_trace(workspace.database, trace).claims[0].verdict for trace in (first, second)]
    assert verdicts[1] == "unsupported"
    assert verdicts[0] != "unsupported"
    state = read_flag_state(workspace.database, 1)
    assert (state.check_from, len(state.answers), state.flagged_answers) == (1e-6, 2, 1)
    flags.set_limits(workspace, "A", None, None)
    assert flags.limits_of(workspace, 1) == VerdictLimits()
    with pytest.raises(RagError, match="not above"):
        flags.set_limits(workspace, "A", 0.9, 0.2)
    with pytest.raises(NotFoundError):
        flags.set_limits(workspace, "No such", 0.1, 0.2)


def opinions(workspace: Workspace, count: int, seed: int = 1) -> None:
    """Verdicts of a person whose data make the detector far too anxious: a third of what it says is true."""
    random = np.random.default_rng(seed)
    with workspace.store.session() as session:
        for number in range(count):
            score = float(random.uniform(0.05, 0.95))
            unsupported = bool(random.random() < score / 3)
            verdict = "unsupported" if score > 0.3 else "supported"
            session.add(
                FlagOpinion(
                    trace_id=f"{number:032x}",
                    start=0,
                    collection_id=1,
                    verdict=verdict,
                    score=score,
                    is_right=unsupported == (verdict == "unsupported"),
                    created_ms=number,
                )
            )


def test_a_calibration_needs_fifty_verdicts_and_then_helps(asked: tuple[Workspace, str]) -> None:
    workspace, _ = asked
    opinions(workspace, 49)
    with pytest.raises(RagError, match="49 verdicts"):
        flags.fit_calibration(workspace, "A")
    opinions(workspace, 0)
    with workspace.store.session() as session:
        session.connection().exec_driver_sql("DELETE FROM flagopinion")
    opinions(workspace, 200)
    fit = flags.fit_calibration(workspace, "A")
    assert fit.helps and fit.loss_after < fit.loss_before - 0.05
    assert fit.of(0.6) < 0.4
    assert flags.limits_of(workspace, 1).calibrated(0.6) == 0.6  # shown, not applied
    flags.apply_calibration(workspace, fit)
    assert flags.limits_of(workspace, 1).calibrated(0.6) == pytest.approx(fit.of(0.6), abs=1e-6)
    trace_id = drive(answer_question(workspace, Question("What does rye bread need?", "A"))).trace_id
    scored = get_trace(workspace.database, trace_id).claims[0]
    assert scored.raw_score is not None and scored.score == pytest.approx(fit.of(scored.raw_score), abs=1e-3)
    flags.remove_calibration(workspace, "A")
    assert flags.limits_of(workspace, 1).slope == 1.0


def test_platt_scaling_finds_the_slope_and_intercept_that_made_the_labels() -> None:
    random = np.random.default_rng(3)
    logits = random.normal(0, 2, 5000)
    labels = (random.random(5000) < 1 / (1 + np.exp(-(0.5 * logits - 1)))).astype(float)
    slope, intercept = flags.fit_platt(logits, labels)
    assert slope == pytest.approx(0.5, abs=0.06)
    assert intercept == pytest.approx(-1, abs=0.1)


def test_a_failed_check_is_an_error_and_no_rate(
    asked: tuple[Workspace, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, _ = asked

    def broken(*_: Any) -> list[ClaimResult]:
        raise RagError("The network of the detector cannot be used.")

    monkeypatch.setattr(workspace, "check", broken)
    result = drive(answer_question(workspace, Question("What does rye bread need?", "A")))
    trace = get_trace(workspace.database, result.trace_id)
    assert result.answer
    assert (trace.status, trace.outcome, trace.support_rate) == ("done", "check failed", None)
    assert "network" in trace.check_error
    assert any("could not be checked" in notice for notice in result.notices)


# --- a second detector ------------------------------------------------------------------------------------


def test_a_second_detector_is_asked_where_the_first_is_uncertain(
    asked: tuple[Workspace, str], tmp_path: Path
) -> None:
    workspace, first = asked
    before = get_trace(workspace.database, first).claims[0]
    folder = tiny_model(tmp_path / "second", "sequence", {0: "entailment", 1: "neutral"}, 1)
    flags.set_limits(workspace, "A", 1e-6, 1e-6, str(folder))  # everything is uncertain
    trace_id = drive(answer_question(workspace, Question("What does rye bread need?", "A"))).trace_id
    after = get_trace(workspace.database, trace_id).claims[0]
    assert before.raw_score is not None and after.raw_score is not None
    assert after.raw_score > before.raw_score
    with pytest.raises(ModelError):
        flags.set_limits(workspace, "A", None, None, str(tmp_path / "nowhere"))
    assert recognise(folder)[0].name == "nli"


def test_a_calibration_finds_a_shift_far_from_where_it_begins() -> None:
    """A plain Newton step from slope 1 overshoots here and ends at slope 135."""
    random = np.random.default_rng(0)
    logits = random.normal(-3, 1.5, 300)
    labels = (random.random(300) < 1 / (1 + np.exp(-(2 * logits + 7)))).astype(float)
    slope, intercept = flags.fit_platt(logits, labels)
    calibrated = 1 / (1 + np.exp(-(slope * logits + intercept)))
    assert 0.5 < slope < 3
    assert calibrated.mean() == pytest.approx(labels.mean(), abs=0.05)
