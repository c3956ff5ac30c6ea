"""Whatever byte of whatever past row is changed, the check finds it and names the first row."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.errors import RagError
from rag.governance.audit.checking import _COLUMNS, check_audit, first_break
from rag.governance.audit.rows import Break
from rag.storage.audit_log import Action, acting, erase_words, record, row_hash, words_fingerprint
from rag.storage.data_folder import DATABASE
from rag.storage.store import Store

Row = dict[str, Any]


def fill(folder: Path) -> Store:
    """Make a data folder whose log has five rows, of which an erasure took the words of the second."""
    store = Store(folder / DATABASE)
    with store.session() as session:
        record(session, Action.COLLECTION_MADE, "Küche", "made of 3 files")
        record(session, Action.DRAFT_ACCEPTED, "Marlene")
        with acting("token reports"):
            record(session, Action.SETTINGS_CHANGED, "settings.toml", before="ab", after="cd")
        record(session, Action.COLLECTION_DELETED, "Küche")
        erase_words(session, [2])
    return store


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    store = fill(tmp_path)
    yield tmp_path
    store.close()


def rows(folder: Path) -> list[Row]:
    with closing(sqlite3.connect(folder / DATABASE)) as raw:
        raw.row_factory = sqlite3.Row
        return [dict(row) for row in raw.execute("SELECT * FROM auditevent ORDER BY id")]


def change(folder: Path, statement: str, values: tuple[object, ...] = ()) -> None:
    with closing(sqlite3.connect(folder / DATABASE)) as raw, raw:
        raw.execute(statement, values)


def flipped(value: object) -> Iterator[object]:
    """Yield a value with one bit of each of its bytes changed in turn, and values of other types."""
    if isinstance(value, int):
        yield from (value ^ (1 << bit) for bit in range(63))
        return
    data = str(value).encode()
    for place in range(len(data)):
        other = bytearray(data)
        other[place] ^= 1 << (place % 8)
        yield other.decode("utf-8", "surrogateescape")
    yield from (f"{value}x", f"{value}\0", None, data)


def test_a_log_that_nobody_changed_is_whole(folder: Path) -> None:
    found = check_audit(folder)
    assert found.ok
    assert (found.rows, found.erased, found.old) == (5, 1, 0)
    assert found.sentence() == (
        "All 5 rows of the log are as they were written. The words of 1 row were erased."
    )


def test_any_change_of_any_byte_of_any_column_of_any_row_is_found(folder: Path) -> None:
    whole = rows(folder)
    assert set(whole[0]) == set(_COLUMNS)
    tried = 0
    for number, row in enumerate(whole):
        for column in _COLUMNS:
            for value in flipped(row[column]):
                changed = [*whole[:number], {**row, column: value}, *whole[number + 1 :]]
                found = first_break(changed)
                assert found is not None, (number, column, value)
                # A changed hash or number shows in its own row; nothing before it is suspected.
                assert column == "id" or found.row == row["id"], (number, column, value)
                tried += 1
    assert tried > 2_000


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    number=st.integers(1, 5),
    column=st.sampled_from(_COLUMNS),
    place=st.integers(0, 63),
    bit=st.integers(0, 7),
)
def test_a_bit_that_is_flipped_in_the_file_is_found(
    folder: Path, number: int, column: str, place: int, bit: int
) -> None:
    """Bytes that are no UTF-8 any more are found as well, and reading them is no error."""
    before = rows(folder)[number - 1][column]
    data = bytearray(str(before).encode())
    if not data or column == "id":
        return
    data[place % len(data)] ^= 1 << bit
    kind = "TEXT" if isinstance(before, str) else "BLOB"
    change(
        folder, f'UPDATE auditevent SET "{column}" = CAST(? AS {kind}) WHERE id = ?', (bytes(data), number)
    )
    found = check_audit(folder)
    assert not found.ok
    assert found.first_break is not None
    assert found.first_break.row == number
    change(folder, f'UPDATE auditevent SET "{column}" = ? WHERE id = ?', (before, number))
    assert check_audit(folder).ok


@pytest.mark.parametrize(
    ("statement", "row", "why"),
    [
        ("DELETE FROM auditevent WHERE id = 2", 3, "does not follow the row before it"),
        ("DELETE FROM auditevent WHERE id = 1", 2, "does not follow the row before it"),
        ("UPDATE auditevent SET id = 9 WHERE id = 2", 3, "does not follow"),
        ("UPDATE auditevent SET who = 'nobody' WHERE id = 3", 3, "were changed"),
        ("UPDATE auditevent SET detail = 'made of 4 files' WHERE id = 1", 1, "has other words"),
        ("UPDATE auditevent SET subject = '[erased]', detail = '', salt = '' WHERE id = 1", 1, "no erasure"),
        ("UPDATE auditevent SET subject = 'Marlene' WHERE id = 2", 2, "has other words"),
        ("UPDATE auditevent SET after = '[1]' WHERE id = 5", 5, "were changed"),
        ("DELETE FROM auditevent WHERE id = 5", 2, "no erasure took them"),
    ],
)
def test_the_first_broken_row_is_named_with_what_is_wrong(
    folder: Path, statement: str, row: int, why: str
) -> None:
    change(folder, statement)
    found = check_audit(folder)
    assert found.first_break is not None
    assert found.first_break.row == row
    assert why in found.sentence()
    assert found.sentence().startswith(f"The log was tampered with: row {row} ")


def test_a_row_that_was_slipped_in_is_found(folder: Path) -> None:
    change(
        folder,
        """INSERT INTO auditevent (id, created_ms, action, subject, detail, who, before, after, salt, words,
           previous, hash) SELECT 9, created_ms, action, subject, detail, who, before, after, salt, words,
           previous, hash FROM auditevent WHERE id = 3""",
    )
    assert "row 9 does not follow" in check_audit(folder).sentence()


def test_a_folder_without_a_log_has_nothing_to_check(tmp_path: Path) -> None:
    assert check_audit(tmp_path).sentence() == "All 0 rows of the log are as they were written."


def test_a_file_that_is_no_database_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes(b"nothing" * 1000)
    with pytest.raises(RagError, match="not an SQLite file"):
        check_audit(tmp_path)


def chain(*subjects: str) -> list[Row]:
    """Rows as the log has them, each chained to the one before."""
    made: list[Row] = []
    for number, subject in enumerate(subjects, start=1):
        row: Row = dict.fromkeys(_COLUMNS, "")
        row |= {
            "id": number, "created_ms": number, "action": "backup made", "who": "alice", "subject": subject,
            "salt": f"s{number}", "previous": made[-1]["hash"] if made else "",
        }  # fmt: skip
        row["words"] = words_fingerprint(row["salt"], row["subject"], row["detail"])
        row["hash"] = row_hash(row)
        made.append(row)
    return made


subjects = st.lists(st.text(max_size=6), min_size=2, max_size=6)


@given(subjects)
def test_a_chain_of_any_words_is_whole_and_so_is_its_beginning(words: list[str]) -> None:
    made = chain(*words)
    for length in range(len(made) + 1):
        assert first_break(made[:length]) is None


@given(subjects, st.data())
def test_a_row_that_is_taken_out_breaks_the_chain_after_it(words: list[str], data: st.DataObject) -> None:
    made = chain(*words)
    gone = data.draw(st.integers(0, len(made) - 2))
    found = first_break(made[:gone] + made[gone + 1 :])
    assert found is not None and found.row == made[gone + 1]["id"]


@given(subjects, st.data())
def test_two_rows_that_change_places_break_the_chain(words: list[str], data: st.DataObject) -> None:
    made = chain(*words)
    first = data.draw(st.integers(0, len(made) - 2))
    made[first], made[first + 1] = made[first + 1], made[first]
    found = first_break(made)
    assert found is not None and found.row == made[first]["id"]


@given(subjects, st.data(), st.text(max_size=6))
def test_other_words_are_found_in_their_row(words: list[str], data: st.DataObject, other: str) -> None:
    made = chain(*words)
    place = data.draw(st.integers(0, len(made) - 1))
    changed = [*made[:place], {**made[place], "subject": other}, *made[place + 1 :]]
    found = first_break(changed)
    assert (found is None) == (other == words[place])
    assert found is None or found == Break(made[place]["id"], "has other words than were written")


@pytest.mark.parametrize(
    "after", ["", "[", "5", "null", "[[1]]", '{"2": 1}', '["2"]', "[" * 100_000, "[1.5]", "[true]"]
)
def test_a_list_of_erased_rows_that_is_none_excuses_nothing(folder: Path, after: str) -> None:
    """A row whose words were taken is suspected when the row of the erasure does not name it."""
    before = rows(folder)
    changed = [{**row, "after": after} if row["id"] == 5 else row for row in before]
    found = first_break(changed)
    assert found is not None and found.row == 5
    assert "were changed" in found.reason


@pytest.mark.parametrize(
    ("rows_then", "row", "digest", "why"),
    [
        (5, 5, None, ""),
        (3, 3, None, ""),
        (0, 0, "", ""),
        (4, 3, None, "is row 3 of the log, and was row 4 when the head was written"),
        (3, 3, "00", "has another hash than the head says"),
        (9, 9, "00", "is missing, which was the last one when the head was written"),
    ],
)
def test_a_log_is_held_against_a_head(
    folder: Path, tmp_path: Path, rows_then: int, row: int, digest: str | None, why: str
) -> None:
    known = {one["id"]: one["hash"] for one in rows(folder)}
    head = tmp_path / "head.json"
    values = {"rows": rows_then, "id": row, "hash": known[row] if digest is None else digest, "written_ms": 1}
    head.write_text(json.dumps({"kind": "ragdeck audit head", **values}))
    found = check_audit(folder, str(head))
    assert found.ok == (not why)
    assert why in found.sentence()
    assert (found.head, found.head_ms) == (str(head), 1)


def test_a_break_of_the_chain_comes_before_what_a_head_says(folder: Path, tmp_path: Path) -> None:
    head = tmp_path / "head.json"
    head.write_text('{"kind": "ragdeck audit head", "rows": 9, "id": 9, "hash": "", "written_ms": 1}')
    change(folder, "UPDATE auditevent SET who = 'nobody' WHERE id = 3")
    assert "row 3 is not what its hash says" in check_audit(folder, str(head)).sentence()


def test_rows_of_before_the_chain_are_counted(folder: Path) -> None:
    change(folder, "UPDATE auditevent SET who = ''")
    assert check_audit(folder).old == 5
