"""The log of what was done is saved with what was done, and each row is chained to the one before it."""

import json
import threading
from pathlib import Path

import pytest
from sqlmodel import select

from rag.errors import RagError
from rag.storage import audit_log
from rag.storage.audit_log import Action, acting, actor, fingerprint, record, row_hash, words_fingerprint
from rag.storage.store import Store
from rag.storage.tables.governance import AuditEvent


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "ragdeck.sqlite")


def events(store: Store) -> list[AuditEvent]:
    with store.session() as session:
        return list(session.exec(select(AuditEvent).order_by(AuditEvent.id)).all())  # type: ignore[arg-type]


def test_a_record_is_part_of_the_transaction(store: Store) -> None:
    with store.session() as session:
        record(session, Action.VERSION_TAGGED, "Kitchen", "version 2: final")
    with pytest.raises(ValueError), store.session() as session:
        record(session, Action.VERSION_DELETED, "Kitchen")
        raise ValueError
    (found,) = events(store)
    assert (found.action, found.detail) == ("version tagged", "version 2: final")
    assert found.created_ms > 1_700_000_000_000


def test_a_row_has_the_hash_of_the_row_before_it(store: Store) -> None:
    with store.session() as session:
        record(session, Action.COLLECTION_MADE, "Kitchen")
        record(session, Action.SETTINGS_CHANGED, "settings.toml", before="a", after="b")
    first, second = events(store)
    assert (first.previous, second.previous) == ("", first.hash)
    assert (second.before, second.after) == ("a", "b")
    for row in (first, second):
        assert row.hash == row_hash(row.model_dump())
        assert row.words == words_fingerprint(row.salt, row.subject, row.detail)
        assert len(row.salt) == 32
    assert first.salt != second.salt


def test_a_row_that_was_rolled_back_leaves_the_chain_as_it_was(store: Store) -> None:
    with store.session() as session:
        record(session, Action.COLLECTION_MADE, "A")
    with pytest.raises(KeyError), store.session() as session:
        record(session, Action.COLLECTION_MADE, "B")
        raise KeyError
    with store.session() as session:
        record(session, Action.COLLECTION_MADE, "C")
    first, second = events(store)
    assert (second.subject, second.previous) == ("C", first.hash)


def test_rows_of_several_threads_make_one_chain(tmp_path: Path) -> None:
    stores = [Store(tmp_path / "ragdeck.sqlite") for _ in range(3)]
    together = threading.Barrier(len(stores))

    def write(store: Store, name: str) -> None:
        together.wait()
        for number in range(8):
            with store.session() as session:
                record(session, Action.MODEL_ADDED, f"{name} {number}")

    threads = [threading.Thread(target=write, args=(one, f"t{i}")) for i, one in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = events(stores[0])
    assert len(found) == 24
    assert [row.previous for row in found] == ["", *(row.hash for row in found[:-1])]


def test_who_acts_is_the_user_of_the_system_or_the_token_of_a_call(store: Store) -> None:
    user = actor()
    with store.session() as session:
        record(session, Action.COLLECTION_MADE, "A")
        with acting("token reports"):
            record(session, Action.SERVER_CALLED, "ask")
        record(session, Action.COLLECTION_MADE, "B")
    assert user
    assert [row.who for row in events(store)] == [user, "token reports", user]


def test_erased_words_leave_the_chain_and_a_row_says_whose_they_were(store: Store) -> None:
    with store.session() as session:
        record(session, Action.DRAFT_ACCEPTED, "Marlene", "Her policy is QX-99812-B")
        record(session, Action.COLLECTION_MADE, "Kitchen")
    before = events(store)
    with store.session() as session:
        audit_log.erase_words(session, [before[0].id or 0])
        audit_log.erase_words(session, [])
    first, second, last = events(store)
    assert (first.subject, first.detail, first.salt) == (audit_log.ERASED, "", "")
    assert (first.hash, first.words, second) == (before[0].hash, before[0].words, before[1])
    assert (last.action, json.loads(last.after)) == ("audit words erased", [first.id])


def test_fingerprints_are_of_canonical_json() -> None:
    assert fingerprint({"b": 1, "a": "é"}) == fingerprint({"a": "é", "b": 1})
    assert fingerprint("1") != fingerprint(1)
    assert fingerprint(b"\xff") != fingerprint(b"\xfe")
    assert len(fingerprint(None)) == 64


def test_a_row_of_a_process_that_only_reads_is_chained_as_well(store: Store) -> None:
    with store.session() as session:
        record(session, Action.COLLECTION_MADE, "A")
    audit_log.record_apart(store.database, Action.PROMPTS_EXPORTED, "/tmp/prompts", "2 prompts", after="x")
    with store.session() as session:
        record(session, Action.COLLECTION_MADE, "B")
    first, apart, last = events(store)
    assert (apart.action, apart.previous, last.previous) == ("prompts exported", first.hash, apart.hash)
    assert apart.hash == row_hash(apart.model_dump())


def test_a_row_that_cannot_be_written_apart_is_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "ragdeck.sqlite"
    file.write_bytes(b"no database" * 500)
    with pytest.raises(RagError):
        audit_log.record_apart(file, Action.PROMPTS_EXPORTED, "x")
    with pytest.raises(RagError, match="could not be written to the audit log"):
        audit_log.record_apart(tmp_path / "empty.sqlite", Action.PROMPTS_EXPORTED, "x")
