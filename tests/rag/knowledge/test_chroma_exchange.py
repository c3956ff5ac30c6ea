"""The Chroma console against real folders and a real server."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import chromadb
import numpy as np
import pytest
from chroma_server import run_server
from chromadb.config import Settings as ChromaSettings
from fakes import FakeEmbedder, drive

from rag.asking.answer import answer_question
from rag.asking.retrieval import retrieve
from rag.asking.rows import Question
from rag.errors import NotFoundError, RagError
from rag.knowledge.chroma_exchange import (
    export_version,
    import_collection,
    list_collections,
    list_records,
    search_like,
    search_text,
)
from rag.knowledge.collections import open_version
from rag.knowledge.index_sync import serve_index
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import (
    get_collection,
    list_chunks,
    list_documents,
    look_up_version,
    read_document_text,
)
from rag.knowledge.versions import activate_version
from rag.settings import RetrievalSettings
from rag.start_up import start_up
from rag.workspace import Workspace

TEXTS = [
    "The tide at Bremen rises 3.5 metres.",
    "Rye bread needs sourdough and rest.",
    "Sirius is the brightest star of all.",
    "Boats leave the harbour at noon.",
]


def test_several_threads_read_one_folder(workspace: Workspace, tmp_path: Path) -> None:
    client = client_of(tmp_path / "chroma")
    made = client.create_collection("four-texts", embedding_function=None)
    made.add(ids=list("abcd"), documents=TEXTS, embeddings=FakeEmbedder().encode(TEXTS))
    client.close()
    with ThreadPoolExecutor(4) as pool:
        pages = list(
            pool.map(lambda _n: list_records(workspace, str(tmp_path / "chroma"), "four-texts"), range(8))
        )
    assert all([record.id for record in page.records] == list("abcd") for page in pages)


def client_of(folder: Path) -> Any:
    return chromadb.PersistentClient(str(folder), settings=ChromaSettings(anonymized_telemetry=False))


def fill(client: Any, vectors: np.ndarray, name: str = "notes", space: str = "cosine") -> None:
    collection = client.create_collection(
        name, embedding_function=None, configuration={"hnsw": {"space": space, "ef_search": 77}},
        metadata={"owner": "Ann"},
    )  # fmt: skip
    collection.add(
        ids=[f"r{n}" for n in range(len(TEXTS))],
        documents=TEXTS,
        embeddings=vectors,
        metadatas=[
            {"source": f"docs/{'ab'[n // 2]}.pdf", "page": 2 - n % 2, "draft": n == 3}
            for n in range(len(TEXTS))
        ],
    )


def state_of(folder: Path) -> dict[str, str]:
    files = (p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A folder whose vectors are the default embedder's."""
    folder = tmp_path / "their-chroma"
    client = client_of(folder)
    fill(client, FakeEmbedder().encode(TEXTS) * 3.0)  # not normalised, as some are
    client.create_collection("empty", embedding_function=None)
    client.close()
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with run_server(tmp_path_factory.mktemp("server")) as (address, _):
        yield address


def test_a_folder_is_listed_browsed_and_filtered_without_touching_it(
    workspace: Workspace, theirs: Path
) -> None:
    before = state_of(theirs)
    rows = {row.name: row for row in list_collections(workspace, str(theirs))}
    notes = rows["notes"]
    assert (notes.count, notes.dimension, notes.space) == (4, 1024, "cosine")
    assert dict(notes.hnsw)["ef_search"] == "77"
    assert notes.metadata == (("owner", "Ann"),)
    assert (rows["empty"].count, rows["empty"].dimension) == (0, None)
    page = list_records(workspace, str(theirs), "notes", limit=3)
    assert [r.id for r in page.records] == ["r0", "r1", "r2"]
    assert page.more
    assert [r.id for r in list_records(workspace, str(theirs), "notes", limit=3, offset=3).records] == ["r3"]
    found = list_records(workspace, str(theirs), "notes", where='page = 2 and source = "docs/b.pdf"')
    assert [r.id for r in found.records] == ["r2"]
    assert dict(found.records[0].metadata)["page"] == "2"
    assert [r.id for r in list_records(workspace, str(theirs), "notes", contains="bread").records] == ["r1"]
    assert list_records(workspace, str(theirs), "notes", where="page > 7").records == ()
    assert state_of(theirs) == before
    with pytest.raises(NotFoundError, match="no collection"):
        list_records(workspace, str(theirs), "nothing")


def test_search_by_text_and_by_a_records_vector(workspace: Workspace, theirs: Path) -> None:
    found = search_text(workspace, str(theirs), "notes", "brightest star")
    assert found.records[0].id == "r2"
    assert found.records[0].distance is not None
    like = search_like(workspace, str(theirs), "notes", "r1", count=2)
    assert like.records[0].id == "r1"
    assert len(like.records) == 2
    assert [
        r.id for r in search_like(workspace, str(theirs), "notes", "r1", where="draft = true").records
    ] == ["r3"]
    assert search_text(workspace, str(theirs), "empty", "anything").records == ()
    with pytest.raises(NotFoundError, match="no record"):
        search_like(workspace, str(theirs), "notes", "r99")
    with pytest.raises(RagError, match="nothing to search"):
        search_text(workspace, str(theirs), "notes", "  ")


def test_vectors_of_an_unknown_embedder_are_not_searched_by_text(
    workspace: Workspace, tmp_path: Path
) -> None:
    folder = tmp_path / "unknown"
    client = client_of(folder)
    fill(client, np.random.default_rng(1).normal(size=(4, 1024)).astype(np.float32))
    fill(client, np.random.default_rng(1).normal(size=(4, 7)).astype(np.float32), "small", "l2")
    client.close()
    for name in ("notes", "small"):
        with pytest.raises(RagError, match="were not made by"):
            search_text(workspace, str(folder), name, "star")
    assert search_like(workspace, str(folder), "small", "r0").records[0].id == "r0"
    report = drive(import_collection(workspace, str(folder), "small", "Taken over"))
    assert not report.known
    assert "7 dimensions" in report.embedder
    assert "browsed but not asked" in report.sentence()
    row = look_up_version(workspace.database, "Taken over", "active")
    assert "its distance was l2" in row.message
    assert row.verification_ok
    with pytest.raises(RagError, match="not installed here"):
        open_version(workspace, "Taken over", None)
    with pytest.raises(RagError, match="cannot be compared"):
        drive(ingest_files(workspace, "Taken over", [folder / "chroma.sqlite3"]))


def test_an_import_keeps_the_vectors_and_groups_records_into_documents(
    workspace: Workspace, theirs: Path
) -> None:
    report = drive(import_collection(workspace, str(theirs), "notes", "Taken over"))
    assert (report.documents, report.chunks, report.known) == (2, 4, True)
    assert isinstance(workspace.embedder, FakeEmbedder)
    row = look_up_version(workspace.database, "Taken over", "active")
    documents = list_documents(workspace.database, row.id)
    assert [d.name for d in documents] == ["a.pdf", "b.pdf"]
    chunks = list_chunks(workspace.database, documents[0].id)
    assert [c.place for c in chunks] == ["r1", "r0"]  # by page
    text = read_document_text(workspace.database, documents[0].id)
    assert [text[c.start : c.end] for c in chunks] == [c.text for c in chunks]
    stored = workspace.content(row.id, row.embedder)
    with workspace.store.session() as session:
        vectors = stored.vectors(session)
    expected = FakeEmbedder().encode([TEXTS[1]])[0]
    assert np.allclose(
        vectors[stored.hashes.index(hashlib.sha256(TEXTS[1].encode()).hexdigest())], expected, atol=1e-5
    )
    result = drive(answer_question(workspace, Question("Which star is the brightest?", "Taken over")))
    assert result.status == "done"
    again = drive(import_collection(workspace, str(theirs), "notes", "Taken over"))
    assert again.number == 2
    assert look_up_version(workspace.database, "Taken over", "2").document_count == 2


def test_an_export_can_be_read_by_chroma_itself_and_taken_back(
    workspace: Workspace, documents: Path, tmp_path: Path
) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    target = tmp_path / "export"
    assert drive(export_version(workspace, "A", str(target), "mine")) == 3
    client = client_of(target)
    collection = client.get_collection("mine", embedding_function=None)
    assert collection.count() == 3
    found = collection.get(include=["documents", "metadatas"])
    assert {m["document"] for m in found["metadatas"]} == {"tides.txt", "bread.md", "stars.txt"}
    assert collection.metadata["ragdeck_version"] == 1
    nearest = collection.query(query_embeddings=FakeEmbedder().encode(["rye bread"]).tolist(), n_results=1)
    assert "sourdough" in nearest["documents"][0][0]
    client.close()
    report = drive(import_collection(workspace, str(target), "mine", "Back"))
    assert (report.documents, report.chunks, report.known) == (3, 3, True)
    with pytest.raises(RagError, match="not empty"):
        drive(export_version(workspace, "A", str(target)))
    with pytest.raises(RagError, match="refuses the name"):
        drive(export_version(workspace, "A", str(tmp_path / "other"), "x"))
    assert not (tmp_path / "other").exists()


def test_a_cancelled_export_leaves_nothing(workspace: Workspace, documents: Path, tmp_path: Path) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    events = export_version(workspace, "A", str(tmp_path / "export"))
    next(events)
    events.close()
    assert not (tmp_path / "export").exists()
    assert not list(tmp_path.glob(".export*"))


def test_what_is_no_chroma_is_refused_with_a_sentence(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(RagError, match="not a Chroma folder"):
        list_collections(workspace, str(tmp_path))
    (tmp_path / "chroma.sqlite3").write_bytes(b"this is no database" * 100)
    with pytest.raises(RagError, match="cannot be read as a Chroma folder"):
        list_collections(workspace, str(tmp_path))
    with pytest.raises(RagError, match="No Chroma server answers"):
        list_collections(workspace, "http://127.0.0.1:9")
    with pytest.raises(RagError, match=r"No Chroma server|not the address"):
        list_collections(workspace, "http://")


def test_a_server_is_browsed_exported_to_and_imported_from(
    workspace: Workspace, server: str, documents: Path
) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    assert drive(export_version(workspace, "A", server, "from-ragdeck")) == 3
    with pytest.raises(RagError, match="already"):
        drive(export_version(workspace, "A", server, "from-ragdeck"))
    names = [row.name for row in list_collections(workspace, server)]
    assert "from-ragdeck" in names
    assert search_text(workspace, server, "from-ragdeck", "rye bread").records[0].text.startswith("# Bread")
    report = drive(import_collection(workspace, server, "from-ragdeck", "B"))
    assert report.known
    events = export_version(workspace, "A", server, "cancelled")
    next(events)
    events.close()
    assert "cancelled" not in [row.name for row in list_collections(workspace, server)]


def test_a_collection_is_served_from_a_server_and_survives_its_end(
    workspace: Workspace, documents: Path, tmp_path: Path
) -> None:
    """Point 9: the same answers from a server; when it is gone, exact search, and it is said."""
    drive(ingest_files(workspace, "A", [documents]))

    def ask() -> tuple[list[int], tuple[str, ...]]:
        collection, version = open_version(workspace, "A", None)
        found = retrieve(workspace, collection, version, "rye bread", RetrievalSettings())
        return [hit.chunk_id for hit in found.hits], found.fallbacks

    before = ask()
    with run_server(tmp_path / "server") as (address, process):
        report = drive(serve_index(workspace, "A", address))
        assert report.ok
        assert get_collection(workspace.database, "A").index_server == address
        assert workspace.index.collection_names() == []
        assert ask() == before
        (documents / "tides.txt").write_text("The tide at Emden rises 3 metres.", "utf-8")
        drive(ingest_files(workspace, "A", [documents]))
        assert drive(activate_version(workspace, "A", 1)).verification.ok
        assert ask() == before
        with pytest.raises(RagError, match="already"):
            drive(serve_index(workspace, "A", address))
        process.kill()
        process.wait()
        hits, fallbacks = ask()
        assert hits == before[0]
        assert "exact search: the index failed" in fallbacks[0]
        assert any("exact search" in notice for notice in drive(start_up(workspace)))
        with pytest.raises(RagError, match=r"does not answer|No Chroma server"):
            drive(activate_version(workspace, "A", 2))
        assert look_up_version(workspace.database, "A", "active").number == 1
        assert drive(serve_index(workspace, "A", "")).ok
    assert ask() == before


# --- what an import makes of records ----------------------------------------------------------------------


def make_records(folder: Path, texts: list[str], metadatas: list[dict[str, Any]] | None) -> str:
    """Make a Chroma folder with one collection, “notes”, of the fake embedder's vectors."""
    client = client_of(folder)
    collection = client.create_collection("notes", embedding_function=None)
    ids = [f"r{number}" for number in range(len(texts))]
    vectors = FakeEmbedder().encode([text or "empty" for text in texts])
    collection.add(ids=ids, documents=texts, embeddings=vectors, metadatas=metadatas)
    client.close()
    return str(folder)


def imported(workspace: Workspace) -> dict[str, list[str]]:
    row = get_collection(workspace.database, "A")
    documents = list_documents(workspace.database, row.active_version_id or 0)
    return {d.name: [c.text for c in list_chunks(workspace.database, d.id)] for d in documents}


@pytest.mark.parametrize("key", ["source", "file", "filename", "path", "url", "title"])
def test_records_are_grouped_by_what_they_say_of_their_source(
    workspace: Workspace, tmp_path: Path, key: str
) -> None:
    metadatas = [{key: f"docs/{name}.pdf", "note": 1} for name in "abab"]
    drive(import_collection(workspace, make_records(tmp_path / "c", TEXTS, metadatas), "notes", "A"))
    assert imported(workspace) == {"a.pdf": [TEXTS[0], TEXTS[2]], "b.pdf": [TEXTS[1], TEXTS[3]]}


@pytest.mark.parametrize("key", ["page", "chunk_index", "position", "start"])
def test_records_of_a_document_are_put_in_their_order(workspace: Workspace, tmp_path: Path, key: str) -> None:
    metadatas = [{"source": "a.txt", key: place} for place in (3, 1.5, 2, 0)]
    drive(import_collection(workspace, make_records(tmp_path / "c", TEXTS, metadatas), "notes", "A"))
    assert imported(workspace) == {"a.txt": [TEXTS[3], TEXTS[1], TEXTS[2], TEXTS[0]]}


def test_records_that_say_nothing_are_one_document_in_their_order(
    workspace: Workspace, tmp_path: Path
) -> None:
    report = drive(import_collection(workspace, make_records(tmp_path / "c", TEXTS, None), "notes", "  A "))
    assert (report.collection, report.documents, report.chunks, report.known) == ("A", 1, 4, True)
    assert imported(workspace) == {"notes": TEXTS}
    assert report.embedder == "fake"


def test_records_without_text_are_left_out_and_repeated_ones_counted(
    workspace: Workspace, tmp_path: Path
) -> None:
    texts = [TEXTS[0], "  ", TEXTS[0], "", TEXTS[1]]
    report = drive(import_collection(workspace, make_records(tmp_path / "c", texts, None), "notes", "A"))
    assert (report.chunks, report.without_text, report.duplicates) == (3, 2, 1)
    assert imported(workspace) == {"notes": [TEXTS[0], TEXTS[0], TEXTS[1]]}


def test_a_second_import_replaces_what_changed_and_keeps_the_rest(
    workspace: Workspace, tmp_path: Path
) -> None:
    source = make_records(tmp_path / "c", TEXTS, [{"source": name} for name in "aabb"])
    drive(import_collection(workspace, source, "notes", "A"))
    client = client_of(tmp_path / "c")
    changed = "Boats leave the harbour at dawn."
    client.get_collection("notes", embedding_function=None).update(
        ids=["r3"], documents=[changed], embeddings=FakeEmbedder().encode([changed])
    )
    client.close()
    drive(import_collection(workspace, source, "notes", "A"))
    row = look_up_version(workspace.database, "A", "active")
    assert (row.number, row.kind, row.added_count, row.replaced_count) == (2, "import", 1, 1)
    assert imported(workspace) == {"a": TEXTS[:2], "b": [TEXTS[2], changed]}
    assert (row.chunks_added, row.chunks_removed) == (1, 1)


def test_a_cancelled_import_makes_no_version(workspace: Workspace, tmp_path: Path) -> None:
    source = make_records(tmp_path / "c", TEXTS, [{"source": name} for name in "aabb"])
    events = import_collection(workspace, source, "notes", "A")
    while next(events).stage != "saving":
        pass
    events.close()
    assert get_collection(workspace.database, "A").version_number is None
    assert drive(import_collection(workspace, source, "notes", "A")).number == 1


def test_nothing_to_search_for_is_refused(workspace: Workspace, theirs: Path) -> None:
    with pytest.raises(RagError, match="Type some words"):
        search_text(workspace, str(theirs), "notes", "  ")
