"""The log is exported as CSV or JSON, the first row first, and that is a row as well."""

import csv
import hashlib
import json
from pathlib import Path

import pytest

from rag.errors import RagError
from rag.governance.audit.exporting import export_audit, note_table_export, write_whole
from rag.governance.audit.rows import AuditFilter, list_audit
from rag.storage.audit_log import Action, record
from rag.text.spreadsheets import unguarded
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


@pytest.mark.parametrize(
    ("subject", "cell"),
    [
        ("Notes", "Notes"),
        ("=1+1", "'=1+1"),
        ("+49 421", "'+49 421"),
        ("-1", "'-1"),
        ("@sum", "'@sum"),
        ("\t=1", "'\t=1"),
        ("'=1", "''=1"),
        ("a=1", "a=1"),
        ("‘quoted’, “two”", "‘quoted’, “two”"),
        ('say "it"', 'say "it"'),
        ("two\r\nlines", "two\r\nlines"),
        ("", ""),
    ],
)
def test_a_cell_comes_back_from_a_csv_and_runs_nothing(
    workspace: Workspace, tmp_path: Path, subject: str, cell: str
) -> None:
    with workspace.store.session() as session:
        record(session, Action.BACKUP_MADE, subject)
    export_audit(workspace, str(tmp_path / "log.csv"))
    with (tmp_path / "log.csv").open(encoding="utf-8", newline="") as file:
        *_, last = csv.DictReader(file)
    assert (last["subject"], unguarded(last["subject"])) == (cell, subject)


def test_a_csv_and_a_json_say_the_same_in_the_same_order(filled: Workspace, tmp_path: Path) -> None:
    wanted = AuditFilter(group="Knowledge")
    for name in ("log.csv", "log.json"):
        assert export_audit(filled, str(tmp_path / name), wanted) == 2
    with (tmp_path / "log.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    written = json.loads((tmp_path / "log.json").read_text("utf-8"))["rows"]
    assert [row["hash"] for row in rows] == [row["hash"] for row in written]
    assert [int(row["id"]) for row in rows] == sorted(row["id"] for row in written)
    assert list(rows[0]) == ["time", *written[0]]


@pytest.mark.parametrize("name", ["log", "log.", "log.txt", "log.csv.gz", ".csv", "csv"])
def test_a_name_without_a_known_ending_is_refused_and_not_logged(
    filled: Workspace, tmp_path: Path, name: str
) -> None:
    with pytest.raises(RagError) as refused:
        export_audit(filled, str(tmp_path / name))
    assert str(refused.value) == f"{name} says no format. End the name of the file with .csv or .json."
    assert list_audit(filled.database)[0].action == "collection deleted"


@pytest.mark.parametrize("name", ["LOG.CSV", "log.Json"])
def test_the_case_of_an_ending_does_not_matter(filled: Workspace, tmp_path: Path, name: str) -> None:
    assert export_audit(filled, str(tmp_path / name), AuditFilter(who="nobody")) == 0
    assert (tmp_path / name).read_text("utf-8")
    assert list_audit(filled.database)[0].subject == "0 rows"


def test_a_file_that_is_there_is_replaced_whole(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("something much longer")
    write_whole(file, "ü\r\n")
    assert file.read_bytes() == "ü\r\n".encode()
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_in_the_place_of_a_file_is_a_sentence_and_no_part_is_left(tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(RagError, match=r"a\.csv cannot be written \(.*\)\. Choose another place\.$"):
        write_whole(tmp_path / "a.csv", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_half_a_sign_is_written_as_json_spells_it(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.json", '["a\udcff"]')
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == ["a\udcff"]
