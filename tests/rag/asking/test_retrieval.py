"""Fusion, packing, matching and chunking hold for every input."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeEmbedder, drive
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.asking.retrieval import Retrieval, drop_dissimilar, fuse, is_contents, retrieve
from rag.index.rows import Hit
from rag.knowledge.collections import open_version
from rag.knowledge.edits import exclude_chunks
from rag.knowledge.ingest import ingest_files
from rag.models.embedding import STARTER_NAME
from rag.parsing.chunking import Chunker
from rag.parsing.rows import ParsedDocument, Place
from rag.settings import PRESETS, ChunkingSettings, RetrievalSettings, preset
from rag.storage.version_content import nearest
from rag.text.search_terms import indexed_text, match_expression, query_words
from rag.workspace import Workspace

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


# --- searching a collection -------------------------------------------------------------------------------

FILES = {
    "manual.txt": "The console XR-2075 receives up to eight sensor heads.\n\nIts battery survives two winters.",
    "errors.txt": "Error E7 means that the console hears no sensor.\n\nError E9 means an empty battery.",
    "law.txt": "4.4.6 Tags are removed by hand.\n\n4.4.7 Tags are kept.\n\n14.4.6 Nothing else.",
    "fuji.txt": "富士山は日本で最も高い山です。",
    "contents.txt": "1.1 Console . . . . . 3\n1.2 Sensor . . . . . 5\n1.3 Battery . . . . . 8\n1.4 Tags . . . . . 9",
}


@pytest.fixture
def shelf(workspace: Workspace, tmp_path: Path) -> Workspace:
    """A collection “Shelf” of five short files."""
    add(workspace, tmp_path, FILES)
    return workspace


def add(workspace: Workspace, folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    drive(ingest_files(workspace, "Shelf", [folder / name for name in files]))


def search(workspace: Workspace, text: str, previous: str = "", **values: object) -> Retrieval:
    collection, version = open_version(workspace, "Shelf", None)
    return retrieve(workspace, collection, version, text, RetrievalSettings(**values), previous)  # type: ignore[arg-type]


def documents(hits: Sequence[Hit]) -> list[str]:
    return [hit.document for hit in hits]


def lists(hit: Hit) -> set[str]:
    return {one.list for one in hit.lists}


def test_every_candidate_keeps_its_place_in_every_list(shelf: Workspace) -> None:
    found = search(shelf, "What does E9 mean for the battery?")
    assert documents(found.hits)[0] == "errors.txt"
    assert lists(found.hits[0]) == {"dense", "BM25", "identifier"}
    assert [hit.rank for hit in found.hits] == list(range(1, len(found.hits) + 1))
    for name in ("dense", "BM25", "identifier"):
        ranks = [one.rank for hit in found.hits for one in hit.lists if one.list == name]
        assert sorted(ranks) == list(range(1, len(ranks) + 1))
    assert [stage.name for stage in found.stages] == [
        "query", "embed", "dense", "lexical", "identifiers", "fuse", "rerank", "order",
    ]  # fmt: skip


def test_an_identifier_is_searched_for_as_a_whole_and_comes_first(shelf: Workspace) -> None:
    found = search(shelf, "tags in section 4.4.6")
    assert "contains 4.4.6" in found.hits[0].moves[-1]
    assert documents(found.hits)[0] == "law.txt"
    assert "identifier" not in {
        one for hit in search(shelf, "tags 4.4.6", identifiers=False).hits for one in lists(hit)
    }


def test_words_of_one_stem_are_one_word(shelf: Workspace) -> None:
    assert "BM25" in lists(search(shelf, "surviving winter", search="BM25").hits[0])
    assert search(shelf, "surviving", search="BM25", stemming=False).hits == ()


def test_a_chinese_question_finds_by_pairs_of_characters(shelf: Workspace) -> None:
    assert documents(search(shelf, "日本で高い山は何ですか", search="BM25").hits) == ["fuji.txt"]


def test_a_misspelt_word_is_searched_for_twice_and_told(shelf: Workspace) -> None:
    found = search(shelf, "which batery is empty", search="BM25")
    assert found.fallbacks == ("also searched for: which battery is empty (spelling)",)
    assert "BM25 (spelling)" in lists(found.hits[0])
    assert search(shelf, "which batery is empty", search="BM25", spelling=False).fallbacks == ()


def test_a_follow_up_is_searched_for_alone_and_with_the_question_before(shelf: Workspace) -> None:
    found = search(shelf, "And how long?", previous="How many winters does the battery survive?")
    assert "BM25 (follow-up)" in lists(found.hits[0])
    assert documents(found.hits)[0] == "manual.txt"


def test_a_table_of_contents_stands_last(shelf: Workspace) -> None:
    found = search(shelf, "console sensor battery tags")
    assert documents(found.hits)[-1] == "contents.txt"
    assert found.hits[-1].moves[-1].startswith("put last")
    assert (
        documents(search(shelf, "console sensor battery tags", contents_last=False).hits)[-1]
        != "contents.txt"
    )


def test_a_weak_match_is_told_and_shown(shelf: Workspace) -> None:
    found = search(shelf, "What does the winter of our discontent mean to Richard of Gloucester?")
    assert any(hit.dropped is None for hit in found.hits)
    assert any(note.startswith("weak match: the best similarity is 0.") for note in found.fallbacks)


def test_nothing_is_found_when_no_word_is_in_common_and_nothing_is_similar(shelf: Workspace) -> None:
    found = search(shelf, "quantum chromodynamics lattice")
    assert found.hits and all(hit.dropped for hit in found.hits)
    assert {hit.dropped for hit in found.hits} == {"no word in common and similarity below 0.25"}


def test_bm25_asks_no_cosine(shelf: Workspace) -> None:
    found = search(shelf, "winters", search="BM25", min_similarity=0.99)
    assert [hit.dropped for hit in found.hits] == [None]


def test_late_interaction_moves_and_says_so(shelf: Workspace) -> None:
    moved = [hit for hit in search(shelf, "no sensor console hears").hits if hit.rerank_score is not None]
    assert moved
    assert all(-1 <= (hit.rerank_score or 0) <= 1.000001 for hit in moved)
    assert all(
        hit.rerank_score is None for hit in search(shelf, "no sensor console hears", rerank="none").hits
    )


def test_diversity_puts_what_says_the_same_behind(workspace: Workspace, tmp_path: Path) -> None:
    same = {f"{n}.txt": f"The console hears eight sensors number{n}." for n in range(3)}
    add(workspace, tmp_path, {**same, "other.txt": "The console has a battery."})
    straight, diverse = (
        documents(search(workspace, "eight sensors a console hears", diversity=d).hits) for d in (0.0, 0.9)
    )
    assert straight.index("other.txt") == 3
    assert diverse.index("other.txt") == 1


def test_searching_again_finds_the_same(shelf: Workspace) -> None:
    assert search(shelf, "battery of the console").hits == search(shelf, "battery of the console").hits


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_finds_what_is_there(shelf: Workspace, name: str) -> None:
    collection, version = open_version(shelf, "Shelf", None)
    found = retrieve(shelf, collection, version, "Error E9 means an empty battery", preset(name))
    assert documents(found.hits)[0] == "errors.txt"


WORDS = st.sampled_from(
    "console sensor battery winter tag error hears empty kept removed eight heads".split()
)
TEXTS = st.lists(st.lists(WORDS, min_size=3, max_size=12).map(" ".join), min_size=1, max_size=12, unique=True)


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS, st.data())
def test_a_chunk_that_contains_the_question_word_for_word_is_among_the_first(
    workspace: Workspace, tmp_path: Path, texts: list[str], data: st.DataObject
) -> None:
    add(workspace, tmp_path, {f"{n}.txt": text for n, text in enumerate(texts)})
    question = data.draw(st.sampled_from(texts))
    first = search(workspace, question).hits[:5]
    assert any(question in hit.text for hit in first)


@settings(deadline=None, max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS)
def test_more_documents_never_remove_a_hit_by_its_identifier(
    workspace: Workspace, tmp_path: Path, texts: list[str]
) -> None:
    add(workspace, tmp_path, {"named.txt": "Part ZX-81.7 is a cable."})
    before = {hit.chunk_id for hit in search(workspace, "cable ZX-81.7").hits if hit.document == "named.txt"}
    add(workspace, tmp_path, {f"{n}.txt": text for n, text in enumerate(texts)})
    found = search(workspace, "cable ZX-81.7")
    assert before and before == {found.hits[0].chunk_id}


def test_rows_of_a_table_are_no_contents() -> None:
    assert is_contents(
        "1.1 Scope . . . . . 3\n1.2 Terms . . . . . 4\n1.3 Law . . . . . 9\n2 More . . . . . 12"
    )
    assert is_contents("apt, 1\nbash, 2, 7\ncron, 3-8\ndeb, 4\nefi, 5")
    assert is_contents("4.1 Tags 87\n4.2 Other tags 90\n4.2.1 Some more 99\n5.2 Final 120")
    assert not is_contents("Year Revenue\n2010 5\n2011 6\n2012 7\n2013 8")
    assert not is_contents("The text.\nMore of it in 2010\nAnd then, 2011")


def test_a_question_in_another_language_is_told_when_the_embedder_is_english(
    shelf: Workspace,
) -> None:
    german = "Was ist mit der Batterie, wenn sie nicht mehr geladen wird?"
    assert not any("looks German" in note for note in search(shelf, german).fallbacks)
    shelf.embedder.name = STARTER_NAME
    assert any("the question looks German" in note for note in search(shelf, german).fallbacks)
    assert not any("looks German" in note for note in search(shelf, german, search="BM25").fallbacks)
    assert not any(
        "looks" in note for note in search(shelf, "What is the battery of the console for?").fallbacks
    )


QUESTIONS = st.lists(WORDS, min_size=1, max_size=8).map(" ".join)


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(QUESTIONS, QUESTIONS, st.sampled_from(sorted(PRESETS)), st.sampled_from(["hybrid", "dense", "BM25"]))
def test_no_stage_loses_a_candidate_and_scores_are_the_published_ones(
    shelf: Workspace, question: str, previous: str, name: str, kind: str
) -> None:
    collection, version = open_version(shelf, "Shelf", None)
    chosen = preset(name).model_copy(update={"search": kind})
    found = retrieve(shelf, collection, version, question, chosen, previous)
    ids = [hit.chunk_id for hit in found.hits]
    assert len(ids) == len(set(ids))
    assert [hit.rank for hit in found.hits] == list(range(1, len(ids) + 1))
    assert sorted(hit.fused_rank for hit in found.hits) == list(range(1, len(ids) + 1))
    for hit in found.hits:
        assert hit.lists, "every candidate came from somewhere"
        assert hit.fused_score == pytest.approx(sum(1 / (chosen.rrf_k + one.rank) for one in hit.lists))
        assert hit.marker is None
    by_fusion = sorted(found.hits, key=lambda hit: hit.fused_rank)
    scores = [hit.fused_score for hit in by_fusion]
    assert scores == sorted(scores, reverse=True)
    for one in {one.list for hit in found.hits for one in hit.lists}:
        ranks = sorted(x.rank for hit in found.hits for x in hit.lists if x.list == one)
        assert ranks == list(range(1, len(ranks) + 1))
        assert len(ranks) <= chosen.candidates
    again = retrieve(shelf, collection, version, question, chosen, previous)
    assert again.hits == found.hits and again.fallbacks == found.fallbacks


def test_an_excluded_chunk_is_in_no_list(shelf: Workspace) -> None:
    hit = search(shelf, "tags in section 4.4.6").hits[0]
    drive(exclude_chunks(shelf, "Shelf", [hit.chunk_id], "a test"))
    found = search(shelf, "tags in section 4.4.6")
    assert hit.chunk_id not in {one.chunk_id for one in found.hits}
    assert not any("4.4.6" in move for one in found.hits for move in one.moves)


def test_a_word_with_a_soft_hyphen_is_found_by_its_plain_form_and_shown_as_it_is(
    workspace: Workspace, tmp_path: Path
) -> None:
    add(
        workspace,
        tmp_path,
        {"soft.txt": "The baro\u00admeter of the o\ufb03ce is ＮＥＷ.", "other.txt": "Nothing of it."},
    )
    for question in ("barometer", "the office", "new things"):
        first = search(workspace, question, search="BM25").hits[0]
        assert first.document == "soft.txt"
        assert "baro\u00admeter" in first.text
    kept = search(workspace, "barometer office new", min_similarity=0.99).hits[0]
    assert kept.dropped is None, "the exemption of exact hits folds as the index does"
