"""Monitors: limits and tests that keep their error rates, alerts and their states, silent failures, regression questions."""

import json
import secrets
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import FakeEmbedder, ScriptedModel, drive
from scipy.stats import binom, ks_2samp, kstwobign

from rag.asking.answer import answer_question
from rag.asking.rows import Question, TraceFilter, count_traces, get_trace, list_traces, read_overview
from rag.cli import run
from rag.errors import NotFoundError, RagError
from rag.governance.erasure import erase_document
from rag.grounding.rows import SilentFailure
from rag.grounding.silent_failures import silent_failures
from rag.knowledge.edits import remove_documents
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import VersionProgress, list_documents, look_up_version
from rag.monitoring.alerts import (
    acknowledge,
    add_rule,
    change_rule,
    check_alerts,
    check_quickly,
    clear_reference,
    judged_now,
    moment_ms,
    next_state,
    remove_rule,
    set_reference,
)
from rag.monitoring.control_limits import (
    ALPHA,
    beta_binomial,
    energy_test,
    ks_test,
    median_limits,
    rate_limits,
    wilson_interval,
)
from rag.monitoring.drift import disagreements, drift, embed
from rag.monitoring.measuring import summaries
from rag.monitoring.regression_questions import (
    accept_answer,
    add_regression_question,
    regression_state,
    regression_states,
    remove_regression_question,
    run_all,
    run_regression_questions,
    stale_collections,
)
from rag.monitoring.rows import (
    MEASURES,
    AlertRow,
    MeasureSummary,
    RegressionState,
    Scope,
    beyond,
    find_reference,
    list_alerts,
    list_asked_prompts,
)
from rag.storage.data_folder import SCHEMA
from rag.storage.database import Database
from rag.storage.migrations import STEPS
from rag.storage.store import Store, now_ms
from rag.storage.tables.monitoring import AlertRule
from rag.storage.tables.traces import Trace
from rag.text.languages import language_of
from rag.workspace import Workspace

DAY = 86_400_000
QUESTION = "What does rye bread need?"


# --- statistics -------------------------------------------------------------------------------------------


def false_alarms(reference: int, window: int, rate: float) -> float:
    """The exact chance that a window with the same rate as the reference is beyond its limits."""
    counts = np.arange(window + 1)
    chances = binom.pmf(counts, window, rate)
    total = 0.0
    for k in range(reference + 1):
        limits = rate_limits(k, reference, window)
        outside = np.array([beyond(c / window, limits.low, limits.high) for c in counts])
        total += binom.pmf(k, reference, rate) * chances[outside].sum()
    return total


@pytest.mark.parametrize(("reference", "window"), [(20, 20), (50, 200), (200, 50)])
@pytest.mark.parametrize("rate", [0.005, 0.05, 0.3, 0.5])
def test_limits_of_a_rate_keep_their_false_alarm_rate_at_any_size(
    reference: int, window: int, rate: float
) -> None:
    assert false_alarms(reference, window, rate) <= 0.003


def test_limits_of_a_rate_that_pretend_to_know_it_alarm_far_more_often() -> None:
    """The usual p ± 3 sigma: what the test above would say of it."""
    alarms = 0.0
    for k in range(51):
        p = k / 50
        high = p + 3 * np.sqrt(p * (1 - p) / 50)
        alarms += binom.pmf(k, 50, 0.05) * binom.sf(np.floor(high * 50 + 1e-9), 50, 0.05)
    assert alarms > 0.03


def test_a_rate_that_really_rises_is_found() -> None:
    limits = rate_limits(10, 200, 50)
    assert limits.low is None
    assert limits.high is not None
    assert binom.sf(limits.high * 50, 50, 0.3) > 0.85


@pytest.mark.parametrize("draw", ["exponential", "normal", "standard_cauchy"])
def test_limits_of_a_median_hold_for_any_distribution(draw: str) -> None:
    generator = np.random.default_rng(3)
    rounds, alarms = 2500, 0
    for _ in range(rounds):
        old, new = (getattr(generator, draw)(size=n) for n in (100, 21))
        limits = median_limits(old, 21)
        alarms += beyond(float(np.sort(new)[10]), limits.low, limits.high)
    assert alarms / rounds < ALPHA + 3 * np.sqrt(ALPHA / rounds)


def test_too_small_a_reference_gives_no_limits() -> None:
    assert rate_limits(3, 19, 50).high is None
    assert median_limits([1.0] * 19, 50).high is None
    assert median_limits(list(map(float, range(20))), 5).high is None  # the largest of 20 is no limit for 5


def test_the_beta_binomial_is_a_distribution_and_wilsons_interval_is_known() -> None:
    assert beta_binomial(50, 0.5, 200.5).sum() == pytest.approx(1)
    assert beta_binomial(3, 1, 1) == pytest.approx([0.25] * 4)
    assert wilson_interval(0, 10) == pytest.approx((0, 0.2775), abs=1e-4)
    assert wilson_interval(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson_interval(0, 0) == (0.0, 1.0)


def energy_distance(a: np.ndarray, b: np.ndarray) -> float:
    """By its definition, slowly."""
    pairs = lambda x, y: np.mean([np.linalg.norm(p - q) for p in x for q in y])  # noqa: E731
    return float(2 * pairs(a, b) - pairs(a, a) - pairs(b, b))


def test_the_energy_distance_is_that_of_its_definition() -> None:
    generator = np.random.default_rng(0)
    a, b = (generator.normal(size=(n, 5)).astype(np.float32) for n in (12, 7))
    assert energy_test(a, b, 19)[0] == pytest.approx(energy_distance(a, b), rel=1e-5)
    with pytest.raises(ValueError, match="empty"):
        energy_test(a, b[:0])


def test_the_energy_test_is_exact_without_drift_and_sees_a_change_of_spread() -> None:
    generator = np.random.default_rng(1)
    p_values = []
    for round_ in range(300):
        a, b = (generator.normal(size=(20, 8)).astype(np.float32) for _ in range(2))
        p_values.append(energy_test(a, b, 99, seed=round_)[1])
    for level in (0.05, 0.2, 0.5):
        assert abs(np.mean(np.array(p_values) <= level) - level) < 3 * np.sqrt(level * (1 - level) / 300)
    wide = (2.5 * generator.normal(size=(60, 8))).astype(np.float32)
    narrow = generator.normal(size=(60, 8)).astype(np.float32)
    assert energy_test(narrow, wide)[1] <= 0.002
    assert min(p_values) >= 1 / 100


def test_the_ks_test_is_the_known_one() -> None:
    a, b = [0.1, 0.2, 0.3, 0.4], [0.35, 0.5, 0.6, 0.7]
    statistic, p = ks_test(a, b)
    assert statistic == 0.75
    assert p == pytest.approx(ks_2samp(a, b, method="exact").pvalue)
    generator = np.random.default_rng(2)
    alarms = [ks_test(generator.random(30), generator.random(30))[1] < 0.05 for _ in range(300)]
    assert np.mean(alarms) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)
    large = ks_test(list(np.linspace(0, 1, 4000)), list(np.linspace(0.03, 1.03, 4000)))
    assert large[1] == pytest.approx(kstwobign.sf(large[0] * np.sqrt(2000)), rel=0.3)


# --- silent failures --------------------------------------------------------------------------------------

LOOP = "The battery lasts long. " * 8


@pytest.mark.parametrize(
    ("question", "answer", "finish", "passages", "expected"),
    [
        ("Why?", "", "stop", 3, (SilentFailure.EMPTY,)),
        ("Why?", " [1] \n.", "stop", 3, (SilentFailure.EMPTY,)),
        ("Why?", "…", "length", 3, (SilentFailure.EMPTY, SilentFailure.CUT_OFF)),
        ("What is it?", LOOP, "stop", 3, (SilentFailure.REPEATED,)),
        ("How long does it last?", "Das Gerät hält 21 Tage, und die Sonne wird nicht gebraucht.", "stop", 1, (SilentFailure.OTHER_LANGUAGE,)),
        ("How long does it last?", "It lasts 21 days and is", "length", 1, (SilentFailure.CUT_OFF,)),
        ("How long does it last?", "It lasts 21 days [4].", "stop", 3, (SilentFailure.CITES_NOTHING,)),
        ("How long does it last?", "It lasts 21 days [1, 7].", "stop", 3, (SilentFailure.CITES_NOTHING,)),
        # what is none
        ("How long does it last?", "It lasts 21 days [1][3].", "stop", 3, ()),
        ("How many?", "42", "stop", 1, ()),
        ("What does it mean in German?", "Das Gerät hält 21 Tage, und die Sonne wird nicht gebraucht.", "stop", 1, ()),
        ("Show me the code", "Use `a[7]` as in\n```\nx = a[9]\n```\nand it works.", "stop", 1, ()),
        ("List them", "| 0 | 0 | 0 |\n" * 9 + "No row has a value.", "stop", 1, ()),
        ("Steps?", "Open the lid. Take the battery out. Open the box. Take the manual out. Close the lid.", "stop", 1, ()),
        ("Was steht in [2019]?", "Im Bericht [2019] steht, dass die Anlage nicht mehr läuft.", "stop", 1, ()),
    ],
)  # fmt: skip
def test_silent_failures_are_found_and_sound_answers_are_not(
    question: str, answer: str, finish: str, passages: int, expected: tuple[str, ...]
) -> None:
    assert silent_failures(question, answer, finish, passages) == expected
    assert set(expected) <= set(SilentFailure)


def test_a_language_that_cannot_be_told_is_none() -> None:
    assert language_of("ok") == ""
    assert not silent_failures("Wie hoch ist der Druck?", "990 hPa", "stop", 1)


# --- asks that tests make ---------------------------------------------------------------------------------


def add_asks(workspace: Workspace, count: int, begin_ms: int, step_ms: int = 60_000, **values: Any) -> None:
    """Stored asks by a person, one a minute; a callable gives the value of the n-th."""
    with workspace.store.session() as session:
        for number in range(count):
            given = {name: value(number) if callable(value) else value for name, value in values.items()}
            trace = {
                "status": "done", "question": "What is it?", "answer": "It is bread.", "collection": "A", "model": "m",
                "outcome": "answered", "claim_count": 1, "best_score": 0.5, "total_ms": 1000.0, "passage_count": 3,
                **given,
            }  # fmt: skip
            session.add(
                Trace(
                    id=secrets.token_hex(16),
                    session_id="s",
                    created_ms=begin_ms + number * step_ms,
                    **trace,
                )
            )


@pytest.fixture
def watched(workspace: Workspace) -> Workspace:
    """A reference period of 200 asks, ten to seven days ago, one in ten of them flagged."""
    begin = now_ms() - 10 * DAY
    add_asks(
        workspace,
        200,
        begin,
        flag_count=lambda n: int(n % 10 == 0),
        total_ms=lambda n: 1000.0 + n,
        best_score=lambda n: 0.4 + 0.001 * n,
    )
    set_reference(workspace, "", "11d", "7d", "all was well")
    return workspace


def rule(workspace: Workspace, name: str) -> AlertRow:
    return next(row for row in list_alerts(workspace.database) if row.name == name)


def measured(workspace: Workspace, key: str, scope: Scope = Scope(), window: int = 50) -> MeasureSummary:
    return next(s for s in summaries(workspace.database, scope, window) if s.key == key)


# --- measures ---------------------------------------------------------------------------------------------


def test_a_window_is_held_against_the_reference_period_alone(watched: Workspace) -> None:
    add_asks(watched, 50, now_ms() - DAY, flag_count=lambda n: int(n < 20), total_ms=3000.0)
    flags = measured(watched, "flag_rate")
    assert (flags.value, flags.count, flags.reference, flags.reference_count) == (0.4, 50, 0.1, 200)
    assert flags.outside
    assert flags.sentence.startswith("above the limit of")
    assert flags.interval == pytest.approx(wilson_interval(20, 50))
    assert measured(watched, "latency").outside
    calm = measured(watched, "refusal_rate")
    assert (calm.value, calm.outside, calm.sentence) == (0.0, False, "within the limits")
    assert measured(watched, "first_token").count == 0


def test_the_chart_ends_with_the_figure_of_the_table_and_does_not_judge_the_reference(
    watched: Workspace,
) -> None:
    add_asks(watched, 70, now_ms() - DAY, flag_count=lambda n: int(n >= 40))
    flags = measured(watched, "flag_rate")
    assert [point.count for point in flags.points] == [50, 50, 50, 50, 20, 50]
    assert (flags.points[-1].value, flags.points[-1].outside) == (flags.value, True)
    assert not any(point.outside for point in flags.points[:-1])
    reference = find_reference(watched.database, "")
    assert reference is not None
    spans = [(p.start_ms < reference.end_ms, p.end_ms < reference.end_ms) for p in flags.points]
    assert all(began == ended for began, ended in spans)


def test_a_scope_of_collection_model_and_prompt_is_kept(watched: Workspace) -> None:
    add_asks(watched, 30, now_ms() - DAY, model="other", prompt_name="short", prompt_fingerprint="f00d" * 4,
             prompt_version=2, flag_count=1)  # fmt: skip
    add_asks(watched, 30, now_ms() - DAY, collection="B")
    assert measured(watched, "flag_rate", Scope("A", "other")).value == 1.0
    assert measured(watched, "flag_rate", Scope(prompt="f00d" * 4)).count == 30
    assert measured(watched, "flag_rate", Scope("B")).value == 0.0
    assert list_asked_prompts(watched.database) == [("f00d" * 4, "short@2")]


def test_test_traffic_is_not_measured(watched: Workspace) -> None:
    add_asks(watched, 50, now_ms() - DAY, source="evaluation", flag_count=1)
    assert measured(watched, "flag_rate").count == 0


def test_few_asks_are_said_to_be_few(workspace: Workspace) -> None:
    assert measured(workspace, "latency").sentence == "not enough questions (0 of 20)"
    add_asks(workspace, 30, now_ms() - DAY)
    assert measured(workspace, "latency").sentence == "no reference period is chosen"
    set_reference(workspace, "", "5d", "3d")
    assert measured(workspace, "latency").sentence == "not enough questions in the reference period (0 of 20)"


def test_values_are_shown_with_their_unit() -> None:
    assert MEASURES["flag_rate"].shown(0.125) == "12.5 %"
    assert MEASURES["latency"].shown(2345.0) == "2.3 s"
    assert MEASURES["flag_rate"].between(0.1, 0.25) == "10 to 25 %"
    assert MEASURES["latency"].between(None, 2000.0) == "to 2 s"
    assert MEASURES["prompt_tokens"].between(100.0, 1200.0) == "100 to 1,200"


# --- alerts -----------------------------------------------------------------------------------------------


def test_an_alert_fires_is_acknowledged_calms_down_and_fires_anew(watched: Workspace) -> None:
    name = "More flagged answers"
    add_asks(watched, 10, now_ms() - DAY, flag_count=1)
    check_quickly(watched)
    assert (rule(watched, name).state, rule(watched, name).count) == ("not enough data", 10)
    add_asks(watched, 40, now_ms() - DAY + 3_600_000, flag_count=1)
    assert name in [row.name for row in check_quickly(watched)]
    fired = rule(watched, name)
    assert (fired.state, fired.value, fired.count) == ("firing", 1.0, 50)
    assert fired.limit is not None
    assert acknowledge(watched, name, "the new model is being looked at").state == "acknowledged"
    assert name not in [row.name for row in check_quickly(watched)]
    add_asks(watched, 50, now_ms() - DAY // 2)
    check_quickly(watched)
    calm = rule(watched, name)
    assert (calm.state, calm.acknowledged) == ("ok", "")
    add_asks(watched, 50, now_ms() - DAY // 4, flag_count=1)
    check_quickly(watched)
    assert rule(watched, name).state == "firing"
    with sqlite3.connect(watched.store.database) as raw:
        fired_count = raw.execute(
            "SELECT count(*) FROM auditevent WHERE action = 'alert fired' AND subject = ?", (name,)
        ).fetchone()[0]
    raw.close()
    assert fired_count == 2


@pytest.mark.parametrize(
    ("state", "condition", "expected"),
    [
        ("ok", "beyond", "firing"),
        ("not enough data", "beyond", "firing"),
        ("firing", "beyond", "firing"),
        ("acknowledged", "beyond", "acknowledged"),
        ("acknowledged", "ok", "ok"),
        ("firing", "not enough data", "not enough data"),
    ],
)
def test_the_states_of_an_alert(state: str, condition: str, expected: str) -> None:
    assert next_state(state, condition) == expected


def test_what_does_not_change_is_not_written_again(watched: Workspace) -> None:
    add_asks(watched, 50, now_ms() - DAY)
    check_quickly(watched)
    before = rule(watched, "More flagged answers").checked_ms
    check_quickly(watched)
    assert rule(watched, "More flagged answers").checked_ms == before


def test_a_threshold_needs_no_reference_and_a_limit_does(workspace: Workspace) -> None:
    add_asks(workspace, 30, now_ms() - DAY, silent_failures=lambda n: '["cut off"]' if n < 3 else "[]")
    check_quickly(workspace)
    assert rule(workspace, "Silent failures").state == "firing"
    assert rule(workspace, "More refusals").sentence == "no reference period is chosen"
    change_rule(workspace, "Silent failures", {"threshold": 0.2})
    assert rule(workspace, "Silent failures").state == "ok"
    change_rule(workspace, "Silent failures", {"threshold": 0.01, "enabled": False})
    assert "Silent failures" not in [row.name for row in check_quickly(workspace)]
    assert rule(workspace, "Silent failures").state == "not enough data"


def test_a_rule_that_makes_no_sense_is_refused_with_a_sentence(workspace: Workspace) -> None:
    good: dict[str, Any] = {"name": "R", "measure": "latency", "threshold": 5000.0}
    for wrong, said in (
        ({"name": " "}, "needs a name"),
        ({"name": "More refusals"}, "already"),
        ({"measure": "beauty"}, "no measure"),
        ({"comparison": "near"}, "above"),
        ({"measure": "score_drift", "threshold": None}, "p value"),
        ({"measure": "flag_rate", "threshold": 5.0}, "between 0 and 1"),
        ({"window": 3}, "5 to 1,000"),
        ({"minimum": 100}, "at most the window"),
        ({"collection": "none"}, "no collection"),
        ({"colour": "red"}, "has no field colour"),
    ):
        with pytest.raises(RagError, match=said):
            add_rule(workspace, {**good, **wrong})
    made = add_rule(workspace, good)
    assert (made.comparison, made.window, made.minimum, made.state) == ("above", 50, 20, "not enough data")
    assert made.condition == "above 5 s, last 50"
    remove_rule(workspace, "R")
    with pytest.raises(NotFoundError):
        remove_rule(workspace, "R")
    with pytest.raises(RagError, match="is not firing"):
        acknowledge(workspace, "More refusals", "why not")


def test_a_measure_of_another_program_breaks_no_answer(workspace: Workspace) -> None:
    with workspace.store.session() as session:
        session.add(AlertRule(name="Strange", measure="sentiment", comparison="above", window=50, minimum=20))
    check_quickly(workspace)
    drive(check_alerts(workspace))
    assert rule(workspace, "Strange").condition == "above the control limit, last 50"
    assert [row.name for row in judged_now(workspace.database)] == [
        r.name for r in list_alerts(workspace.database)
    ]


def test_judging_without_writing_says_the_same(watched: Workspace) -> None:
    add_asks(watched, 50, now_ms() - DAY, flag_count=1)
    read = {row.name: row.state for row in judged_now(watched.database)}
    assert rule(watched, "More flagged answers").state == "not enough data"
    check_quickly(watched)
    assert {row.name: row.state for row in list_alerts(watched.database)} == read


def test_a_reference_period_is_chosen_and_taken_away(workspace: Workspace) -> None:
    add_asks(workspace, 30, now_ms() - 5 * DAY)
    assert set_reference(workspace, "", "6d", "1d") == 30
    assert set_reference(workspace, "", moment_ms("6d"), now_ms() + 9 * DAY) == 30
    period = find_reference(workspace.database, "anything")
    assert period is not None
    assert period.end_ms <= now_ms()  # what comes later is judged, not learnt from
    with pytest.raises(RagError, match="before it ends"):
        set_reference(workspace, "", "1d", "6d")
    with pytest.raises(RagError, match="is not a time"):
        set_reference(workspace, "", "last week")
    with pytest.raises(NotFoundError):
        set_reference(workspace, "none", "6d")
    assert moment_ms("2026-03-01", end_of_day=True) - moment_ms("2026-03-01") == DAY
    clear_reference(workspace, "")
    assert find_reference(workspace.database, "") is None
    with pytest.raises(NotFoundError):
        clear_reference(workspace, "")


# --- drift and disagreements ------------------------------------------------------------------------------

TOPICS = ("bread rye sourdough oven flour", "tide boat harbour moon water")


def topic(which: int) -> Any:
    words = TOPICS[which].split()
    return lambda n: f"Question {words[n % 5]} {words[(n // 5) % 5]} {words[(n // 25) % 5]}?"


def test_a_change_of_topic_is_drift_and_the_same_topic_is_none(workspace: Workspace) -> None:
    add_asks(workspace, 60, now_ms() - 10 * DAY, question=topic(0), best_score=lambda n: 0.5 + 0.002 * n)
    add_asks(workspace, 60, now_ms() - DAY, question=topic(0), best_score=lambda n: 0.5 + 0.002 * n)
    assert [r.sentence for r in drive(drift(workspace, Scope()))] == ["no reference period is chosen"] * 2
    set_reference(workspace, "", "11d", "5d")
    same = drive(drift(workspace, Scope()))
    assert [result.what for result in same] == ["questions", "scores"]
    assert all(result.p is not None and result.p > 0.05 for result in same)
    assert all("no sign of drift" in r.sentence and "so few" in r.sentence for r in same)
    add_asks(workspace, 100, now_ms() - DAY // 2, question=topic(1), best_score=0.3)
    questions, scores = drive(drift(workspace, Scope()))
    assert questions.p == pytest.approx(0.001)
    assert scores.p is not None
    assert scores.p < 0.001
    assert questions.sentence.startswith("drift: p = 0.001, 100 against 60 questions")
    assert "tide" in " ".join(new.question for new in questions.least_alike)
    assert questions.least_alike[0].cosine <= questions.least_alike[-1].cosine
    states = {row.name: row.state for row in drive(check_alerts(workspace))}
    assert states["Other questions than before"] == states["Other scores than before"] == "firing"


def test_too_few_asks_are_not_tested(workspace: Workspace) -> None:
    add_asks(workspace, 60, now_ms() - 10 * DAY)
    add_asks(workspace, 15, now_ms() - DAY)
    set_reference(workspace, "", "11d", "5d")
    for result in drive(drift(workspace, Scope())):
        assert result.p is None
        assert "15 now, 60 in the reference period; 20 are needed in each" in result.sentence
    assert rule(workspace, "Other questions than before").state == "not enough data"


def test_vectors_are_made_once(workspace: Workspace) -> None:
    embedder = workspace.embedder
    assert isinstance(embedder, FakeEmbedder)
    first = drive(embed(workspace, "", ["a b", "c d", "a b"]))
    assert embedder.embedded_count == 2
    again = drive(embed(workspace, "", ["c d", "a b"]))
    assert embedder.embedded_count == 2
    assert np.array_equal(again, first[[1, 0]])


def test_similar_questions_with_answers_that_disagree_are_grouped(workspace: Workspace) -> None:
    begin = now_ms() - DAY
    long = "How long does the rye bread have to rest before it goes into the oven"

    def ask(question: str, answer: str, **values: Any) -> None:
        nonlocal begin
        begin += 1000
        add_asks(workspace, 1, begin, question=question, answer=answer, **values)

    ask(f"{long}?", "It rests 12 hours [1].")
    ask(f"{long}?", "It rests 10 hours [2].", model="other")
    ask(f"{long} today?", "It rests 12 hours [1].")
    ask("What is the price of the large tide table for 2031?", "It costs 9 euros.")
    ask("What is the price of the large tide table for 2032?", "It costs 11 euros.")
    ask("Who wrote the book about the stars and the sea?", "Ada wrote it.")
    ask("Who wrote the book about the stars and the sea?", "I cannot say.", outcome="refused")
    ask("Where does the boat to the island leave from?", "From the north pier.")
    ask("Where does the boat to the island leave from?", "From the north pier [1].")
    groups = drive(disagreements(workspace, Scope()))
    assert [(g.reasons, len(g.members)) for g in groups] == [(("other figures",), 3), (("some refuse",), 2)]
    assert groups[0].cause == "another model"
    assert groups[1].cause == ""
    assert groups[0].members[0].created_ms > groups[0].members[-1].created_ms
    assert drive(disagreements(workspace, Scope(model="other"))) == ()


# --- regression questions -------------------------------------------------------------------------------------


@pytest.fixture
def filled(workspace: Workspace, documents: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    drive(ingest_files(workspace, "A", [documents]))
    return workspace


def says(workspace: Workspace, answer: str) -> None:
    model = workspace.loaded_model
    assert isinstance(model, ScriptedModel)
    model.answer = answer


def test_a_regression_question_says_what_is_answered_differently(filled: Workspace) -> None:
    says(filled, "Rye bread needs sourdough and 12 hours of rest [1].")
    asked = drive(answer_question(filled, Question(QUESTION, "A")))
    state = drive(add_regression_question(filled, "", trace_id=asked.trace_id))
    assert (state.collection, [q.question for q in state.questions], state.run_ms) == ("A", [QUESTION], None)
    assert "not been run" in state.sentence()
    with pytest.raises(RagError, match="already"):
        drive(add_regression_question(filled, "A", QUESTION))
    state = drive(run_regression_questions(filled, "A"))
    assert (state.questions[0].change, state.questions[0].passage_overlap, state.stale) == ("", 1.0, "")
    assert state.sentence() == "All 1 the same in the last run."
    says(filled, "Rye bread needs sourdough and 10 hours of rest [1].")
    state = drive(run_regression_questions(filled, "A"))
    assert "other figures" in (state.questions[0].change or "")
    assert state.sentence() == "1 of 1 changed in the last run."
    state = accept_answer(filled, "A", state.questions[0].id)
    assert state.questions[0].change == ""
    assert drive(run_regression_questions(filled, "A")).questions[0].change == ""
    assert count_traces(filled.database, TraceFilter(source="person")) == 1
    assert remove_regression_question(filled, "A", state.questions[0].id).questions == ()
    with pytest.raises(NotFoundError):
        remove_regression_question(filled, "A", state.questions[0].id)
    with pytest.raises(RagError, match="no regression questions"):
        drive(run_regression_questions(filled, "A"))


def test_a_change_of_documents_settings_or_model_makes_the_last_run_stale(
    filled: Workspace, tmp_path: Path
) -> None:
    state = drive(add_regression_question(filled, "A", QUESTION))
    assert stale_collections(filled) == [("A", "never run")]
    drive(run_regression_questions(filled, "A"))
    assert stale_collections(filled) == []
    version = look_up_version(filled.database, "A", "active")
    bread = next(d.id for d in list_documents(filled.database, version.id) if d.name == "bread.md")
    drive(remove_documents(filled, "A", [bread]))
    state = regression_state(filled, "A")
    assert state.stale == "The documents changed since the last run."
    assert stale_collections(filled) == [("A", state.stale)]
    filled.change_settings({"models": {"active": str(tmp_path / "other.gguf")}})
    filled.change_settings({"retrieval": {"max_passages": 2}})
    assert regression_state(filled, "A").stale == (
        "The documents, the model and the settings changed since the last run."
    )
    (run,) = drive(run_all(filled, ["A"]))
    assert run.stale == ""
    assert "passages" in (run.questions[0].change or "") or "finds nothing" in (run.questions[0].change or "")


def test_a_run_cut_short_leaves_the_last_one(filled: Workspace) -> None:
    drive(add_regression_question(filled, "A", QUESTION))
    drive(add_regression_question(filled, "A", "How high is the tide at Bremen?"))
    before = drive(run_regression_questions(filled, "A"))
    events = run_regression_questions(filled, "A")
    seen = [next(events) for _ in range(12)]
    assert all(isinstance(event, VersionProgress) and event.total == 2 for event in seen)
    events.close()
    assert regression_state(filled, "A") == before


def test_what_cannot_be_a_reference_is_refused(filled: Workspace) -> None:
    for question, said in (("  ", "is empty"),):
        with pytest.raises(RagError, match=said):
            drive(add_regression_question(filled, "A", question))
    with pytest.raises(NotFoundError):
        drive(add_regression_question(filled, "none", QUESTION))
    add_asks(filled, 1, now_ms(), status="cancelled")
    cancelled = list_traces(filled.database, TraceFilter(status="cancelled"))[0]
    with pytest.raises(RagError, match="no complete answer"):
        drive(add_regression_question(filled, "", trace_id=cancelled.id))
    with pytest.raises(NotFoundError):
        accept_answer(filled, "A", 1)
    assert regression_states(filled) == []
    assert regression_states(filled, "A") == [RegressionState("A", (), None, "")]


def test_nothing_of_an_erased_document_stays_in_the_monitors(filled: Workspace) -> None:
    sentence = "Rye bread needs sourdough and 12 hours of rest."
    says(filled, sentence + " [1]")
    drive(add_regression_question(filled, "A", QUESTION))
    drive(add_regression_question(filled, "A", f"Is this so: {sentence}"))
    drive(run_regression_questions(filled, "A"))
    add_rule(filled, {"name": "Mine", "measure": "latency", "threshold": 1.0, "note": f"It said: {sentence}"})
    set_reference(filled, "", "1d", note=sentence)
    report = drive(erase_document(filled, "A", "bread.md"))
    assert report.clean, report.found
    state = regression_state(filled, "A")
    assert [row.question for row in state.questions] == [QUESTION]
    assert rule(filled, "Mine").note == "It said: [erased]"
    says(filled, "Nobody knows.")
    again = drive(run_regression_questions(filled, "A")).questions[0]
    assert (
        again.reference_trace_id == again.trace_id
    )  # the old answer is erased: the new one is the reference
    with pytest.raises(RagError, match="erased"):
        traces = [get_trace(filled.database, t.id) for t in list_traces(filled.database, TraceFilter())]
        erased = next(trace for trace in traces if trace.answer.startswith("[erased"))
        drive(add_regression_question(filled, "", trace_id=erased.id))


# --- the file ---------------------------------------------------------------------------------------------


def test_a_file_that_is_not_upgraded_yet_reads_as_empty(tmp_path: Path) -> None:
    """The window reads before its engine has upgraded the file: it must wait, not fail."""
    assert len(STEPS) == SCHEMA
    path = tmp_path / "ragdeck.sqlite"
    Store(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute("DROP TABLE alertrule")
        raw.execute(f"PRAGMA user_version = {SCHEMA - 1}")
    raw.close()
    database = Database(path)
    assert not database.is_current()
    assert list_alerts(database) == []
    assert read_overview(database, 0).trace_count == 0
    with sqlite3.connect(path) as raw:
        raw.execute(f"PRAGMA user_version = {SCHEMA}")
    raw.close()
    Store(path).close()
    assert database.is_current()
    database.close()


# --- the command line -------------------------------------------------------------------------------------


@pytest.fixture
def cli(folder: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    """Runs `monitor ...` on the data folder; gives exit code, stdout and stderr."""

    def call(*arguments: str) -> tuple[int, str, str]:
        code = run(["monitor", *arguments, "--data", str(folder)])
        out, err = capsys.readouterr()
        return code, out, err

    yield call


def fill(folder: Path, **values: Any) -> None:
    with Workspace(folder, "a test", embedder=FakeEmbedder(), load_model=ScriptedModel().load) as workspace:
        add_asks(workspace, 30, now_ms() - DAY, **values)


def test_the_check_says_with_its_exit_code_whether_an_alert_fires(cli: Any, folder: Path) -> None:
    assert cli("--check")[0] == 0
    fill(folder, silent_failures=lambda n: '["cut off"]' if n < 5 else "[]")
    code, out, _ = cli("--check")
    assert code == 3
    assert "FIRING: Silent failures: 16.7 %, above 5 %, 30 questions" in out
    code, out, _ = cli("--check", "--json")
    assert (code, json.loads(out)["firing"]) == (3, ["Silent failures"])
    assert cli("rules", "acknowledge", "Silent failures", "--note", "known")[0] == 0
    code, out, _ = cli("--check")
    assert (code, "acknowledged: Silent failures" in out) == (0, True)
    code, out, _ = cli("silent", "--json")
    assert len(json.loads(out)) == 5
    code, _, err = cli("silent", "--kind", "sad")
    assert (code, "no silent failure" in err) == (1, True)


def test_the_check_works_while_the_window_has_the_folder(cli: Any, folder: Path) -> None:
    fill(folder, silent_failures='["cut off"]')
    code = """import sys; from pathlib import Path; from rag.workspace import Workspace
with Workspace(Path(sys.argv[1]), "the window"): print("held", flush=True); input()"""
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        answer, out, err = cli("--check")
        assert (answer, "FIRING: Silent failures" in out) == (3, True)
        assert "judged without writing" in err
        stored = {row["name"]: row["state"] for row in json.loads(cli("rules", "--json")[1])}
        assert stored["Silent failures"] == "not enough data"
        assert cli("--json")[0] == 0
        assert cli("rules", "remove", "Silent failures")[0] == 1
        holder.communicate("\n", timeout=30)


def test_rules_references_and_measures_from_the_command_line(cli: Any, folder: Path) -> None:
    fill(folder)
    code, out, _ = cli("rules", "add", "Slow", "--measure", "latency", "--threshold", "500", "--json")
    made = json.loads(out)
    assert (code, made["state"], made["threshold"]) == (0, "firing", 500.0)
    code, out, _ = cli("rules", "change", "Slow", "--threshold", "limit", "--name", "Slower", "--json")
    assert (json.loads(out)["name"], json.loads(out)["threshold"]) == ("Slower", None)
    assert cli("rules", "change", "Slower", "--off")[0] == 0
    assert "off" in cli("rules")[1]
    assert cli("rules", "change", "Slower")[0] == 1
    assert cli("rules", "add", "Bad", "--measure", "latency", "--threshold", "much")[0] == 1
    assert cli("rules", "remove", "Slower")[0] == 0
    assert "30 questions" in cli("reference", "set", "2d")[1]
    assert json.loads(cli("reference", "--json")[1])[0]["questions"] == 30
    document = json.loads(cli("--json", "--window", "20")[1])
    assert document["reference"]["collection"] == ""
    assert {m["key"] for m in document["measures"]} == {m.key for m in MEASURES.values() if m.kind != "drift"}
    assert cli("--model", "none")[0] == 1
    assert cli("--prompt", "none@1")[0] == 1
    assert cli("reference", "clear")[0] == 0
    assert json.loads(cli("drift", "--json")[1])[0]["sentence"] == "no reference period is chosen"
    assert cli("regression", "--json")[1].strip() == "[]"
    assert cli("regression", "run")[0] == 1
    assert cli("frozen", "add", "Why?")[0] == 1
