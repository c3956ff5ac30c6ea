"""The commands of the monitors: the check, rules, reference periods, measures and regression questions."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeEmbedder, ScriptedModel
from stored_traces import DAY, add_traces

from rag.cli import run
from rag.monitoring.rows import (
    MEASURES,
)
from rag.storage.store import now_ms
from rag.workspace import Workspace


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
    assert {m["key"] for m in document["measures"]} == {m.key for m in MEASURES.values() if m.kind != "drift"}
    assert cli("--model", "none")[0] == 1
    assert cli("--prompt", "none@1")[0] == 1
    assert cli("reference", "clear")[0] == 0
    assert json.loads(cli("drift", "--json")[1])[0]["sentence"] == "no reference period is chosen"
    assert cli("regression", "--json")[1].strip() == "[]"
    assert cli("regression", "run")[0] == 1
    assert cli("frozen", "add", "Why?")[0] == 1
