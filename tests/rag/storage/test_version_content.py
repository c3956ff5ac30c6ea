"""The content of a version as arrays, and exact search in it."""

import random
from pathlib import Path

import numpy as np
import pytest
from fakes import drive
from hypothesis import given
from hypothesis import strategies as st
from versions_of_a import chunk_of, version

from rag.errors import RagError
from rag.knowledge.edits import exclude_chunks
from rag.knowledge.ingest import ingest_files
from rag.storage.version_content import (
    ContentCache,
    VersionContent,
    fts_tokens,
    nearest,
    ordered,
    same_stem,
    stems,
)
from rag.text.search_terms import query_words
from rag.workspace import Workspace


def test_bm25_is_what_a_plain_loop_computes(workspace: Workspace, tmp_path: Path) -> None:
    generator = random.Random(4)
    words = [f"word{n}" for n in range(30)] + ["日本", "café"]
    for number in range(25):
        text = " ".join(generator.choices(words, k=generator.randint(5, 60)))
        (tmp_path / f"{number}.txt").write_text(text, "utf-8")
    drive(ingest_files(workspace, "A", [tmp_path]))
    drive(ingest_files(workspace, "B", [tmp_path / "1.txt", tmp_path / "2.txt"]))  # must not count in A
    active = version(workspace)
    content = workspace.content(active.id, active.embedder)
    rows = workspace.database.query("SELECT c.id, c.text, c.token_count FROM chunk c JOIN document d "
                                   "ON d.id = c.document_id WHERE d.collection_id = 1")  # fmt: skip
    query = "word3 word7 CAFE 日本"
    mean = sum(row[2] for row in rows) / len(rows)
    expected: dict[int, float] = {}
    for word in ("word3", "word7", "café", "日本"):
        counts = {row[0]: row[1].split().count(word) for row in rows}
        holding = sum(1 for count in counts.values() if count)
        idf = np.log(1 + (len(rows) - holding + 0.5) / (holding + 0.5))
        for row in rows:
            tf = counts[row[0]]
            if tf:
                norm = 1.2 * (1 - 0.75 + 0.75 * row[2] / mean)
                expected[row[0]] = expected.get(row[0], 0.0) + idf * tf * 2.2 / (tf + norm)
    with workspace.store.session() as session:
        scored = dict(content.search_words(session, query_words(query), 100))
    assert scored.keys() == expected.keys()
    assert all(abs(scored[i] - expected[i]) < 1e-4 for i in expected)


def test_words_are_folded_as_fts5_folds_them() -> None:
    assert fts_tokens(["Café", "富士山", "foo_bar", "cafe"]) == [
        ("cafe",),
        ("富", "士", "山"),
        ("foo", "bar"),
    ]


def load(workspace: Workspace, version_id: int = 1) -> VersionContent:
    with workspace.store.session() as session:
        return VersionContent(session, version_id, "fake-embedder")


def test_content_is_sorted_by_chunk_and_loads_vectors_when_they_are_needed(ingested: Workspace) -> None:
    content = load(ingested)
    assert content.ids.tolist() == sorted(content.ids.tolist())
    assert len(content.hashes) == len(content.ids) == len(content.token_counts) == 3
    with ingested.store.session() as session:
        vectors = content.vectors(session)
        assert vectors.shape == (3, 1024)
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
        assert content.vectors(session) is vectors
        content.forget_vectors()
        assert np.array_equal(content.vectors(session), vectors)


def test_an_excluded_chunk_is_not_content(ingested: Workspace) -> None:
    left_out = chunk_of(ingested, "bread.md")
    drive(exclude_chunks(ingested, "A", [left_out], "why"))
    assert left_out in load(ingested).ids
    assert left_out not in load(ingested, version(ingested).id).ids


def test_a_version_without_chunks_finds_nothing(ingested: Workspace) -> None:
    content = load(ingested, 99)
    with ingested.store.session() as session:
        assert content.nearest(session, np.ones(1024, dtype=np.float32), 5) == []
        assert content.search_words(session, ["tide"], 5) == []
        assert content.vectors(session).shape == (0, 0)


def test_a_missing_vector_is_a_sentence(ingested: Workspace) -> None:
    with ingested.store.session() as session:
        session.connection().exec_driver_sql(
            "DELETE FROM embedding WHERE text_hash = (SELECT text_hash FROM chunk LIMIT 1)"
        )
    with ingested.store.session() as session, pytest.raises(RagError, match="Add their documents again"):
        load(ingested).vectors(session)


def test_chunks_of_the_same_text_share_a_vector(workspace: Workspace, tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("The tide at Bremen rises.", "utf-8")
    (tmp_path / "c.txt").write_text("Sirius is the brightest star.", "utf-8")
    drive(ingest_files(workspace, "A", [tmp_path / name for name in ("a.txt", "b.txt", "c.txt")]))
    with workspace.store.session() as session:
        vectors = load(workspace).vectors(session)
    assert np.array_equal(vectors[0], vectors[1])
    assert not np.array_equal(vectors[0], vectors[2])


def test_a_phrase_of_cjk_characters_is_found_as_a_phrase(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("富士山は高い", "utf-8")
    (tmp_path / "b.txt").write_text("山と富と士", "utf-8")
    drive(ingest_files(workspace, "A", [tmp_path / "a.txt", tmp_path / "b.txt"]))
    with workspace.store.session() as session:
        hits = load(workspace).search_words(session, ["富士山"], 5)
    assert [chunk for chunk, _ in hits] == [chunk_of(workspace, "a.txt")]


def test_a_word_that_comes_again_is_not_looked_up_again(ingested: Workspace) -> None:
    content = load(ingested)
    with ingested.store.session() as session:
        first = content.search_words(session, ["tide"], 5)
        session.connection().exec_driver_sql("INSERT INTO chunk_fts (chunk_fts) VALUES ('delete-all')")
        assert content.search_words(session, ["tide"], 5) == first != []
        session.rollback()


def test_the_cache_keeps_three_versions_and_the_vectors_of_one(ingested: Workspace) -> None:
    cache = ContentCache(ingested.store)
    first = cache.get(1, "fake-embedder")
    with ingested.store.session() as session:
        vectors = first.vectors(session)
        cache.get(2, "fake-embedder")
        assert cache.get(1, "fake-embedder") is first
        assert first.vectors(session) is not vectors
    for number in (3, 4, 5):
        cache.get(number, "fake-embedder")
    assert cache.get(1, "fake-embedder") is not first
    last = cache.get(1, "fake-embedder")
    cache.clear()
    assert cache.get(1, "fake-embedder") is not last


@given(st.integers(1, 40), st.integers(1, 60), st.integers(0, 2**16))
def test_nearest_is_what_sorting_all_scores_gives(rows: int, count: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    vectors = generator.integers(-2, 3, size=(rows, 3)).astype(np.float32)  # many ties
    vector = generator.integers(-2, 3, size=3).astype(np.float32)
    ids = np.arange(100, 100 + rows, dtype=np.int64)
    found = nearest(ids, vectors, vector, count)
    assert len(found) == min(count, rows)
    assert [score for _, score in found] == sorted((vectors @ vector).tolist(), reverse=True)[: len(found)]
    assert all(score == float(vectors[chunk - 100] @ vector) for chunk, score in found)


def test_scores_that_differ_by_rounding_alone_are_ordered_by_id() -> None:
    ids = np.array([9, 3, 5], dtype=np.int64)
    assert ordered(ids, np.array([0.5, 0.5 + 1e-9, 0.7])) == [(5, 0.7), (3, 0.5), (9, 0.5)]


def test_words_without_a_token_are_left_out_and_equal_ones_count_once() -> None:
    assert fts_tokens([]) == []
    assert fts_tokens(["...", "Tide", "tide", "TIDE"]) == [("tide",)]


def test_stems_are_fts5s_own() -> None:
    assert stems(["survives", "surviving", "Batteries", "battery", "4711", "富士"]) == [
        "surviv", "surviv", "batteri", "batteri", "4711", "富士",
    ]  # fmt: skip
    assert stems([]) == []


@pytest.fixture
def forms(workspace: Workspace, tmp_path: Path) -> VersionContent:
    """Four texts with forms of one word, and a second collection with another form."""
    texts = ["it survives", "it survived once", "a survivor survives", "a service", "surviving elsewhere"]
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.txt").write_text(text, "utf-8")
    drive(ingest_files(workspace, "A", [tmp_path / f"{n}.txt" for n in range(4)]))
    drive(ingest_files(workspace, "B", [tmp_path / "4.txt"]))
    return load(workspace)


def test_words_of_one_stem_are_found_in_the_vocabulary(workspace: Workspace, forms: VersionContent) -> None:
    with workspace.store.session() as session:
        assert same_stem(session, "survive") == ["survived", "survives", "surviving"]
        assert same_stem(session, "unheard") == ["unheard"], "a word that nothing has is itself"
        assert same_stem(session, "4711") == ["4711"]
        assert same_stem(session, "é") == ["é"]


def test_occurrences_with_stemming_are_those_of_all_forms(
    workspace: Workspace, forms: VersionContent
) -> None:
    with workspace.store.session() as session:
        rows, counts = forms.occurrences(session, ("survive",), stemming=True)
        assert (rows.tolist(), counts.tolist()) == ([0, 1, 2], [1, 1, 1])
        assert forms.occurrences(session, ("survive",))[0].tolist() == []
        # A phrase is searched for as it is written.
        assert forms.occurrences(session, ("it", "survives"), stemming=True)[0].tolist() == [0]
        assert forms.occurrences(session, ("it", "survive"), stemming=True)[0].tolist() == []


def test_two_forms_in_a_question_count_once(workspace: Workspace, forms: VersionContent) -> None:
    with workspace.store.session() as session:
        one = forms.search_words(session, ["survives"], 10, stemming=True)
        two = forms.search_words(session, ["survives", "surviving"], 10, stemming=True)
    assert one == two
    assert len(one) == 3


def test_the_vocabulary_is_that_of_the_index(workspace: Workspace, forms: VersionContent) -> None:
    with workspace.store.session() as session:
        known = forms.vocabulary(session)
    assert known["survives"] == 2
    assert "elsewhere" in known, "words of other versions are among them"
    assert "a" not in known and "it" not in known, "too short to be a correction"


def test_an_empty_version_has_no_occurrences(workspace: Workspace, forms: VersionContent) -> None:
    from rag.knowledge.edits import remove_documents

    drive(remove_documents(workspace, "A", [1, 2, 3, 4]))
    with workspace.store.session() as session:
        newest = session.connection().exec_driver_sql("SELECT max(id) FROM datasetversion").scalar_one()
    content = load(workspace, newest)
    with workspace.store.session() as session:
        assert content.search_words(session, ["survives"], 5, stemming=True) == []
        assert content.occurrences(session, ("survives",))[0].tolist() == []
