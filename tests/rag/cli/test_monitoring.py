"""`ragdeck monitor`: measures, the check with its exit code, rules, the reference period, drift, regression questions."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import CommandLine
from fakes import FakeEmbedder, ScriptedModel, drive
from stored_traces import DAY, add_traces

from rag.asking.answer import answer_question
from rag.asking.rows import Question
from rag.cli import run
from rag.knowledge.ingest import ingest_files
from rag.monitoring.rows import MEASURES
from rag.storage.store import now_ms
from rag.storage.tables.traces import Trace
from rag.workspace import Workspace

QUESTION = "What does rye bread need?"
HOUR = 3_600_000
FIRING = 3


@pytest.fixture
def ragdeck(folder: Path, documents: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    made = CommandLine(folder, capsys)
    with made.open() as workspace:
        drive(ingest_files(workspace, "A", [documents]))
    return made


def ask(ragdeck: CommandLine, question: str = QUESTION) -> str:
    with ragdeck.open() as workspace:
        return str(drive(answer_question(workspace, Question(question, "A"))).trace_id)


def store(
    ragdeck: CommandLine, count: int, hours_ago: float, flagged: int = 0, latency_ms: float = 900
) -> None:
    """Write questions that were answered some hours ago, the first `flagged` of them with a flag."""
    end = int(time.time() * 1000 - hours_ago * HOUR)
    with ragdeck.open() as workspace, workspace.store.session() as session:
        for number in range(count):
            session.add(
                Trace(
                    id=f"{hours_ago:.0f}-{number}", created_ms=end - 1000 * number, question=f"Question {number}?",
                    answer="An answer of some words.", status="done", source="person", collection="A",
                    session_id="s", collection_id=1, model="scripted", outcome="answered", claim_count=1,
                    flag_count=int(number < flagged), total_ms=latency_ms, silent_failures="[]",
                )
            )  # fmt: skip


@pytest.fixture
def watched(ragdeck: CommandLine) -> CommandLine:
    """A calm week as the reference, and 50 questions of now of which 40 are flagged."""
    store(ragdeck, 200, 100, flagged=4)
    store(ragdeck, 50, 0, flagged=40)
    ragdeck.done("monitor", "reference", "set", "20d", "2d", "--note", "calm")
    return ragdeck


def measures(ragdeck: CommandLine, *options: object) -> dict[str, dict[str, Any]]:
    document = ragdeck.done("monitor", "--json", *options).document
    return {measure["key"]: measure for measure in document["measures"]}


def test_measures_of_nothing_have_no_value(ragdeck: CommandLine) -> None:
    found = measures(ragdeck)
    assert found["flag_rate"]["count"] == 0 and found["flag_rate"]["value"] is None
    assert ragdeck.done("monitor", "--json").document["reference"] is None
    assert "reference" in ragdeck.done("monitor").out


def test_measures_are_told_with_their_limits_and_what_is_outside(watched: CommandLine) -> None:
    flags = measures(watched)["flag_rate"]
    assert (flags["value"], flags["count"], flags["outside"]) == (0.8, 50, True)
    assert flags["high"] < 0.8
    assert flags["interval"][0] < 0.8 < flags["interval"][1]
    latency = measures(watched)["latency"]
    assert latency["outside"] is False
    assert "Reference period" in watched.done("monitor").out


def test_measures_of_a_smaller_window_count_fewer(watched: CommandLine) -> None:
    assert measures(watched, "--window", 20)["flag_rate"]["count"] == 20


def test_a_name_that_nothing_has_is_refused(watched: CommandLine) -> None:
    """A typing error must not read as “no questions”."""
    assert "“B”" in watched.refused("monitor", "-c", "B")
    assert "scripted" in watched.refused("monitor", "--model", "other"), "it names the models there are"
    watched.refused("monitor", "--prompt", "none@1")


def test_scopes_are_by_collection_model_and_prompt(ragdeck: CommandLine) -> None:
    ask(ragdeck)
    row = ragdeck.done("traces", "list", "--json").document[0]
    assert measures(ragdeck, "-c", "A")["flag_rate"]["count"] == 1
    assert measures(ragdeck, "--model", row["model"])["flag_rate"]["count"] == 1
    assert measures(ragdeck, "--prompt", "default@1")["flag_rate"]["count"] == 1


def test_the_check_exits_with_3_when_a_rule_fires_and_names_it(watched: CommandLine) -> None:
    printed = watched("monitor", "--check", "--json")
    assert printed.code == FIRING
    assert "More flagged answers" in printed.document["firing"]
    assert "Slower answers" not in printed.document["firing"]
    printed = watched("monitor", "--check")
    assert printed.code == FIRING
    assert "FIRING: More flagged answers" in printed.out


def test_the_check_passes_where_nothing_fires(ragdeck: CommandLine) -> None:
    assert ragdeck.done("monitor", "--check", "--json").document["firing"] == []


def test_an_acknowledged_alert_fails_no_check(watched: CommandLine) -> None:
    firing = watched("monitor", "--check", "--json").document["firing"]
    for name in firing:
        row = watched.done("monitor", "rules", "acknowledge", name, "--note", "known", "--json").document
        assert (row["state"], row["acknowledged"]) == ("acknowledged", "known")
    assert watched.done("monitor", "--check", "--json").document["firing"] == []
    assert "known" in watched.done("monitor", "--check").out


def test_rules_are_listed_added_changed_and_removed(ragdeck: CommandLine) -> None:
    before = len(ragdeck.done("monitor", "rules", "--json").document)
    added = ragdeck.done(
        "monitor", "rules", "add", "Too slow", "--measure", "latency", "--comparison", "above", "--threshold", 500,
        "--window", 20, "--minimum", 5, "--note", "people wait", "--json",
    ).document  # fmt: skip
    assert (added["measure"], added["threshold"], added["window"], added["minimum"]) == (
        "latency",
        500,
        20,
        5,
    )
    changed = ragdeck.done(
        "monitor", "rules", "change", "Too slow", "--threshold", "limit", "--name", "Slow", "--off", "--json"
    ).document
    assert (changed["name"], changed["threshold"], changed["enabled"]) == ("Slow", None, False)
    names = [row["name"] for row in ragdeck.done("monitor", "rules", "list", "--json").document]
    assert len(names) == before + 1 and "Slow" in names
    assert "Slow" in ragdeck.done("monitor", "rules").out
    ragdeck.done("monitor", "rules", "remove", "Slow")
    assert len(ragdeck.done("monitor", "rules", "--json").document) == before


def test_a_rule_of_ones_own_fires(ragdeck: CommandLine) -> None:
    store(ragdeck, 10, 0, latency_ms=2000)
    ragdeck.done(
        "monitor", "rules", "add", "Too slow", "--measure", "latency", "--comparison", "above",
        "--threshold", 1000, "--window", 10, "--minimum", 5,
    )  # fmt: skip
    assert ragdeck("monitor", "--check", "--json").document["firing"] == ["Too slow"]


@pytest.mark.parametrize(
    "options",
    [
        ("add", "R", "--measure", "nonsense"),
        ("add", "R", "--measure", "latency", "--threshold", "much"),
        ("add", "More refusals", "--measure", "latency"),
        ("add", "R", "--measure", "latency", "-c", "B"),
        ("change", "none", "--threshold", 1),
        ("change", "More refusals"),
        ("change", "More refusals", "--comparison", "sideways"),
        ("remove", "none"),
        ("acknowledge", "none", "--note", "x"),
        ("acknowledge", "More refusals", "--note", "it does not fire"),
    ],
    ids=lambda options: " ".join(map(str, options)),
)
def test_rules_that_cannot_be_are_refused(ragdeck: CommandLine, options: tuple[object, ...]) -> None:
    before = ragdeck.done("monitor", "rules", "--json").document
    ragdeck.refused("monitor", "rules", *options)
    assert ragdeck.done("monitor", "rules", "--json").document == before


def test_the_reference_period_is_set_shown_and_cleared(ragdeck: CommandLine) -> None:
    store(ragdeck, 30, 100)
    assert "30" in ragdeck.done("monitor", "reference", "set", "20d", "2d", "-c", "A", "--note", "calm").out
    (row,) = ragdeck.done("monitor", "reference", "--json").document
    assert (row["collection"], row["note"]) == ("A", "calm")
    assert row["end_ms"] - row["start_ms"] == 18 * 24 * HOUR
    assert "calm" in ragdeck.done("monitor", "reference", "show").out
    ragdeck.done("monitor", "reference", "clear", "-c", "A")
    assert ragdeck.done("monitor", "reference", "--json").document == []


def test_a_reference_period_of_few_questions_says_so(ragdeck: CommandLine) -> None:
    store(ragdeck, 5, 100)
    assert "too few" in ragdeck.done("monitor", "reference", "set", "20d", "2d").out


@pytest.mark.parametrize("period", [("yesterday",), ("2d", "20d"), ("2026-13-01",)])
def test_a_period_that_cannot_be_is_refused(ragdeck: CommandLine, period: tuple[str, ...]) -> None:
    ragdeck.refused("monitor", "reference", "set", *period)
    assert ragdeck.done("monitor", "reference", "--json").document == []


def test_drift_needs_a_reference_period(ragdeck: CommandLine) -> None:
    results = ragdeck.done("monitor", "drift", "--json").document
    assert {result["p"] for result in results} == {None}
    assert "reference period" in ragdeck.done("monitor", "drift").out


def test_questions_of_another_kind_are_drift(ragdeck: CommandLine) -> None:
    store(ragdeck, 60, 100)
    ragdeck.done("monitor", "reference", "set", "20d", "2d")
    with ragdeck.open() as workspace, workspace.store.session() as session:
        for number in range(60):
            session.add(
                Trace(
                    id=f"new-{number}", created_ms=int(time.time() * 1000) - 1000 * number, collection="A",
                    question=f"Wherefore zebra giraffe number {number * 7} savannah", answer="Well.", status="done",
                    source="person", session_id="s", collection_id=1, model="scripted", outcome="answered", silent_failures="[]",
                )
            )  # fmt: skip
    questions = next(
        r for r in ragdeck.done("monitor", "drift", "--json").document if "question" in r["what"]
    )
    assert questions["p"] < 0.01
    assert any("zebra" in new["question"] for new in questions["least_alike"])
    assert "zebra" in ragdeck.done("monitor", "drift").out


def test_the_same_question_answered_differently_is_a_disagreement(ragdeck: CommandLine) -> None:
    ask(ragdeck)
    assert ragdeck.done("monitor", "disagreements", "--json").document == []
    assert ragdeck.done("monitor", "disagreements").out.strip()
    ragdeck.model.answer = "It needs 40 grams of salt [1]."
    ask(ragdeck)
    (group,) = ragdeck.done("monitor", "disagreements", "--json").document
    assert group["question"] == QUESTION
    assert len(group["members"]) == 2
    assert "40 grams" in " ".join(ragdeck.done("monitor", "disagreements").out.split())


def test_silent_failures_are_listed_by_kind(ragdeck: CommandLine) -> None:
    ask(ragdeck)
    assert ragdeck.done("monitor", "silent", "--json").document == []
    ragdeck.model.answer = "Bread and salt. " * 30
    trace = ask(ragdeck)
    rows = ragdeck.done("monitor", "silent", "--json").document
    assert [row["id"] for row in rows] == [trace]
    assert "repeated text" in rows[0]["silent_failures"]
    assert ragdeck.done("monitor", "silent", "--kind", "repeated text", "--json").document == rows
    assert ragdeck.done("monitor", "silent", "--kind", "empty answer", "--json").document == []
    assert trace[:8] in ragdeck.done("monitor", "silent").out
    assert "repeated text" in ragdeck.refused("monitor", "silent", "--kind", "nonsense")


# --- the check, on stored traces ---------------------------------------------------------------------------


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
        add_traces(workspace, 30, now_ms() - DAY, **values)


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
        assert "judged without storing" in err
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
    measured = {m.key for m in MEASURES.values() if m.kind not in ("drift", "change")}
    assert {m["key"] for m in document["measures"]} == measured
    assert cli("--model", "none")[0] == 1
    assert cli("--prompt", "none@1")[0] == 1
    assert cli("reference", "clear")[0] == 0
    assert json.loads(cli("drift", "--json")[1])[0]["sentence"] == "no reference period is chosen"
    assert cli("regression", "--json")[1].strip() == "[]"
    assert cli("regression", "run")[0] == 1
    assert cli("frozen", "add", "Why?")[0] == 1
