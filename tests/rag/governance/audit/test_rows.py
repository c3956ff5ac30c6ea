"""Rows of the audit log in plain words, and the filters that choose them."""

from pathlib import Path

import pytest

from rag.errors import NotFoundError
from rag.governance.audit.rows import (
    GROUPS,
    AuditCheck,
    AuditFilter,
    AuditRow,
    Break,
    count_audit,
    get_audit_row,
    list_actors,
    list_audit,
)
from rag.storage.audit_log import Action, acting, record
from rag.storage.data_folder import DATABASE
from rag.storage.database import Database
from rag.storage.store import Store


@pytest.fixture
def database(tmp_path: Path) -> Database:
    store = Store(tmp_path / DATABASE)
    with store.session() as session:
        record(session, Action.COLLECTION_MADE, "Küche", "3 files")
        with acting("token reports"):
            record(session, Action.BACKUP_MADE, "the data folder", before="a", after="a")
        session.connection().exec_driver_sql("UPDATE auditevent SET created_ms = id * 1000")
    store.close()
    return Database(tmp_path / DATABASE)


def row(**values: object) -> AuditRow:
    found = {"id": 1, "created_ms": 0, "action": "collection made", "who": "alice", "subject": "Notes",
             "detail": "", "before": "", "after": "", "words": "", "previous": "", "hash": ""}  # fmt: skip
    return AuditRow(**{**found, **values})  # type: ignore[arg-type]


def test_every_action_has_a_meaning_in_one_group() -> None:
    known = [action for actions in GROUPS.values() for action in actions]
    assert sorted(known) == sorted(Action)
    for actions in GROUPS.values():
        for says in actions.values():
            assert says.count("{}") == 1
            assert not says.endswith(".")


def test_a_row_is_a_sentence() -> None:
    said = row(detail="of 3 files").sentence()
    assert said.startswith("alice made the collection “Notes” on ")
    assert said.endswith(": of 3 files.")
    assert row(detail="All is well.").sentence().endswith(": All is well.")
    assert row(subject="{}").sentence().startswith("alice made the collection “{}” on ")


def test_old_and_unknown_rows_are_sentences_as_well() -> None:
    assert row(who="").sentence().startswith("Somebody made")
    assert "before the log said who" in " ".join(row(who="").more())
    unknown = row(action="moon painted", subject="blue")
    assert unknown.sentence().startswith("alice did this: moon painted, blue on ")
    assert (unknown.group, row().group) == ("Other", "Knowledge")


def test_fingerprints_say_whether_something_changed() -> None:
    assert "the same as before" in row(before="a", after="a").more()[0]
    assert "another than before" in row(before="a", after="b").more()[0]


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (AuditFilter(), [2, 1]),
        (AuditFilter(text="küche FILES"), [1]),
        (AuditFilter(text="token"), [2]),
        (AuditFilter(text="100%"), []),
        (AuditFilter(group="Data and access"), [2]),
        (AuditFilter(who="token reports"), [2]),
        (AuditFilter(since_ms=2000), [2]),
        (AuditFilter(until_ms=2000), [1]),
        (AuditFilter(group="Knowledge", who="token reports"), []),
    ],
)
def test_rows_are_chosen(database: Database, wanted: AuditFilter, ids: list[int]) -> None:
    assert [found.id for found in list_audit(database, wanted)] == ids
    assert count_audit(database, wanted) == len(ids)


def test_one_row_and_who_acted(database: Database) -> None:
    assert get_audit_row(database, 2).subject == "the data folder"
    assert "token reports" in list_actors(database)
    with pytest.raises(NotFoundError, match="has no row 7"):
        get_audit_row(database, 7)


def test_a_check_is_a_sentence() -> None:
    whole = AuditCheck(rows=3, erased=1, old=2, first_break=None, head="h", head_ms=0)
    assert whole.ok
    assert ", and they continue the head of 1970-01-01" in whole.sentence()
    assert whole.sentence().endswith(
        "The words of 1 row were erased. 2 rows from before the chain count as found."
    )
    broken = AuditCheck(rows=3, erased=0, old=0, first_break=Break(2, "has other words than were written"))
    assert not broken.ok
    assert broken.sentence() == "The log was tampered with: row 2 has other words than were written."
