"""Commands on dataset versions: list, diff, tags, activation, verification, deletion, and trials."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from command_line import CommandLine, Printed

from rag.cli import app


@pytest.fixture
def ragdeck(folder: Path, documents: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """Collection A with two versions: three documents, then two of them, one with other words."""
    made = CommandLine(folder, capsys)
    made.done("ingest", documents, "-c", "A")
    (documents / "tides.txt").write_text("The tide at Bremen rises 4 metres. Boats leave at dawn.", "utf-8")
    made.done("ingest", documents, "-c", "A")
    made.done("remove", "stars.txt", "-c", "A")
    return made


def versions(ragdeck: CommandLine) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ragdeck.done("versions", "-c", "A", "--json").document
    return found


def active(ragdeck: CommandLine) -> int:
    return int(next(v["number"] for v in versions(ragdeck) if v["active"]))


def test_versions_are_listed_newest_first(ragdeck: CommandLine) -> None:
    rows = versions(ragdeck)
    assert [(v["number"], v["document_count"], v["active"]) for v in rows] == [
        (3, 2, True),
        (2, 3, False),
        (1, 3, False),
    ]
    assert [v["parent_number"] for v in rows] == [2, 1, None]
    printed = ragdeck.done("versions", "-c", "A").out
    assert "activ" in printed


def test_versions_need_a_collection(ragdeck: CommandLine) -> None:
    assert "-c NAME" in ragdeck.refused("versions")
    assert "“B”" in ragdeck.refused("versions", "-c", "B")


def test_two_versions_are_compared_by_document(ragdeck: CommandLine) -> None:
    document = ragdeck.done("versions", "diff", 1, 3, "-c", "A", "--json").document
    assert {(c["kind"], c["name"]) for c in document["documents"]} == {
        ("changed", "tides.txt"),
        ("removed", "stars.txt"),
    }
    assert document["summary"]
    printed = ragdeck.done("versions", "diff", 1, 3, "-c", "A").out
    assert "tides.txt" in printed and "stars.txt" in printed


def test_with_chunks_the_words_that_changed_are_told(ragdeck: CommandLine) -> None:
    document = ragdeck.done("versions", "diff", 1, 2, "-c", "A", "--chunks", "tides.txt", "--json").document
    (change,) = document["chunks"]
    assert change["kind"] == "changed"
    words = {(old, new) for operation, old, new in change["words"] if operation != "equal"}
    assert ("noon", "dawn") in words
    assert "dawn" in ragdeck.done("versions", "diff", 1, 2, "-c", "A", "--chunks", "tides.txt").out
    assert "bread.md" in ragdeck.refused("versions", "diff", 1, 2, "-c", "A", "--chunks", "bread.md")


def test_a_version_that_is_not_there_is_refused(ragdeck: CommandLine) -> None:
    assert "9" in ragdeck.refused("versions", "diff", 1, 9, "-c", "A")
    assert "9" in ragdeck.refused("activate", 9, "-c", "A")
    assert active(ragdeck) == 3


def test_a_tag_stands_for_its_version_and_moves(ragdeck: CommandLine) -> None:
    ragdeck.done("versions", "tag", 1, "baseline", "-c", "A")
    assert [v["tags"] for v in versions(ragdeck)] == [[], [], ["baseline"]]
    ragdeck.done("versions", "tag", 2, "baseline", "-c", "A")
    assert [v["tags"] for v in versions(ragdeck)] == [[], ["baseline"], []]
    assert (
        ragdeck.done("search", "tide", "-c", "A", "--version", "baseline", "--json").document["version"] == 2
    )
    ragdeck.done("versions", "untag", "baseline", "-c", "A")
    assert [v["tags"] for v in versions(ragdeck)] == [[], [], []]
    ragdeck.refused("versions", "untag", "baseline", "-c", "A")


@pytest.mark.parametrize("tag", ["12", " "])
def test_a_tag_that_would_be_ambiguous_is_refused(ragdeck: CommandLine, tag: str) -> None:
    ragdeck.refused("versions", "tag", 1, tag, "-c", "A")
    assert [v["tags"] for v in versions(ragdeck)] == [[], [], []]


def test_an_older_version_is_activated_and_verified(ragdeck: CommandLine) -> None:
    ragdeck.done("versions", "query", "tide at Bremen", "-c", "A")
    report = ragdeck.done("activate", 1, "-c", "A", "--json").document
    assert report["number"] == 1
    assert report["verification"]["ok"] is True
    assert report["verification"]["vectors_same"] == report["verification"]["vectors_checked"] > 0
    assert active(ragdeck) == 1
    assert "Verified" in ragdeck.done("activate", 3, "-c", "A").out


def test_undo_goes_back_to_the_parent_and_no_further(ragdeck: CommandLine) -> None:
    ragdeck.done("undo", "-c", "A")
    assert active(ragdeck) == 2
    assert ragdeck.done("undo", "-c", "A", "--json").document["number"] == 1
    ragdeck.refused("undo", "-c", "A")
    assert active(ragdeck) == 1


def test_the_index_is_verified(ragdeck: CommandLine) -> None:
    result = ragdeck.done("versions", "verify", "-c", "A", "--json").document
    assert result["ok"] is True
    whole = ragdeck.done("versions", "verify", "-c", "A", "--every-vector", "--json").document
    assert whole["vectors_checked"] >= result["vectors_checked"]
    assert ragdeck.done("versions", "verify", "-c", "A").out.startswith("Verified")


def test_a_verification_query_needs_words(ragdeck: CommandLine) -> None:
    ragdeck.refused("versions", "query", "   ", "-c", "A")
    ragdeck.done("versions", "probe", "tide at Bremen", "-c", "A")  # the name it had before
    result = ragdeck.done("activate", 1, "-c", "A", "--json").document["verification"]
    assert result["queries_same"] == result["query_count"] >= 1


def test_a_version_that_is_not_active_is_deleted(ragdeck: CommandLine) -> None:
    ragdeck.done("versions", "delete", 1, "-c", "A")
    assert [v["number"] for v in versions(ragdeck)] == [3, 2]
    ragdeck.refused("versions", "delete", 3, "-c", "A")
    ragdeck.refused("versions", "delete", 1, "-c", "A")


def test_serving_from_a_server_that_is_not_there_is_refused_and_nothing_moves(ragdeck: CommandLine) -> None:
    ragdeck.refused("serve-index", "http://127.0.0.1:9", "-c", "A")
    assert ragdeck.done("collections", "--json").document[0]["index_server"] == ""


# --- trials -----------------------------------------------------------------------------------------------


def test_a_trial_is_built_compared_and_activated(ragdeck: CommandLine, tmp_path: Path) -> None:
    row = ragdeck.done(
        "trial", "build", "-c", "A", "--max-tokens", 40, "--overlap-tokens", 0, "--json"
    ).document
    assert (row["number"], row["trial"], row["active"]) == (4, True, False)
    assert active(ragdeck) == 3, "a trial answers nothing yet"
    judged = tmp_path / "judged.jsonl"
    judged.write_text(
        json.dumps({"question": "What does rye bread need?", "documents": ["bread.md"]}) + "\n", "utf-8"
    )
    found = ragdeck.done(
        "trial", "compare", 3, 4, "-c", "A", "-q", "tide at Bremen", "--judged", judged, "--json"
    ).document
    assert (found["old_number"], found["new_number"]) == (3, 4)
    assert "tide at Bremen" in {query["query"] for query in found["queries"]}
    assert found["metrics"]
    printed = ragdeck.done("trial", "compare", 3, 4, "-c", "A", "-q", "tide at Bremen").out
    assert "tide at Bremen" in printed
    ragdeck.done("activate", 4, "-c", "A")
    assert active(ragdeck) == 4


def test_a_trial_may_be_deleted(ragdeck: CommandLine) -> None:
    ragdeck.done("trial", "build", "-c", "A", "--max-tokens", 40, "--overlap-tokens", 0)
    ragdeck.done("versions", "delete", 4, "-c", "A")
    assert [v["number"] for v in versions(ragdeck)] == [3, 2, 1]


@pytest.mark.parametrize(
    "options",
    [(), ("--max-tokens", 8), ("--embedder", "nowhere")],
    ids=["no other settings", "too short", "no embedder"],
)
def test_a_trial_that_cannot_be_is_refused(ragdeck: CommandLine, options: tuple[object, ...]) -> None:
    ragdeck.refused("trial", "build", "-c", "A", *options)
    assert len(versions(ragdeck)) == 3


def test_comparing_needs_a_readable_file_of_judgements(ragdeck: CommandLine, tmp_path: Path) -> None:
    judged = tmp_path / "judged.jsonl"
    judged.write_text("not JSON\n", "utf-8")
    ragdeck.refused("trial", "compare", 1, 3, "-c", "A", "--judged", judged)
    ragdeck.refused("trial", "compare", 1, 3, "-c", "A", "--judged", tmp_path / "none.jsonl")


def test_the_old_name_of_trial_still_works(ragdeck: CommandLine) -> None:
    found = ragdeck.done("whatif", "compare", 1, 3, "-c", "A", "-q", "tide", "--json").document
    assert found["queries"]


# --- what people read -------------------------------------------------------------------------------------


def text(printed: Printed) -> str:
    return " ".join(printed.out.split())


def test_sentences_say_what_was_done(ragdeck: CommandLine) -> None:
    assert text(ragdeck.done("versions", "tag", 1, "baseline", "-c", "A")) == (
        "Version 1 of A has the tag baseline."
    )
    assert text(ragdeck.done("versions", "untag", "baseline", "-c", "A")) == "The tag baseline was removed."
    assert text(ragdeck.done("versions", "diff", 2, 3, "-c", "A")).startswith(
        "Version 2 to 3: 1 removed; 2 the same"
    )
    assert text(ragdeck.done("undo", "-c", "A")).startswith("Version 2 of A is active after ")
    assert text(ragdeck.done("versions", "delete", 1, "-c", "A")) == (
        "Version 1 was deleted, with 1 document that only it contained."
    )
    trial = text(ragdeck.done("trial", "build", "-c", "A", "--max-tokens", 40, "--overlap-tokens", 0))
    assert trial == "Version 4 is a trial: Chunks of 40 tokens, 0 shared; 3 chunks."
    assert "(trial)" in ragdeck.done("versions", "-c", "A").out


def test_refusals_say_what_to_do(ragdeck: CommandLine) -> None:
    assert ragdeck.refused("versions") == "Name the collection with -c NAME."
    assert ragdeck.refused("activate", 9, "-c", "A") == (
        "The collection “A” has no version 9. Run `ragdeck versions -c NAME` to see all versions."
    )
    assert ragdeck.refused("versions", "diff", 2, 3, "-c", "A", "--chunks", "bread.md") == (
        "“bread.md” does not differ between versions 2 and 3."
    )
    assert "Activate another one before you delete it." in ragdeck.refused("versions", "delete", 3, "-c", "A")


def test_a_failed_verification_is_exit_code_1_and_said(ragdeck: CommandLine) -> None:
    with ragdeck.open() as workspace, workspace.store.session() as session:
        session.connection().exec_driver_sql("UPDATE datasetversion SET index_fingerprint = 'wrong'")
    printed = ragdeck("versions", "verify", "-c", "A", "--json")
    assert (printed.code, printed.document["ok"], printed.document["fingerprint_same"]) == (1, False, False)
    printed = ragdeck("activate", 2, "-c", "A")
    assert printed.code == 1
    assert "Verification failed: WRONG fingerprint" in text(printed)
    assert "NO" in ragdeck.done("versions", "-c", "A").out


def test_words_that_came_and_went_are_told_apart_without_colour(ragdeck: CommandLine) -> None:
    printed = text(ragdeck.done("versions", "diff", 1, 2, "-c", "A", "--chunks", "tides.txt"))
    assert "changed chunk 1" in printed
    assert "[-noon-]{+dawn+}" in printed
    printed = text(ragdeck.done("versions", "diff", 2, 3, "-c", "A", "--chunks", "stars.txt"))
    assert "removed chunk 1" in printed and "brightest star" in printed


def test_old_names_work_and_are_not_listed() -> None:
    command = typer.main.get_command(app)
    assert command.commands["whatif"].hidden and not command.commands["trial"].hidden
    commands = command.commands["versions"].commands
    assert commands["probe"].hidden and not commands["query"].hidden
    assert set(command.commands["whatif"].commands) == set(command.commands["trial"].commands)
