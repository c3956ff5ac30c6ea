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


@pytest.mark.parametrize(
    ("action", "subject", "said"),
    [
        ("collection made", "Notes", "alice made the collection “Notes” on "),
        ("settings changed", "settings.toml", "alice changed settings.toml on "),
        ("gate failed", "first", "alice checked the run “first” against a gate, which it failed on "),
        ("gate overridden", "answers 1", "alice let answers 1 through although its gate was not passed on "),
        ("alert fired", "More flags", "alice was told of the alert “More flags” on "),
        ("retention run", "2 traces", "alice had data removed that were kept long enough: 2 traces on "),
        ("subject searched", "3 texts", "alice searched everything for a person or identifier (3 texts) on "),
        (
            "audit words erased",
            "2 rows",
            "alice had the words of 2 rows of this log erased with a document on ",
        ),
        ("moon painted", "blue", "alice did this: moon painted, blue on "),
        ("", "", "alice did this: ,  on "),
    ],
)
def test_an_action_is_told_in_plain_words(action: str, subject: str, said: str) -> None:
    assert row(action=action, subject=subject).sentence().startswith(said)


@pytest.mark.parametrize("action", list(Action))
def test_the_sentence_of_every_action_names_its_subject_and_ends_once(action: Action) -> None:
    said = row(action=str(action), subject="[this one]", detail="[how].").sentence()
    assert said.count("[this one]") == 1 and "{}" not in said
    assert said.endswith(": [how].") and row(action=str(action)).group in GROUPS


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("", "", None),
        ("a", "", None),
        ("", "a", None),
        ("a", "a", "What was there afterwards is the same as before, by its fingerprint."),
        ("a", "b", "What was there afterwards is another than before, by its fingerprint."),
    ],
)
def test_fingerprints_are_compared_where_there_are_two(before: str, after: str, said: str | None) -> None:
    more = row(before=before, after=after).more()
    assert more[:-1] == ([said] if said else [])
    assert more[-1].startswith("Its hash covers")


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (AuditFilter(text=" "), [2, 1]),
        (AuditFilter(text="made"), [2, 1]),
        (AuditFilter(text="made files"), [1]),
        (AuditFilter(text="files backup"), []),
        (AuditFilter(text="' OR 1=1 --"), []),
        (AuditFilter(text="_"), []),
        (AuditFilter(group="No such group"), []),
        (AuditFilter(who="TOKEN REPORTS"), []),  # whole names, as the field offers them
        (AuditFilter(since_ms=0), [2, 1]),
        (AuditFilter(since_ms=1000, until_ms=2000), [1]),
        (AuditFilter(since_ms=1001, until_ms=2000), []),
        (AuditFilter(since_ms=2000, until_ms=1000), []),
        (AuditFilter(until_ms=0), []),
    ],
)
def test_filters_at_their_edges(database: Database, wanted: AuditFilter, ids: list[int]) -> None:
    assert [found.id for found in list_audit(database, wanted)] == ids
    assert count_audit(database, wanted) == len(ids)


@pytest.mark.parametrize(("limit", "ids"), [(0, []), (1, [2]), (2, [2, 1]), (9, [2, 1])])
def test_the_latest_rows_are_listed_first_and_all_are_counted(
    database: Database, limit: int, ids: list[int]
) -> None:
    assert [found.id for found in list_audit(database, None, limit)] == ids
    assert count_audit(database) == 2


def test_without_a_file_there_is_no_log(tmp_path: Path) -> None:
    database = Database(tmp_path / DATABASE)
    assert (list_audit(database), count_audit(database), list_actors(database)) == ([], 0, [])


@pytest.mark.parametrize(
    ("check", "sentence"),
    [
        (AuditCheck(0, 0, 0, None), "All 0 rows of the log are as they were written."),
        (AuditCheck(1, 0, 0, None), "All 1 row of the log are as they were written."),
        (
            AuditCheck(1234, 2, 0, None),
            "All 1,234 rows of the log are as they were written. The words of 2 rows were erased.",
        ),
        (
            AuditCheck(9, 0, 1, None),
            "All 9 rows of the log are as they were written. 1 row from before the chain count as found.",
        ),
        (AuditCheck(9, 3, 3, Break(4, "is odd"), "h", 1), "The log was tampered with: row 4 is odd."),
    ],
)
def test_what_a_check_found_is_one_sentence_or_more(check: AuditCheck, sentence: str) -> None:
    assert check.sentence() == sentence
    assert check.ok == (check.first_break is None)
