"""Rows of sessions, the queries that read them, and the tree that their questions make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.errors import NotFoundError
from rag.storage.database import Database
from rag.text.search_terms import match_expression


@dataclass(frozen=True)
class Binding:
    """What answers the questions of a session; empty values mean what the settings say.

    Attributes:
        collection: Its name.
        version: Number or tag of a dataset version; empty: the active one.
        pipeline: As in `ask --pipeline`; it decides version, model and prompt.
        model: Path or name of a model; empty: the active one.
        prompt: "NAME@LABEL", "NAME@NUMBER" or "NAME"; empty: what the settings use.
    """

    collection: str = ""
    version: str = ""
    pipeline: str = ""
    model: str = ""
    prompt: str = ""


@dataclass(frozen=True)
class SessionRow:
    """A session as a list shows it.

    Attributes:
        id: 32 hex digits, or what a caller of the command line chose.
        title: Its own name, or its first question.
        name: Its own name; empty: nobody gave it one.
        is_pinned: Whether it stands before the others.
        created_ms: When its first question was asked, in Unix milliseconds.
        asked_ms: When its last question was asked.
        question_count: Questions in all branches.
        leaf: The last question of the branch that is shown.
        deleted_ms: When it was deleted; None: it was not.
        collection: See Binding, and so on.
    """

    id: str
    title: str
    name: str
    is_pinned: bool
    created_ms: int
    asked_ms: int
    question_count: int
    leaf: str
    deleted_ms: int | None
    collection: str
    version: str
    pipeline: str
    model: str
    prompt: str

    @property
    def binding(self) -> Binding:
        """What answers its questions."""
        return Binding(self.collection, self.version, self.pipeline, self.model, self.prompt)


@dataclass(frozen=True)
class TurnRow:
    """A question of a session and its place in the tree; `id` is that of its trace."""

    id: str
    parent_id: str  # the question that it follows; empty: it is a first one
    created_ms: int
    question: str
    answer_length: int  # characters
    status: str  # a TraceStatus
    collection: str
    version_number: int | None
    model: str
    prompt_name: str
    prompt_version: int | None


_COLUMNS = """s.id, s.name, s.is_pinned, s.created_ms, s.asked_ms, s.deleted_ms, s.leaf, s.version,
    s.pipeline, s.model, s.prompt_name AS prompt, coalesce(c.name, s.collection) AS collection,
    coalesce(nullif(s.name, ''), (SELECT t.question FROM trace t WHERE t.session_id = s.id
                                  ORDER BY t.created_ms, t.rowid LIMIT 1)) AS title,
    (SELECT count(*) FROM trace t WHERE t.session_id = s.id) AS question_count"""
_TABLES = "asksession s LEFT JOIN collection c ON c.id = s.collection_id"
_HAS_QUESTIONS = "EXISTS (SELECT 1 FROM trace t WHERE t.session_id = s.id)"


def list_sessions(
    database: Database, text: str = "", *, deleted: bool = False, limit: int = 200
) -> list[SessionRow]:
    """Return sessions that have questions: pinned ones first, then those asked last.

    Args:
        database: Where they are.
        text: Words of the name, or of any question or answer; empty: all sessions.
        deleted: Whether to list those that were deleted instead of the others.
        limit: How many at most.
    """
    where, values = _HAS_QUESTIONS, []
    where += f" AND s.deleted_ms IS {'NOT ' if deleted else ''}NULL"
    if text.strip():
        where += " AND (instr(lower(s.name), lower(?)) > 0 OR s.id IN (SELECT session_id FROM trace WHERE "
        values.append(text.strip())
        if expression := match_expression(text):
            where += "rowid IN (SELECT rowid FROM trace_fts WHERE trace_fts MATCH ?)))"
            values.append(expression)
        else:
            where += "instr(lower(question), lower(?)) > 0))"
            values.append(text.strip())
    return database.rows(
        SessionRow,
        # The inner query finds them; titles and counts are read for those alone.
        f"""SELECT {_COLUMNS}
            FROM (SELECT *, rowid AS place FROM asksession s WHERE {where}
                  ORDER BY is_pinned DESC, asked_ms DESC, place DESC LIMIT ?) s
            LEFT JOIN collection c ON c.id = s.collection_id
            ORDER BY s.is_pinned DESC, s.asked_ms DESC, s.place DESC""",
        (*values, limit),
    )


def get_session(database: Database, session_id: str) -> SessionRow:
    """Return a session, deleted or not, by its id or an unambiguous beginning of it. Raises NotFoundError."""
    prefix = session_id.replace("%", "").replace("_", "")
    found = database.rows(
        SessionRow,
        f"""SELECT {_COLUMNS} FROM {_TABLES} WHERE {_HAS_QUESTIONS}
            AND (s.id = ? OR (length(?) >= 4 AND s.id LIKE ? || '%')) ORDER BY s.id = ? DESC LIMIT 2""",
        (session_id, prefix, prefix, session_id),
    )
    if len(found) == 1 or (found and found[0].id == session_id):
        return found[0]
    why = "More than one session begins with" if found else "There is no session"
    raise NotFoundError(f"{why} “{session_id}”. Run `ragdeck sessions list` to see their ids.")


def read_turns(database: Database, session_id: str) -> list[TurnRow]:
    """Return the questions of a session in all its branches, oldest first."""
    return database.rows(
        TurnRow,
        """SELECT id, parent_id, created_ms, question, length(answer) AS answer_length, status, collection,
                  version_number, model, prompt_name, prompt_version
           FROM trace WHERE session_id = ? ORDER BY created_ms, rowid""",
        (session_id,),
    )


def read_leaf(database: Database, session_id: str) -> str:
    """Return the last question of the branch that is shown; empty for a session that is not stored."""
    found = database.cells("SELECT leaf FROM asksession WHERE id = ?", (session_id,))
    return str(found[0][0]) if found else ""


# --- the tree ---------------------------------------------------------------------------------------------


def branch_to(turns: Sequence[TurnRow], leaf: str) -> list[TurnRow]:
    """Return the questions from the first to this one; without it those that lead to the newest."""
    known = {turn.id: turn for turn in turns}
    at = known.get(leaf) or (turns[-1] if turns else None)
    found: dict[str, TurnRow] = {}
    while at is not None and at.id not in found:
        found[at.id] = at
        at = known.get(at.parent_id)
    return list(found.values())[::-1]


def alternatives(turns: Sequence[TurnRow], trace_id: str) -> list[TurnRow]:
    """Return the questions that follow the same one as this does, itself included, oldest first."""
    parent = {turn.id: turn.parent_id for turn in turns}
    return [turn for turn in turns if turn.parent_id == parent.get(trace_id)]


def newest_below(turns: Sequence[TurnRow], trace_id: str) -> str:
    """Return the last question of the branch that begins with this one: of several the newest each time."""
    newest = {turn.parent_id: turn.id for turn in turns}  # the last one wins, and they are sorted by time
    seen = {trace_id}
    while (following := newest.get(trace_id)) is not None and following not in seen:
        trace_id = following
        seen.add(trace_id)
    return trace_id
