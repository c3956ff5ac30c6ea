"""Begins, binds, names, pins and deletes sessions.

A session has a row of its own, apart from its questions, which are traces. Deleting it takes it out of the
list; its traces stay, and so it can be brought back.
"""

from __future__ import annotations

from sqlmodel import Session, col, select

from rag.asking.sessions.rows import Binding
from rag.asking.traces import new_trace_id
from rag.errors import NotFoundError, RagError
from rag.storage import audit_log
from rag.storage.store import Store, now_ms
from rag.storage.tables.knowledge import Collection
from rag.storage.tables.traces import AskSession, Trace

_LONGEST_NAME = 200


def go_on(store: Store, session_id: str, binding: Binding, binds: bool = True) -> str:
    """Begin a session or go on with one, now bound to this; return its id. binds: also one that there is.

    A session that was deleted is there again once something is asked in it.
    """
    session_id = session_id or new_trace_id()
    with store.session() as session:
        found = session.get(AskSession, session_id)
        if found is None:
            now = now_ms()
            found = AskSession(id=session_id, created_ms=now, asked_ms=now)
            binds = True
        found.deleted_ms = None
        session.add(found)
        if binds:
            _bind(session, found, binding)
    return session_id


def bind_session(store: Store, session_id: str, binding: Binding) -> None:
    """Let something else answer a session's questions from now on. Raises NotFoundError."""
    with store.session() as session:
        _bind(session, _find(session, session_id), binding)


def rename_session(store: Store, session_id: str, name: str) -> None:
    """Give a session a name of its own; an empty one takes it away, and its first question names it again."""
    name = " ".join(name.split())
    if len(name) > _LONGEST_NAME:
        raise RagError(f"The name has {len(name)} characters. Use at most {_LONGEST_NAME}.")
    with store.session() as session:
        found = _find(session, session_id)
        found.name = name
        session.add(found)


def pin_session(store: Store, session_id: str, pinned: bool = True) -> None:
    """Put a session before the others, or back among them."""
    with store.session() as session:
        found = _find(session, session_id)
        found.is_pinned = pinned
        session.add(found)


def delete_session(store: Store, session_id: str) -> None:
    """Take a session out of the list. Its traces stay, and undelete_session brings it back."""
    with store.session() as session:
        found = _find(session, session_id)
        found.deleted_ms = now_ms()
        session.add(found)
        audit_log.record(session, audit_log.Action.SESSION_DELETED, session_id)


def undelete_session(store: Store, session_id: str) -> None:
    """Bring a deleted session back."""
    with store.session() as session:
        found = _find(session, session_id)
        found.deleted_ms = None
        session.add(found)
        audit_log.record(session, audit_log.Action.SESSION_RESTORED, session_id)


def show_branch(store: Store, session_id: str, leaf: str) -> None:
    """Make the branch that ends with this question the one that is shown and that new questions follow."""
    with store.session() as session:
        found = _find(session, session_id)
        trace = session.get(Trace, leaf)
        if trace is None or trace.session_id != session_id:
            raise NotFoundError("This session does not have that question. Open the session again.")
        found.leaf = leaf
        session.add(found)


def _find(session: Session, session_id: str) -> AskSession:
    found = session.get(AskSession, session_id)
    if found is None:
        raise NotFoundError(f"There is no session “{session_id}”. It may have been deleted with its traces.")
    return found


def _bind(session: Session, found: AskSession, binding: Binding) -> None:
    collection = session.exec(select(col(Collection.id)).where(Collection.name == binding.collection)).first()
    found.collection_id, found.collection = collection, binding.collection
    found.version, found.pipeline = binding.version, binding.pipeline
    found.model, found.prompt_name = binding.model, binding.prompt
    session.add(found)
