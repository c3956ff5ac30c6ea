"""`ragdeck search`, `ask` and `traces`: what they print, as JSON and for people, and what they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import CommandLine
from fakes import drive

from rag.evaluation.pipelines import make_config, save_pipeline
from rag.knowledge.ingest import ingest_files

QUESTION = "What does rye bread need?"


@pytest.fixture
def ragdeck(folder: Path, documents: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[CommandLine]:
    """Three small documents in the collection A, and a model that says that rye bread needs sourdough."""
    made = CommandLine(folder, capsys)
    with made.open() as workspace:
        drive(ingest_files(workspace, "A", [documents]))
    yield made


def asked(ragdeck: CommandLine, question: str = QUESTION, *options: object) -> dict[str, Any]:
    document: dict[str, Any] = ragdeck.done("ask", question, "-c", "A", *options, "--json").document
    return document


def test_search_prints_passages_with_their_ranks(ragdeck: CommandLine) -> None:
    document = ragdeck.done("search", "rye bread sourdough", "-c", "A", "--json").document
    assert (document["query"], document["collection"], document["version"]) == ("rye bread sourdough", "A", 1)
    first = document["hits"][0]
    assert first["document"] == "bread.md"
    assert (first["fused_rank"], first["dense_rank"], first["bm25_rank"]) == (1, 1, 1)
    assert first["dropped"] is None
    printed = ragdeck.done("search", "rye bread sourdough", "-c", "A").out
    assert "bread.md" in printed and "dense #1" in printed


def test_search_shows_at_most_what_is_asked_for(ragdeck: CommandLine) -> None:
    hits = ragdeck.done("search", "the", "-c", "A", "-n", 1, "--json").document["hits"]
    assert len(hits) <= 1


def test_search_of_nothing_close_is_said(ragdeck: CommandLine) -> None:
    assert ragdeck.done("search", "quantum chromodynamics", "-c", "A", "--json").document["hits"] == []
    assert ragdeck.done("search", "quantum chromodynamics", "-c", "A").out.strip()


def test_an_unknown_collection_or_version_is_refused(ragdeck: CommandLine) -> None:
    assert "“B”" in ragdeck.refused("search", "rye", "-c", "B")
    assert "9" in ragdeck.refused("search", "rye", "-c", "A", "--version", "9")
    assert "“B”" in ragdeck.refused("ask", QUESTION, "-c", "B")
    assert "empty" in ragdeck.refused("ask", "  ", "-c", "A")


def test_an_answer_is_one_document_with_citations_claims_and_tokens(ragdeck: CommandLine) -> None:
    document = asked(ragdeck)
    assert document["status"] == "done"
    assert document["answer"] == "Rye bread needs sourdough [1]."
    assert (document["question"], document["collection"], document["version"]) == (QUESTION, "A", 1)
    (citation,) = [c for c in document["citations"] if c["cited"]]
    assert citation["marker"] == 1
    assert [claim["verdict"] for claim in document["claims"]] == ["supported"]
    assert document["claims"][0]["evidence"]["marker"] == 1
    assert document["tokens"]["prompt"] > 0 and document["tokens"]["completion"] == 5
    assert document["timings_ms"]["total"] >= document["timings_ms"]["retrieve"]
    assert document["retrieval"]["documents"] == 3
    assert document["silent_failures"] == []


def test_an_answer_is_streamed_and_its_flags_and_sources_follow(ragdeck: CommandLine) -> None:
    ragdeck.model.answer = "Rye bread needs sourdough [1]. The moon is made of 300 tons of butter."
    printed = ragdeck.done("ask", QUESTION, "-c", "A")
    assert printed.out.startswith(ragdeck.model.answer)
    after = printed.out.removeprefix(ragdeck.model.answer)
    assert "butter" in after, "the flagged sentence is named"
    assert "sourdough" not in after.splitlines()[2], "the supported one is not"
    assert "[1] bread.md" in after
    assert "trace " in after
    assert "chunks from" in printed.err


def test_what_is_not_in_the_documents_is_not_asked(ragdeck: CommandLine) -> None:
    document = asked(ragdeck, "quantum chromodynamics lattice")
    assert (document["status"], document["citations"], document["claims"]) == ("nothing found", [], [])
    assert ragdeck.model.prompts == []
    printed = ragdeck.done("ask", "quantum chromodynamics lattice", "-c", "A").out
    assert document["answer"] in " ".join(printed.split())


def test_a_pipeline_or_a_version_of_ones_own_choice_answers(ragdeck: CommandLine) -> None:
    with ragdeck.open() as workspace:
        config = make_config({"collection": "A", "retrieval": {"max_passages": 1}})
        save_pipeline(workspace, "one", config, "")
    assert len(asked(ragdeck, QUESTION, "-p", "one")["citations"]) == 1
    assert asked(ragdeck, QUESTION, "--version", "1")["version"] == 1
    assert "“none”" in ragdeck.refused("ask", QUESTION, "-c", "A", "-p", "none")


def test_a_follow_up_is_searched_with_the_question_before_it(ragdeck: CommandLine) -> None:
    first = asked(ragdeck)
    second = asked(ragdeck, "How long does it rest?", "--session", first["session_id"])
    assert second["session_id"] == first["session_id"]
    assert any("follow-up" in notice for notice in second["notices"])


def test_traces_are_listed_and_filtered(ragdeck: CommandLine) -> None:
    ids = [asked(ragdeck)["trace_id"], asked(ragdeck, "When do the boats leave?")["trace_id"]]
    asked(ragdeck, "quantum chromodynamics lattice")
    rows = ragdeck.done("traces", "list", "--json").document
    assert [row["status"] for row in rows] == ["nothing found", "done", "done"]
    found = ragdeck.done("traces", "list", "--text", "boats", "--json").document
    assert [row["id"] for row in found] == [ids[1]]
    assert len(ragdeck.done("traces", "list", "-n", 1, "--json").document) == 1
    assert ragdeck.done("traces", "list", "--status", "failed", "--json").document == []
    assert ragdeck.done("traces", "list", "--source", "evaluation", "--json").document == []
    assert len(ragdeck.done("traces", "list", "--source", "all", "--json").document) == 3
    assert ragdeck.done("traces", "list", "--since", "2999-01-01", "--json").document == []
    assert len(ragdeck.done("traces", "list", "--until", "2999-01-01", "--json").document) == 3


def test_traces_for_people_show_ids_questions_and_that_there_are_none(ragdeck: CommandLine) -> None:
    trace = asked(ragdeck)["trace_id"]
    assert trace[:8] in ragdeck.done("traces", "list").out
    assert trace[:8] not in ragdeck.done("traces", "list", "--text", "nobody asked this").out


def test_a_trace_is_shown_whole_by_the_beginning_of_its_id(ragdeck: CommandLine) -> None:
    trace = asked(ragdeck)["trace_id"]
    document = ragdeck.done("traces", "show", trace[:8], "--json").document
    assert (document["id"], document["question"]) == (trace, QUESTION)
    assert document["settings"]["retrieval"]["search"] == "hybrid"
    assert document["fallbacks"] == [] or isinstance(document["fallbacks"], list)
    assert {hit["document"] for hit in document["hits"]} >= {"bread.md"}
    assert document["claims"][0]["verdict"] == "supported"
    assert {"search", "check"} & {span["name"] for span in document["spans"]} or document["spans"]
    printed = ragdeck.done("traces", "show", trace).out
    assert QUESTION in printed and "bread.md" in printed
    assert "Rye bread needs sourdough and 12 hours of rest" in " ".join(printed.split()), "the prompt as sent"


def test_a_trace_that_is_not_there_is_refused(ragdeck: CommandLine) -> None:
    assert "“ffffffff”" in ragdeck.refused("traces", "show", "ffffffff")


def test_an_error_of_the_model_is_a_sentence_and_its_trace_is_kept(ragdeck: CommandLine) -> None:
    from rag.errors import ModelError

    ragdeck.model.error = ModelError("The model gave up.")
    assert ragdeck.refused("ask", QUESTION, "-c", "A", "--json") == "The model gave up."
    (row,) = ragdeck.done("traces", "list", "--json").document
    assert (row["status"], row["error"]) == ("failed", "The model gave up.")


# --- reasoning models -------------------------------------------------------------------------------------

THOUGHT = "<think> Hmm, rye. </think> Rye bread needs sourdough [1]."


def test_thinking_is_folded_into_a_line_unless_it_is_asked_for(ragdeck: CommandLine) -> None:
    ragdeck.model.answer = THOUGHT
    printed = ragdeck.done("ask", QUESTION, "-c", "A")
    assert printed.out.startswith("Rye bread needs sourdough [1].")
    assert "Hmm" not in printed.out + printed.err
    assert "thought for 4 tokens" in printed.out
    printed = ragdeck.done("ask", QUESTION, "-c", "A", "--show-thinking", "--fresh")
    assert "Hmm, rye." in printed.err and "Hmm" not in printed.out
    assert printed.err.endswith("\n")


def test_thinking_is_a_key_of_its_own_in_the_document_and_in_the_trace(ragdeck: CommandLine) -> None:
    ragdeck.model.answer = THOUGHT
    document = asked(ragdeck)
    assert (document["answer"], document["thinking"]) == ("Rye bread needs sourdough [1].", "Hmm, rye.")
    assert (document["tokens"]["completion"], document["tokens"]["thinking"]) == (5, 4)
    shown = " ".join(ragdeck.done("traces", "show", document["trace_id"]).out.split())
    assert "thinking (4 tokens):" in shown and "Hmm, rye." in shown and "4 of thinking before" in shown
    stored = ragdeck.done("traces", "show", document["trace_id"], "--json").document
    assert (stored["thinking"], stored["thinking_tokens"]) == ("Hmm, rye.", 4)


def test_an_answer_that_restarts_says_so(ragdeck: CommandLine) -> None:
    ragdeck.model.answer = "Hmm, rye. </think> Rye bread needs sourdough [1]."
    printed = ragdeck.done("ask", QUESTION, "-c", "A")
    assert "That was thinking. The answer:" in printed.err
    assert "\nRye bread needs sourdough [1]." in printed.out
