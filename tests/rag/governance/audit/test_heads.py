"""A head that was kept elsewhere shows that a chain was rewritten; signatures are real ones of ssh-keygen."""

import json
import re
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from rag.errors import RagError
from rag.governance.audit.checking import check_audit
from rag.governance.audit.heads import check_signature, is_head_due, read_head, sign, write_head
from rag.governance.audit.rows import AuditHead, list_audit
from rag.storage.audit_log import Action, record, row_hash, words_fingerprint
from rag.storage.data_folder import DATABASE
from rag.workspace import Workspace

needs_ssh = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")


@pytest.fixture
def elsewhere(workspace: Workspace, tmp_path: Path) -> Path:
    with workspace.store.session() as session:
        session.connection().exec_driver_sql("DELETE FROM auditevent")  # what opening the folder wrote
        for name in ("A", "B", "C"):
            record(session, Action.COLLECTION_MADE, name)
    return tmp_path / "elsewhere"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    made = tmp_path / "key"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "alice", "-f", str(made)], check=True
    )
    return made


def rewrite(workspace: Workspace) -> None:
    """Change the first row and compute the whole chain anew, as the owner of the file can."""
    with closing(sqlite3.connect(workspace.folder / DATABASE)) as raw, raw:
        raw.row_factory = sqlite3.Row
        previous = ""
        for found in raw.execute("SELECT * FROM auditevent ORDER BY id").fetchall():
            row = dict(found)
            if row["id"] == 1:
                row["subject"] = "another name"
            row["words"] = words_fingerprint(row["salt"], row["subject"], row["detail"])
            row["previous"] = previous
            previous = row["hash"] = row_hash(row)
            raw.execute(
                "UPDATE auditevent SET subject = ?, words = ?, previous = ?, hash = ? WHERE id = ?",
                (row["subject"], row["words"], row["previous"], row["hash"], row["id"]),
            )


def test_a_head_is_written_and_the_log_continues_it(workspace: Workspace, elsewhere: Path) -> None:
    path = write_head(workspace, str(elsewhere))
    head = read_head(Path(path))
    assert (head.rows, head.id) == (3, 3)
    assert list_audit(workspace.database)[0].after == head.hash
    found = check_audit(workspace.folder, path)
    assert found.ok
    assert "continue the head of" in found.sentence()
    assert found.signature.startswith("It is not signed")
    assert not list(elsewhere.glob("*.part"))


def test_a_rewritten_chain_shows_against_a_head_alone(workspace: Workspace, elsewhere: Path) -> None:
    path = write_head(workspace, str(elsewhere))
    rewrite(workspace)
    assert check_audit(workspace.folder).ok
    found = check_audit(workspace.folder, path)
    assert not found.ok
    assert "row 3 has another hash than the head says: the log was rewritten" in found.sentence()


def test_rows_that_were_cut_off_the_end_show_against_a_head_alone(
    workspace: Workspace, elsewhere: Path
) -> None:
    path = write_head(workspace, str(elsewhere))
    with closing(sqlite3.connect(workspace.folder / DATABASE)) as raw, raw:
        raw.execute("DELETE FROM auditevent WHERE id >= 3")
    assert check_audit(workspace.folder).ok
    assert "row 3 is missing, which was the last one" in check_audit(workspace.folder, path).sentence()


def test_a_head_of_an_empty_log_fits_every_log(workspace: Workspace, tmp_path: Path) -> None:
    with workspace.store.session() as session:
        session.connection().exec_driver_sql("DELETE FROM auditevent")
    path = write_head(workspace, str(tmp_path / "heads"))
    assert read_head(Path(path)).id == 0
    assert check_audit(workspace.folder, path).ok


def test_heads_are_written_when_something_happened_since(workspace: Workspace, elsewhere: Path) -> None:
    assert not is_head_due(workspace)  # no folder is chosen
    workspace.change_settings({"governance": {"head_folder": str(elsewhere)}})
    assert is_head_due(workspace)
    first = write_head(workspace)
    assert not is_head_due(workspace)
    with workspace.store.session() as session:
        record(session, Action.COLLECTION_MADE, "D")
    assert is_head_due(workspace)
    assert write_head(workspace) != first
    assert len(list(elsewhere.glob("*.json"))) == 2


def head_with(**values: object) -> str:
    """The text of a head with some values changed; None takes one out."""
    whole = {"kind": "ragdeck audit head", "rows": 3, "id": 3, "hash": "ab", "written_ms": 1} | values
    return json.dumps({name: value for name, value in whole.items() if value is not None})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[1]",
        "null",
        "5",
        '"ragdeck audit head"',
        '{"kind": "ragdeck audit head", "rows": "x"}',
        "\x00",
        "[" * 100_000,
        head_with(kind="ragdeck audit log"),
        head_with(kind=None),
        head_with(rows=None),
        head_with(rows="3"),
        head_with(id="3"),
        head_with(id=None),
        head_with(hash=5),
        head_with(written_ms=None),
        head_with(written_ms="yesterday"),
        head_with(written_ms=1.5),
        head_with(written_ms=-1),
        head_with(written_ms=10**30),
        head_with(more=1),
    ],
)
def test_a_file_that_is_no_head_is_a_sentence(text: str, tmp_path: Path) -> None:
    file = tmp_path / "head.json"
    file.write_text(text)
    with pytest.raises(RagError, match="not a head of an audit log"):
        read_head(file)


def test_a_head_that_cannot_be_written_or_read_is_a_sentence(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(RagError, match=r"No folder for heads.*governance\.head_folder"):
        write_head(workspace)
    (tmp_path / "file").write_text("")
    with pytest.raises(RagError, match="cannot be written to"):
        write_head(workspace, str(tmp_path / "file"))
    with pytest.raises(RagError, match="cannot be read"):
        read_head(tmp_path / "missing.json")


@needs_ssh
def test_a_head_is_signed_by_an_ssh_key_and_anyone_can_check_whose(
    workspace: Workspace, elsewhere: Path, key: Path, tmp_path: Path
) -> None:
    path = Path(write_head(workspace, str(elsewhere), str(key)))
    assert path.with_name(path.name + ".sig").exists()
    assert "signed by the SSH key SHA256:" in check_signature(path)
    allowed = tmp_path / "allowed"
    allowed.write_text(f"alice@example.org {key.with_suffix('.pub').read_text()}")
    found = check_audit(workspace.folder, str(path), str(allowed))
    assert (found.ok, found.signature) == (
        True,
        "It is signed by alice@example.org, whose SSH key you trust.",
    )
    path.write_text(path.read_text().replace('"rows": 3', '"rows": 4'))
    for trusted in ("", str(allowed)):
        with pytest.raises(RagError, match="is not a good signature"):
            check_signature(path, trusted)


@needs_ssh
def test_a_signature_of_another_key_is_not_trusted(key: Path, tmp_path: Path) -> None:
    file = tmp_path / "head.json"
    file.write_text("{}")
    sign(file, str(key))
    allowed = tmp_path / "allowed"
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)], check=True)
    allowed.write_text(f"bob@example.org {other.with_suffix('.pub').read_text()}")
    with pytest.raises(RagError, match="by a trusted key"):
        check_signature(file, str(allowed))


def test_a_missing_signature_or_key_is_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "head.json"
    file.write_text("{}")
    with pytest.raises(RagError, match="has no signature beside it"):
        check_signature(file, "allowed")
    with pytest.raises(RagError, match="There is no key"):
        sign(file, str(tmp_path / "nowhere"))


@needs_ssh
def test_a_key_that_cannot_sign_is_a_sentence_and_the_head_stays(
    workspace: Workspace, elsewhere: Path
) -> None:
    bad = elsewhere.parent / "bad"
    bad.write_text("no key")
    with pytest.raises(RagError, match="ssh-keygen could not sign"):
        write_head(workspace, str(elsewhere), str(bad))
    (left,) = elsewhere.glob("*.json")
    assert json.loads(left.read_text())["rows"] == 3


@pytest.mark.skipif(shutil.which("gpg") is None, reason="gpg is not installed")
def test_an_unknown_openpgp_key_is_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "head.json"
    file.write_text("{}")
    with pytest.raises(RagError, match="gpg could not sign"):
        sign(file, "gpg:nobody@nowhere.invalid")


def test_a_head_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "head.json"
    file.write_text(head_with(rows=7, id=9, hash="cd", written_ms=1_791_190_800_000))
    assert read_head(file) == AuditHead(7, 9, "cd", 1_791_190_800_000)


def test_bytes_that_are_no_text_are_no_head(tmp_path: Path) -> None:
    (tmp_path / "head.json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(RagError, match="not a head of an audit log"):
        read_head(tmp_path / "head.json")
    with pytest.raises(RagError, match="cannot be read"):
        read_head(tmp_path)  # a folder


def test_an_unsigned_head_says_so_and_is_refused_where_a_signature_is_wanted(
    workspace: Workspace, elsewhere: Path
) -> None:
    path = write_head(workspace, str(elsewhere))
    assert check_signature(Path(path)).startswith("It is not signed: whoever could change the log")
    with pytest.raises(RagError, match="you asked for one by a trusted key"):
        check_audit(workspace.folder, path, "allowed")


def test_a_folder_for_heads_is_made_and_named_in_the_log(workspace: Workspace, elsewhere: Path) -> None:
    path = Path(write_head(workspace, str(elsewhere / "a" / "b")))
    assert path.parent == elsewhere / "a" / "b"
    assert re.fullmatch(r"ragdeck-audit-head-\d{8}-\d{6}-3\.json", path.name)
    row = list_audit(workspace.database)[0]
    assert (row.action, row.subject) == ("audit head written", "row 3")


def test_the_place_that_is_named_goes_before_that_of_the_settings(
    workspace: Workspace, elsewhere: Path, tmp_path: Path
) -> None:
    workspace.change_settings({"governance": {"head_folder": str(tmp_path / "usual")}})
    assert Path(write_head(workspace, str(elsewhere))).parent == elsewhere
    assert not (tmp_path / "usual").exists()
    assert Path(write_head(workspace)).parent == tmp_path / "usual"


@pytest.mark.parametrize("name", ["notes.json", "ragdeck-audit-head-1.txt", "x-ragdeck-audit-head-1.json"])
def test_another_file_in_the_folder_is_no_head(workspace: Workspace, elsewhere: Path, name: str) -> None:
    workspace.change_settings({"governance": {"head_folder": str(elsewhere)}})
    Path(write_head(workspace)).rename(elsewhere / name)
    assert is_head_due(workspace)


@needs_ssh
def test_a_signature_that_is_garbage_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "head.json").write_text("{}")
    (tmp_path / "head.json.sig").write_text("no signature")
    with pytest.raises(RagError) as refused:
        check_signature(tmp_path / "head.json")
    said = str(refused.value)
    assert "head.json.sig is not a good signature of head.json (" in said and "\n" not in said
