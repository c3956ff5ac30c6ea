"""A certificate states what was searched and found, and holds no word of what was erased."""

import hashlib
import json
from pathlib import Path

import pytest
from data_folders import insert
from erasable import SECRET
from fakes import drive

from rag.errors import RagError
from rag.evaluation.cases import Case
from rag.governance.audit.checking import check_audit
from rag.governance.audit.rows import list_audit
from rag.governance.certificate import FOLDER
from rag.governance.erasure import erase_document
from rag.governance.sentence_search import search_files, sentences_of
from rag.knowledge.ingest import ingest_files
from rag.storage.audit_log import Action, record
from rag.storage.store import add_trace_text
from rag.workspace import Workspace

QUOTE = "Her policy number is QX-99812-B."


@pytest.fixture
def filled(workspace: Workspace, files: Path) -> Workspace:
    drive(ingest_files(workspace, "A", [files]))
    return workspace


def test_a_certificate_states_what_was_searched_and_found(filled: Workspace, files: Path) -> None:
    report = drive(erase_document(filled, "A", str(files / "secret.txt")))
    path = Path(report.certificate)
    content = json.loads(path.read_text("utf-8"))
    assert path == filled.folder / FOLDER / "erasure-1.json"
    digest = hashlib.sha256((files / "copy of secret.txt").read_bytes()).hexdigest()
    assert content["files_sha256"] == [digest]
    assert content["is_clean"] and content["found"] == []
    assert content["searched"]["files"] == report.files_searched
    assert {"text", "reason", "evidence_text"} < set(content["searched"]["tables"]["claim"])
    assert "Backups and exports that were made earlier" in "".join(content["notes"])
    text = path.read_text("utf-8")
    assert not any(sentence in text for sentence in sentences_of(SECRET))
    assert "secret.txt" not in text
    done = list_audit(filled.database)[0]
    assert (done.action, done.after) == ("erasure done", hashlib.sha256(path.read_bytes()).hexdigest())


def test_an_older_certificate_is_never_overwritten(filled: Workspace, files: Path) -> None:
    (filled.folder / FOLDER).mkdir()
    (filled.folder / FOLDER / "erasure-1.json").write_text("older")
    report = drive(erase_document(filled, "A", str(files / "secret.txt")))
    assert Path(report.certificate).name == "erasure-1-2.json"
    assert (filled.folder / FOLDER / "erasure-1.json").read_text() == "older"


def test_a_certificate_that_cannot_be_written_is_a_sentence_and_the_document_is_gone(
    filled: Workspace, files: Path
) -> None:
    (filled.folder / FOLDER).write_text("a file where the folder should be")
    with pytest.raises(RagError, match="The document is erased, but its certificate"):
        drive(erase_document(filled, "A", str(files / "secret.txt")))
    assert filled.database.cells("SELECT count(*) FROM document WHERE name = 'secret.txt'") == [(0,)]


PLANTED: dict[str, dict[str, object]] = {
    "receivedspan": {"trace_id": "r", "span_id": "s", "body": json.dumps({"output": QUOTE})},
    "asksession": {"id": "s", "name": QUOTE},
    "trace": {
        "id": "t",
        "status": "done",
        "question": QUOTE,
        "answer": QUOTE,
        "prompt": QUOTE,
        "settings": "{}",
    },
    "evaluationcase": {"set_id": 1, "content": Case(question=QUOTE, key="k").model_dump_json()},
    "draft": {"passage": QUOTE, "question": QUOTE, "answer": QUOTE},
    "feedback": {"trace_id": "t", "author": "a", "note": QUOTE, "correction": QUOTE, "tags": "[]"},
    "review": {"item_id": 1, "reviewer": "a", "correction": QUOTE, "relevant": "[]"},
    "cachedanswer": {"question_key": "k", "trace_id": "t"},
    "cascadestep": {"trace_id": "t", "answer_id": "t", "name": "small", "reason": QUOTE},
}


def test_an_erasure_leaves_no_byte_of_it_in_any_file_wherever_it_was_planted(
    filled: Workspace, files: Path
) -> None:
    for table, values in PLANTED.items():
        insert(filled, table, **values)
    with filled.store.session() as session:
        add_trace_text(session, "t", f"{QUOTE}\n{QUOTE}")
        record(session, Action.DRAFT_ACCEPTED, "1", QUOTE)
    assert drive(search_files(filled.folder, [QUOTE]))[0] != []
    report = drive(erase_document(filled, "A", str(files / "secret.txt")))
    assert report.found == ()
    found, count, _ = drive(search_files(filled.folder, [QUOTE]))
    assert (found, count > 3) == ([], True)
    check = check_audit(filled.folder)
    assert (check.ok, check.erased) == (True, 1)
