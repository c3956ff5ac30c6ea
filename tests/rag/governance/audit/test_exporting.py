"""The log is exported as CSV or JSON, the first row first, and that is a row as well."""

import csv
import hashlib
import json
from pathlib import Path

import pytest

from rag.errors import RagError
from rag.governance.audit.exporting import export_audit, note_table_export
from rag.governance.audit.rows import AuditFilter, list_audit
from rag.storage.audit_log import Action, record
from rag.workspace import Workspace


@pytest.fixture
def filled(workspace: Workspace) -> Workspace:
    with workspace.store.session() as session:
        record(session, Action.COLLECTION_MADE, "=SUM(A1)", "1, “two”\nthree")
        record(session, Action.COLLECTION_DELETED, "B")
    return workspace


def test_a_csv_has_every_row_and_no_cell_is_a_formula(filled: Workspace, tmp_path: Path) -> None:
    assert export_audit(filled, str(tmp_path / "log.csv"), AuditFilter(group="Knowledge")) == 2
    with (tmp_path / "log.csv").open(encoding="utf-8", newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["subject"], first["detail"]) == ("'=SUM(A1)", "1, “two”\nthree")
    assert (second["action"], second["previous"]) == ("collection deleted", first["hash"])
    assert first["time"].startswith("20")


def test_an_export_is_logged_with_its_fingerprint(filled: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "log.json"
    count = export_audit(filled, str(file))
    content = json.loads(file.read_text("utf-8"))
    assert (content["kind"], len(content["rows"])) == ("ragdeck audit log", count)
    row = list_audit(filled.database)[0]
    assert (row.action, row.detail) == ("audit log exported", str(file))
    canonical = json.dumps(file.read_text("utf-8"), separators=(",", ":"))
    assert row.after == hashlib.sha256(canonical.encode()).hexdigest()


def test_another_ending_or_place_is_refused(filled: Workspace, tmp_path: Path) -> None:
    with pytest.raises(RagError, match=r"\.csv or \.json"):
        export_audit(filled, str(tmp_path / "log.pdf"))
    with pytest.raises(RagError, match="cannot be written"):
        export_audit(filled, str(tmp_path / "missing" / "log.csv"))
    assert not list(tmp_path.glob("*.part"))


def test_a_table_that_the_window_exported_is_logged(filled: Workspace) -> None:
    note_table_export(filled.store, "Wrote 3 rows to /tmp/x.csv.")
    row = list_audit(filled.database)[0]
    assert (row.action, row.subject) == ("table exported", "Wrote 3 rows to /tmp/x.csv.")
