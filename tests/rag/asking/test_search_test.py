"""A search without a model: one or two ways, and what became of a passage."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import drive

from rag.asking.rows import SearchSide, TraceFilter, count_traces
from rag.asking.search_test import run_search_test
from rag.errors import NotFoundError, RagError
from rag.knowledge.edits import exclude_chunks
from rag.knowledge.ingest import ingest_files
from rag.workspace import Workspace


def side(workspace: Workspace, query: str, **values: object) -> SearchSide:
    return run_search_test(workspace, "A", query, **values).sides[0]  # type: ignore[arg-type]


def test_it_shows_what_a_prompt_would_contain_and_writes_no_trace(filled: Workspace) -> None:
    found = side(filled, "What does rye bread need?")
    assert (found.preset, found.version_number) == ("Balanced", 1)
    assert found.passage_count == sum(hit.marker is not None for hit in found.hits) > 0
    assert 0 < found.tokens <= 1400
    assert found.milliseconds >= found.stages[-1].end_ms
    assert count_traces(filled.database, TraceFilter()) == 0


def test_two_presets_and_changes_of_the_first(filled: Workspace) -> None:
    test = run_search_test(filled, "A", "rye bread", presets=("", "Classic"), changes={"max_passages": 1})
    assert [side.preset for side in test.sides] == ["Custom", "Classic"]
    assert test.sides[0].passage_count == 1


def test_two_versions(filled: Workspace, documents: Path) -> None:
    (documents / "bread.md").write_text("# Bread\n\nRye bread needs patience.\n", "utf-8")
    drive(ingest_files(filled, "A", [documents]))
    test = run_search_test(filled, "A", "What does rye bread need?", versions=(1, None))
    assert [side.version_number for side in test.sides] == [1, 2]
    texts = ["".join(hit.text for hit in side.hits) for side in test.sides]
    assert "patience" not in texts[0]
    assert "patience" in texts[1]


def test_a_passage_that_is_found_is_explained(filled: Workspace) -> None:
    found = side(filled, "What does rye bread need?", looking_for="sourdough")
    assert found.explanation.startswith("[1] is the passage of bread.md")
    assert "It was number 1 of " in found.explanation


def test_a_passage_that_is_no_candidate_gets_its_ranks(filled: Workspace) -> None:
    found = side(
        filled,
        "What does rye bread need?",
        looking_for="Bremen",
        changes={"candidates": 1, "whole_documents": False},
    )
    assert "was no candidate: by meaning it is number " in found.explanation
    assert "the first 1 of each are candidates." in found.explanation


def test_words_that_no_passage_has(filled: Workspace) -> None:
    found = side(filled, "What does rye bread need?", looking_for="quantum chromodynamics")
    assert found.explanation == "No passage of version 1 contains these words in sequence."


def test_what_is_refused(filled: Workspace) -> None:
    with pytest.raises(RagError, match="question is empty"):
        side(filled, "  ")
    with pytest.raises(RagError, match="no preset “Slow”"):
        side(filled, "rye", presets=("Slow",))
    with pytest.raises(NotFoundError, match="no version 7"):
        side(filled, "rye", versions=(7,))
    with pytest.raises(RagError, match="no setting"):
        side(filled, "rye", changes={"nonsense": 1})


def test_excluded_passages_are_named_as_such(filled: Workspace) -> None:
    chunk = next(hit.chunk_id for hit in side(filled, "rye bread").hits if "sourdough" in hit.text)
    drive(exclude_chunks(filled, "A", [chunk], "a test"))
    found = side(filled, "What does rye bread need?", looking_for="sourdough")
    assert found.explanation == "Only passages that are excluded contain these words."


def test_a_follow_up_is_searched_with_the_question_before(filled: Workspace) -> None:
    found = side(filled, "And how long?", previous="What does rye bread need?")
    assert "also searched for: What does rye bread need? And how long? (follow-up)" in found.notes
    assert found.hits[0].document == "bread.md"


def test_a_document_that_is_put_in_whole_is_shown_with_its_reason(filled: Workspace, tmp_path: Path) -> None:
    lines = "\n\n".join(
        f"Rule {n} of the kitchen: the oven of room {n} is cleaned on day {n}." for n in range(40)
    )
    (tmp_path / "rules.txt").write_text(lines, "utf-8")
    drive(ingest_files(filled, "A", [tmp_path / "rules.txt"]))
    found = side(filled, "List all rules of the kitchen", changes={"candidates": 1, "context_tokens": 4000})
    added = [hit for hit in found.hits if hit.moves and hit.moves[0].startswith("put in: ")]
    assert added
    assert all(hit.document == "rules.txt" and hit.marker for hit in added)
    shown = [hit for hit in found.hits if hit.document == "rules.txt" and hit.marker]
    starts = [hit.start for hit in sorted(shown, key=lambda hit: hit.marker or 0)]
    assert starts == sorted(starts), "a list is read in its order"
    assert not any("asks for a list" in note for note in found.notes), "the model sees everything"


def test_a_version_of_another_collection_is_not_searched(filled: Workspace, documents: Path) -> None:
    drive(ingest_files(filled, "B", [documents / "stars.txt"]))
    found = run_search_test(filled, "B", "What does rye bread need?", looking_for="sourdough").sides[0]
    assert {hit.document for hit in found.hits} == {"stars.txt"}
    assert found.explanation == "No passage of version 1 contains these words in sequence."
