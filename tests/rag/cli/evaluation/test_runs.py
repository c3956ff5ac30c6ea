"""The commands of evaluation: exit codes, files for CI, pipelines and labels."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from command_line import CommandLine
from fakes import FakeEmbedder, ScriptedModel, drive

from rag import cli
from rag.errors import RagError
from rag.evaluation.cases import Case
from rag.evaluation.sets import change_set, create_set
from rag.knowledge.ingest import ingest_files
from rag.workspace import Workspace


def open_with_fakes(folder: Path, purpose: str) -> Workspace:
    """Open a data folder with a model that always says the same."""
    return Workspace(folder, purpose, embedder=FakeEmbedder(), load_model=ScriptedModel("Sourdough").load)


@pytest.fixture
def data(folder: Path, documents: Path) -> str:
    """A data folder with a set."""
    with open_with_fakes(folder, "a test") as workspace:
        drive(ingest_files(workspace, "A", [documents]))
        create_set(workspace, "S")
        cases = [
            Case(key=f"c{n}", question=f"What does rye bread need, case {n}?", references=("sourdough",))
            for n in range(7)
        ]
        change_set(workspace, "S", put=cases)
    return str(folder)


def run(data: str, *arguments: str) -> int:
    return cli.run([*arguments, "--data", data], open_with_fakes)


def gate(tmp_path: Path, text: str) -> str:
    path = tmp_path / "gate.yaml"
    path.write_text(text, "utf-8")
    return str(path)


def test_a_gate_decides_the_exit_code_and_writes_what_ci_reads(
    data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(data, "pipelines", "save", "P", "-c", "A") == 0
    good = gate(tmp_path, "floors: {exact_match: 0.9}\nerrors: {at_most: 0}\n")
    report, junit = tmp_path / "out" / "report.json", tmp_path / "out" / "junit.xml"
    capsys.readouterr()
    assert (
        run(
            data,
            "evaluate",
            "S",
            "-p",
            "P",
            "--gate",
            good,
            "--json-file",
            str(report),
            "--junit",
            str(junit),
        )
        == 0
    )
    printed = capsys.readouterr()
    assert "Exact match" in printed.out and "passes all 2 rules" in printed.out
    assert "P 1: 0 of 7" in printed.err
    document = json.loads(report.read_text("utf-8"))
    assert document["gates"][0]["passed"] and document["runs"][0]["status"] == "done"
    assert ElementTree.parse(junit).getroot().attrib["failures"] == "0"
    bad = gate(tmp_path, "floors: {exact_match: {at_most: 0.5}}\n")
    assert run(data, "evaluate", "S", "-p", "P", "--gate", bad, "--junit", str(junit)) == 3
    assert "FAILED" in capsys.readouterr().out
    assert ElementTree.parse(junit).getroot().attrib["failures"] == "1"
    assert run(data, "evaluate", "S", "-p", "nobody", "--gate", bad) == 1
    assert run(data, "evaluate", "T", "-p", "P") == 1
    assert run(data, "evaluate", "S", "-p", "P", "--junit", str(junit)) == 1
    assert run(data, "evaluate", "S", "-p", "P", "--gate", gate(tmp_path, "floors: {nonsense: 1}")) == 1
    assert run(data, "evaluate", "S") == 2


class Failing(ScriptedModel):
    """A model that fails for questions about the case c0, or for all."""

    def __init__(self, every: bool = False) -> None:
        super().__init__("Sourdough")
        self.every = every

    def generate(self, tokens: list[int], settings: Any) -> Any:
        if self.every or "case 0" in self.prompts[-1]:
            raise RagError("The model gave up.")
        return super().generate(tokens, settings)


@pytest.mark.parametrize(("every", "strict", "code"), [(False, False, 0), (False, True, 1), (True, False, 1)])
def test_cases_that_errored_are_told_and_make_the_exit_code(
    data: str, capsys: pytest.CaptureFixture[str], every: bool, strict: bool, code: int
) -> None:
    def open_failing(folder: Path, purpose: str) -> Workspace:
        return Workspace(folder, purpose, embedder=FakeEmbedder(), load_model=Failing(every).load)

    run(data, "pipelines", "save", "P", "-c", "A")
    options = ["--strict"] * strict
    capsys.readouterr()
    assert cli.run(["evaluate", "S", "-p", "P", *options, "--data", data], open_failing) == code
    count = 7 if every else 1
    told = capsys.readouterr().err
    assert f"{count} of 7 cases ended in an error or a timeout: The model gave up (c0" in told


def test_a_gate_of_floors_alone_fails_when_cases_errored(
    data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def open_failing(folder: Path, purpose: str) -> Workspace:
        return Workspace(folder, purpose, embedder=FakeEmbedder(), load_model=Failing().load)

    run(data, "pipelines", "save", "P", "-c", "A")
    floors, junit = gate(tmp_path, "floors: {exact_match: 0.5}\n"), tmp_path / "junit.xml"
    arguments = ["evaluate", "S", "-p", "P", "--gate", floors, "--junit", str(junit), "--data", data]
    capsys.readouterr()
    assert cli.run(arguments, open_failing) == 3
    printed = capsys.readouterr().out
    assert "1 over 6 of 7 cases; without 1 case that should have one: c0 (error)" in printed
    assert "1 of 7 cases did: c0" in printed
    root = ElementTree.parse(junit).getroot()
    cases = {case.get("name"): case for case in root[1]}
    assert len(cases) == 7 and root.get("errors") == "1"
    errored = cases["c0: What does rye bread need, case 0?"]
    error = errored.find("error")
    assert error is not None and error.get("message") == "The model gave up."
    assert errored.find("failure") is None


def test_an_edited_case_fails_a_gate_with_a_baseline_unless_it_is_allowed(
    data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(data, "pipelines", "save", "P", "-c", "A")
    run(data, "evaluate", "S", "-p", "P", "--tag", "baseline")
    with open_with_fakes(Path(data), "a test") as workspace:
        change_set(workspace, "S", put=[Case(key="c0", question="Another question?", references=("rest",))])
    drop = gate(tmp_path, "drops: {exact_match: 0.1}\n")
    arguments = ["evaluate", "S", "-p", "P", "--baseline", "baseline", "--gate", drop]
    capsys.readouterr()
    assert run(data, *arguments) == 3
    printed = " ".join(capsys.readouterr().out.split())
    assert "1 case has changed and cannot be compared: c0" in printed
    assert "over 6 of 7 cases" in printed and "1 case was edited and is left out" in printed
    assert run(data, *arguments, "--allow-changed") == 0
    assert run(data, "runs", "gate", "2", "--gate", drop, "--baseline", "1") == 3
    assert run(data, "runs", "gate", "2", "--gate", drop, "--baseline", "1", "--allow-changed") == 0


def test_runs_are_listed_compared_tagged_and_gated(
    data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(data, "pipelines", "save", "P", "-c", "A")
    run(data, "pipelines", "save", "R", "-c", "A", "--kind", "retrieval")
    assert run(data, "evaluate", "S", "-p", "P", "--tag", "baseline", "--parallel", "1") == 0
    drop = gate(tmp_path, "drops: {exact_match: {allowed: 0.1, must_prove: true}}\n")
    assert run(data, "evaluate", "S", "-p", "P", "--baseline", "baseline", "--gate", drop) == 0
    assert run(data, "runs", "gate", "2", "--gate", drop) == 3  # no baseline: it cannot be decided
    capsys.readouterr()
    assert run(data, "runs", "list", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["id"], row["tags"]) for row in rows] == [(2, []), (1, ["baseline"])]
    assert run(data, "runs", "show", "baseline", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["results"]) == 7
    assert run(data, "runs", "compare", "baseline", "2", "--json") == 0
    assert json.loads(capsys.readouterr().out)["runs"][1]["id"] == 2
    assert run(data, "runs", "compare", "1", "2") == 0
    assert run(data, "runs", "verdict", "1", "c0", "--right") == 0
    assert run(data, "runs", "tag", "2", "baseline") == 0
    assert run(data, "runs", "rename", "2", "second") == 0
    assert run(data, "runs", "resume", "2") == 1
    assert run(data, "runs", "delete", "1") == 0
    assert run(data, "runs", "show", "1") == 1
    assert run(data, "evaluate", "S", "-p", "R", "-p", "P") == 0


def test_a_comparison_begins_with_the_verdict_and_explains_each_case(
    data: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(data, "pipelines", "save", "P", "-c", "A")
    run(data, "evaluate", "S", "-p", "P")

    def worse(folder: Path, purpose: str) -> Workspace:
        """Open the folder with a model that knows nothing of bread."""
        return Workspace(folder, purpose, embedder=FakeEmbedder(), load_model=ScriptedModel("Patience").load)

    assert cli.run(["evaluate", "S", "-p", "P", "--seed", "1", "--data", data], worse) == 0
    capsys.readouterr()
    assert run(data, "runs", "compare", "1", "2") == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert printed.startswith("Worse: run 2 (P 1) against run 1 (P 1) is worse on Exact match (−1.00)")
    assert "Run 1: 7 ran." in printed and "7 ok" not in printed
    assert "right answer: sourdough" in printed
    assert "why it changed: right before, ran now" in printed and "the answer differs" in printed
    assert run(data, "runs", "compare", "2", "1", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    (verdict,) = document["verdicts"]
    assert (verdict["run_id"], verdict["change"]) == (1, "better"), "the first run named is the baseline"
    case = document["cases"][0]
    assert [answer["mark"] for answer in case["answers"]] == ["ran", "right"]
    assert case["references"] == ["sourdough"] and case["reasons"][0].startswith("ran before, right now")
    assert run(data, "runs", "show", "1") == 0
    shown = capsys.readouterr().out
    assert "ran" in shown and "Cannot tell" not in shown


# --- what cannot be, on a folder without runs -------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("runs", "show", "99"), "There is no run 99. Run `ragdeck runs list` to see all runs."),
        (("runs", "show", "best"), "No run has the tag “best”. Run `ragdeck runs tag RUN best` to tag one."),
        (("runs", "compare", "1", "2"), "There is no run 1."),
        (("runs", "tag", "1", "good"), "There is no run 1."),
        (("runs", "rename", "1", "x"), "There is no run 1."),
        (("runs", "resume", "1"), "There is no run 1."),
        (("runs", "delete", "1"), "There is no run 1."),
        (("runs", "verdict", "1", "c0", "--right"), "There is no run 1."),
        (("runs", "gate", "1", "--gate", "/nowhere.yaml"), "/nowhere.yaml cannot be read"),
        (("evaluate", "S", "-p", "P", "--gate", "/nowhere.yaml"), "/nowhere.yaml cannot be read"),
        (("evaluate", "S", "-p", "P", "--junit", "x.xml"), "--junit writes the decision of a gate."),
        (("evaluate", "S", "-p", "P", "--baseline", "best"), "“best”"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_not_there_is_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], sentence: str
) -> None:
    assert sentence in CommandLine(folder, capsys).refused(*arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ("evaluate", "S"),
        ("evaluate", "-p", "P"),
        ("evaluate", "S", "-p", "P", "--repeats", "0"),
        ("evaluate", "S", "-p", "P", "--parallel", "0"),
        ("evaluate", "S", "-p", "P", "--seed", "x"),
        ("runs", "compare", "1", "2", "--cases", "-1"),
        ("runs", "gate", "1"),
        ("runs", "tag", "1"),
    ],
    ids=" ".join,
)
def test_a_missing_word_or_a_number_out_of_range_is_wrong_usage(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    printed = CommandLine(folder, capsys)(*arguments)
    assert (printed.code, printed.out) == (2, "") and "--help" in printed.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "There are no runs yet. Run `ragdeck evaluate SET --pipeline NAME` to make one."),
        (("--set", "S"), "No run matches."),
        (("--pipeline", "P"), "No run matches."),
        (("--tag", "baseline"), "No run matches."),
    ],
)
def test_a_filter_that_matches_no_run_does_not_say_that_there_are_none(
    folder: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
) -> None:
    printed = CommandLine(folder, capsys).done("runs", "list", *options).out
    assert " ".join(printed.split()) == said


def test_a_run_is_named_tagged_and_judged_in_sentences(data: str, capsys: pytest.CaptureFixture[str]) -> None:
    ragdeck = CommandLine(Path(data), capsys)
    ragdeck.done("pipelines", "save", "P", "-c", "A")
    ragdeck.done("evaluate", "S", "-p", "P", "--name", "[b]first", "--tag", "baseline")
    assert "\t[b]first: S · P 1\t7 of 7\t\tbaseline" in ragdeck.done("runs", "list", "--plain").out
    steps = [
        (("tag", "1", "good"), "Run 1 now has the tag good."),
        (("tag", "good", "good", "--remove"), "Run 1 no longer has the tag good."),
        (("rename", "baseline", "[i]second"), "Run 1 is now called [i]second."),
        (("verdict", "1", "c0", "--right"), "Saved. The judge agrees with people on 0 of 0 answers."),
        (("verdict", "1", "c0"), "Saved. The judge agrees with people on 0 of 0 answers."),
    ]
    for arguments, said in steps:
        assert ragdeck.done("runs", *arguments).out.strip() == said
    for refused, sentence in (
        (("tag", "1", "good", "--remove"), "Run 1 has no tag “good”."),
        (("tag", "1", "12"), "A tag is a word of at most 60 characters and not a number"),
        (("tag", "1", ""), "A tag is a word of at most 60 characters"),
        (("rename", "1", ""), "A run needs a name of at most 200 characters."),
        (("verdict", "1", "nobody", "--right"), "Run 1 has no answer to the case nobody."),
        (("resume", "1"), "Run 1 is done. Start a new one to ask again."),
    ):
        assert sentence in ragdeck.refused("runs", *refused)
    assert ragdeck.done("runs", "delete", "1").out == "Deleted run 1 with 7 answers.\n"
