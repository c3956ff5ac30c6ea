"""What is not a whole backup is refused before anything is changed, whatever bytes it has."""

import hashlib
import json
import os
import sqlite3
import stat
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from data_folders import (
    make_folder,
    open_once,
    whose,
)
from fakes import drive
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import RagError
from rag.storage.backup import look_at_backup, prepare_restore, read_backup
from rag.storage.data_folder import DATABASE


def rewritten(source: Path, target: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """A copy of a backup whose members were changed; keys may be anything."""
    with zipfile.ZipFile(source) as opened:
        members = {name: opened.read(name) for name in opened.namelist()}
    change(members)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return target


def in_manifest(**values: Any) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        members["manifest.json"] = json.dumps({**json.loads(members["manifest.json"]), **values}).encode()

    return change


def with_database(
    change: Callable[[sqlite3.Connection], Any], folder: Path
) -> Callable[[dict[str, bytes]], None]:
    """Put a changed database into the backup, with a manifest that fits."""

    def rewrite(members: dict[str, bytes]) -> None:
        path = folder / "changed.sqlite"
        path.write_bytes(members[DATABASE])
        with closing(sqlite3.connect(path)) as connection:
            change(connection)
            connection.commit()
        fit(members, path.read_bytes())

    return rewrite


def fit(members: dict[str, bytes], database: bytes) -> None:
    members[DATABASE] = database
    manifest = json.loads(members["manifest.json"])
    entry = next(m for m in manifest["members"] if m["name"] == DATABASE)
    entry.update(size=len(database), sha256=hashlib.sha256(database).hexdigest())
    members["manifest.json"] = json.dumps(manifest).encode()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda m: m.pop("settings.toml"), "not those that its manifest lists"),
        (lambda m: m.pop(DATABASE), "not those that its manifest lists"),
        (lambda m: m.pop("manifest.json"), "not a Ragdeck backup"),
        (lambda m: m.update({"extra.txt": b"x"}), "extra.txt"),
        (lambda m: m.update({"../outside.txt": b"x"}), "outside.txt"),
        (lambda m: m.update({"/etc/x": b"x"}), "etc/x"),
        (lambda m: m.update({"index/chroma.sqlite3": b"x"}), "chroma.sqlite3"),
        (lambda m: m.update({"settings.toml": b"[generation]\nseed = 9\n"}), "size"),
        (lambda m: m.update({"manifest.json": b"[1]"}), "format"),
        (lambda m: m.update({"manifest.json": b"{"}), "cannot be read"),
        (lambda m: m.update({"manifest.json": b" " * (2 << 20)}), "far too large"),
        (in_manifest(format=2), "does not know the format"),
        (in_manifest(schema=99), "newer Ragdeck"),
        (in_manifest(members="x"), "cannot be read"),
        (in_manifest(rows=3), "cannot be read"),
        (in_manifest(created_ms=None), "cannot be read"),
        (in_manifest(created_ms=10**30), "cannot be read"),
    ],
)
def test_a_backup_with_other_contents_is_refused(
    tmp_path: Path, small: Path, change: Callable[[dict[str, bytes]], Any], named: str
) -> None:
    refused_everywhere(tmp_path, rewritten(small, tmp_path / "changed.zip", change), named)


def refused_everywhere(tmp_path: Path, path: Path, named: str) -> None:
    with pytest.raises(RagError, match=named):
        read_backup(path)
    folder = make_folder(tmp_path / "data", "old", 1)
    with pytest.raises(RagError, match=named):
        drive(prepare_restore(folder, path))
    assert open_once(folder) == []
    assert whose(folder) == {("old", 1)}
    assert not (tmp_path / "outside.txt").exists()


def test_databases_that_cannot_serve_are_refused(tmp_path: Path, small: Path) -> None:
    def newer(members: dict[str, bytes]) -> None:
        with_database(lambda c: c.execute("PRAGMA user_version = 99"), tmp_path)(members)

    def foreign(members: dict[str, bytes]) -> None:
        with_database(lambda c: c.execute("DROP TABLE document"), tmp_path)(members)

    def torn(members: dict[str, bytes]) -> None:
        middle = len(members[DATABASE]) // 2
        fit(members, members[DATABASE][:middle] + os.urandom(40_000) + members[DATABASE][middle + 40_000 :])

    def text(members: dict[str, bytes]) -> None:
        fit(members, b"no database at all " * 500)

    for change, named in (
        (newer, "newer Ragdeck"), (foreign, "not one of Ragdeck"), (torn, "not sound|cannot read"), (text, "cannot read"),
    ):  # fmt: skip
        with pytest.raises(RagError, match=named):
            read_backup(rewritten(small, tmp_path / "changed.zip", change))


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("CREATE TRIGGER t AFTER INSERT ON trace BEGIN DELETE FROM document; END", "has the trigger “t”"),
        ("CREATE VIEW v AS SELECT * FROM trace", "has the view “v”"),
        ("ALTER TABLE trace DROP COLUMN answer", r"lacks trace\.answer, which this program reads"),
        ("DROP TABLE alertrule", r"lacks alertrule\.\w+, which this program reads"),
        ("PRAGMA user_version = 2", r"cannot bring its database up to date \(no such"),
    ],
)
def test_a_database_that_this_program_cannot_open_is_refused_before_anything_is_replaced(
    tmp_path: Path, small: Path, statement: str, named: str
) -> None:
    changed = rewritten(
        small, tmp_path / "changed.zip", with_database(lambda c: c.execute(statement), tmp_path)
    )
    refuses(tmp_path, changed, named)


def test_a_trigger_of_the_program_with_another_body_is_refused(tmp_path: Path, small: Path) -> None:
    def change(connection: sqlite3.Connection) -> None:
        connection.execute("DROP TRIGGER cost_added")
        connection.execute("CREATE TRIGGER cost_added AFTER INSERT ON cost BEGIN DELETE FROM document; END")

    changed = rewritten(small, tmp_path / "changed.zip", with_database(change, tmp_path))
    refuses(tmp_path, changed, "has the trigger “cost_added”")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("max_tokens = 3", r"max_tokens is in the wrong place: it belongs below \[chunking\]"),
        ("[new_section]", "there is no section new_section"),
        ("not toml", "not valid TOML"),
    ],
)
def test_settings_that_this_program_cannot_read_are_refused(
    tmp_path: Path, small: Path, text: str, named: str
) -> None:
    def change(members: dict[str, bytes]) -> None:
        content = text.encode()
        manifest = json.loads(members["manifest.json"])
        for entry in manifest["members"]:
            if entry["name"] == "settings.toml":
                entry.update(size=len(content), sha256=hashlib.sha256(content).hexdigest())
        members |= {"settings.toml": content, "manifest.json": json.dumps(manifest).encode()}

    refuses(tmp_path, rewritten(small, tmp_path / "changed.zip", change), named)


def refuses(tmp_path: Path, changed: Path, named: str) -> None:
    """Assert that neither a check nor a restore takes a backup, and that the data are as they were."""
    data = tmp_path / "data"
    make_folder(data, "old", 1)
    before = sorted(path.name for path in data.iterdir())
    with pytest.raises(RagError, match=named):
        read_backup(changed)
    with pytest.raises(RagError, match=f"{named}.*Nothing was changed"):
        drive(prepare_restore(data, changed))
    assert sorted(path.name for path in data.iterdir()) == before
    open_once(data)
    assert whose(data) == {("old", 1)}


def test_links_and_twice_the_same_name_are_refused(tmp_path: Path, small: Path) -> None:
    with zipfile.ZipFile(small) as opened:
        members = {name: opened.read(name) for name in opened.namelist()}
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as made:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            if name == "settings.toml":
                info.external_attr = (stat.S_IFLNK | 0o777) << 16
            made.writestr(info, content)
    with pytest.raises(RagError, match="not a plain file"):
        read_backup(tmp_path / "link.zip")
    with pytest.warns(UserWarning), zipfile.ZipFile(tmp_path / "twice.zip", "w") as made:
        for name, content in (*members.items(), ("settings.toml", b"")):
            made.writestr(name, content)
    with pytest.raises(RagError, match="never does"):
        read_backup(tmp_path / "twice.zip")


def test_what_is_no_zip_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("hello")
    for path, named in ((tmp_path / "text.zip", "whole zip"), (tmp_path / "none.zip", "no file"), (tmp_path, "cannot be read")):  # fmt: skip
        with pytest.raises(RagError, match=named):
            look_at_backup(path)


def test_a_truncated_backup_is_refused_wherever_it_ends(tmp_path: Path, small: Path) -> None:
    whole = small.read_bytes()
    path = tmp_path / "short.zip"
    for length in {*range(0, len(whole), max(len(whole) // 60, 1)), *range(len(whole) - 40, len(whole))}:
        path.write_bytes(whole[:length])
        with pytest.raises(RagError):
            read_backup(path)


@settings(max_examples=150, deadline=None)
@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), from_end=st.booleans())
def test_a_flipped_bit_is_found_or_harmless(small: Path, where: float, bit: int, from_end: bool) -> None:
    import tempfile

    content = bytearray(small.read_bytes())
    position = int(where * len(content))
    if from_end:  # the zip's directory is small and has the most to break
        position = len(content) - 1 - int(where * min(600, len(content)))
    content[position] ^= 1 << bit
    good = read_backup(small)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "flipped.zip"
        path.write_bytes(content)
        try:
            found = read_backup(path)
        except RagError:
            return
    assert (found.members, found.rows, found.schema) == (good.members, good.rows, good.schema)
