"""`ragdeck policies`: from a file to what it found, each as one JSON document or a refusal."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import CommandLine

RULES = """
rules:
  - name: mail
    check: personal data
    where: [question, passages]
    action: mask
    kinds: [e-mail address]
"""


@pytest.fixture
def ragdeck(folder: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(folder, capsys)


@pytest.fixture
def saved(ragdeck: CommandLine, tmp_path: Path) -> CommandLine:
    file = tmp_path / "policy.yaml"
    file.write_text(RULES, "utf-8")
    ragdeck.done("policies", "save", "Outside", file, "-m", "First")
    file.write_text(RULES.replace("mask", "refuse"), "utf-8")
    ragdeck.done("policies", "save", "Outside", file, "-m", "Harder")
    return ragdeck


def test_a_new_folder_has_no_policy_and_says_how_to_make_one(ragdeck: CommandLine) -> None:
    assert ragdeck.done("policies", "--json").document == []
    assert "policies save" in ragdeck.done("policies").out


def test_a_policy_acts_once_it_is_labelled_and_bound(saved: CommandLine) -> None:
    (row,) = saved.done("policies", "list", "--json").document
    assert (row["version_count"], row["state"]) == (2, "not live: no version has the label production")
    saved.done("policies", "label", "Outside", "production", 1, "--note", "to try")
    saved.done("policies", "bind", "Outside")
    assert "live for all collections" in saved.done("policies").out
    saved.done("policies", "unbind", "Outside")
    (row,) = saved.done("policies", "list", "--json").document
    assert row["state"] == "live in pipelines that name it"


def test_versions_are_shown_compared_and_rolled_back(saved: CommandLine) -> None:
    assert "action: refuse" in saved.done("policies", "show", "Outside").out
    assert "action: mask" in saved.done("policies", "show", "Outside@1").out
    document = saved.done("policies", "diff", "Outside", 1, 2, "--json").document
    assert document == [{"key": "mail, action", "old": "mask", "new": "refuse"}]
    assert "mask → refuse" in saved.done("policies", "diff", "Outside", 1, 2).out
    for number in (1, 2):
        saved.done("policies", "label", "Outside", "production", number)
    assert "points to version 1 again" in saved.done("policies", "roll-back", "Outside").out
    log = saved.done("policies", "log", "Outside", "--json").document
    assert [(move["from_number"], move["to_number"]) for move in log] == [(2, 1), (1, 2), (None, 1)]
    assert [v["number"] for v in saved.done("policies", "versions", "Outside", "--json").document] == [2, 1]


def test_a_text_is_tried_without_storing_anything(saved: CommandLine) -> None:
    text = "Write to bo@example.org"
    found = saved.done("policies", "try", "Outside@1", text, "--json").document
    assert found["text"] == "Write to E-mail 1"
    assert "found e-mail address" in saved.done("policies", "try", "Outside@2", text).out
    assert saved.done("policies", "results", "--json").document == []
    assert "is no place" in saved.refused("policies", "try", "Outside", text, "--place", "moon")


def test_files_go_out_and_come_back(saved: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    assert "Wrote 2 files" in saved.done("policies", "export", folder).out
    saved.done("policies", "delete", "Outside")
    found = saved.done("policies", "import", folder, "--json").document
    assert (found["versions_added"], found["problems"]) == (2, [])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("show", "Nobody"), "There is no policy named “Nobody”"),
        (("save", "x", "/no/such/file"), "cannot be read"),
        (("label", "Outside", "production", 9), "has no version 9"),
        (("review", 7, "right"), "There is no guardrail result 7"),
        (("review", 7, "perhaps"), "is no opinion"),
        (("measure", "Outside", "-c", "Nothing"), "Nothing"),
    ],
)
def test_a_wrong_command_is_refused_with_a_sentence(
    saved: CommandLine, arguments: tuple[object, ...], sentence: str
) -> None:
    assert sentence in saved.refused("policies", *arguments)
