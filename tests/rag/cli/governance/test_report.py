"""`ragdeck report`: a report on a pipeline or a period, comparing two, checking one, and the list."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from command_line import CommandLine
from evidence import copy_folder, fill_folder

from rag import cli
from rag.storage.data_folder import DATABASE
from rag.storage.database import Database


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill_folder(tmp_path_factory.mktemp("quarter"))


@pytest.fixture
def ragdeck(stored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(copy_folder(stored, tmp_path / "data"), capsys)


def test_a_report_on_a_pipeline_is_made_without_a_word_for_making(
    ragdeck: CommandLine, tmp_path: Path
) -> None:
    printed = ragdeck.done("report", "answers", "--period", "2026-Q4", "--out", tmp_path / "out")
    assert (
        re.search(r"has \d\d statements and \d gaps", printed.out)
        and "Gap: No guardrail policy is in force." in printed.out
    )
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["evidence-answers@1_2026-Q4.html", "evidence-answers@1_2026-Q4.json"]
    assert "No PDF was made" in printed.err  # nothing that prints was handed to the command line


def test_a_period_alone_is_about_everything(ragdeck: CommandLine, tmp_path: Path) -> None:
    document = ragdeck.done("report", "--period", "2026-10", "--out", tmp_path, "--no-pdf", "--json").document
    assert (document["subject"], document["period"]) == ("everything", "2026-10")
    assert "print_html" not in document and document["pages"] is None and document["pdf_path"] == ""
    assert {"key": "guardrails.none", "text": "No guardrail policy is in force."} in document["gaps"]
    assert json.loads(Path(document["json_path"]).read_text())["fingerprint"] == document["fingerprint"]


def test_what_prints_is_handed_on(ragdeck: CommandLine, tmp_path: Path) -> None:
    printed: list[tuple[str, str]] = []

    def print_pdf(html: str, title: str, path: str) -> int:
        printed.append((title, path))
        assert html.startswith("<!DOCTYPE html>")
        return 7

    arguments = ["report", "answers", "--out", str(tmp_path), "--data", str(ragdeck.folder)]
    assert cli.run(arguments, ragdeck.open, print_pdf) == 0
    assert printed == [("Evidence report: answers@1", str(tmp_path / "evidence-answers@1_everything.pdf"))]


def test_reports_are_listed_compared_and_checked(ragdeck: CommandLine, tmp_path: Path) -> None:
    assert "No report was made yet" in ragdeck.done("report", "list").out
    first = ragdeck.done("report", "answers", "-p", "2026-Q4", "-o", tmp_path / "a", "--json").document
    with ragdeck.open() as workspace, workspace.store.session() as session:
        session.connection().exec_driver_sql("UPDATE evaluationgate SET passed = 1")
    second = ragdeck.done("report", "answers", "-p", "2026-Q4", "-o", tmp_path / "b", "--json").document
    files = [row["path"] for row in ragdeck.done("report", "list", "--json").document]
    assert files == [second["json_path"], first["json_path"]]

    document = CommandLineWithoutData(ragdeck)("report", "compare", *reversed(files), "--json")
    assert [(one["kind"], one["section"]) for one in document["differences"]] == [("better", "Gates")]

    checked = ragdeck("report", "check", first["json_path"], "--json")
    assert checked.code == 3 and [key for key, _ in checked.document["changed"]] == ["evaluationgate:1"]
    assert ragdeck("report", "check", second["json_path"]).code == 0
    assert "gate decision 1" in ragdeck("report", "check", first["json_path"]).out


class CommandLineWithoutData:
    """Runs a command that opens no data folder."""

    def __init__(self, ragdeck: CommandLine) -> None:
        self._ragdeck = ragdeck

    def __call__(self, *arguments: str) -> dict[str, list[dict[str, str]]]:
        self._ragdeck._capsys.readouterr()
        assert cli.run(list(arguments)) == 0
        return dict(json.loads(self._ragdeck._capsys.readouterr().out))


def test_two_reports_that_say_the_same(
    ragdeck: CommandLine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [
        ragdeck.done("report", "-p", "2026-Q4", "-o", tmp_path / name, "--json").document["json_path"]
        for name in ("a", "b")
    ]
    assert cli.run(["report", "compare", *paths]) == 0
    assert capsys.readouterr().out.strip() == "Both reports say the same."


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nothing",), "There is no pipeline named “nothing”"),
        (("--period", "yesterday"), "“yesterday” is not a period"),
        (("check", "missing.json"), "missing.json cannot be read"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(
    ragdeck: CommandLine, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    printed = ragdeck("report", *arguments)
    assert printed.code == 1 and sentence in printed.err
    assert not Database(ragdeck.folder / DATABASE).cells(
        "SELECT 1 FROM auditevent WHERE action = 'evidence report made'"
    )


def test_the_group_explains_itself(ragdeck: CommandLine, capsys: pytest.CaptureFixture[str]) -> None:
    cli.run(["report", "--help"])
    text = capsys.readouterr().out
    assert all(word in text for word in ("make", "compare", "check", "list"))


@pytest.mark.parametrize(
    ("arguments", "subject"),
    [
        ((), "everything"),
        (("answers",), "answers@1"),
        (("answers@production",), "answers@1"),
        (("make",), "everything"),
        (("make", "answers@1"), "answers@1"),
        (("--period", "2026-Q4"), "everything"),
    ],
)
def test_the_word_for_making_may_be_left_out(
    ragdeck: CommandLine, tmp_path: Path, arguments: tuple[str, ...], subject: str
) -> None:
    document = ragdeck.done("report", *arguments, "--out", tmp_path, "--no-pdf", "--json").document
    assert document["subject"] == subject
    assert [row["subject"] for row in ragdeck.done("report", "list", "--json").document] == [subject]


@pytest.mark.parametrize("name", ["list", "check", "compare", "make"])
def test_a_pipeline_that_is_called_like_a_command_has_reports_as_well(
    ragdeck: CommandLine, tmp_path: Path, name: str
) -> None:
    with ragdeck.open() as workspace, workspace.store.session() as session:
        session.connection().exec_driver_sql("UPDATE pipeline SET name = ?", (name,))
    document = ragdeck.done("report", "make", name, "--out", tmp_path, "--no-pdf", "--json").document
    assert document["subject"] == f"{name}@1"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("answers@9",), "The pipeline “answers” has no version or label “9”."),
        (("--period", "2026-03..2026-01"), "ends before it begins"),
        (("check", "."), "cannot be read"),
        (("--out", "/proc/nothing/here"), "cannot be written to"),
    ],
)
def test_refusals_are_one_sentence(ragdeck: CommandLine, arguments: tuple[str, ...], sentence: str) -> None:
    assert sentence in ragdeck.refused("report", *arguments)


def test_reports_are_listed_with_when_and_about_what(ragdeck: CommandLine, tmp_path: Path) -> None:
    made = ragdeck.done("report", "answers", "-p", "2026-q4", "-o", tmp_path, "--no-pdf", "--json").document
    (row,) = ragdeck.done("report", "list", "--json").document
    assert (row["subject"], row["period"], row["path"]) == ("answers@1", "2026-Q4", made["json_path"])
    said = " ".join(ragdeck.done("report", "list").out.split())
    assert "answers@1" in said and "2026-Q4" in said and made["fingerprint"][:12] in said


@pytest.mark.parametrize(
    ("change", "code", "sentence"),
    [
        ("SELECT 1", 0, "are stored as they were when it was made."),
        ("DELETE FROM erasure", 3, "0 have changed and 1 are gone."),
        ("UPDATE rollout SET outcome = 'x'", 3, "1 have changed and 0 are gone."),
    ],
)
def test_a_check_ends_with_3_when_something_is_not_as_it_was(
    ragdeck: CommandLine, tmp_path: Path, change: str, code: int, sentence: str
) -> None:
    path = ragdeck.done("report", "-p", "2026-Q4", "-o", tmp_path, "--no-pdf", "--json").document["json_path"]
    with ragdeck.open() as workspace, workspace.store.session() as session:
        session.connection().exec_driver_sql(change)
    checked = ragdeck("report", "check", path, "--json")
    assert checked.code == code and checked.document["sentence"].endswith(sentence)
    assert ragdeck("report", "check", path).err.strip().endswith(sentence)


def test_a_comparison_warns_of_reports_on_other_things(
    ragdeck: CommandLine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [
        ragdeck.done("report", *about, "-o", tmp_path / str(number), "--no-pdf", "--json").document[
            "json_path"
        ]
        for number, about in enumerate((("answers",), ("--period", "2026-Q4")))
    ]
    capsys.readouterr()
    assert cli.run(["report", "compare", *paths]) == 0
    printed = capsys.readouterr()
    assert "The first report is about answers@1, the second about everything." in " ".join(
        printed.err.split()
    )
    assert "Change" in printed.out and "Section" in printed.out
