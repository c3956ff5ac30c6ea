"""Erasing for good, and verifying it by looking through every file."""

import random
from pathlib import Path

import pytest
from fakes import ScriptedModel, drive
from hypothesis import given
from hypothesis import strategies as st

from rag.asking.answer import answer_question
from rag.asking.rows import Question, TraceFilter, list_traces
from rag.errors import NotFoundError, RagError
from rag.evaluation import sets
from rag.evaluation.cases import Case, Judgement
from rag.evaluation.rows import list_sets
from rag.governance.erasure import compact, erase_document, search_files, sentences_of
from rag.knowledge.edits import exclude_chunks, remove_documents
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import (
    get_collection,
    list_chunks,
    list_documents,
    list_versions,
    look_up_version,
    read_exclusions,
)
from rag.knowledge.trials import build_trial
from rag.start_up import start_up
from rag.workspace import Workspace

SECRET = (
    "Patient Marlene Vogelsang was treated for a broken wrist in Bremen. Her policy number is QX-99812-B. "
    "The insurance refused to pay for the second operation in May 2029.\n"
)
SHARED = "This report is confidential and must not be copied without permission."


@pytest.fixture
def files(tmp_path: Path) -> Path:
    made = tmp_path / "files"
    made.mkdir()
    (made / "secret.txt").write_text(SECRET + "\n" + SHARED, "utf-8")
    (made / "copy of secret.txt").write_text(SECRET + "\n" + SHARED, "utf-8")
    (made / "harmless.txt").write_text("The canteen opens at noon on weekdays. " + SHARED, "utf-8")
    return made


def test_nothing_of_an_erased_document_is_left_in_any_file(workspace: Workspace, files: Path) -> None:
    drive(ingest_files(workspace, "A", [files]))
    drive(ingest_files(workspace, "Other", [files / "secret.txt"]))
    drive(ingest_files(workspace, "A", [files / "secret.txt"]))
    (files / "secret.txt").write_text(SECRET.replace("May 2029", "June 2029"), "utf-8")
    drive(ingest_files(workspace, "A", [files / "secret.txt"]))
    model = workspace.loaded_model
    assert isinstance(model, ScriptedModel)
    model.answer = "Marlene: Her policy number is QX-99812-B. [1]"
    drive(answer_question(workspace, Question("What is the policy number of Marlene Vogelsang?", "A")))
    drive(answer_question(workspace, Question("When does the canteen open on weekdays?", "A")))
    policy = list_traces(workspace.database, TraceFilter(text="Marlene"))[0].id
    sets.create_set(workspace, "gold")
    sets.add_trace(workspace, "gold", policy, reference="It is QX-99812-B.")
    quote = Judgement(quote=SECRET.strip())
    sets.add_case(workspace, "gold", Case(question="Canteen?", references=("noon",), judgements=(quote,)))
    fingerprint = list_sets(workspace.database)[0].fingerprint
    drive(build_trial(workspace, "A", max_tokens=32, overlap_tokens=0))
    (workspace.folder / "ragdeck.before-2.sqlite").write_text(SECRET)
    before = drive(search_files(workspace.folder, sorted(sentences_of(SECRET))))
    assert len({sentence for _, sentence in before[0]}) == 3
    report = drive(erase_document(workspace, "A", "secret.txt"))
    assert report.clean, report.found
    assert report.sentences >= 4
    assert report.shared == 1
    assert set(report.documents) == {"secret.txt", "copy of secret.txt"}
    assert report.traces >= 1
    assert any("ragdeck.before-2.sqlite" in note for note in report.notes)
    again = drive(search_files(workspace.folder, sorted(sentences_of(SECRET) | sentences_of("June 2029"))))
    assert again[0] == []
    asked, canteen = sets.set_cases(workspace.database, "gold")
    assert asked.references == ("[erased]",)
    assert {j.document for j in asked.judgements} <= {"[erased]"}
    assert "QX" not in asked.model_dump_json()
    assert (canteen.references, "Marlene" in canteen.judgements[0].quote) == (("noon",), False)
    assert list_sets(workspace.database)[0].fingerprint != fingerprint
    for path in workspace.folder.rglob("*"):
        if path.is_file():
            assert b"Vogelsang was treated" not in path.read_bytes()
            assert b"QX-99812-B" not in path.read_bytes()
    rows = list_versions(workspace.database, 1)
    assert all("erased later" in row.message for row in rows)
    names = [d.name for row in rows for d in list_documents(workspace.database, row.id)]
    assert set(names) == {"harmless.txt"}
    card = drive(answer_question(workspace, Question("When does the canteen open on weekdays?", "A")))
    assert card.notices == ()
    assert look_up_version(workspace.database, "A", "active").verification_ok
    with pytest.raises(NotFoundError):
        drive(erase_document(workspace, "A", "secret.txt"))


def test_a_name_that_two_documents_have_is_not_guessed(workspace: Workspace, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "notes.txt").write_text(f"These are the notes of folder {folder}.", "utf-8")
    drive(ingest_files(workspace, "A", [tmp_path / "one", tmp_path / "two"]))
    assert get_collection(workspace.database, "A").document_count == 2
    with pytest.raises(RagError, match="give the path"):
        drive(erase_document(workspace, "A", "notes.txt"))
    report = drive(erase_document(workspace, "A", str(tmp_path / "one" / "notes.txt")))
    assert report.clean
    assert get_collection(workspace.database, "A").document_count == 1


def test_an_interrupted_erasure_is_finished_at_the_next_start(workspace: Workspace, files: Path) -> None:
    drive(ingest_files(workspace, "A", [files]))
    events = erase_document(workspace, "A", str(files / "secret.txt"))
    for event in events:
        if event.stage == "indexing":
            break
    events.close()
    notices = drive(start_up(workspace))
    assert any("erasure was interrupted" in notice for notice in notices)
    found = drive(search_files(workspace.folder, sorted(sentences_of(SECRET))))
    assert found[0] == []
    assert drive(start_up(workspace)) == []


def test_compacting_removes_what_no_version_needs(workspace: Workspace, files: Path, tmp_path: Path) -> None:
    drive(ingest_files(workspace, "A", [files]))
    extra = tmp_path / "extra"
    extra.mkdir()
    for number in range(3):
        (extra / f"{number}.txt").write_text(f"Cancelled document {number} is about nothing at all.", "utf-8")
    events = ingest_files(workspace, "A", [extra])
    for event in events:
        if event.stage == "saving" and event.files_done == 2:
            break
    events.close()
    assert workspace.database.query("SELECT count(*) FROM document")[0][0] > 3
    report = drive(compact(workspace))
    assert report.documents >= 2
    assert report.embeddings >= 2
    assert report.bytes_after <= report.bytes_before
    assert workspace.database.query("SELECT count(*) FROM document")[0][0] == 3
    assert look_up_version(workspace.database, "A", "active").verification_ok
    result = drive(answer_question(workspace, Question("When does the canteen open on weekdays?", "A")))
    assert result.notices == ()


def test_ids_of_deleted_chunks_are_not_given_again_while_a_trace_speaks_of_them(
    workspace: Workspace, files: Path, tmp_path: Path
) -> None:
    drive(ingest_files(workspace, "A", [files]))
    drive(answer_question(workspace, Question("When does the canteen open on weekdays?", "A")))
    spoken = {row[0] for row in workspace.database.query("SELECT chunk_id FROM tracehit")}
    from rag.knowledge.collections import delete_collection

    delete_collection(workspace, "A")
    (tmp_path / "b.txt").write_text("Another text in another collection.", "utf-8")
    drive(ingest_files(workspace, "B", [tmp_path / "b.txt"]))
    assert not spoken & {row[0] for row in workspace.database.query("SELECT id FROM chunk")}


@given(
    st.lists(st.text(alphabet="abcdefgh ", min_size=24, max_size=60), min_size=1, max_size=20, unique=True),
    st.integers(0, 2**32),
)
def test_the_search_finds_exactly_the_sentences_that_are_there(
    tmp_path_factory: pytest.TempPathFactory, sentences: list[str], seed: int
) -> None:
    folder = tmp_path_factory.mktemp("search")
    generator = random.Random(seed)
    data = generator.randbytes(generator.randint(0, 300))
    for sentence in sentences[::2]:
        data += sentence.encode() + generator.randbytes(generator.randint(0, 50))
    (folder / "file.bin").write_bytes(data)
    found, files, size = drive(search_files(folder, sentences))
    assert {sentence for _, sentence in found} == {s for s in sentences if s.encode() in data}
    assert (files, size) == (1, len(data))


def test_a_removed_or_excluded_chunk_is_still_in_older_versions_until_it_is_erased(
    workspace: Workspace, files: Path
) -> None:
    drive(ingest_files(workspace, "A", [files]))
    rows = {
        d.name: d
        for d in list_documents(workspace.database, look_up_version(workspace.database, "A", "1").id)
    }
    chunk = list_chunks(workspace.database, rows["harmless.txt"].id)[0]
    drive(exclude_chunks(workspace, "A", [chunk.id], "not needed"))
    drive(remove_documents(workspace, "A", [rows["harmless.txt"].id]))
    report = drive(erase_document(workspace, "A", "harmless.txt"))
    assert report.clean
    assert report.versions == 2
    assert read_exclusions(workspace.database, look_up_version(workspace.database, "A", "2").id) == {}
