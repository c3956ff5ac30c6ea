"""The index holds the vectors it was given, finds the nearest, and can be thrown away and filled again."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from chroma_server import run_server
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.errors import IndexDamagedError, RagError
from rag.index.vector_index import IndexPlace, Vector, VectorIndex, is_of_chroma, open_client

PLACE = IndexPlace("collection-1")
DIMENSION = 8


def vector_of(text_hash: str) -> Vector:
    """A unit vector that depends on the hash alone."""
    made = np.random.default_rng(list(text_hash.encode())).normal(size=DIMENSION)
    return (made / np.linalg.norm(made)).astype(np.float32)


def vectors_of(hashes: list[str]) -> dict[str, Vector]:
    return {text_hash: vector_of(text_hash) for text_hash in hashes}


def names(count: int) -> list[str]:
    return [f"hash{number:04}" for number in range(count)]


@pytest.fixture
def index(tmp_path: Path) -> Iterator[VectorIndex]:
    made = VectorIndex(tmp_path / "chroma")
    yield made
    made.close()


def test_what_was_added_is_held_with_its_vectors(index: VectorIndex) -> None:
    assert list(index.add(PLACE, names(5), vectors_of)) == [(5, 5)]
    assert sorted(index.hashes(PLACE)) == names(5)
    assert index.count(PLACE) == 5
    found = index.vectors(PLACE, ["hash0001", "hash0003", "unknown"])
    assert sorted(found) == ["hash0001", "hash0003"]
    for text_hash, vector in found.items():
        assert vector.dtype == np.float32
        assert np.allclose(vector, vector_of(text_hash), atol=1e-6)


def test_writing_goes_in_batches_and_says_how_far_it_is(index: VectorIndex) -> None:
    asked: list[int] = []

    def counted(hashes: list[str]) -> dict[str, Vector]:
        asked.append(len(hashes))
        return vectors_of(hashes)

    assert list(index.add(PLACE, names(250), counted)) == [(100, 250), (200, 250), (250, 250)]
    assert asked == [100, 100, 50]
    assert list(index.delete(PLACE, names(120))) == [(100, 120), (120, 120)]
    assert index.count(PLACE) == 130


def test_stopping_between_batches_leaves_what_was_written(index: VectorIndex) -> None:
    steps = index.add(PLACE, names(250), vectors_of)
    next(steps)
    steps.close()  # type: ignore[attr-defined]
    assert index.count(PLACE) == 100
    list(index.add(PLACE, names(250), vectors_of))
    assert index.count(PLACE) == 250


def test_the_nearest_come_first_by_cosine(index: VectorIndex) -> None:
    list(index.add(PLACE, names(60), vectors_of))
    wanted = vector_of("hash0017")
    expected = sorted(names(60), key=lambda name: -float(vector_of(name) @ wanted))[:10]
    assert index.query(PLACE, wanted, 10) == expected
    assert index.query(PLACE, wanted * 40, 10) == expected, "the length of a vector does not matter"
    assert len(index.query(PLACE, wanted, 500)) == 60


def test_an_empty_index_answers_nothing(index: VectorIndex) -> None:
    assert index.query(PLACE, vector_of("x"), 5) == []
    assert index.hashes(PLACE) == []
    assert index.count(PLACE) == 0
    assert index.vectors(PLACE, []) == {}
    assert list(index.add(PLACE, [], vectors_of)) == []


def test_adding_again_replaces_and_deleting_what_is_not_there_does_nothing(index: VectorIndex) -> None:
    list(index.add(PLACE, ["a", "b"], vectors_of))
    list(index.add(PLACE, ["b"], lambda _: {"b": vector_of("other")}))
    assert index.count(PLACE) == 2
    assert np.allclose(index.vectors(PLACE, ["b"])["b"], vector_of("other"), atol=1e-6)
    list(index.delete(PLACE, ["b", "never there"]))
    assert index.hashes(PLACE) == ["a"]


def test_a_missing_vector_is_a_sentence_and_nothing_of_its_batch_is_written(index: VectorIndex) -> None:
    with pytest.raises(RagError, match="Some chunks have no vector"):
        list(index.add(PLACE, ["a", "b"], lambda _: {"a": vector_of("a")}))
    assert index.count(PLACE) == 0


def test_collections_are_apart_and_one_is_dropped_alone(index: VectorIndex) -> None:
    other = IndexPlace("collection-2")
    list(index.add(PLACE, ["a"], vectors_of))
    list(index.add(other, ["b", "c"], vectors_of))
    assert sorted(index.collection_names()) == ["collection-1", "collection-2"]
    index.drop(other)
    index.drop(IndexPlace("never-filled"))
    assert index.collection_names() == ["collection-1"]
    assert index.hashes(PLACE) == ["a"]


def test_it_is_there_after_it_was_closed(tmp_path: Path) -> None:
    first = VectorIndex(tmp_path / "chroma")
    list(first.add(PLACE, ["a", "b"], vectors_of))
    first.close()
    first.close()  # a second time does nothing
    assert first.count(PLACE) == 2, "it opens again when it is used"
    first.close()
    again = VectorIndex(tmp_path / "chroma")
    assert sorted(again.hashes(PLACE)) == ["a", "b"]
    again.close()


def test_an_erased_folder_is_gone_and_can_be_filled_again(tmp_path: Path) -> None:
    index = VectorIndex(tmp_path / "chroma")
    index.erase_folder()  # nothing is there yet
    list(index.add(PLACE, names(20), vectors_of))
    index.erase_folder()
    assert not (tmp_path / "chroma").exists()
    assert index.count(PLACE) == 0
    list(index.add(PLACE, names(3), vectors_of))
    assert index.count(PLACE) == 3
    index.close()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.booleans(), st.sets(st.sampled_from(names(8)), min_size=1, max_size=8)), max_size=5)
)
def test_any_order_of_adding_and_deleting_leaves_what_a_set_would_hold(
    tmp_path: Path, changes: list[tuple[bool, set[str]]]
) -> None:
    index = VectorIndex(tmp_path / "chroma")
    place = IndexPlace("changed")
    index.drop(place)
    held: set[str] = set()
    for is_added, hashes in changes:
        list(
            index.add(place, sorted(hashes), vectors_of) if is_added else index.delete(place, sorted(hashes))
        )
        held = held | hashes if is_added else held - hashes
        assert set(index.hashes(place)) == held
    index.close()


@pytest.mark.parametrize("address", ["localhost:8000", "ftp://host", "http://", "just words"])
def test_what_is_not_the_address_of_a_server_is_refused(index: VectorIndex, address: str) -> None:
    with pytest.raises(RagError, match="not the address of a Chroma server"):
        index.check_server(address)


def test_a_server_that_does_not_answer_is_a_sentence_whatever_is_asked(index: VectorIndex) -> None:
    gone = IndexPlace("x", "http://127.0.0.1:9")
    with pytest.raises(RagError, match="No Chroma server answers"):
        index.check_server(gone.server)
    for action in (
        lambda: index.count(gone),
        lambda: index.hashes(gone),
        lambda: index.drop(gone),
        lambda: index.vectors(gone, ["a"]),
        lambda: list(index.add(gone, ["a"], vectors_of)),
        lambda: list(index.delete(gone, ["a"])),
    ):
        with pytest.raises(RagError, match="No Chroma server answers"):
            action()


def test_no_client_reports_to_anyone(tmp_path: Path) -> None:
    client = open_client("", str(tmp_path / "chroma"))
    assert client.get_settings().anonymized_telemetry is False
    client.close()


# --- on a server ------------------------------------------------------------------------------------------


def test_a_server_holds_an_index_as_the_folder_does_and_its_end_is_a_sentence(
    index: VectorIndex, tmp_path: Path
) -> None:
    with run_server(tmp_path / "server") as (address, process):
        place = IndexPlace("collection-1", address)
        index.check_server(address)
        assert list(index.add(place, names(120), vectors_of)) == [(100, 120), (120, 120)]
        list(index.add(PLACE, names(3), vectors_of))
        assert (index.count(place), index.count(PLACE)) == (120, 3), "the same key elsewhere is another index"
        assert index.query(place, vector_of("hash0017"), 1) == ["hash0017"]
        assert np.allclose(index.vectors(place, ["hash0002"])["hash0002"], vector_of("hash0002"), atol=1e-6)
        list(index.delete(place, names(100)))
        assert len(index.hashes(place)) == 20
        index.drop(place)
        assert index.count(place) == 0
        assert index.count(PLACE) == 3
        process.kill()
        process.wait()
        for action in (
            lambda: index.count(place),
            lambda: index.hashes(place),
            lambda: index.drop(place),
            lambda: list(index.add(place, ["a"], vectors_of)),
        ):
            with pytest.raises(RagError, match=f"server at {address} does not answer"):
                action()
    assert index.count(PLACE) == 3, "the folder is not touched by it"


def test_what_is_wrong_with_an_index_is_said_without_changing_it(tmp_path: Path) -> None:
    index = VectorIndex(tmp_path / "index")
    assert index.problem(IndexPlace("notes"), 2) == "its folder is gone"
    assert index.problem(IndexPlace("notes"), 0) == "", "an empty one may never have been made"
    list(index.add(IndexPlace("notes"), ["a", "b"], vectors_of))
    assert index.problem(IndexPlace("notes"), 2) == ""
    assert index.problem(IndexPlace("notes"), 3) == "it has 2 of 3 texts"
    assert index.problem(IndexPlace("other"), 3).startswith("it cannot be read")
    assert "No Chroma server answers" in index.problem(IndexPlace("notes", "http://localhost:1"), 3)
    assert not index.was_reset
    index.close()


def test_damage_is_remembered_until_the_index_is_made_again(tmp_path: Path) -> None:
    index = VectorIndex(tmp_path / "index")
    index.note_damage()
    assert VectorIndex(tmp_path / "index").was_reset
    index.note_repair()
    index.note_repair()
    assert not index.was_reset


def test_damage_in_the_middle_of_an_operation_is_a_sentence_and_the_next_one_begins_anew(
    tmp_path: Path,
) -> None:
    index = VectorIndex(tmp_path / "index")
    list(index.add(IndexPlace("notes"), ["a", "b"], vectors_of))
    with sqlite3.connect(tmp_path / "index" / "chroma.sqlite3") as connection:
        connection.execute("DROP TABLE embeddings")
    connection.close()
    with pytest.raises(IndexDamagedError, match=r"is made again from the stored vectors; nothing is lost"):
        index.hashes(IndexPlace("notes"))
    assert index.was_reset
    assert index.hashes(IndexPlace("notes")) == []
    index.close()


def test_a_refusal_and_a_cancel_are_not_of_chroma() -> None:
    assert is_of_chroma(ValueError("x")) and is_of_chroma(type("PanicException", (BaseException,), {})())
    assert not is_of_chroma(RagError("x")) and not is_of_chroma(KeyboardInterrupt())
