"""A preview shows what an import would make, stores nothing, and can be cancelled."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import FakeEmbedder, drive

from rag.errors import ModelError, RagError
from rag.knowledge.ingest import ingest_files
from rag.knowledge.preview import chunks as preview
from rag.knowledge.preview.chunks import create_collection, preview_chunks
from rag.knowledge.rows import get_collection, list_chunks, list_collections, list_documents
from rag.workspace import Workspace


def write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_the_preview_is_what_an_import_makes(workspace: Workspace, tmp_path: Path) -> None:
    file = write(tmp_path, "long.txt", " ".join(f"Sentence number {n} ends here." for n in range(60)))
    found = drive(preview_chunks(workspace, [file], max_tokens=40, overlap_tokens=5))
    assert found.read == (str(file),) and found.file_count == 1 and found.longest == 40
    create_collection(workspace, "Small", max_tokens=40, overlap_tokens=5)
    drive(ingest_files(workspace, "Small", [file]))
    version = get_collection(workspace.database, "Small").active_version_id
    assert version is not None
    (document,) = list_documents(workspace.database, version)
    made = list_chunks(workspace.database, document.id)
    shown = [(chunk.text, chunk.token_count) for chunk in found.chunks]
    assert shown == [(chunk.text, chunk.token_count) for chunk in made][: len(shown)]
    assert 1 < len(shown) <= preview.MOST_CHUNKS


def test_a_preview_stores_nothing_and_says_what_is_left_out(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    for name, text in (("a.txt", "One."), ("empty.txt", ""), ("picture.raw", "x")):
        write(folder, name, text)
    found = drive(preview_chunks(workspace, [folder]))
    assert list_collections(workspace.database) == []
    assert {Path(one.path).name for one in found.left_out} == {"empty.txt", "picture.raw"}
    assert all(one.detail for one in found.left_out)
    assert [chunk.text for chunk in found.chunks] == ["One."]
    assert found.sentence().startswith(
        "2 files would be added, 2 files are left out. These are the first 1 chunk"
    )


def test_only_a_few_files_are_read(workspace: Workspace, tmp_path: Path) -> None:
    for number in range(10):
        write(tmp_path / "files", f"{number}.txt", f"Text {number}.")
    found = drive(preview_chunks(workspace, [tmp_path / "files"]))
    assert (found.file_count, len(found.read)) == (10, preview.MOST_FILES)


def test_of_a_long_document_only_the_beginning_is_chunked(workspace: Workspace, tmp_path: Path) -> None:
    file = write(tmp_path, "long.txt", "A sentence that is repeated. " * 20_000)
    found = drive(preview_chunks(workspace, [file], max_tokens=2048))
    assert len(found.chunks) <= preview.MOST_CHUNKS
    assert sum(len(chunk.text) for chunk in found.chunks) <= 60_000
    assert all(chunk.text.rstrip().endswith(".") for chunk in found.chunks), (
        "the last one is not cut where reading ended"
    )


def test_closing_it_ends_its_reader(workspace: Workspace, tmp_path: Path) -> None:
    steps = preview_chunks(workspace, [write(tmp_path, "a.txt", "One.")])
    assert next(steps).stage == "reading"
    steps.close()
    assert workspace.reader.process_id is None


def test_sizes_and_folders_that_cannot_be_used_are_refused(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(RagError, match="32 to 2,048"):
        drive(preview_chunks(workspace, [tmp_path], max_tokens=1))
    with pytest.raises(ModelError, match=r"no modules\.json"):
        drive(preview_chunks(workspace, [tmp_path], embedder_folder=str(tmp_path)))


def test_a_collection_keeps_its_own_settings(workspace: Workspace) -> None:
    assert (
        create_collection(workspace, "  Fine ", max_tokens=64, overlap_tokens=0, keep_encoded=True) == "Fine"
    )
    row = get_collection(workspace.database, "Fine")
    assert '"max_tokens":64' in row.chunking and '"keep_encoded":true' in row.chunking
    assert row.document_count == 0 and row.active_version_id is None
    for name, says in (("Fine", "already a collection"), (" ", "needs a name")):
        with pytest.raises(RagError, match=says):
            create_collection(workspace, name)


def test_a_collection_can_have_an_embedder_of_its_own(workspace: Workspace, tmp_path: Path) -> None:
    class Other(FakeEmbedder):
        fingerprint = "another-embedder"  # type: ignore[assignment]

    other = Other()
    other.name = "other"
    create_collection(workspace, "Own", embedder_folder=str(tmp_path), load_embedder=lambda _folder: other)
    assert get_collection(workspace.database, "Own").embedder_name == "other"


def test_an_import_tells_each_file_once_as_it_goes(workspace: Workspace, tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path / "files", f"{number}.txt", f"Text {number}.")
    write(tmp_path / "files", "empty.txt", "")
    told = []
    steps = ingest_files(workspace, "Live", [tmp_path / "files"])
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            report = end.value
            break
        assert event.collection == "Live"
        told += event.finished
    assert sorted(one.path for one in told) == sorted(one.path for one in report.outcomes)
