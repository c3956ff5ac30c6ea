"""Any Chroma folder can be looked into, is never changed, and an export is whole or not there."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import chromadb
import numpy as np
import pytest
from chroma_server import run_server
from chromadb.config import Settings

from rag.errors import NotFoundError, RagError
from rag.index.browser import Batch, ChromaBrowser, export_batches

TEXTS = ["The tide rises.", "Bread needs rest.", "Sirius is bright.", "Boats leave at noon."]
VECTORS = np.eye(4, 6, dtype=np.float32) + 0.1


def client_of(folder: Path) -> Any:
    return chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A Chroma folder with a filled collection, one without texts, and an empty one."""
    folder = tmp_path / "theirs"
    client = client_of(folder)
    notes = client.create_collection(
        "notes",
        embedding_function=None,
        metadata={"owner": "Ann"},
        configuration={"hnsw": {"space": "cosine"}},
    )
    notes.add(
        ids=[f"r{n}" for n in range(4)],
        documents=TEXTS,
        embeddings=VECTORS,
        metadatas=[{"page": n, "draft": n == 3} for n in range(4)],
    )
    bare = client.create_collection("bare", embedding_function=None)
    bare.add(ids=["x"], embeddings=VECTORS[:1])
    client.create_collection("empty", embedding_function=None)
    client.close()
    return folder


@pytest.fixture
def browser(theirs: Path, tmp_path: Path) -> Iterator[ChromaBrowser]:
    with ChromaBrowser(str(theirs), tmp_path / "copies") as opened:
        yield opened


def state_of(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_collections_are_described_by_name(browser: ChromaBrowser) -> None:
    bare, empty, notes = browser.collections()
    assert [bare.name, empty.name, notes.name] == ["bare", "empty", "notes"]
    assert (notes.count, notes.dimension, notes.space) == (4, 6, "cosine")
    assert notes.metadata == (("owner", "Ann"),)
    assert ("space", "cosine") in notes.hnsw
    assert (empty.count, empty.dimension) == (0, None)
    assert bare.space == "l2"
    assert browser.describe("notes") == notes


def test_a_name_that_is_not_there_is_a_sentence(browser: ChromaBrowser) -> None:
    for action in (
        lambda: browser.describe("none"),
        lambda: browser.page("none", 5, 0),
        lambda: browser.search("none", [0.0] * 6, 1),
        lambda: list(browser.batches("none")),
    ):
        with pytest.raises(NotFoundError, match="no collection “none”"):
            action()
    with pytest.raises(NotFoundError, match="no record “r9”"):
        browser.vector_of("notes", "r9")


def test_pages_follow_each_other_and_say_whether_there_is_more(browser: ChromaBrowser) -> None:
    first, last = browser.page("notes", 3, 0), browser.page("notes", 3, 3)
    assert [record.id for record in (*first.records, *last.records)] == ["r0", "r1", "r2", "r3"]
    assert (first.more, last.more, last.offset) == (True, False, 3)
    assert first.records[1].text == "Bread needs rest."
    assert first.records[1].metadata == (("draft", "False"), ("page", "1"))
    assert first.records[1].distance is None
    assert browser.page("empty", 5, 0).records == ()


def test_records_are_filtered_by_metadata_and_by_their_text(browser: ChromaBrowser) -> None:
    assert [r.id for r in browser.page("notes", 9, 0, {"page": {"$gte": 2}}).records] == ["r2", "r3"]
    assert [r.id for r in browser.page("notes", 9, 0, contains="needs").records] == ["r1"]
    assert browser.page("notes", 9, 0, {"page": {"$gte": 2}}, "needs").records == ()


def test_the_nearest_records_come_first_with_their_distance(browser: ChromaBrowser) -> None:
    found = browser.search("notes", VECTORS[2].tolist(), 2).records
    assert found[0].id == "r2"
    assert found[0].distance == pytest.approx(0.0, abs=1e-5)
    assert found[1].distance is not None and found[1].distance > 0.1
    assert [r.id for r in browser.search("notes", VECTORS[2].tolist(), 9, {"page": {"$lt": 1}}).records] == [
        "r0"
    ]
    assert browser.search("empty", [0.0] * 6, 3).records == ()


def test_a_vector_of_another_length_is_a_sentence(browser: ChromaBrowser) -> None:
    with pytest.raises(RagError, match="cannot be read as a Chroma folder"):
        browser.search("notes", [1.0, 0.0], 1)


def test_all_records_come_with_texts_metadata_and_vectors(browser: ChromaBrowser) -> None:
    ((ids, texts, metadata, vectors),) = browser.batches("notes")
    assert (ids, texts) == (["r0", "r1", "r2", "r3"], TEXTS)
    assert metadata[3] == {"page": 3, "draft": True}
    assert vectors.dtype == np.float32 and np.allclose(vectors, VECTORS, atol=1e-6)
    assert np.allclose(browser.vector_of("notes", "r1"), VECTORS[1], atol=1e-6)
    ((_, bare_texts, bare_metadata, _),) = browser.batches("bare")
    assert (bare_texts, bare_metadata) == ([""], [{}])
    assert list(browser.batches("empty")) == []


def test_looking_changes_nothing_and_an_unchanged_folder_is_copied_once(theirs: Path, tmp_path: Path) -> None:
    before = state_of(theirs)
    copies = tmp_path / "copies"
    for _ in range(2):
        with ChromaBrowser(str(theirs), copies) as opened:
            assert opened.describe("notes").count == 4
    assert state_of(theirs) == before
    (first,) = copies.iterdir()
    client = client_of(theirs)
    client.get_collection("notes", embedding_function=None).delete(ids=["r0"])
    client.close()
    with ChromaBrowser(str(theirs), copies) as opened:
        assert opened.describe("notes").count == 3
    (second,) = copies.iterdir()
    assert second != first, "the older copy goes"


def test_what_is_not_a_chroma_folder_is_a_sentence(tmp_path: Path) -> None:
    for folder in (tmp_path / "none", tmp_path):
        with pytest.raises(RagError, match="is not a Chroma folder"):
            ChromaBrowser(str(folder), tmp_path / "copies")
    (tmp_path / "chroma.sqlite3").write_bytes(b"no database" * 200)
    with pytest.raises(RagError, match="cannot be read as a Chroma folder"):
        ChromaBrowser(str(tmp_path), tmp_path / "elsewhere").collections()
    with pytest.raises(RagError, match="No Chroma server answers"):
        ChromaBrowser("http://127.0.0.1:9", tmp_path / "copies")


def batches() -> Iterator[Batch]:
    for begin in (0, 2):
        part = slice(begin, begin + 2)
        yield (
            [f"e{n}" for n in range(4)][part],
            TEXTS[part],
            [{"n": n} for n in range(4)][part],
            VECTORS[part],
        )


def test_an_export_is_a_folder_that_chroma_opens(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()  # an empty folder may be used
    assert list(export_batches(str(target), "mine", batches(), {"origin": "test"})) == [2, 4]
    client = client_of(target)
    made = client.get_collection("mine", embedding_function=None)
    assert made.count() == 4 and made.metadata["origin"] == "test"
    assert made.query(query_embeddings=VECTORS[1:2].tolist(), n_results=1)["ids"] == [["e1"]]
    client.close()


def test_an_export_that_stops_or_fails_leaves_nothing(tmp_path: Path) -> None:
    steps = export_batches(str(tmp_path / "out"), "mine", batches(), {"origin": "test"})
    next(steps)
    steps.close()  # type: ignore[attr-defined]

    def failing() -> Iterator[Batch]:
        yield next(batches())
        raise ValueError("the source is gone")

    with pytest.raises(ValueError, match="the source is gone"):
        list(export_batches(str(tmp_path / "out"), "mine", failing(), {"origin": "test"}))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["x", "", "a b", "-ab-", "ü" * 5])
def test_a_name_that_chroma_refuses_is_a_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(RagError, match=f"refuses the name “{name}”"):
        list(export_batches(str(tmp_path / "out"), name, batches(), {"origin": "test"}))
    assert not (tmp_path / "out").exists()


def test_a_target_that_is_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("theirs")
    (tmp_path / "a file").write_text("theirs")
    for target in ("full", "a file"):
        with pytest.raises(RagError, match="is not empty"):
            list(export_batches(str(tmp_path / target), "mine", batches(), {"origin": "test"}))
    assert (tmp_path / "full" / "file").read_text() == "theirs"


def test_an_export_to_a_server_that_is_not_there_is_a_sentence() -> None:
    with pytest.raises(RagError, match="No Chroma server answers"):
        list(export_batches("http://127.0.0.1:9", "mine", batches(), {"origin": "test"}))


# --- on a server ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with run_server(tmp_path_factory.mktemp("server")) as (address, _):
        yield address


def test_what_is_exported_to_a_server_can_be_looked_into_there(server: str, tmp_path: Path) -> None:
    assert list(export_batches(server, "exported", batches(), {"origin": "test"})) == [2, 4]
    with ChromaBrowser(f" {server} ", tmp_path / "copies") as browser:
        assert browser.is_server
        found = browser.describe("exported")
        assert (found.count, found.dimension, found.space) == (4, 6, "cosine")
        assert ("origin", "test") in found.metadata
        assert [r.id for r in browser.search("exported", VECTORS[3].tolist(), 1).records] == ["e3"]
        ((ids, texts, _, _),) = browser.batches("exported")
        assert (ids, texts) == (["e0", "e1", "e2", "e3"], TEXTS)
    assert not (tmp_path / "copies").exists(), "a server is not copied"


def test_a_name_on_a_server_is_taken_once_and_left_alone(server: str, tmp_path: Path) -> None:
    list(export_batches(server, "taken", batches(), {"origin": "first"}))
    with pytest.raises(RagError, match="already has a collection “taken”"):
        list(export_batches(server, "taken", batches(), {"origin": "second"}))
    with ChromaBrowser(server, tmp_path / "copies") as browser:
        assert browser.describe("taken").metadata == (("origin", "first"),)


def test_an_export_to_a_server_that_stops_or_fails_leaves_nothing_there(server: str, tmp_path: Path) -> None:
    steps = export_batches(server, "stopped", batches(), {"origin": "test"})
    next(steps)
    steps.close()  # type: ignore[attr-defined]

    def of_two_lengths() -> Iterator[Batch]:
        yield next(batches())
        yield ["other"], ["t"], [{"n": 1}], np.ones((1, 3), dtype=np.float32)

    with pytest.raises(RagError, match="stopped taking records"):
        list(export_batches(server, "failed", of_two_lengths(), {"origin": "test"}))
    with ChromaBrowser(server, tmp_path / "copies") as browser:
        assert not {"stopped", "failed"} & {collection.name for collection in browser.collections()}
        with pytest.raises(RagError, match="does not answer as expected"):
            browser.search("taken", [1.0], 1)


def test_a_folder_that_could_not_be_opened_does_not_block_the_next(theirs: Path, tmp_path: Path) -> None:
    for _ in range(3):
        with pytest.raises(RagError):
            ChromaBrowser(str(tmp_path / "none"), tmp_path / "copies")
    with ChromaBrowser(str(theirs), tmp_path / "copies") as browser:
        assert browser.describe("bare").count == 1
    with ChromaBrowser(str(theirs), tmp_path / "copies") as browser:
        assert browser.describe("empty").count == 0
