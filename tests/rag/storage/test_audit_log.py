"""The log of what was done is saved with what was done."""

import pytest
from sqlmodel import select

from rag.storage import audit_log
from rag.storage.tables.governance import AuditEvent
from rag.workspace import Workspace


def test_a_record_is_part_of_the_transaction(workspace: Workspace) -> None:
    with workspace.store.session() as session:
        audit_log.record(session, "version tagged", "Kitchen", "version 2: final")
    with pytest.raises(ValueError), workspace.store.session() as session:
        audit_log.record(session, "version deleted", "Kitchen")
        raise ValueError
    with workspace.store.session() as session:
        (found,) = session.exec(select(AuditEvent).where(AuditEvent.subject == "Kitchen")).all()
    assert (found.action, found.detail) == ("version tagged", "version 2: final")
    assert found.created_ms > 1_700_000_000_000
