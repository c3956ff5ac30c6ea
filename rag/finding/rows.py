"""Places of objects, and the queries that find them by a few words or name where one is.

To let another kind of object be found, write a finder and add it to FINDERS.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from rag.storage.database import Database
from rag.text.plurals import counted
from rag.text.search_terms import comparable, match_expression
from rag.text.word_starts import SCATTERED, grade

_CANDIDATES = 40  # of a kind that are read and graded
_RECENT_MATCHES = 200  # traces whose text matches that are looked at, the newest first
_LONGEST = 120  # characters of a question in a list
_SHORTEST_ID = 4  # letters by which a trace may be called
_SHORTEST_WORDS = 2  # letters of a question: trace_fts knows beginnings of two letters, not of one


class Kind(StrEnum):
    """A kind of object that can be opened; the value is what people call it."""

    PAGE = "page"
    COLLECTION = "collection"
    DOCUMENT = "document"
    VERSION = "version"
    SESSION = "session"
    TRACE = "trace"
    PROMPT = "prompt"
    PROMPT_VERSION = "prompt version"
    SET = "evaluation set"
    CASE = "case"
    RUN = "run"
    PIPELINE = "pipeline"
    PIPELINE_VERSION = "pipeline version"
    QUEUE = "review queue"
    ROLLOUT = "roll-out"
    ALERT = "alert rule"
    SETTING = "setting"
    MODEL = "model"


@dataclass(frozen=True)
class Place:
    """Where an object is: enough to open it again after a restart.

    Attributes:
        kind: What it is.
        key: Its name, number or id. Of a document its source, of a setting SECTION.KEY, of a page its key.
        within: What it belongs to: the collection of a document or version, the prompt, pipeline or set of
            a version or case.
        part: The id of the chunk of a document that is meant, if one is.
    """

    kind: Kind
    key: str
    within: str = ""
    part: str = ""

    def sentence(self) -> str:
        """Return what it is, for people: “version 3 of “Notes””."""
        if self.kind in (Kind.VERSION, Kind.PROMPT_VERSION, Kind.PIPELINE_VERSION):
            return f"version {self.key} of “{self.within}”"
        if self.kind is Kind.DOCUMENT:
            return f"document “{file_name(self.key)}”"
        if self.kind in (Kind.TRACE, Kind.SESSION):
            return f"{self.kind} {self.key[:8]}"
        if self.kind in (Kind.RUN, Kind.ROLLOUT):
            return f"{self.kind} {self.key}"
        return f"{self.kind} “{self.key}”"


@dataclass(frozen=True)
class Found:
    """An object that was found.

    Attributes:
        place: Where it is.
        title: Its name, or what people know it by.
        detail: What else tells it from others.
        words: Further words that it may be found by.
    """

    place: Place
    title: str
    detail: str = ""
    words: str = ""


Finder = Callable[[Database, str], list[Found]]


def find_objects(database: Database, text: str, limit: int = 6) -> list[Found]:
    """Return the objects of every kind that a text names, the best of each kind first.

    Args:
        database: The database.
        text: What a person typed; nothing finds nothing.
        limit: The most objects of one kind.
    """
    if not comparable(text):
        return []
    found: list[Found] = []
    for finder in FINDERS:
        graded = [(each, grade(text, each.title, each.words)) for each in finder(database, text)]
        fitting = [(mark, each) for each, mark in graded if mark is not None and mark < SCATTERED]
        found += [each for _, each in sorted(fitting, key=lambda pair: pair[0])][:limit]
    return found


def place_of_document(database: Database, document_id: int, chunk_id: int = 0) -> Place | None:
    """Return where a document is; None when it is no longer stored."""
    rows = database.cells(
        """SELECT d.source, c.name FROM document d JOIN collection c ON c.id = d.collection_id
           WHERE d.id = ?""",
        (document_id,),
    )
    part = str(chunk_id) if chunk_id else ""
    return Place(Kind.DOCUMENT, rows[0][0], rows[0][1], part) if rows else None


def file_name(source: str) -> str:
    """Return the last part of a path or an address."""
    return source.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]


# --- finders: up to _CANDIDATES objects of a kind that contain every word -----------------------------------


def _collections(database: Database, text: str) -> list[Found]:
    rows = _matching(
        database, text, "c.name",
        """SELECT c.name, coalesce(v.document_count, 0) FROM collection c
           LEFT JOIN datasetversion v ON v.id = c.active_version_id""",
    )  # fmt: skip
    return [Found(Place(Kind.COLLECTION, name), name, counted(count, "document")) for name, count in rows]


def _documents(database: Database, text: str) -> list[Found]:
    rows = _matching(
        database, text, "d.name || ' ' || d.title",
        """SELECT d.name, d.title, d.source, c.name FROM collection c
           JOIN versiondocument vd ON vd.version_id = c.active_version_id
           CROSS JOIN document d INDEXED BY document_facts ON d.id = vd.document_id""",
    )  # fmt: skip
    return [
        Found(Place(Kind.DOCUMENT, source, collection), name, collection, title)
        for name, title, source, collection in rows
    ]


def _versions(database: Database, text: str) -> list[Found]:
    tags = "(SELECT group_concat(t.name, ' ') FROM versiontag t WHERE t.version_id = v.id)"
    rows = _matching(
        database, text,
        f"c.name || ' version ' || v.number || ' ' || v.message || ' ' || coalesce({tags}, '')",
        f"""SELECT c.name, v.number, v.message, coalesce({tags}, '') FROM datasetversion v
            JOIN collection c ON c.id = v.collection_id""",
        "v.id DESC",
    )  # fmt: skip
    return [
        Found(
            Place(Kind.VERSION, str(number), name), f"{name} version {number}", message, f"{message} {tagged}"
        )
        for name, number, message, tagged in rows
    ]


def _sessions(database: Database, text: str) -> list[Found]:
    """Find sessions by their names; one that has none is called by its first question."""
    title = """coalesce(nullif(s.name, ''), (SELECT t.question FROM trace t WHERE t.session_id = s.id
               ORDER BY t.created_ms, t.rowid LIMIT 1), '')"""
    rows = _matching(
        database, text, title,
        f"""SELECT s.id, {title}, coalesce(c.name, s.collection) FROM asksession s
            LEFT JOIN collection c ON c.id = s.collection_id""",
        "s.asked_ms DESC", "s.deleted_ms IS NULL AND ",
    )  # fmt: skip
    return [
        Found(Place(Kind.SESSION, session), " ".join(name.split())[:_LONGEST], collection, name)
        for session, name, collection in rows
    ]


def _traces(database: Database, text: str) -> list[Found]:
    """Find traces by the words of their questions, and by the beginning of their ids."""
    condition, values = "0", ()  # type: tuple[str, tuple[object, ...]]
    expression = match_expression(text)
    if expression and len(comparable(text)) >= _SHORTEST_WORDS:
        # From the newest on, and no further than that: a common word is in nearly every answer.
        condition = """t.rowid IN (SELECT rowid FROM trace_fts WHERE trace_fts MATCH ?
                                   ORDER BY rowid DESC LIMIT ?)"""
        values = (expression, _RECENT_MATCHES)
    rows = database.cells(
        f"SELECT t.id, t.question, t.collection, t.created_ms FROM trace t WHERE {condition}", values
    )
    named = "".join(text.split()).lower()
    if len(named) >= _SHORTEST_ID and named.isalnum():
        rows += database.cells(
            "SELECT id, question, collection, created_ms FROM trace WHERE id >= ? AND id < ? LIMIT ?",
            (named, named + "~", _CANDIDATES),
        )
    rows.sort(key=lambda row: -int(row[3]))
    return [
        Found(Place(Kind.TRACE, trace_id), " ".join(question.split())[:_LONGEST] or "(no question)",
              f"{datetime.fromtimestamp(created / 1000):%d %b %H:%M}  {trace_id[:8]}",
              f"{question} {trace_id}")
        for trace_id, question, collection, created in dict.fromkeys(rows)
    ]  # fmt: skip


def _prompts(database: Database, text: str) -> list[Found]:
    rows = _matching(
        database, text, "p.name || ' ' || p.description",
        "SELECT p.name, p.last_number, p.description FROM prompt p",
    )  # fmt: skip
    return [
        Found(Place(Kind.PROMPT, name), name, counted(count, "version"), about) for name, count, about in rows
    ]


def _prompt_versions(database: Database, text: str) -> list[Found]:
    labels = "(SELECT group_concat(l.name, ' ') FROM promptlabel l WHERE l.version_id = v.id)"
    rows = _matching(
        database, text,
        f"p.name || ' version ' || v.number || ' ' || v.message || ' ' || coalesce({labels}, '')",
        f"""SELECT p.name, v.number, v.message, coalesce({labels}, '') FROM promptversion v
            JOIN prompt p ON p.id = v.prompt_id""",
        "v.id DESC",
    )  # fmt: skip
    return [
        Found(Place(Kind.PROMPT_VERSION, str(number), name), f"{name} version {number}", message,
              f"{message} {labelled}")
        for name, number, message, labelled in rows
    ]  # fmt: skip


def _sets(database: Database, text: str) -> list[Found]:
    rows = _matching(
        database, text, "s.name || ' ' || s.description",
        "SELECT s.name, s.last_number, s.description FROM evaluationset s",
    )  # fmt: skip
    return [Found(Place(Kind.SET, name), name, f"version {number}", about) for name, number, about in rows]


def _cases(database: Database, text: str) -> list[Found]:
    rows = _matching(
        database, text, "json_extract(c.content, '$.question')",
        """SELECT json_extract(c.content, '$.key'), json_extract(c.content, '$.question'), s.name
           FROM evaluationset s
           JOIN evaluationsetversion v ON v.set_id = s.id AND v.number = s.last_number
           JOIN evaluationsetcase sc ON sc.version_id = v.id JOIN evaluationcase c ON c.id = sc.case_id""",
    )  # fmt: skip
    return [Found(Place(Kind.CASE, key, name), question[:_LONGEST], name) for key, question, name in rows]


def _runs(database: Database, text: str) -> list[Found]:
    tags = "(SELECT group_concat(t.name, ' ') FROM evaluationruntag t WHERE t.run_id = r.id)"
    rows = _matching(
        database, text,
        f"""'run ' || r.id || ' ' || r.name || ' ' || r.set_name || ' ' || r.pipeline || ' '
            || coalesce({tags}, '')""",
        f"""SELECT r.id, r.name, r.set_name, r.pipeline, r.pipeline_number, coalesce({tags}, '')
            FROM evaluationrun r""",
        "r.id DESC",
    )  # fmt: skip
    return [
        Found(Place(Kind.RUN, str(run)), f"Run {run}" + (f" {name}" if name else ""),
              f"{set_name}, {pipeline} {number}", f"{set_name} {pipeline} {tagged}")
        for run, name, set_name, pipeline, number, tagged in rows
    ]  # fmt: skip


def _pipelines(database: Database, text: str) -> list[Found]:
    rows = _matching(database, text, "p.name", "SELECT p.name, p.last_number FROM pipeline p")
    return [Found(Place(Kind.PIPELINE, name), name, f"version {number}") for name, number in rows]


def _queues(database: Database, text: str) -> list[Found]:
    rows = _matching(database, text, "q.name", "SELECT q.name FROM reviewqueue q")
    return [Found(Place(Kind.QUEUE, name), name) for (name,) in rows]


def _alerts(database: Database, text: str) -> list[Found]:
    rows = _matching(
        database, text, "r.name || ' ' || r.measure", "SELECT r.name, r.measure, r.state FROM alertrule r"
    )  # fmt: skip
    return [Found(Place(Kind.ALERT, name), name, state, measure) for name, measure, state in rows]


FINDERS: tuple[Finder, ...] = (
    _collections, _documents, _versions, _sessions, _traces, _prompts, _prompt_versions, _sets, _cases, _runs,
    _pipelines, _queues, _alerts,
)  # fmt: skip


def _matching(
    database: Database, text: str, searched: str, statement: str, order: str = "", besides: str = ""
) -> Sequence[tuple[Any, ...]]:
    """Return the rows of a statement whose searched text contains every word; the earliest matches first.

    Args:
        database: The database.
        text: What was typed.
        searched: An SQL expression of the text to search.
        statement: A SELECT without a WHERE.
        order: How rows are ordered instead, where the newest matter most.
        besides: What a row must be besides, with an AND behind it.
    """
    words = comparable(text).split()
    condition = " AND ".join(f"{searched} LIKE ? ESCAPE '!'" for _ in words)
    begins = f"{searched} NOT LIKE ? ESCAPE '!', {searched}"
    patterns = [f"%{_pattern(word)}%" for word in words]
    if not order:
        patterns.append(f"{_pattern(words[0])}%")
    return database.cells(
        f"{statement} WHERE {besides}{condition} ORDER BY {order or begins} LIMIT ?", (*patterns, _CANDIDATES)
    )


def _pattern(word: str) -> str:
    """Return a word for LIKE, which knows upper and lower case of ASCII letters alone: others may be any."""
    return "".join(f"!{sign}" if sign in "%_!" else sign if sign.isascii() else "_" for sign in word)
