"""`ragdeck sets`: evaluation sets by hand, from traces and from files, their versions, and drafts by the model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from command_line import CommandLine
from driving import ask_once

from rag.asking.rows import get_trace


@pytest.fixture
def ragdeck(folder: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(folder, capsys)


@pytest.fixture
def gold(ragdeck: CommandLine) -> CommandLine:
    """The set gold with two cases, as versions 1 and 2."""
    ragdeck.done("sets", "create", "gold", "--description", "Made by hand")
    ragdeck.done("sets", "add", "gold", "Wer?", "-r", "Ada", "--tag", "who", "--key", "who")
    ragdeck.done("sets", "add", "gold", "Wann?", "--should-refuse", "--key", "when")
    return ragdeck


def cases(ragdeck: CommandLine, *options: object, name: str = "gold") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ragdeck.done("sets", "show", name, *options, "--json").document
    return found


def keys(found: Sequence[dict[str, Any]]) -> list[str]:
    return sorted(case["key"] for case in found)


# --- sets and cases ---------------------------------------------------------------------------------------


def test_sets_are_listed(ragdeck: CommandLine) -> None:
    assert ragdeck.done("sets", "--json").document == []
    assert "ragdeck sets create" in ragdeck.done("sets").out
    ragdeck.done("sets", "create", "gold", "--description", "Made by hand")
    (row,) = ragdeck.done("sets", "--json").document
    assert (row["name"], row["description"], row["number"], row["case_count"]) == (
        "gold",
        "Made by hand",
        0,
        0,
    )
    assert "gold" in ragdeck.done("sets").out


def test_cases_are_added_with_what_is_right(gold: CommandLine) -> None:
    who, when = sorted(cases(gold), key=lambda case: case["key"], reverse=True)
    assert (who["references"], who["tags"], who["should_refuse"]) == (["Ada"], ["who"], False)
    assert (when["references"], when["should_refuse"]) == ([], True)
    printed = gold.done("sets", "show", "gold").out
    assert "Ada" in printed and "decline" in printed


def test_a_relevant_document_is_a_judgement(gold: CommandLine) -> None:
    case = gold.done(
        "sets", "add", "gold", "Wo?", "-r", "Bremen", "--document", "tides.txt", "--json"
    ).document
    assert [judgement["document"] for judgement in case["judgements"]] == ["tides.txt"]


def test_a_case_without_a_question_is_refused(gold: CommandLine) -> None:
    gold.refused("sets", "add", "gold", "", "-r", "x")
    assert len(cases(gold)) == 2


def test_every_change_is_a_version_and_old_ones_stay(gold: CommandLine) -> None:
    gold.done("sets", "remove", "gold", "who", "-m", "not ours")
    rows = gold.done("sets", "versions", "gold", "--json").document
    assert [(row["number"], row["case_count"]) for row in rows] == [(3, 1), (2, 2), (1, 1)]
    assert rows[0]["message"] == "not ours"
    assert keys(cases(gold)) == ["when"]
    assert keys(cases(gold, "--version", 2)) == ["when", "who"]
    assert "not ours" in gold.done("sets", "versions", "gold").out


def test_two_versions_are_compared_and_an_old_one_is_restored(gold: CommandLine) -> None:
    gold.done("sets", "remove", "gold", "who")
    found = gold.done("sets", "diff", "gold", 1, 3, "--json").document
    assert (keys(found["added"]), keys(found["removed"]), found["changed"]) == (["when"], ["who"], [])
    printed = gold.done("sets", "diff", "gold", 1, 3).out
    assert "added" in printed and "removed" in printed
    gold.done("sets", "restore", "gold", 2)
    assert keys(cases(gold)) == ["when", "who"]
    assert gold.done("sets", "versions", "gold", "--json").document[0]["number"] == 4


def test_a_set_is_renamed_and_deleted(gold: CommandLine) -> None:
    gold.done("sets", "rename", "gold", "silver")
    assert keys(cases(gold, name="silver")) == ["when", "who"]
    assert "2" in gold.done("sets", "delete", "silver").out
    assert gold.done("sets", "--json").document == []


def test_what_is_not_there_or_taken_is_refused(gold: CommandLine) -> None:
    gold.refused("sets", "create", "gold")
    gold.refused("sets", "create", "  ")
    gold.done("sets", "create", "other")
    gold.refused("sets", "rename", "gold", "other")
    for command in (("versions", "none"), ("show", "none"), ("delete", "none"), ("restore", "none", 1)):
        assert "“none”" in gold.refused("sets", *command)
    assert "9" in gold.refused("sets", "show", "gold", "--version", 9)
    gold.refused("sets", "restore", "gold", 9)
    gold.refused("sets", "remove", "gold", "nobody")
    gold.refused("sets", "diff", "gold", 1, 9)


# --- traces and files -------------------------------------------------------------------------------------


def test_a_trace_becomes_a_case(ragdeck: CommandLine, documents: Path) -> None:
    ragdeck.done("ingest", documents, "-c", "A")
    trace = ragdeck.done("ask", "What does rye bread need?", "-c", "A", "--json").document["trace_id"]
    ragdeck.done("sets", "create", "gold")
    case = ragdeck.done("sets", "from-trace", "gold", trace[:8], "--tag", "bread", "--json").document
    assert case["question"] == "What does rye bread need?"
    assert case["references"] == ["Rye bread needs sourdough."]
    assert [Path(j["document"]).name for j in case["judgements"]] == ["bread.md"]
    assert case["tags"] == ["bread"]
    ragdeck.refused("sets", "from-trace", "gold", "ffffffff")


def test_a_reference_of_ones_own_replaces_the_answer(ragdeck: CommandLine, documents: Path) -> None:
    ragdeck.done("ingest", documents, "-c", "A")
    trace = ragdeck.done("ask", "What does rye bread need?", "-c", "A", "--json").document["trace_id"]
    ragdeck.done("sets", "create", "gold")
    case = ragdeck.done("sets", "from-trace", "gold", trace, "-r", "Sourdough and time", "--json").document
    assert case["references"] == ["Sourdough and time"]


def test_files_are_imported_into_a_set_that_is_made(ragdeck: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    lines = [{"key": "a", "question": "Wer?", "references": ["Ada"]}, {"key": "b", "question": "Wo?"}]
    path.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    document = ragdeck.done("sets", "import", "gold", path, "--json").document
    assert (document["version"]["number"], document["version"]["case_count"], document["problems"]) == (
        1,
        2,
        [],
    )
    assert keys(cases(ragdeck)) == ["a", "b"]


def test_a_file_with_a_bad_entry_is_imported_only_when_told_to_leave_it_out(
    ragdeck: CommandLine, tmp_path: Path
) -> None:
    path = tmp_path / "cases.csv"
    path.write_text("Frage,Antwort,weight\nWer?,Ada,1\nWas?,Brot,viel\n", "utf-8")
    load = ("sets", "import", "gold", path, "--column", "question=Frage", "--column", "references=Antwort")
    printed = ragdeck(*load)
    assert (printed.code, printed.out) == (1, "")
    assert "line 3" in printed.err and "--skip-bad" in printed.err
    assert ragdeck(*load, "--json").document["version"] is None
    assert "1 case" in ragdeck.done(*load, "--skip-bad").out


def test_a_dry_run_tells_everything_and_stores_nothing(ragdeck: CommandLine, tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("id,question,answer\n1,Wer?,Ada\n2,Wo?,hier\n", "utf-8")
    second.write_text("id;question;answer;colour\n1;Was?;Brot;rot\n2;Wo?;hier;\n3;Wann?;jetzt;\n", "utf-8")
    ragdeck.done("sets", "import", "gold", first)
    shown = ragdeck.done("sets", "import", "gold", second, "--dry-run").out
    assert "Read as csv: 3 cases (1 new, 1 replaced, 1 the same)." in shown
    assert "colour (line 2): not used, no field of a case is called so" in shown
    assert "This replaces 1 case of “gold” by their keys: 1 (“Wer?” → “Was?”)." in shown
    assert "Wann?" in shown and "Nothing was stored" in shown
    assert [case["question"] for case in cases(ragdeck)] == ["Wer?", "Wo?"]
    document = ragdeck.done("sets", "import", "gold", second, "--dry-run", "--json").document
    assert (document["format"], document["replaced"], document["added"]) == ("csv", ["1"], 1)
    assert [one["name"] for one in document["unused"]] == ["colour"]
    assert ragdeck.done("sets", "import", "gold", second, "--dry-run", "--delimiter", "semicolon")
    printed = ragdeck.done("sets", "import", "gold", second)
    assert "This replaces 1 case" in printed.err and "colour" in printed.err
    assert [case["question"] for case in cases(ragdeck)] == ["Was?", "Wo?", "Wann?"]
    assert (
        "Read as csv: 3 cases (0 new, 0 replaced, 3 the same)."
        in ragdeck.done("sets", "import", "gold", second).err
    )
    assert "--delimiter" in ragdeck.refused("sets", "import", "gold", second, "--delimiter", "and")
    ragdeck.refused("sets", "import", "gold", second, "--dry-run", "--delimiter", "tab")


def test_stale_judgements_are_listed_and_corrected(ragdeck: CommandLine, documents: Path) -> None:
    ragdeck.done("ingest", documents, "-c", "A")
    ragdeck.done("sets", "create", "gold")
    ragdeck.done("sets", "add", "gold", "What does rye bread need?", "--document", "Bread_.md")
    ragdeck.done("sets", "add", "gold", "Who?", "--document", "nothing-like-it.pdf", "--key", "who")
    shown = ragdeck("sets", "check", "gold", "-c", "A")
    assert shown.code == 1 and "seems to be called bread.md now" in shown.out
    assert "who: nothing-like-it.pdf: Nothing is like it." in shown.out and "Use --fix" in shown.out
    fixed = ragdeck("sets", "check", "gold", "-c", "A", "--fix", "--json").document
    assert fixed["corrected"].startswith("Corrected 1 judgement for version 1 of A")
    assert [
        one["case_key"] for one in ragdeck("sets", "check", "gold", "-c", "A", "--json").document["stale"]
    ] == ["who"]


def test_a_mapping_of_columns_needs_both_names(ragdeck: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    path.write_text("Frage\nWer?\n", "utf-8")
    assert "FIELD=HEADER" in ragdeck.refused("sets", "import", "gold", path, "--column", "question")


def test_a_file_that_is_not_there_or_unknown_is_refused(ragdeck: CommandLine, tmp_path: Path) -> None:
    ragdeck.refused("sets", "import", "gold", tmp_path / "none.jsonl")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    ragdeck.refused("sets", "import", "gold", tmp_path / "picture.png")


@pytest.mark.parametrize("format_name", ["ragdeck", "csv", "ragas", "promptfoo", "deepeval"])
def test_a_set_goes_out_and_comes_back(gold: CommandLine, tmp_path: Path, format_name: str) -> None:
    suffix = {"ragdeck": "jsonl", "csv": "csv", "promptfoo": "yaml"}.get(format_name, "json")
    path = tmp_path / f"out.{suffix}"
    printed = gold.done("sets", "export", "gold", path, "--format", format_name)
    assert path.stat().st_size > 0
    if format_name == "ragdeck":
        assert printed.err == "", "our own format expresses everything"
    gold.done("sets", "import", "back", path, "--format", format_name, "--skip-bad")
    questions = {case["question"] for case in cases(gold, name="back")}
    assert "Wer?" in questions


def test_what_a_format_cannot_express_is_listed(gold: CommandLine, tmp_path: Path) -> None:
    printed = gold.done("sets", "export", "gold", tmp_path / "out.jsonl", "--format", "ragas")
    assert "tags" in printed.err
    gold.refused("sets", "export", "gold", tmp_path / "out.x", "--format", "nonsense")


# --- drafts -----------------------------------------------------------------------------------------------

WRITTEN = json.dumps({"question": "What does rye bread need for a good rise?", "answer": "sourdough"})


@pytest.fixture
def drafted(ragdeck: CommandLine, documents: Path) -> CommandLine:
    """One draft of a case about bread that waits in the set auto."""
    for name in ("tides.txt", "stars.txt"):
        (documents / name).unlink()
    ragdeck.done("ingest", documents, "-c", "A")
    ragdeck.model.answer = WRITTEN
    report = ragdeck.done("sets", "generate", "auto", "-c", "A", "-n", 1, "--json").document
    assert report["stored"] == 1, report["dropped"]
    return ragdeck


def test_a_draft_waits_and_becomes_a_case_with_other_words(drafted: CommandLine) -> None:
    (draft,) = drafted.done("sets", "drafts", "auto", "--json").document
    assert (draft["question"], draft["answer"]) == tuple(json.loads(WRITTEN).values())
    assert "sourdough" in drafted.done("sets", "drafts", "auto").out
    case = drafted.done("sets", "accept", draft["id"], "--answer", "Sourdough, and rest", "--json").document
    assert (case["question"], case["references"]) == (draft["question"], ["Sourdough, and rest"])
    assert drafted.done("sets", "drafts", "auto", "--json").document == []
    assert len(drafted.done("sets", "drafts", "auto", "--state", "accepted", "--json").document) == 1
    drafted.refused("sets", "accept", draft["id"])


def test_a_rejected_draft_makes_no_case_and_its_passage_is_not_used_again(drafted: CommandLine) -> None:
    (draft,) = drafted.done("sets", "drafts", "auto", "--json").document
    drafted.done("sets", "reject", draft["id"])
    assert cases(drafted, name="auto") == []
    again = drafted("sets", "generate", "auto", "-c", "A", "-n", 1, "--json")
    assert again.code == 1 or again.document["stored"] == 0
    assert len(drafted.done("sets", "drafts", "auto", "--state", "all", "--json").document) == 1


def test_drafts_that_cannot_be_are_refused(drafted: CommandLine) -> None:
    assert "waiting" in drafted.refused("sets", "drafts", "auto", "--state", "nonsense")
    drafted.refused("sets", "accept", 99)
    drafted.refused("sets", "reject", 99)
    drafted.refused("sets", "generate", "auto", "-c", "B")


def test_questions_that_people_asked_become_a_set(ragdeck: CommandLine, documents: Path) -> None:
    ragdeck.done("ingest", documents, "-c", "A")
    with ragdeck.open() as workspace:
        traces = [ask_once(workspace, f"Question {n}?", collection="A") for n in range(3)]
        session = get_trace(workspace.database, traces[0]).session_id
    found = ragdeck.done("sets", "from-traces", "one", traces[0][:12], "--json").document
    assert (found["set_name"], found["added"], found["repeated"]) == ("one", 1, 0)
    ragdeck.done("sets", "from-traces", "session", "--session", session)
    assert [case["question"] for case in cases(ragdeck, name="session")] == ["Question 0?"]
    printed = ragdeck.done("sets", "from-traces", "last", "--last", 2, "-c", "A").out
    assert printed.startswith("2 questions are in “last” now")
    assert "No question was chosen" in ragdeck.refused("sets", "from-traces", "none")


# --- what cannot be, and what people read -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("import", "gold", "/nowhere.csv"), "/nowhere.csv does not exist."),
        (("import", "gold", "/nowhere.csv", "--column", "a"), "--column a: write FIELD=HEADER"),
        (
            ("import", "gold", "/nowhere.csv", "--delimiter", "xx"),
            "--delimiter xx: write comma, semicolon, tab",
        ),
        (("import", "gold", "/nowhere.csv", "--delimiter", '"'), "bar or one character."),
        (("import", "gold", "/nowhere.csv", "--dry-run"), "/nowhere.csv does not exist."),
        (("export", "none", "x.jsonl"), "There is no evaluation set named “none”."),
        (("check", "none", "-c", "A"), "“none”"),
        (("drafts", "none", "--state", "nonsense"), "Choose one of: waiting, accepted, rejected, all."),
        (("from-traces", "gold"), "No question was chosen. Choose some first."),
        (("from-trace", "none", "ffffffff"), "“"),
        (("add", "none", "Wer?"), "There is no evaluation set named “none”."),
        (("remove", "none", "a"), "There is no evaluation set named “none”."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_done_to_a_set_is_one_sentence(
    ragdeck: CommandLine, arguments: tuple[str, ...], sentence: str
) -> None:
    assert sentence in ragdeck.refused("sets", *arguments)
    assert ragdeck.done("sets", "--json").document == []


@pytest.mark.parametrize(
    ("name", "sign"),
    [("comma", ","), ("Semicolon", ";"), ("TAB", "\t"), ("\\t", "\t"), ("bar", "|"), ("|", "|"), (";", ";")],
)
def test_a_delimiter_may_be_named_or_written(
    ragdeck: CommandLine, tmp_path: Path, name: str, sign: str
) -> None:
    path = tmp_path / "cases.csv"
    path.write_text(f"id{sign}question{sign}answer\n1{sign}Wer?{sign}Ada\n", "utf-8")
    found = ragdeck.done("sets", "import", "gold", path, "--delimiter", name, "--dry-run", "--json").document
    assert (found["cases"], found["added"], found["problems"]) == (1, 1, [])


def test_each_change_of_a_set_is_said(gold: CommandLine) -> None:
    steps = [
        (("rename", "gold", "[b]x"), "gold is now called [b]x."),
        (("add", "[b]x", "Wo?", "--key", "[i]where"), "[b]x has the case [i]where."),
        (("remove", "[b]x", "who", "when"), "Removed 2 cases from [b]x."),
        (("restore", "[b]x", 1), "[b]x now has version 5."),
        (("diff", "[b]x", 1, 1), "Version 1 to 1: no differences, 1 unchanged"),
        (("drafts", "[b]x"), "[b]x has no such drafts. Run `ragdeck sets generate` to write some."),
        (("delete", "[b]x"), "Deleted [b]x with 5 versions."),
    ]
    for arguments, said in steps:
        assert " ".join(gold.done("sets", *arguments).out.split()) == said


def test_a_key_is_given_once_and_removed_only_where_it_is(gold: CommandLine) -> None:
    assert "“gold” already has a case who." in gold.refused("sets", "add", "gold", "Wer?", "--key", "who")
    assert gold.refused("sets", "remove", "gold", "who", "b") == "“gold” has no case b."
    assert keys(cases(gold)) == ["when", "who"]
