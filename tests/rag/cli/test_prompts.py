"""`ragdeck prompts`: versions, labels, and a folder of files, each as one JSON document or a refusal."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import CommandLine


@pytest.fixture
def ragdeck(folder: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(folder, capsys)


def template(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


@pytest.fixture
def saved(ragdeck: CommandLine, tmp_path: Path) -> CommandLine:
    """Two versions of the prompt qa, the first of them labelled staging."""
    user = template(tmp_path / "user.txt", "{{ question }}\n{% for p in passages %}{{ p.text }}{% endfor %}")
    system = template(tmp_path / "system.txt", "Answer from the passages.")
    ragdeck.done("prompts", "save", "qa", "--user", user, "--system", system, "-m", "First")
    template(system, "Answer from the passages only.")
    ragdeck.done("prompts", "save", "qa", "--user", user, "--system", system, "-m", "Stricter")
    ragdeck.done("prompts", "label", "qa", "staging", 1, "--note", "to try", "--author", "Ann")
    return ragdeck


def test_a_new_data_folder_lists_the_prompt_that_answers(ragdeck: CommandLine) -> None:
    (row,) = ragdeck.done("prompts", "--json").document
    assert (row["name"], row["version_count"], row["labels"]) == ("default", 1, {"production": 1})
    assert "default" in ragdeck.done("prompts").out


def test_saving_makes_numbered_versions_and_moves_no_label(saved: CommandLine) -> None:
    rows = saved.done("prompts", "versions", "qa", "--json").document
    assert [(row["number"], row["message"], row["labels"]) for row in rows] == [
        (2, "Stricter", []),
        (1, "First", ["staging"]),
    ]
    assert rows[0]["variables"] == ["passages", "question"]
    assert "Stricter" in saved.done("prompts", "versions", "qa").out


def test_saving_the_same_text_again_makes_no_version(saved: CommandLine, tmp_path: Path) -> None:
    again = saved.done(
        "prompts",
        "save",
        "qa",
        "--user",
        tmp_path / "user.txt",
        "--system",
        tmp_path / "system.txt",
        "--json",
    ).document
    assert again["number"] == 2


@pytest.mark.parametrize(
    ("version", "number"), [("", 2), ("1", 1), ("staging", 1)], ids=["newest", "number", "label"]
)
def test_a_version_is_shown_by_number_or_label(saved: CommandLine, version: str, number: int) -> None:
    chosen = ("--version", version) if version else ()
    shown = saved.done("prompts", "show", "qa", *chosen, "--json").document
    assert shown["number"] == number
    printed = saved.done("prompts", "show", "qa", *chosen).out
    assert "Answer from the passages" in printed and "question" in printed


def test_what_is_not_there_is_refused(saved: CommandLine) -> None:
    assert "no version 9" in saved.refused("prompts", "show", "qa", "--version", "9")
    assert "no prompt named “none”" in saved.refused("prompts", "versions", "none")
    assert "no version 7" in saved.refused("prompts", "diff", "qa", 1, 7)
    assert "“none”" in saved.refused("prompts", "delete", "none")
    assert "“gone”" in saved.refused("prompts", "unlabel", "qa", "gone")


def test_a_template_that_is_none_is_refused_and_makes_no_version(saved: CommandLine, tmp_path: Path) -> None:
    saved.refused("prompts", "save", "qa", "--user", template(tmp_path / "bad.txt", "{{ question"))
    saved.refused("prompts", "save", "qa", "--user", template(tmp_path / "empty.txt", "  \n"))
    assert len(saved.done("prompts", "versions", "qa", "--json").document) == 2


@pytest.mark.parametrize("content", [None, b"\xff\xfe\xfa{{ question }}"], ids=["missing", "not UTF-8"])
def test_a_file_that_cannot_be_read_is_named(
    ragdeck: CommandLine, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "user.txt"
    if content is not None:
        path.write_bytes(content)
    assert "user.txt" in ragdeck.refused("prompts", "save", "qa", "--user", path)


def test_the_words_that_changed_are_shown(saved: CommandLine) -> None:
    document = saved.done("prompts", "diff", "qa", 1, 2, "--json").document
    assert (document["old"], document["new"]) == (1, 2)
    changed = [part for part in document["system"] if part[0] != "equal"]
    assert "only" in "".join(after for _, _, after in changed)
    assert all(part[0] == "equal" for part in document["user"])
    assert "only" in saved.done("prompts", "diff", "qa", 1, 2).out


def test_a_label_moves_goes_back_and_is_taken_away_with_a_log(saved: CommandLine) -> None:
    saved.done("prompts", "label", "qa", "staging", 2, "--author", "Ben")
    saved.done("prompts", "rollback", "qa", "staging", "--note", "worse")
    moves = saved.done("prompts", "log", "qa", "--json").document
    assert [(m["from_number"], m["to_number"]) for m in moves] == [(2, 1), (1, 2), (None, 1)]
    assert (moves[0]["note"], moves[1]["author"], moves[2]["note"]) == ("worse", "Ben", "to try")
    assert "to try" in saved.done("prompts", "log", "qa").out
    saved.done("prompts", "unlabel", "qa", "staging")
    assert saved.done("prompts", "versions", "qa", "--json").document[1]["labels"] == []


def test_the_prompt_that_answers_keeps_its_label_and_cannot_be_deleted(ragdeck: CommandLine) -> None:
    ragdeck.refused("prompts", "unlabel", "default", "production")
    ragdeck.refused("prompts", "delete", "default")
    ragdeck.refused("prompts", "rollback", "default")
    assert ragdeck.done("prompts", "--json").document[0]["labels"] == {"production": 1}


def test_a_deleted_prompt_takes_its_versions_along(saved: CommandLine) -> None:
    assert "2" in saved.done("prompts", "delete", "qa").out
    assert [row["name"] for row in saved.done("prompts", "--json").document] == ["default"]


def test_prompts_go_through_a_folder_of_files(
    saved: CommandLine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved.done("prompts", "export", tmp_path / "prompts")
    assert sorted(p.name for p in (tmp_path / "prompts").iterdir()) == ["default.yaml", "qa.yaml"]
    other = CommandLine(tmp_path / "other", capsys)
    other.folder.mkdir()
    report = other.done("prompts", "import", tmp_path / "prompts", "--json").document
    assert (report["versions_added"], report["versions_same"], report["problems"]) == (2, 1, [])
    rows = other.done("prompts", "versions", "qa", "--json").document
    assert [(row["number"], row["labels"]) for row in rows] == [(2, []), (1, ["staging"])]


def test_a_file_with_a_mistake_is_left_out_and_named_and_the_exit_code_says_so(
    saved: CommandLine, tmp_path: Path
) -> None:
    saved.done("prompts", "export", tmp_path / "prompts")
    (tmp_path / "prompts" / "broken.yaml").write_text("name: [", "utf-8")
    printed = saved("prompts", "import", tmp_path / "prompts")
    assert printed.code == 1
    assert "broken.yaml" in printed.out
    assert saved.refused("prompts", "import", tmp_path / "nowhere")


def test_labels_here_move_by_import_only_when_asked_for(saved: CommandLine, tmp_path: Path) -> None:
    saved.done("prompts", "export", tmp_path / "prompts")
    saved.done("prompts", "label", "qa", "staging", 2)
    saved.done("prompts", "import", tmp_path / "prompts")
    assert saved.done("prompts", "show", "qa", "--version", "staging", "--json").document["number"] == 2
    report = saved.done("prompts", "import", tmp_path / "prompts", "--move-labels", "--json").document
    assert report["moved"] == ["qa@staging"]
    assert saved.done("prompts", "show", "qa", "--version", "staging", "--json").document["number"] == 1


def test_a_diff_is_read_without_colour_and_shows_white_space(ragdeck: CommandLine, tmp_path: Path) -> None:
    rest = "{{ question }} {% for p in passages %}{{ p.text }}{% endfor %}"
    for beginning in ("Question: ", "Quéstion:  "):
        user = template(tmp_path / "user.txt", beginning + rest)
        ragdeck.done("prompts", "save", "ws", "--user", user)
    printed = ragdeck.done("prompts", "diff", "ws", 1, 2).out
    assert "[-Question-]{+Quéstion+}:[-·-]{+··+}{{ question }}" in printed
