"""Ingest: files become versions; what is known is not done again; cancelling loses nothing."""

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import pypdfium2
import pytest
from fakes import FakeEmbedder, ScriptedModel, drive
from versions_of_a import documents_of, version

from rag.asking.retrieval import retrieve
from rag.errors import DataFolderLockedError, NotFoundError, RagError
from rag.index.vector_index import IndexPlace
from rag.knowledge.collections import delete_collection, open_version, rename_collection
from rag.knowledge.edits import edit_document, remove_documents
from rag.knowledge.ingest import count_files, discover, ingest_files
from rag.knowledge.rows import (
    FileStatus,
    IngestReport,
    get_collection,
    list_collections,
    list_documents,
    list_versions,
)
from rag.knowledge.versions import activate_version
from rag.models.embedding import STARTER_NAME, file_sha256
from rag.parsing.rows import ParsedDocument
from rag.parsing.worker import Limits, Reader, Why
from rag.workspace import Workspace

ROOT = Path(__file__).resolve().parents[3]


def names(workspace: Workspace, number: int | None = None) -> set[str]:
    row = list_collections(workspace.database)[0]
    version = row.active_version_id
    if number is not None:
        version = next(v.id for v in list_versions(workspace.database, row.id) if v.number == number)
    assert version is not None
    return {document.name for document in list_documents(workspace.database, version)}


def test_a_folder_becomes_version_one(workspace: Workspace, documents: Path) -> None:
    report = drive(ingest_files(workspace, "Everything ☃ 知識", [documents]))
    assert report.version_number == 1
    assert report.count(FileStatus.ADDED) == 3
    assert names(workspace) == {"tides.txt", "bread.md", "stars.txt"}
    row = get_collection(workspace.database, "Everything ☃ 知識")
    assert workspace.index.count(IndexPlace(row.key)) == report.chunk_count == row.chunk_count


def test_the_same_folder_again_changes_nothing_and_embeds_nothing(
    workspace: Workspace, documents: Path
) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    embedder = workspace.embedder
    assert isinstance(embedder, FakeEmbedder)
    before = embedder.embedded_count
    report = drive(ingest_files(workspace, "A", [documents]))
    assert report.version_number == 1
    assert report.count(FileStatus.UNCHANGED) == 3
    assert embedder.embedded_count == before


def test_a_changed_file_is_replaced_in_a_new_version_and_the_old_version_keeps_it(
    workspace: Workspace, documents: Path
) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    (documents / "tides.txt").write_text("The tide at Hamburg rises 3.8 metres.", "utf-8")
    report = drive(ingest_files(workspace, "A", [documents]))
    assert report.version_number == 2
    assert report.count(FileStatus.REPLACED) == 1
    collection, first = open_version(workspace, "A", 1)
    _, second = open_version(workspace, "A", 2)
    settings = workspace.settings.retrieval
    assert "Bremen" in retrieve(workspace, collection, first, "tide metres", settings).hits[0].text
    assert "Hamburg" in retrieve(workspace, collection, second, "tide metres", settings).hits[0].text


def test_a_renamed_file_is_recognised_by_its_content(workspace: Workspace, documents: Path) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    (documents / "tides.txt").rename(documents / "sea.txt")
    drive(ingest_files(workspace, "A", [documents]))
    assert names(workspace) == {"sea.txt", "bread.md", "stars.txt"}
    version = list_versions(workspace.database, 1)[0]
    assert version.message == "Moved 1"


def test_two_files_of_one_name_do_not_collide(workspace: Workspace, tmp_path: Path) -> None:
    for part in ("one", "two"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "notes.txt").write_text(f"These are the notes of part {part}.", "utf-8")
    report = drive(ingest_files(workspace, "A", [tmp_path / "one", tmp_path / "two"]))
    assert report.document_count == 2


def test_bad_files_are_reported_with_a_sentence_and_the_rest_goes_on(
    workspace: Workspace, documents: Path
) -> None:
    (documents / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    (documents / "empty.txt").write_bytes(b"")
    (documents / "picture.psd").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    report = drive(ingest_files(workspace, "A", [documents, documents / "gone.txt"]))
    outcomes = {Path(o.path).name: o for o in report.outcomes}
    assert outcomes["broken.pdf"].outcome == outcomes["empty.txt"].outcome == "failed"
    assert outcomes["picture.psd"].outcome == "skipped"
    assert outcomes["gone.txt"].detail == "There is no such file or folder."
    assert all(
        o.detail.endswith((".", "is not supported")) and "Traceback" not in o.detail
        for o in outcomes.values()
        if o.detail
    )
    assert report.count(FileStatus.ADDED) == 3


def test_what_of_a_file_was_not_read_is_in_the_report(workspace: Workspace, tmp_path: Path) -> None:
    made = pypdfium2.PdfDocument(ROOT / "resources" / "samples" / "aurora-3-manual.pdf")
    page = made.new_page(595, 842)
    picture = pypdfium2.PdfImage.new(made)
    picture.set_bitmap(pypdfium2.PdfBitmap.new_native(20, 20, pypdfium2.raw.FPDFBitmap_BGR))
    picture.set_matrix(pypdfium2.PdfMatrix().scale(500, 700))
    page.insert_obj(picture)
    page.gen_content()
    made.save(tmp_path / "mixed.pdf")
    (found,) = drive(ingest_files(workspace, "A", [tmp_path])).incomplete
    assert found.outcome == "added"
    assert found.detail.startswith("1 page not read (page 4 of 4: an image without text")
    assert found.left_out == 1


def test_hidden_files_and_folders_are_left_out(documents: Path) -> None:
    (documents / ".git").mkdir()
    (documents / ".git" / "config.txt").write_text("x", "utf-8")
    (documents / "~$bread.docx").write_text("x", "utf-8")
    sources, refused = discover([documents])
    assert {s.path.name for s in sources} == {"tides.txt", "bread.md", "stars.txt"}
    assert [Path(o.path).name for o in refused] == ["~$bread.docx"]


@pytest.mark.parametrize("stop_after", range(1, 12))
def test_a_cancelled_ingest_makes_no_version_and_the_next_one_completes_it(
    workspace: Workspace, documents: Path, stop_after: int
) -> None:
    events = ingest_files(workspace, "A", [documents])
    for number, _ in enumerate(events, 1):
        if number == stop_after:
            break
    events.close()
    rows = list_versions(workspace.database, 1)
    assert all(row.document_count == 3 for row in rows)
    report = drive(ingest_files(workspace, "A", [documents]))
    assert report.document_count == 3
    assert report.version_number == 1
    assert (
        workspace.index.count(IndexPlace(get_collection(workspace.database, "A").key)) == report.chunk_count
    )


def test_removing_is_a_version_and_can_be_undone(workspace: Workspace, documents: Path) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    row = get_collection(workspace.database, "A")
    assert row.active_version_id is not None
    bread = next(d for d in list_documents(workspace.database, row.active_version_id) if d.name == "bread.md")
    drive(remove_documents(workspace, "A", [bread.id]))
    assert names(workspace) == {"tides.txt", "stars.txt"}
    assert names(workspace, 1) == {"tides.txt", "bread.md", "stars.txt"}
    embedder = workspace.embedder
    assert isinstance(embedder, FakeEmbedder)
    before = embedder.embedded_count
    drive(activate_version(workspace, "A", 1))
    assert names(workspace) == {"tides.txt", "bread.md", "stars.txt"}
    assert embedder.embedded_count == before
    assert workspace.index.count(IndexPlace(row.key)) == get_collection(workspace.database, "A").chunk_count


def test_a_deleted_collection_leaves_no_text_in_the_search_table(
    workspace: Workspace, documents: Path
) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    delete_collection(workspace, "A")
    assert list_collections(workspace.database) == []
    with workspace.store.session() as session:
        found = session.connection().exec_driver_sql(
            "SELECT count(*) FROM chunk_fts WHERE chunk_fts MATCH 'sourdough'"
        )
        assert found.scalar_one() == 0


def test_renaming_to_a_taken_name_is_refused(workspace: Workspace, documents: Path) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    drive(ingest_files(workspace, "B", [documents]))
    with pytest.raises(RagError, match="already a collection"):
        rename_collection(workspace, "A", "B")
    rename_collection(workspace, "A", "C")
    assert {row.name for row in list_collections(workspace.database)} == {"B", "C"}


def test_a_second_workspace_is_told_who_holds_the_folder(workspace: Workspace, folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from rag.workspace import Workspace\n"
        "try: Workspace(Path(sys.argv[1]))\n"
        "except Exception as e: print(type(e).__name__, e)"
    )
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", code, str(folder)], cwd=root, capture_output=True, text=True)
    assert DataFolderLockedError.__name__ in done.stdout, done.stderr
    assert "a test" in done.stdout


def test_a_lost_index_folder_is_rebuilt_from_the_stored_vectors(folder: Path, documents: Path) -> None:
    with Workspace(folder, embedder=FakeEmbedder(), load_model=ScriptedModel().load) as first:
        chunk_count = drive(ingest_files(first, "A", [documents])).chunk_count
    script = (
        "import sys, shutil; sys.path.insert(0, 'tests'); from pathlib import Path; from fakes import *\n"
        "from rag.workspace import Workspace; from rag.knowledge.index_sync import repair_indexes; from rag.knowledge.rows import list_collections\n"
        "w = Workspace(Path(sys.argv[1]), embedder=FakeEmbedder(), load_model=ScriptedModel().load)\n"
        "drive(repair_indexes(w)); from rag.index.vector_index import IndexPlace; print(w.index.count(IndexPlace(list_collections(w.database)[0].key)))"
    )
    shutil.rmtree(folder / "index")
    root = Path(__file__).resolve().parents[3]  # a new process: Chroma keeps a closed folder open in its own
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)], cwd=root, capture_output=True, text=True
    )
    assert done.stdout.strip() == str(chunk_count), done.stderr


def test_an_unknown_version_or_collection_is_a_sentence(workspace: Workspace, documents: Path) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    with pytest.raises(NotFoundError, match="has no version 7"):
        open_version(workspace, "A", 7)
    with pytest.raises(NotFoundError, match="no collection named"):
        open_version(workspace, "Z", None)


# --- what is discovered and reported ----------------------------------------------------------------------


def test_files_are_discovered_once_in_order(documents: Path) -> None:
    given = [documents / "tides.txt", documents, documents / "tides.txt"]
    sources, refused = discover(given)
    assert [source.path.name for source in sources] == ["tides.txt", "bread.md", "stars.txt"]
    assert sources[0].size_bytes == (documents / "tides.txt").stat().st_size
    assert refused == []


def test_a_file_that_is_named_itself_is_tried_whatever_its_kind(documents: Path) -> None:
    (documents / "picture.psd").write_bytes(b"x")
    (documents / "noise.bin").write_bytes(b"x")
    sources, refused = discover([documents])
    assert {source.path.name for source in sources} == {"tides.txt", "bread.md", "stars.txt"}
    assert {Path(o.path).name: o.detail for o in refused} == {
        "picture.psd": ".psd is not supported",
        "noise.bin": ".bin is not supported",
    }
    assert [source.path.name for source in discover([documents / "picture.psd"])[0]] == ["picture.psd"]


def unreadable_name(folder: Path, content: str) -> Path:
    """A file whose name is Latin-1, as old archives and network drives leave it."""
    path = Path(os.fsdecode(os.fsencode(folder) + b"/r\xe9sum\xe9.txt"))
    try:
        path.write_text(content, "utf-8")
    except OSError:
        pytest.skip("this file system takes names in UTF-8 alone")
    return path


def test_a_file_whose_name_is_no_utf_8_is_added_like_any_other(workspace: Workspace, documents: Path) -> None:
    path = unreadable_name(documents, "The harbour closes in storms.")
    (documents / "r‹E9›sum‹E9›.txt").write_text("Another file, called like its key.", "utf-8")
    report = drive(ingest_files(workspace, "A", [documents]))
    assert report.count(FileStatus.ADDED) == 5
    found = documents_of(workspace)["r‹E9›sum‹E9›.txt"]
    assert (found.source, found.title) == (str(documents / "r‹E9›sum‹E9›.txt"), "r‹E9›sum‹E9›")
    assert "r‹2039›E9›sum‹2039›E9›.txt" in names(workspace)
    assert drive(ingest_files(workspace, "A", [documents])).count(FileStatus.UNCHANGED) == 5
    path.unlink()
    report = drive(ingest_files(workspace, "A", [documents], following=documents))
    assert "r‹E9›sum‹E9›.txt" not in names(workspace)
    assert report.document_count == 4


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="only POSIX has named pipes")
def test_what_is_no_file_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "lost.txt").symlink_to(tmp_path / "nowhere.txt")
    sources, refused = discover([tmp_path / "pipe.txt", "/dev/zero", tmp_path / "lost.txt"])
    assert sources == []
    assert [outcome.detail for outcome in refused] == [
        "It is a named pipe, so it cannot be added.",
        "It is a device, so it cannot be added.",
        "It is a link to a file that is not there, so it cannot be added.",
    ]
    assert {outcome.outcome for outcome in refused} == {FileStatus.FAILED}
    sources, refused = discover([tmp_path])
    assert sources == []
    assert [outcome.detail for outcome in refused] == ["a link to a file that is not there", "a named pipe"]


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_linked_folder_is_named_and_not_entered(documents: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "far.txt").write_text("x", "utf-8")
    (documents / "linked").symlink_to(tmp_path / "elsewhere")
    (documents / "circle").symlink_to(documents)
    (documents / "near.txt").symlink_to(tmp_path / "elsewhere" / "far.txt")
    sources, refused = discover([documents])
    assert {s.path.name for s in sources} == {"tides.txt", "bread.md", "stars.txt", "near.txt"}
    assert [(Path(o.path).name, o.outcome, o.detail) for o in refused] == [
        (name, "skipped", f"a link to the folder {target}, which is not followed; add that folder")
        for name, target in (("circle", documents.resolve()), ("linked", (tmp_path / "elsewhere").resolve()))
    ]


def test_files_are_counted_without_reading_them(documents: Path) -> None:
    (documents / "picture.psd").write_bytes(b"x" * 100)
    size = sum(path.stat().st_size for path in documents.iterdir() if path.suffix != ".psd")
    assert count_files([str(documents), str(documents / "gone")]) == (3, size, 2)


def test_nothing_given_is_refused(workspace: Workspace) -> None:
    with pytest.raises(RagError, match="Name files or folders"):
        drive(ingest_files(workspace, "A", []))
    assert list_collections(workspace.database) == []


def test_progress_ends_with_all_files_and_chunks(workspace: Workspace, documents: Path) -> None:
    events = list(ingest_files(workspace, "A", [documents]))
    stages = list(dict.fromkeys(event.stage for event in events))
    assert stages[:4] == ["discovering", "parsing", "embedding", "saving"]
    assert {"indexing", "verifying"} <= set(stages)
    last = next(event for event in reversed(events) if event.stage == "saving")
    assert (last.files_done, last.files_total) == (3, 3)
    assert last.bytes_done == last.bytes_total == sum(path.stat().st_size for path in documents.iterdir())
    assert all(a.files_done <= b.files_done for a, b in itertools.pairwise(events))


def test_a_long_file_tells_how_far_it_is_and_can_be_stopped_while_it_is_split(
    workspace: Workspace, tmp_path: Path
) -> None:
    file = tmp_path / "long.txt"
    file.write_text("The pump moves water at noon. " * 20_000, "utf-8")
    size = file.stat().st_size
    events = ingest_files(workspace, "A", [file])
    done = [event.bytes_done for event in itertools.islice(events, 4)]
    events.close()
    assert done[:2] == [0, 0] and 0 < done[2] < done[3] < size
    assert list_versions(workspace.database, 1) == []


def test_a_moved_file_keeps_its_attributes(workspace: Workspace, documents: Path) -> None:
    drive(ingest_files(workspace, "A", [documents], following=documents))
    document = documents_of(workspace)["tides.txt"].id
    drive(edit_document(workspace, "A", document, {"author": "Ann"}))
    (documents / "tides.txt").rename(documents / "ebb.txt")
    report = drive(ingest_files(workspace, "A", [documents], following=documents))
    assert report.version_number == 3
    moved = documents_of(workspace)["ebb.txt"]
    assert moved.attributes == '{"author": "Ann"}'
    assert "tides.txt" not in documents_of(workspace)
    assert version(workspace).message == "Moved 1"


def test_a_copy_of_a_file_is_another_document(workspace: Workspace, documents: Path) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    (documents / "copy.txt").write_bytes((documents / "tides.txt").read_bytes())
    report = drive(ingest_files(workspace, "A", [documents]))
    assert (report.count(FileStatus.ADDED), report.count(FileStatus.UNCHANGED)) == (1, 3)
    assert version(workspace).message == "Added 1"
    embedder = workspace.embedder
    assert isinstance(embedder, FakeEmbedder)
    assert embedder.embedded_count == 3  # the copy's text is known


def test_files_that_are_gone_stay_unless_their_folder_is_followed(
    workspace: Workspace, documents: Path
) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    (documents / "stars.txt").unlink()
    assert drive(ingest_files(workspace, "A", [documents])).version_number == 1
    report = drive(ingest_files(workspace, "A", [documents], following=documents))
    assert (report.version_number, report.document_count) == (2, 2)
    assert version(workspace).message == "Removed 1"


def test_an_old_revision_that_comes_back_is_not_parsed_again(workspace: Workspace, documents: Path) -> None:
    file = documents / "tides.txt"
    old = file.read_text("utf-8")
    drive(ingest_files(workspace, "A", [documents]))
    first = documents_of(workspace)["tides.txt"].id
    file.write_text("The tide at Emden rises 3 metres.", "utf-8")
    drive(ingest_files(workspace, "A", [documents]))
    file.write_text(old, "utf-8")
    drive(ingest_files(workspace, "A", [documents]))
    assert documents_of(workspace)["tides.txt"].id == first
    assert version(workspace, "3").fingerprint == version(workspace, "1").fingerprint


def test_a_document_in_another_language_is_told_when_the_embedder_is_english(
    workspace: Workspace, tmp_path: Path
) -> None:
    workspace.embedder.name = STARTER_NAME
    (tmp_path / "de.txt").write_text(
        "Die Batterie wird mit der Sonne geladen, und das ist nicht alles.", "utf-8"
    )
    (tmp_path / "en.txt").write_text("The battery is charged by the sun, and that is not all of it.", "utf-8")
    report = drive(ingest_files(workspace, "A", [tmp_path / "de.txt", tmp_path / "en.txt"]))
    details = {Path(outcome.path).name: outcome.detail for outcome in report.outcomes}
    assert details["de.txt"].startswith("The text looks German, and ")
    assert details["en.txt"] == ""


# --- files that stop the reader ---------------------------------------------------------------------------


@pytest.fixture
def misread(folder: Path) -> Iterator[Workspace]:
    """A workspace with the real process for reading, whose parsers misbehave; see tests/bad_parsers.py."""
    reader = Reader(Limits(seconds=1.5), module="tests.bad_parsers")
    with Workspace(folder, embedder=FakeEmbedder(), load_model=ScriptedModel().load, reader=reader) as opened:
        yield opened
    assert reader.process_id is None


def outcomes(report: IngestReport) -> dict[str, tuple[FileStatus, str]]:
    return {Path(o.path).name: (o.outcome, o.detail) for o in report.outcomes}


def test_a_file_that_stops_the_reader_fails_alone(misread: Workspace, documents: Path) -> None:
    bad = [documents / f"a-{number}.{kind}" for number, kind in enumerate(("aborts", "sleeps", "faults"))]
    for path in bad:
        path.write_text(f"content of {path.name}", "utf-8")
    report = drive(ingest_files(misread, "A", [*bad, documents]))
    assert names(misread) == {"tides.txt", "bread.md", "stars.txt"}
    found = outcomes(report)
    assert [found[path.name][0] for path in bad] == [FileStatus.FAILED] * 3
    assert "stopped the reader (memory)" in found["a-0.aborts"][1]
    assert "stopped the reader (time)" in found["a-1.sleeps"][1]
    assert "stopped the reader (crash)" in found["a-2.faults"][1]
    assert misread.reader.process_id is None, "the process outlives its ingest"


def test_a_followed_folder_tries_what_stopped_the_reader_once(misread: Workspace, documents: Path) -> None:
    """It killed nine engines in a row: nothing remembered what had ended the one before."""
    made = documents / "bomb.md"
    bomb = documents / "bomb.aborts"
    made.write_text("# Fine\n\nThis is fine.", "utf-8")
    bomb.write_text("bang", "utf-8")
    files = [made, bomb]
    first = drive(ingest_files(misread, "A", files, following=documents))
    assert "stopped the reader (memory)" in outcomes(first)["bomb.aborts"][1]
    made.write_text("# Changed\n\nThis is fine too.", "utf-8")
    reads = counted_reads(misread)
    second = drive(ingest_files(misread, "A", files, following=documents))
    assert outcomes(second)["bomb.aborts"] == (
        FileStatus.FAILED,
        "The file was left out because it stopped the reader before (memory); it is tried again when it changes, "
        "or when you add it by hand.",
    )
    assert reads == ["bomb.md"]
    drive(ingest_files(misread, "A", files))
    assert reads == ["bomb.md", "bomb.aborts"], "a person who adds it means it"
    bomb.write_text("bang, and changed", "utf-8")
    drive(ingest_files(misread, "A", files, following=documents))
    assert reads == ["bomb.md", "bomb.aborts", "bomb.aborts"]


def test_a_content_that_is_read_after_all_is_no_longer_remembered(
    workspace: Workspace, documents: Path
) -> None:
    sha256 = file_sha256(documents / "tides.txt")
    workspace.stopped_files.remember(sha256, Why.TIME)
    drive(ingest_files(workspace, "A", [documents], following=documents))
    assert "tides.txt" not in names(workspace)
    drive(ingest_files(workspace, "A", [documents]))
    assert "tides.txt" in names(workspace)
    assert workspace.stopped_files.why(sha256) == ""


def counted_reads(workspace: Workspace) -> list[str]:
    """Return a list to which the name of each file is added that is handed to the reader."""
    names_of_files: list[str] = []

    class Counting(Reader):
        def read(self, path: Path) -> Generator[None, None, ParsedDocument]:
            names_of_files.append(path.name)
            return super().read(path)

    workspace.reader = Counting(Limits(seconds=1.5), module="tests.bad_parsers")
    return names_of_files


def test_what_was_read_before_a_slow_file_is_saved_while_it_is_read(
    misread: Workspace, documents: Path
) -> None:
    misread.reader = Reader(Limits(seconds=30), module="tests.bad_parsers")
    slow = documents / "slow.sleeps"
    slow.write_text("x", "utf-8")
    events = ingest_files(misread, "A", [documents / "tides.txt", slow])
    saved = next(event for event in events if event.stage == "saving")
    assert saved.file == str(documents / "tides.txt")
    next(events)
    assert misread.database.cells("SELECT name FROM document") == [("tides.txt",)]
    assert misread.reader.process_id is not None
    events.close()
    assert misread.reader.process_id is None, "a cancelled file goes on being read"
    report = drive(ingest_files(misread, "A", [documents]))
    assert report.document_count == 3


def test_progress_is_told_and_a_cancel_is_heard_while_a_file_is_read(
    misread: Workspace, documents: Path
) -> None:
    slow = documents / "slow.sleeps"
    slow.write_text("x", "utf-8")
    events = ingest_files(misread, "A", [slow])
    parsing = [next(e for e in events if e.stage == "parsing") for _ in range(4)]
    assert {event.file for event in parsing} == {str(slow)}
    events.close()
    assert list_versions(misread.database, 1) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in folders")
def test_a_file_that_became_a_pipe_after_it_was_listed_is_not_opened(
    workspace: Workspace, documents: Path
) -> None:
    events = ingest_files(workspace, "A", [documents / "tides.txt", documents / "stars.txt"])
    assert next(events).stage == "discovering"
    (documents / "tides.txt").unlink()
    os.mkfifo(documents / "tides.txt")
    found = outcomes(drive(events))
    assert found["tides.txt"] == (FileStatus.FAILED, "It is not a regular file, and only those are read.")
    assert found["stars.txt"][0] == FileStatus.ADDED


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_links_do_not_lead_out_of_a_followed_folder(
    workspace: Workspace, documents: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("The password of the vault is swordfish, and nobody else may know it.", "utf-8")
    (documents / "link.txt").symlink_to(secret)
    (documents / "same.txt").symlink_to(documents / "tides.txt")
    followed = tmp_path / "link to the folder"
    followed.symlink_to(documents)
    report = drive(ingest_files(workspace, "A", [followed], following=followed))
    assert names(workspace) == {"tides.txt", "bread.md", "stars.txt", "same.txt"}
    assert outcomes(report)["link.txt"] == (
        FileStatus.SKIPPED,
        "a link that leads out of the followed folder",
    )
    drive(ingest_files(workspace, "B", [documents / "link.txt"]))  # who names it may read it
    assert get_collection(workspace.database, "B").document_count == 1
