"""Erasing for good, and verifying it by looking through every file."""

import os
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from erasable import SECRET
from fakes import FakeEmbedder, ScriptedModel, drive

from rag.asking.answer import answer_question
from rag.asking.rows import Question, TraceFilter, list_traces
from rag.errors import NotFoundError, RagError
from rag.evaluation import sets
from rag.evaluation.cases import Case, Judgement
from rag.evaluation.rows import list_sets
from rag.governance.erasure import erase_document, is_erasing
from rag.governance.sentence_search import search_files, sentences_of
from rag.knowledge.edits import exclude_chunks, remove_documents
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import (
    VersionProgress,
    VersionRow,
    get_collection,
    list_chunks,
    list_documents,
    list_versions,
    look_up_version,
    read_exclusions,
)
from rag.knowledge.trials import build_trial
from rag.start_up import needs_start_up, start_up
from rag.workspace import Workspace

TESTS = Path(__file__).resolve().parents[2]


def active(workspace: Workspace) -> VersionRow:
    """Return the active version of the collection A."""
    return look_up_version(workspace.database, "A", "active")


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
    policy = list_traces(workspace.database, TraceFilter(text="policy number of Marlene"))[0].id
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


STAGES = ("finding", "erasing", "indexing", "rewriting", "searching")


def left_of(folder: Path, text: str = SECRET) -> list[tuple[str, str]]:
    """Return where the files below a folder contain a sentence of a text."""
    return drive(search_files(folder, sorted(sentences_of(text))))[0]


def stop_by_closing(events: Generator[VersionProgress, None, object]) -> None:
    events.close()


def stop_by_an_error(events: Generator[VersionProgress, None, object]) -> None:
    with pytest.raises(KeyboardInterrupt):
        events.throw(KeyboardInterrupt())


@pytest.mark.parametrize("stop", [stop_by_closing, stop_by_an_error])
@pytest.mark.parametrize("stage", STAGES)
def test_an_erasure_that_stops_between_two_stages_is_finished_at_the_next_start(
    workspace: Workspace, files: Path, stage: str, stop: Callable[..., None]
) -> None:
    drive(ingest_files(workspace, "A", [files]))
    events = erase_document(workspace, "A", str(files / "secret.txt"))
    assert stage in (event.stage for event in events), "no event has this stage"
    stop(events)
    begun = stage not in ("finding", "erasing")
    assert is_erasing(workspace) == needs_start_up(workspace) == begun
    notices = drive(start_up(workspace))
    assert any("erasure was interrupted" in notice for notice in notices) == begun
    names = {d.name for d in list_documents(workspace.database, active(workspace).id)}
    assert names == ({"harmless.txt"} if begun else {"harmless.txt", "secret.txt", "copy of secret.txt"})
    assert (left_of(workspace.folder) == []) == begun
    assert drive(start_up(workspace)) == []
    assert not needs_start_up(workspace)


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_a_killed_erasure_is_finished_at_the_next_start(tmp_path: Path) -> None:
    script, data, files = TESTS / "erasable.py", tmp_path / "data", tmp_path / "files"
    done = subprocess.run(
        [sys.executable, script, data, files, "rewriting"], capture_output=True, text=True, check=False
    )
    assert done.returncode == -9, done.stderr
    assert left_of(data), "the kill came too late"
    with Workspace(data, "a test", embedder=FakeEmbedder(), load_model=ScriptedModel().load) as workspace:
        assert any("erasure was interrupted" in notice for notice in drive(start_up(workspace)))
        assert left_of(data) == []
        assert drive(start_up(workspace)) == []


def test_a_later_erasure_finishes_an_interrupted_one_as_well(workspace: Workspace, files: Path) -> None:
    drive(ingest_files(workspace, "A", [files]))
    events = erase_document(workspace, "A", str(files / "secret.txt"))
    assert "rewriting" in (event.stage for event in events)
    events.close()
    drive(erase_document(workspace, "A", "harmless.txt"))
    states = workspace.database.cells("SELECT state, found_count, done_ms IS NULL FROM erasure")
    assert states == [("done", 0, 0), ("done", 0, 0)]
    assert not is_erasing(workspace)


def test_an_erasure_with_a_trial_whose_chunks_share_a_text_ends(workspace: Workspace, tmp_path: Path) -> None:
    """It failed half way with "Some chunks have no vector": the trial's texts were counted with repeats."""
    shared = "Every report of this house ends with the same paragraph about the rules of the house. " * 3
    for name in ("one", "two", "three"):
        (tmp_path / f"{name}.txt").write_text(f"{shared}\n\nThis is the report number {name}.", "utf-8")
    drive(ingest_files(workspace, "A", sorted(tmp_path.glob("*.txt"))))
    drive(build_trial(workspace, "A", max_tokens=32, overlap_tokens=0))
    trial = list_versions(workspace.database, 1)[0]
    hashes = workspace.content(trial.id, trial.embedder).hashes
    assert trial.trial and len(set(hashes)) < len(hashes)
    report = drive(erase_document(workspace, "A", "three.txt"))
    assert report.clean and report.versions == 2
    assert drive(start_up(workspace)) == []


def test_a_version_says_that_it_was_erased_from_whatever_its_documents_are_called(
    workspace: Workspace, tmp_path: Path
) -> None:
    for name in ("erased", "other", "stays"):
        (tmp_path / f"{name}.txt").write_text(f"The document {name} says something of its own.", "utf-8")
    drive(ingest_files(workspace, "A", sorted(tmp_path.glob("*.txt"))))
    removed = [
        d.id for d in list_documents(workspace.database, active(workspace).id) if d.name == "erased.txt"
    ]
    drive(remove_documents(workspace, "A", removed))
    assert "erased.txt" in active(workspace).message and "erased later" not in active(workspace).message
    drive(erase_document(workspace, "A", "other.txt"))
    drive(erase_document(workspace, "A", "erased.txt"))
    second, first = list_versions(workspace.database, 1)
    assert second.message.count("(a document was erased later)") == 1
    assert first.message.count("(a document was erased later)") == 1


def test_what_is_found_in_the_database_is_named_by_its_column(workspace: Workspace, files: Path) -> None:
    """A name is not changed by an erasure, so that a person must be able to find it."""
    drive(ingest_files(workspace, "A", [files]))
    name = "Her policy number is QX-99812-B."
    sets.create_set(workspace, name)
    report = drive(erase_document(workspace, "A", str(files / "secret.txt")))
    assert not report.clean
    assert "ragdeck.sqlite: evaluationset.name" in dict(report.found)
    assert set(dict(report.found).values()) == {name}
    assert "still contain" in report.sentence()


def test_a_copy_or_log_that_contains_the_document_goes(workspace: Workspace, files: Path) -> None:
    drive(ingest_files(workspace, "A", [files]))
    for name in ("before-restore-2029", "chroma-copies"):
        (workspace.folder / name).mkdir()
        (workspace.folder / name / "old.bin").write_text(SECRET)
    (workspace.folder / "engine.log").write_text(SECRET)
    report = drive(erase_document(workspace, "A", str(files / "secret.txt")))
    assert report.clean
    assert {note.split(" was ")[0] for note in report.notes[:-1]} == {"before-restore-2029", "chroma-copies"}
    assert "backups" in report.notes[-1]
    assert (workspace.folder / "engine.log").read_text() == ""


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
