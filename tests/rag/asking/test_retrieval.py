"""Fusion, packing, matching and chunking hold for every input."""

from dataclasses import replace

import numpy as np
from fakes import FakeEmbedder
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.asking.retrieval import drop_dissimilar, fuse, pack
from rag.index.rows import Hit
from rag.parsing.chunking import Chunker
from rag.parsing.rows import ParsedDocument, Place
from rag.settings import ChunkingSettings, RetrievalSettings
from rag.storage.version_content import nearest
from rag.text.search_terms import indexed_text, match_expression, query_words

HIT = Hit(1, 1, "a.txt", "/a.txt", "page 1", "page", 1, 0, 10, "some words", 2)
rankings = st.lists(st.lists(st.integers(0, 60), max_size=40, unique=True), min_size=1, max_size=4)


@given(rankings, st.integers(1, 100))
def test_fusion_keeps_every_item_once_and_sorts_by_score(lists: list[list[int]], k: int) -> None:
    fused = fuse(lists, k)
    assert {item for item, _ in fused} == {item for ranking in lists for item in ranking}
    assert len(fused) == len({item for item, _ in fused})
    scores = [score for _, score in fused]
    assert scores == sorted(scores, reverse=True)


@given(st.lists(st.integers(0, 60), min_size=1, max_size=40, unique=True))
def test_fusing_a_ranking_with_itself_keeps_its_order(ranking: list[int]) -> None:
    assert [item for item, _ in fuse([ranking, ranking], 60)] == ranking


def test_fusion_gives_the_published_score() -> None:
    assert dict(fuse([[7, 8], [8]], 60))[8] == 1 / 62 + 1 / 61


hits = st.lists(
    st.tuples(st.text("abc ", min_size=1, max_size=40), st.integers(0, 3), st.integers(0, 50), st.booleans()),
    max_size=25,
)


@given(hits, st.integers(1, 8), st.integers(1, 120))
def test_packing_numbers_what_fits_and_gives_every_other_hit_a_reason(
    rows: list[tuple[str, int, int, bool]], most: int, budget: int
) -> None:
    given_hits = [
        replace(
            HIT,
            chunk_id=n,
            document_id=d,
            text=text,
            start=s,
            end=s + len(text),
            dropped="low" if low else None,
        )
        for n, (text, d, s, low) in enumerate(rows)
    ]
    counted: list[str] = []

    def count(text: str) -> int:
        counted.append(text)
        return len(text.split())

    packed = pack(given_hits, RetrievalSettings(max_passages=most), count, budget)
    assert [hit.chunk_id for hit in packed] == [hit.chunk_id for hit in given_hits]
    markers = [hit.marker for hit in packed if hit.marker is not None]
    assert markers == list(range(1, len(markers) + 1))
    assert len(markers) <= most
    assert all((hit.marker is None) == (hit.dropped is not None) for hit in packed)
    kept = [hit for hit in packed if hit.marker is not None]
    cost = sum(len(f"[{hit.marker}] {hit.document}, {hit.place}\n{hit.text}\n\n".split()) for hit in kept)
    assert cost <= budget
    assert len({hit.text for hit in kept}) == len(kept)


def test_a_hit_below_the_threshold_is_kept_when_it_holds_every_word() -> None:
    low = replace(HIT, dense_score=0.1, text="part A3-105 battery")
    kept, dropped = drop_dissimilar([low, replace(low, text="other")], "A3-105 battery", 0.3)
    assert kept.dropped is None
    assert dropped.dropped == "similarity 0.10 below 0.30"


@given(st.integers(1, 50), st.integers(1, 60))
def test_exact_search_finds_the_best_rows_in_order(rows: int, count: int) -> None:
    random = np.random.default_rng(rows * 100 + count)
    vectors = random.standard_normal((rows, 8)).astype(np.float32)
    query = random.standard_normal(8).astype(np.float32)
    found = nearest(np.arange(rows, dtype=np.int64), vectors, query, count)
    expected = np.sort(vectors @ query)[::-1][:count]
    assert np.allclose([score for _, score in found], expected, atol=1e-6)


@given(st.text(max_size=80))
def test_a_persons_words_never_reach_the_parser_of_fts5(text: str) -> None:
    import sqlite3

    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE t USING fts5(text, tokenize='unicode61 remove_diacritics 2')")
    connection.execute("INSERT INTO t VALUES (?)", (indexed_text(text),))
    expression = match_expression(text)
    if expression:
        connection.execute("SELECT count(*) FROM t WHERE t MATCH ?", (expression,)).fetchone()


def test_words_inside_chinese_text_are_found() -> None:
    import sqlite3

    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE t USING fts5(text)")
    connection.execute("INSERT INTO t VALUES (?)", (indexed_text("我们在东京看到了富士山"),))
    found = connection.execute(
        "SELECT count(*) FROM t WHERE t MATCH ?", (match_expression("富士山"),)
    ).fetchone()
    assert found[0] == 1


def test_stop_words_are_left_out_unless_there_is_nothing_else() -> None:
    assert query_words("What is the tide?") == ["tide"]
    assert query_words("What is it?") == ["what", "is", "it"]


EMBEDDER = FakeEmbedder()


@settings(deadline=None, max_examples=60)
@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=1500),
    st.integers(32, 64),
    st.sampled_from(["text", "markdown", "code"]),
)
def test_chunks_fit_stand_where_they_say_and_lose_no_word(text: str, most: int, markup: str) -> None:
    chunker = Chunker(
        EMBEDDER.tokenizer, ChunkingSettings(max_tokens=most, overlap_tokens=8), EMBEDDER.longest_input
    )
    half = len(text) // 2
    places = (Place("page", 1, "page 1", 0, half), Place("page", 2, "page 2", half, len(text)))
    chunks = chunker.split(ParsedDocument("t", "text/plain", text, places, markup=markup))
    covered = [False] * len(text)
    for chunk in chunks:
        assert text[chunk.start : chunk.end] == chunk.text
        assert chunk.token_count <= most
        assert chunk.place is not None
        assert chunk.place.start <= chunk.start <= chunk.end <= chunk.place.end
        covered[chunk.start : chunk.end] = [True] * (chunk.end - chunk.start)
    assert all(covered[n] or not character.isalnum() for n, character in enumerate(text))


def test_a_long_text_is_cut_at_paragraphs_and_loses_no_word() -> None:
    text = "\n\n".join(
        f"Paragraph {n} says that item {n} costs {n * 3} euros and weighs {n} grams." for n in range(900)
    )
    chunker = Chunker(EMBEDDER.tokenizer, ChunkingSettings(), EMBEDDER.longest_input)
    chunks = chunker.split(ParsedDocument("t", "text/plain", text, ()))
    assert all(text[chunk.start : chunk.end] == chunk.text for chunk in chunks)
    assert [chunk.start for chunk in chunks] == sorted(chunk.start for chunk in chunks)
    assert all(any(f"Paragraph {n} says" in chunk.text for chunk in chunks) for n in range(900))
