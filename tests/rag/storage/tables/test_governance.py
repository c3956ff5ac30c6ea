"""Tables of governance: the log and erasures."""

from table_rows import row, saves, stored

from rag.governance.rows import ErasureState
from rag.storage.tables.governance import AuditEvent, Erasure


def test_the_log_takes_the_same_record_again() -> None:
    same = {"created_ms": 1, "action": "compacted", "subject": "data folder"}
    assert saves(AuditEvent(**same), AuditEvent(**same))
    assert stored(AuditEvent(**same))["detail"] == ""


def test_an_erasure_that_has_begun_has_not_ended_and_found_nothing_yet() -> None:
    found = stored(row(Erasure, state=ErasureState.CLEANING, document_ids="[1, 2]"))
    assert (found["state"], found["done_ms"], found["found_count"]) == ("cleaning", None, None)


def test_several_erasures_may_be_unfinished() -> None:
    assert saves(*(row(Erasure, state=ErasureState.CLEANING) for _ in range(2)))
