"""Policies act on documents before anything of them is stored, and what they did is in the account."""

import json
from pathlib import Path
from typing import Any

import pytest
from fakes import drive

from rag.governance.policies.registry import bind_policy, save_policy, set_policy_label
from rag.guardrails.policies.rows import Place, ResultFilter, list_results
from rag.knowledge.guarding import guarded_chunking, policies_of
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import IngestReport
from rag.workspace import Workspace

MAIL = "anna.berg@example.org"
MASK = {"check": "personal data", "where": "document", "action": "mask", "kinds": ["e-mail address"]}


def policy(workspace: Workspace, rule: dict[str, Any], collection: str = "") -> None:
    row = save_policy(workspace.store, workspace.database, "Outside", [rule])
    set_policy_label(workspace.store, "Outside", "production", row.number)
    bind_policy(workspace.store, "Outside", collection)


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    folder = tmp_path / "letters"
    folder.mkdir()
    (folder / "letter.md").write_text(
        f"# To {MAIL}\n\nDear Anna, write to {MAIL} soon.\n\n# Rye\n\nRye bread needs sourdough.\n", "utf-8"
    )
    (folder / "plain.txt").write_text("Sirius is the brightest star.", "utf-8")
    return folder


def ingest(workspace: Workspace, folder: Path) -> IngestReport:
    return drive(ingest_files(workspace, "A", [folder]))


def document(workspace: Workspace) -> dict[str, Any]:
    (row,) = workspace.database.query("SELECT * FROM document WHERE name = 'letter.md'")
    return dict(row)


def test_a_masked_document_is_nowhere_in_the_data_folder_and_its_places_still_fit(
    workspace: Workspace, letters: Path
) -> None:
    policy(workspace, MASK)
    ingest(workspace, letters)
    found = document(workspace)
    assert "write to E-mail 1 soon" in found["text"]
    parts = {label: found["text"][start:end] for _, _, label, start, end in json.loads(found["places"])}
    assert any(text.strip().endswith("Rye bread needs sourdough.") for text in parts.values())
    assert all(text.lstrip().startswith("#") for text in parts.values() if text.strip())
    wanted = MAIL.encode()
    files = [path for path in workspace.folder.rglob("*") if path.is_file()]
    assert not [path for path in files if wanted in path.read_bytes()]


def test_what_was_masked_is_in_the_report_the_account_and_the_results(
    workspace: Workspace, letters: Path
) -> None:
    policy(workspace, MASK)
    report = ingest(workspace, letters)
    detail = next(o.detail for o in report.outcomes if o.path.endswith("letter.md"))
    assert "the policy “Outside” masked e-mail address (2 times)" in detail
    assert "masked e-mail address" in document(workspace)["account"]
    found = list_results(workspace.database, ResultFilter())
    assert {(r.place, r.document, r.collection) for r in found} == {(Place.DOCUMENT, "letter.md", "A")}


@pytest.mark.parametrize(("action", "outcome"), [("leave out", "skipped"), ("refuse", "failed")])
def test_a_document_is_left_out_or_refused_with_the_reason(
    workspace: Workspace, letters: Path, action: str, outcome: str
) -> None:
    policy(workspace, {**MASK, "action": action})
    report = ingest(workspace, letters)
    (left,) = [o for o in report.outcomes if o.path.endswith("letter.md")]
    assert left.outcome == outcome
    assert "the policy “Outside” found e-mail address" in left.detail
    assert report.document_count == 1


def test_a_note_changes_nothing_but_the_account(workspace: Workspace, letters: Path) -> None:
    policy(workspace, {**MASK, "action": "note"})
    ingest(workspace, letters)
    assert MAIL in document(workspace)["text"]
    assert policies_of(document(workspace)["chunking"]) == ""


def test_a_file_is_read_again_when_the_policy_that_changes_it_does(
    workspace: Workspace, letters: Path
) -> None:
    ingest(workspace, letters)
    assert MAIL in document(workspace)["text"]
    policy(workspace, MASK)
    report = ingest(workspace, letters)
    assert {o.outcome for o in report.outcomes} == {"replaced"}
    assert {o.outcome for o in ingest(workspace, letters).outcomes} == {"unchanged"}


def test_a_policy_of_another_collection_leaves_documents_alone(workspace: Workspace, letters: Path) -> None:
    drive(ingest_files(workspace, "B", [letters]))
    policy(workspace, MASK, "B")
    ingest(workspace, letters)
    assert MAIL in str(
        workspace.database.query("SELECT d.text FROM document d JOIN collection c ON c.id = d.collection_id "
                                 "WHERE c.name = 'A' AND d.name = 'letter.md'")[0]["text"]
    )  # fmt: skip


def test_the_fingerprint_of_chunking_names_policies_that_change_texts(workspace: Workspace) -> None:
    assert guarded_chunking("abc", ()) == "abc"
    assert policies_of("abc") == ""
    assert policies_of("abc+def") == "+def"
