"""An upgrade that is interrupted, wherever, leaves a whole schema; what fails is one sentence."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from old_files import (
    FIRST,
    TESTS,
    Cut,
    after_each_step,
    content,
    copied,
    cut_and_start_again,
    cutting,
    killed,
    old_file,
    raise_cut,
    rows,
    upgrade,
    upgraded,
    version_of,
)

from rag.errors import RagError
from rag.storage.data_folder import SCHEMA
from rag.storage.migration.migrate import connect, migrate
from rag.storage.migration.steps import STEPS, run_actions
from rag.storage.store import Store, fill_new_file


def test_an_error_after_any_statement_leaves_a_whole_schema_that_the_next_start_upgrades(
    tmp_path: Path,
) -> None:
    path = old_file(FIRST, tmp_path)
    steps = after_each_step(path, tmp_path / "steps")
    done = upgraded(path, tmp_path / "whole")
    folder = tmp_path / "steps"
    left = [cut_and_start_again(folder, after, done, steps) for after in range(1, len(done) + 1)]
    assert set(left) == set(steps)
    assert len(left) > 100


@pytest.mark.parametrize("name", ["schema-3-e988215", "schema-5-27c8c2f"])
def test_an_error_after_a_statement_that_only_some_files_need_is_made_good(name: str, tmp_path: Path) -> None:
    usual = set(upgraded(old_file(FIRST, tmp_path / "first"), tmp_path / "usual"))
    path = old_file(TESTS / "schemas" / f"{name}.sql", tmp_path)
    steps = after_each_step(path, tmp_path / "steps")
    done = upgraded(path, tmp_path / "whole")
    special = [after for after, sql in enumerate(done, start=1) if sql not in usual]
    for after in special:
        cut_and_start_again(tmp_path / "steps", after, done, steps)
    assert special


def test_an_error_while_a_new_file_is_made_leaves_none_of_it(tmp_path: Path) -> None:
    opening, done = cutting(0, raise_cut)
    whole = tmp_path / "whole.sqlite"
    migrate(whole, fill_new_file, opening)
    for after in (1, 2, len(done) // 2, len(done) - 1):
        path = tmp_path / f"cut-{after}.sqlite"
        with pytest.raises(Cut):
            migrate(path, fill_new_file, cutting(after, raise_cut)[0])
        assert content(path) == (0, [], {})
        upgrade(path)
        assert content(path) == content(whole)


@pytest.mark.skipif(os.name == "nt", reason="there is no kill -9")
def test_a_kill_leaves_a_whole_schema_that_the_next_start_upgrades(tmp_path: Path) -> None:
    path = old_file(FIRST, tmp_path / "old")
    steps = after_each_step(path, tmp_path / "steps")
    done = upgraded(path, tmp_path / "whole")
    commits = [number for number, sql in enumerate(done, start=1) if sql == "COMMIT"]
    for after in (2, commits[0] - 1, commits[0], commits[1] - 2, commits[3] + 5, len(done) - 1):
        cut = copied(path, tmp_path / f"kill-{after}")
        killed(cut, after)
        left = version_of(cut)
        assert left == 1 + done[:after].count("COMMIT")
        assert content(cut) == steps[left], done[after - 1]
        copy = (cut.parent / "ragdeck.before-2.sqlite").read_bytes()
        upgrade(cut)
        assert content(cut) == steps[SCHEMA], done[after - 1]
        assert (cut.parent / "ragdeck.before-2.sqlite").read_bytes() == copy
        assert content(cut.parent / "ragdeck.before-2.sqlite") == steps[1]


def test_a_file_that_the_earlier_program_left_between_two_steps_is_upgraded(tmp_path: Path) -> None:
    """It committed statement by statement and wrote the number last: a step may be there in part."""
    path = old_file(FIRST, tmp_path / "old")
    whole = after_each_step(path, tmp_path / "steps")[SCHEMA]
    half = copied(path, tmp_path / "half")
    with closing(connect(half)) as raw:
        run_actions(raw, STEPS[1].actions)
        raw.execute("ALTER TABLE trace ADD COLUMN outcome TEXT NOT NULL DEFAULT ''")
    assert version_of(half) == 1
    good = half.with_name("ragdeck.before-2.sqlite")
    good.write_bytes(path.read_bytes())  # the copy that the earlier program had made
    upgrade(half)
    assert rows(half) == whole[2]
    assert good.read_bytes() == path.read_bytes()


# --- the safety copy --------------------------------------------------------------------------------------


def test_the_copy_holds_the_file_as_it_was(tmp_path: Path) -> None:
    path = old_file(FIRST, tmp_path)
    before = content(path)
    upgrade(path)
    assert content(tmp_path / "ragdeck.before-2.sqlite") == before
    assert not list(tmp_path.glob("*.part*"))


def test_a_start_after_an_interruption_makes_no_second_copy(tmp_path: Path) -> None:
    path = old_file(FIRST, tmp_path)
    with pytest.raises(Cut):
        migrate(path, fill_new_file, cutting(5, raise_cut)[0])
    made = (tmp_path / "ragdeck.before-2.sqlite").stat().st_mtime_ns
    upgrade(path)
    assert [p.name for p in tmp_path.glob("ragdeck.before-*")] == ["ragdeck.before-2.sqlite"]
    assert (tmp_path / "ragdeck.before-2.sqlite").stat().st_mtime_ns == made


def test_a_copy_made_before_is_kept_beside_the_new_one(tmp_path: Path) -> None:
    path = old_file(FIRST, tmp_path)
    before = content(path)
    for name in ("ragdeck.before-2.sqlite", "ragdeck.before-2-2.sqlite"):
        (tmp_path / name).write_text(f"an earlier {name}")
    upgrade(path)
    for name in ("ragdeck.before-2.sqlite", "ragdeck.before-2-2.sqlite"):
        assert (tmp_path / name).read_text() == f"an earlier {name}"
    assert content(tmp_path / "ragdeck.before-2-3.sqlite") == before


def test_a_half_written_copy_is_replaced(tmp_path: Path) -> None:
    path = old_file(FIRST, tmp_path)
    before = content(path)
    for name in ("ragdeck.before-2.sqlite.part", "ragdeck.before-2.sqlite.part-journal"):
        (tmp_path / name).write_text("half of a copy")
    upgrade(path)
    assert content(tmp_path / "ragdeck.before-2.sqlite") == before
    assert not list(tmp_path.glob("*.part*"))


def test_a_half_written_copy_goes_at_the_next_start_of_any_kind(tmp_path: Path) -> None:
    """It holds the texts of documents, so it must not outlive the reason for which it was made."""
    path = tmp_path / "ragdeck.sqlite"
    upgrade(path)
    (tmp_path / "ragdeck.before-2.sqlite.part").write_text("half of a copy")
    upgrade(path)
    assert not list(tmp_path.glob("*.part*"))


def test_a_full_disk_while_copying_is_one_sentence_and_nothing_is_lost(tmp_path: Path) -> None:
    path = old_file(FIRST, tmp_path)
    before = content(path)

    def small(name: Path) -> sqlite3.Connection:
        connection = connect(name)
        if name.suffix == ".part":
            connection.execute("PRAGMA max_page_count = 5")  # SQLite then says that the disk is full
        return connection

    with pytest.raises(RagError, match=r"The disk is full.*needs 1 MB.*Nothing was changed") as raised:
        migrate(path, fill_new_file, small)
    assert "damaged" not in str(raised.value)
    assert content(path) == before
    assert not list(tmp_path.glob("ragdeck.before-*"))
    upgrade(path)
    assert version_of(path) == SCHEMA


# --- one sentence each ------------------------------------------------------------------------------------


def test_a_full_disk_in_a_step_is_not_called_damage(tmp_path: Path) -> None:
    path = old_file(FIRST, tmp_path)
    before = content(path)

    def small(name: Path) -> sqlite3.Connection:
        connection = connect(name)
        if name == path:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages + 3}")
        return connection

    with pytest.raises(RagError, match=r"The disk is full.*Free some space.*nothing is lost") as raised:
        migrate(path, fill_new_file, small)
    assert "move" not in str(raised.value)
    assert content(path) == before
    upgrade(path)
    assert version_of(path) == SCHEMA


@pytest.mark.parametrize(
    ("journal", "lock"), [("WAL", "IMMEDIATE"), ("DELETE", "IMMEDIATE"), ("DELETE", "EXCLUSIVE")]
)
def test_a_locked_file_is_not_called_damaged(journal: str, lock: str, tmp_path: Path) -> None:
    path = old_file(FIRST, tmp_path)
    with closing(connect(path)) as other:
        other.execute(f"PRAGMA journal_mode = {journal}")
        other.execute(f"BEGIN {lock}")
        with pytest.raises(RagError, match=r"in use by another program.*start again") as raised:
            migrate(path, fill_new_file, lambda name: sqlite3.connect(name, timeout=0, isolation_level=None))
        other.execute("ROLLBACK")
    assert "move it away" not in str(raised.value)
    assert version_of(path) == 1


def test_a_newer_file_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = old_file(FIRST, tmp_path)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    before = path.read_bytes()
    with pytest.raises(RagError, match=f"newer Ragdeck .schema {SCHEMA + 1}, this program knows {SCHEMA}"):
        Store(path)
    assert path.read_bytes() == before
    assert not list(tmp_path.glob("ragdeck.before-*"))


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "ragdeck.sqlite"
    path.write_bytes(b"this is not a database at all" * 100)
    with pytest.raises(RagError, match=r"is not an SQLite file.*backup"):
        Store(path)
    assert path.read_bytes() == b"this is not a database at all" * 100


@pytest.mark.parametrize("current", [False, True])
def test_a_damaged_file_is_refused_and_left_as_it_is(current: bool, tmp_path: Path) -> None:
    path = old_file(FIRST, tmp_path)
    if current:
        upgrade(path)
    broken = bytearray(path.read_bytes())
    broken[100:4096] = b"\xff" * 3996  # the page of the schema, behind the file's header
    path.write_bytes(broken)
    with pytest.raises(RagError, match=r"is damaged .*backup"):
        Store(path)
    assert path.read_bytes() == broken


def test_a_database_of_another_program_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "ragdeck.sqlite"
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("CREATE TABLE bookmarks (url)")
    before = path.read_bytes()
    with pytest.raises(RagError, match="not a Ragdeck file"):
        Store(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("old_schema", [True, False])
def test_a_new_file_that_the_earlier_program_left_half_made_is_begun_again(
    old_schema: bool, tmp_path: Path
) -> None:
    path = old_file(FIRST, tmp_path) if old_schema else tmp_path / "ragdeck.sqlite"
    upgrade(tmp_path / "new.sqlite")
    if not old_schema:
        upgrade(path)
    with closing(connect(path)) as raw:
        for table in rows(path):
            if table != "alertrule":
                raw.execute(f'DELETE FROM "{table}"')
        raw.execute("DROP INDEX trace_flagged")
        raw.execute("PRAGMA user_version = 0")
    upgrade(path)
    assert content(path) == content(tmp_path / "new.sqlite")


def test_rows_without_a_schema_number_are_never_dropped(tmp_path: Path) -> None:
    path = old_file(FIRST, tmp_path)
    before = rows(path)
    with closing(connect(path)) as raw:
        raw.execute("PRAGMA user_version = 0")
    with pytest.raises(RagError, match="no schema number"):
        Store(path)
    assert rows(path) == before


def test_a_step_that_fails_is_named_and_the_copy_too(tmp_path: Path) -> None:
    path = old_file(FIRST, tmp_path)
    with closing(connect(path)) as raw:
        raw.execute("DROP TABLE tracehit")
    before = content(path)
    with pytest.raises(RagError, match=r"step 2 \(dataset versions.*no such table.*before-2\.sqlite"):
        Store(path)
    assert content(path) == before


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    path = old_file(FIRST, tmp_path / "data")
    with closing(connect(path)) as raw:
        raw.execute("PRAGMA journal_mode = DELETE")
    path.chmod(0o400)
    path.parent.chmod(0o500)
    yield path
    path.parent.chmod(0o700)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_not_called_damaged(read_only: Path) -> None:
    with pytest.raises(RagError, match=r"cannot be (written|opened).*permissions"):
        upgrade(read_only)
