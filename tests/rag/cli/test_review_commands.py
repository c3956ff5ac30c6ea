"""`ragdeck feedback` and `review`: ratings, queues judged by two people, and the cases that come of them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from command_line import CommandLine

BREAD, BOATS = "What does rye bread need?", "When do the boats leave?"


@pytest.fixture
def ragdeck(folder: Path, documents: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    made = CommandLine(folder, capsys)
    made.done("ingest", documents, "-c", "A")
    return made


def ask(ragdeck: CommandLine, question: str = BREAD) -> str:
    return str(ragdeck.done("ask", question, "-c", "A", "--json").document["trace_id"])


# --- feedback ---------------------------------------------------------------------------------------------


def test_an_answer_is_rated_again_and_the_rating_removed(ragdeck: CommandLine) -> None:
    trace = ask(ragdeck)
    assert ragdeck.done("feedback", "list", "--json").document == []
    ragdeck.done("feedback", "add", trace[:8], "--up", "--by", "Ann")
    row = ragdeck.done(
        "feedback", "add", trace, "--down", "--reason", "incomplete", "--note", "how long?", "--correction",
        "Sourdough and 12 hours.", "--tag", "bread", "--by", "Ann", "--json",
    ).document  # fmt: skip
    assert (row["is_up"], row["reason"], row["correction"], row["tags"]) == (
        False,
        "incomplete",
        "Sourdough and 12 hours.",
        ["bread"],
    )
    ragdeck.done("feedback", "add", trace, "--up", "--by", "Ben")
    assert len(ragdeck.done("feedback", "list", "--json").document) == 2
    assert [r["author"] for r in ragdeck.done("feedback", "list", "--down", "--json").document] == ["Ann"]
    assert "Ann" in ragdeck.done("feedback", "list").out
    ragdeck.done("feedback", "remove", trace, "--by", "Ann")
    assert [r["author"] for r in ragdeck.done("feedback", "list", "--json").document] == ["Ben"]


def test_ratings_that_cannot_be_are_refused(ragdeck: CommandLine) -> None:
    trace = ask(ragdeck)
    assert "--up" in ragdeck.refused("feedback", "add", trace)
    ragdeck.refused("feedback", "add", trace, "--down", "--reason", "nonsense")
    ragdeck.refused("feedback", "add", "ffffffff", "--up")
    ragdeck.refused("feedback", "remove", trace, "--by", "Ann")
    assert ragdeck.done("feedback", "list", "--json").document == []


def test_a_correction_becomes_a_case(ragdeck: CommandLine) -> None:
    trace = ask(ragdeck)
    ragdeck.done("feedback", "add", trace, "--down", "--correction", "Sourdough and 12 hours.", "--by", "Ann")
    case = ragdeck.done(
        "feedback", "to-case", trace, "gold", "--relevant", 1, "--by", "Ann", "--json"
    ).document
    assert (case["question"], case["references"]) == (BREAD, ["Sourdough and 12 hours."])
    assert [Path(j["document"]).name for j in case["judgements"]] == ["bread.md"]
    assert ragdeck.done("sets", "--json").document[0]["case_count"] == 1
    assert ragdeck.done("feedback", "list", "--json").document[0]["set_name"] == "gold"
    ragdeck.refused("feedback", "to-case", trace, "gold", "--relevant", 99, "--by", "Ann")


def test_an_answer_that_should_have_been_refused_is_a_case_to_decline(ragdeck: CommandLine) -> None:
    trace = ask(ragdeck)
    ragdeck.done("feedback", "add", trace, "--down", "--reason", "should have refused", "--by", "Ann")
    case = ragdeck.done("feedback", "to-case", trace, "gold", "--by", "Ann", "--json").document
    assert (case["should_refuse"], case["references"]) == (True, [])


def test_a_case_needs_to_know_what_is_right(ragdeck: CommandLine) -> None:
    trace = ask(ragdeck)
    ragdeck.refused("feedback", "to-case", trace, "gold", "--by", "Ann")
    ragdeck.done("feedback", "add", trace, "--down", "--by", "Ann")
    ragdeck.refused("feedback", "to-case", trace, "gold", "--by", "Ann")
    assert ragdeck.done("sets", "--json").document == []


# --- review queues ----------------------------------------------------------------------------------------


@pytest.fixture
def queue(ragdeck: CommandLine) -> CommandLine:
    """The queue Week with two answers."""
    ask(ragdeck)
    ask(ragdeck, BOATS)
    ragdeck.done("review", "fill", "Week", "--source", "random=5", "-c", "A")
    return ragdeck


def items(ragdeck: CommandLine, by: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = ragdeck.done("review", "list", "Week", "--by", by, "--json").document
    return found


def test_a_queue_is_filled_once_and_listed(queue: CommandLine) -> None:
    (row,) = queue.done("review", "list", "--json").document
    assert (row["name"], row["item_count"], row["reviewers"]) == ("Week", 2, [])
    assert "Week" in queue.done("review", "list").out
    queue.done("review", "fill", "Week", "--source", "random=5", "-c", "A")
    assert len(items(queue, "Ann")) == 2, "an answer is not taken twice"
    assert {item["source"] for item in items(queue, "Ann")} == {"random"}


def test_without_queues_the_list_says_how_to_make_one(ragdeck: CommandLine) -> None:
    assert ragdeck.done("review", "list", "--json").document == []
    assert "ragdeck review fill" in ragdeck.done("review", "list").out


@pytest.mark.parametrize("source", ["nonsense", "random=many"])
def test_a_source_that_is_none_is_refused(ragdeck: CommandLine, source: str) -> None:
    ask(ragdeck)
    ragdeck.refused("review", "fill", "Week", "--source", source)
    assert ragdeck.done("review", "list", "--json").document == []


def test_the_next_answer_is_shown_until_all_are_judged(queue: CommandLine) -> None:
    first = queue.done("review", "next", "Week", "--by", "Ann", "--json").document
    assert first["answer"] == "Rye bread needs sourdough [1]."
    printed = queue.done("review", "next", "Week", "--by", "Ann").out
    assert first["question"] in " ".join(printed.split()) and f"Item {first['item']}" in printed
    for item in items(queue, "Ann"):
        queue.done("review", "judge", item["id"], "correct", "--by", "Ann")
    assert queue.done("review", "next", "Week", "--by", "Ann", "--json").document is None
    assert "all of Week" in queue.done("review", "next", "Week", "--by", "Ann").out


def test_others_are_seen_only_after_ones_own_verdict(queue: CommandLine) -> None:
    number = items(queue, "Ann")[0]["id"]
    queue.done("review", "judge", number, "wrong", "--by", "Ben", "--reason", "wrong")
    before = next(item for item in items(queue, "Ann") if item["id"] == number)
    assert (before["own"], before["others"]) == (None, [])
    queue.done("review", "judge", number, "correct", "--by", "Ann")
    after = next(item for item in items(queue, "Ann") if item["id"] == number)
    assert [other["verdict"] for other in after["others"]] == ["wrong"]


def test_agreement_needs_two_and_names_where_they_differ(queue: CommandLine) -> None:
    assert queue.done("review", "agreement", "Week", "--json").document == []
    assert "two reviewers" in queue.done("review", "agreement", "Week").out
    one, two = (item["id"] for item in items(queue, "Ann"))
    for who, verdicts in (("Ann", ("correct", "correct")), ("Ben", ("correct", "wrong"))):
        for number, verdict in zip((one, two), verdicts, strict=True):
            queue.done("review", "judge", number, verdict, "--by", who)
    (found,) = queue.done("review", "agreement", "Week", "--json").document
    assert (found["items"], found["agreed"]) == (2, 1)
    assert [d["item_id"] for d in found["disagreements"]] == [two]
    assert f"item {two}" in queue.done("review", "agreement", "Week").out


def test_verdicts_become_cases_and_a_file(queue: CommandLine, tmp_path: Path) -> None:
    one, two = (item["id"] for item in items(queue, "Ann"))
    queue.done("review", "judge", one, "correct", "--by", "Ann", "--relevant", 1)
    queue.done("review", "judge", two, "skip", "--by", "Ann")
    printed = queue.done("review", "to-set", "Week", "gold").out
    assert "Made 1 case" in printed and "Left out 1 answer" in printed
    queue.done("review", "export", "Week", tmp_path / "week.csv")
    with (tmp_path / "week.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["verdict"] for row in rows) == ["correct", "skip"]
    queue.done("review", "export", "Week", tmp_path / "week.jsonl")
    lines = (tmp_path / "week.jsonl").read_text("utf-8").splitlines()
    assert {json.loads(line)["reviewer"] for line in lines} == {"Ann"}


def test_a_verdict_may_make_its_case_at_once(queue: CommandLine) -> None:
    number = items(queue, "Ann")[0]["id"]
    queue.done(
        "review", "judge", number, "wrong", "--correction", "At noon.", "--to-set", "gold", "--by", "Ann"
    )
    assert queue.done("sets", "show", "gold", "--json").document[0]["references"] == ["At noon."]


def test_verdicts_that_cannot_be_are_refused(queue: CommandLine) -> None:
    number = items(queue, "Ann")[0]["id"]
    assert "correct" in queue.refused("review", "judge", number, "splendid", "--by", "Ann")
    queue.refused("review", "judge", 999, "correct", "--by", "Ann")
    queue.refused("review", "judge", number, "wrong", "--reason", "nonsense", "--by", "Ann")
    queue.refused("review", "list", "Month")
    queue.refused("review", "export", "Month", "out.csv")
    assert items(queue, "Ann")[0]["own"] is None


def test_a_deleted_queue_leaves_its_cases(queue: CommandLine) -> None:
    number = items(queue, "Ann")[0]["id"]
    queue.done("review", "judge", number, "correct", "--to-set", "gold", "--by", "Ann")
    queue.done("review", "delete", "Week")
    queue.refused("review", "delete", "Week")
    assert queue.done("review", "list", "--json").document == []
    assert queue.done("sets", "--json").document[0]["case_count"] == 1


# --- what people read -------------------------------------------------------------------------------------


def said(ragdeck: CommandLine, *arguments: object) -> str:
    return " ".join(ragdeck.done(*arguments).out.split())


def test_ratings_are_said_in_a_sentence(ragdeck: CommandLine) -> None:
    assert said(ragdeck, "feedback", "list") == "Nobody has rated an answer yet."
    trace = ask(ragdeck)
    rate = ("feedback", "add", trace, "--by", "[b]Ann[/b]")
    assert said(ragdeck, *rate, "--up") == f"[b]Ann[/b] rated {trace[:8]} up."
    assert said(ragdeck, *rate, "--down", "--note", "[i]no[/i]") == f"[b]Ann[/b] rated {trace[:8]} down."
    listed = ragdeck.done("feedback", "list", "--plain").out
    assert "\t[b]Ann[/b]\tdown\t[i]no[/i]\tWhat does rye bread need?\t" in listed
    said(ragdeck, *rate, "--down", "--correction", "12 hours")
    made = said(ragdeck, "feedback", "to-case", trace, "[u]gold", "--relevant", 1, "--by", "[b]Ann[/b]")
    assert made == f"[u]gold has the case trace-{trace[:16]}."
    removed = said(ragdeck, "feedback", "remove", trace[:8], "--by", "[b]Ann[/b]")
    assert removed == f"Removed the rating of {trace[:8]} by [b]Ann[/b]."


def test_a_filter_that_matches_no_rating_does_not_say_that_nobody_rated(ragdeck: CommandLine) -> None:
    ragdeck.done("feedback", "add", ask(ragdeck), "--down", "--by", "Ann")
    assert said(ragdeck, "feedback", "list", "--up") == "No rating matches."
    assert "Ann" in said(ragdeck, "feedback", "list", "--down")


@pytest.fixture
def unasked(data: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The collection A, of which nothing was asked."""
    return CommandLine(data, capsys)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("feedback", "add", "ffffffff"), "Choose --up or --down."),
        (("feedback", "add", "ffffffff", "--up"), "There is no trace “ffffffff”."),
        (("feedback", "remove", "ffffffff"), "“ffffffff”"),
        (("feedback", "to-case", "ffffffff", "gold"), "“ffffffff”"),
        (("review", "fill", "Week", "--source", "random=-1"), "write SOURCE=N, as in random=20."),
        (("review", "fill", "Week", "--source", "random=1.5"), "--source random=1.5: write SOURCE=N"),
        (("review", "fill", "Week", "--source", "random=٣x"), "write SOURCE=N"),
        (("review", "fill", "Week", "--source", "=3"), "“” is not a source."),
        (
            ("review", "fill", "Week", "--source", "best"),
            "Choose one of: flagged, thumbs-down, low score, ran",
        ),
        (("review", "fill", " ", "--source", "random"), "A review queue needs a name"),
        (("review", "fill", "x" * 201, "--source", "random"), "at most 200 characters"),
        (("review", "list", "Month"), "There is no review queue named “Month”."),
        (("review", "next", "Month"), "There is no review queue named “Month”."),
        (("review", "agreement", "Month"), "There is no review queue named “Month”."),
        (("review", "to-set", "Month", "gold"), "There is no review queue named “Month”."),
        (("review", "delete", "Month"), "There is no review queue named “Month”."),
        (("review", "judge", 1, "correct"), "1"),
        (("rollout", "pick", "x", "third"), "Pick “first”, “second” or “no difference”."),
        (("rollout", "status", 7), "7"),
        (("rollout", "start", "canary", "--staging", "none"), "There is no pipeline named “none”."),
    ],
    ids=lambda value: " ".join(map(str, value))[:40] if isinstance(value, tuple) else "",
)
def test_what_is_not_there_is_named(
    unasked: CommandLine, arguments: tuple[object, ...], sentence: str
) -> None:
    assert sentence in unasked.refused(*arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ("feedback", "list", "-n", 0),
        ("feedback", "add"),
        ("review", "fill", "Week"),
        ("review", "judge", "one", "correct"),
        ("review", "judge", 1),
        ("rollout", "start"),
        ("rollout", "stop", "one"),
        ("rollout", "ask", "Why?"),
    ],
    ids=lambda arguments: " ".join(map(str, arguments)),
)
def test_what_lacks_a_word_or_a_number_is_wrong_usage(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[object, ...]
) -> None:
    printed = CommandLine(folder, capsys)(*arguments)
    assert (printed.code, printed.out) == (2, "") and "--help" in printed.err


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("random", 2),
        ("random=1", 1),
        ("random=0", 0),
        ("flagged", 0),
        ("thumbs-down=9", 0),
        (" random =1", 1),
    ],
)
def test_a_source_adds_at_most_what_was_asked_for(queue: CommandLine, source: str, count: int) -> None:
    noun = "answer" if count == 1 else "answers"
    assert said(queue, "review", "fill", "Other", "--source", source) == f"Added {count} {noun} to Other."


def test_the_list_of_a_queue_says_how_far_one_is(queue: CommandLine) -> None:
    assert said(queue, "review", "list", "Week", "--by", "Ann").endswith("0 of 2 reviewed")
    number = items(queue, "Ann")[0]["id"]
    judged = said(queue, "review", "judge", number, "partly", "--by", "[b]Ann")
    assert judged == f"[b]Ann judged item {number}: partly."
    assert said(queue, "review", "list", "Week", "--by", "[b]Ann").endswith("1 of 2 reviewed")
    assert said(queue, "review", "list", "Week", "--by", "Ann").endswith("0 of 2 reviewed")
    assert "[b]Ann 1" in said(queue, "review", "list")


def test_a_verdict_replaces_the_earlier_one(queue: CommandLine) -> None:
    number = items(queue, "Ann")[0]["id"]
    for verdict in ("correct", "wrong", "skip"):
        queue.done("review", "judge", number, verdict, "--by", "Ann")
        assert items(queue, "Ann")[0]["own"]["verdict"] == verdict  # type: ignore[index]
    (row,) = queue.done("review", "list", "--json").document
    assert row["reviewers"] == [["Ann", 1]]


def test_verdicts_are_not_written_where_there_is_no_folder(queue: CommandLine, tmp_path: Path) -> None:
    export = ("review", "export", "Week")
    nothing = "Nobody has reviewed anything in “Week” yet."
    assert queue.refused(*export, tmp_path / "week.csv") == nothing
    assert not (tmp_path / "week.csv").exists()
    queue.done("review", "judge", items(queue, "Ann")[0]["id"], "correct", "--by", "Ann")
    (tmp_path / "file").write_text("x", "utf-8")
    assert "cannot be written" in queue.refused(*export, tmp_path / "file" / "week.csv")
    assert said(queue, *export, tmp_path / "week.csv").startswith("Wrote 1 verdict to ")
