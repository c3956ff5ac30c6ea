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
