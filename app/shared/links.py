"""Links from wherever an object is named to its page: in the menus of all tables, and as buttons.

A table needs no code of its own: what its records are says what they name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, is_dataclass
from functools import partial
from typing import Any

from PySide6.QtWidgets import QWidget

from app.console import Console, Notice
from app.shared.command_lines import Call, calls_for, calls_of, written
from app.widgets.buttons import button
from app.widgets.item_models import RecordTable
from app.widgets.labels import set_tip
from app.widgets.layout import Flow
from app.widgets.tables.menu import Links
from rag import operations
from rag.asking.rows import TraceRow
from rag.costs.rows import CostSum
from rag.evaluation.rows import CaseComparison, DraftRow, PipelineVersionRow, ResultRow, RunRow, SetRow
from rag.finding.rows import Kind, Place, place_of_document
from rag.governance.report.rows import Source
from rag.index.rows import Hit
from rag.knowledge.rows import (
    CollectionRow,
    DocumentChange,
    DocumentRow,
    FileOutcome,
    FileStatus,
    NearDuplicate,
    Suspect,
    VersionRow,
    WatchedFolderRow,
    find_documents_of_chunks,
)
from rag.models.rows import ModelEntry
from rag.monitoring.rows import AlertRow, Member, NewQuestion, RegressionRow
from rag.prompts.rows import PromptRow, PromptVersionRow
from rag.review.rows import FeedbackRow, QueueRow, ReviewDisagreement, ReviewItemRow, RolloutRow
from rag.storage.database import Database

PAGE_OF = {
    Kind.COLLECTION: "collections",
    Kind.DOCUMENT: "collections",
    Kind.VERSION: "versions",
    Kind.SESSION: "ask",
    Kind.TRACE: "traces",
    Kind.PROMPT: "prompts",
    Kind.PROMPT_VERSION: "prompts",
    Kind.SET: "evaluation",
    Kind.CASE: "evaluation",
    Kind.RUN: "evaluation",
    Kind.PIPELINE: "evaluation",
    Kind.PIPELINE_VERSION: "evaluation",
    Kind.QUEUE: "review",
    Kind.ROLLOUT: "review",
    Kind.ALERT: "monitors",
    Kind.SETTING: "settings",
    Kind.MODEL: "models",
}

_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_LONGEST_LINK = 40  # characters
_MOST_LINES = 200  # of commands that are copied for many rows


def page_of(place: Place) -> str:
    """Return the key of the page that shows a place."""
    return place.key if place.kind is Kind.PAGE else PAGE_OF[place.kind]


def places_of(record: Any, database: Database, collection: str = "") -> list[Place]:
    """Return the objects that a record is or names; the record itself comes first.

    Args:
        record: Of any table.
        database: To look up what a record has the number of alone.
        collection: The one in view, for records that do not name theirs.
    """
    make = _OF_RECORD.get(type(record))
    if make is not None:
        found: Iterable[Place | None] = make(record, database, collection)
    elif isinstance(record, tuple):
        found = [place for part in record for place in places_of(part, database, collection)]
    elif is_dataclass(record):  # one that holds a record: a regression question with its collection
        parts = (getattr(record, field.name) for field in fields(record))
        found = [
            place
            for part in parts
            if type(part) in _OF_RECORD
            for place in places_of(part, database, collection)
        ]
    else:
        found = []
    return list(dict.fromkeys(place for place in found if place is not None and place.key))


def links_of(records: Sequence[Any], console: Console, page: str, collection: str = "") -> Links:
    """Return what the menu of some records offers.

    Args:
        records: The selected ones.
        console: Opens places, and knows the data folder.
        page: The key of the page that lists them: what it shows itself needs no link to it.
        collection: The one in view.
    """
    named = [places_of(record, console.database, collection) for record in records]
    opens = []
    if len(records) == 1:
        for number, place in enumerate(named[0]):
            if number or page_of(place) != page or type(records[0]) not in _OBJECTS:
                opens.append((f"Open {place.sentence()}", partial(console.place_requested.emit, place)))
    return Links(opens, _commands(records, named, console, collection))


def link_tables(page: QWidget, key: Callable[[], str], console: Console) -> None:
    """Give every table of a page its links, and the tables that open nothing by themselves a double click."""

    def links(records: Sequence[Any]) -> Links:
        return links_of(records, console, key(), getattr(page, "collection_name", ""))

    for table in page.findChildren(RecordTable):
        table.links_for = links
        table.exported.connect(partial(_tell, console))
        if not table.receivers("2record_activated(PyObject)"):
            table.record_activated.connect(lambda record: _open_first(links([record])))


class LinkRow(QWidget):
    """A line of links to objects that a page names; it goes on in another line where room is short."""

    def __init__(self, console: Console) -> None:
        """Show no link yet."""
        super().__init__()
        self._console = console
        self._flow = Flow()
        self.setLayout(self._flow)
        self.hide()

    def show_places(self, places: Sequence[tuple[str, Place]]) -> None:
        """Show links to these objects, each with what it says."""
        while (item := self._flow.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()  # it lives until the event loop is idle
                widget.deleteLater()
        for text, place in places:
            shown = text if len(text) <= _LONGEST_LINK else text[: _LONGEST_LINK - 1] + "…"
            made = button(shown, partial(self._console.place_requested.emit, place), link=True)
            made.setAccessibleName(f"Open {text}")
            set_tip(made, f"Open {place.sentence()}")
            self._flow.addWidget(made)
            made.show()  # now, and not when the event loop is idle
        self.setVisible(bool(places))


def _commands(
    records: Sequence[Any], named: Sequence[Sequence[Place]], console: Console, collection: str
) -> list[tuple[str, str]]:
    """Return command lines for one record, or for several those for all of them and one that shows each."""
    calls: list[Call] = []
    own = [
        places[0]
        for record, places in zip(records, named, strict=True)
        if places and (places[0].kind is not Kind.COLLECTION or type(record) in _OBJECTS)
    ]
    if len(records) == 1 and own:
        calls = calls_of(own[0])
    calls = [*calls, *calls_for(records, collection)]
    folder = console.engine.folder
    lines = [(call.title, written(call, folder)) for call in calls if call.is_safe]
    if len(records) > 1 and len(own) == len(records) <= _MOST_LINES:
        each = [found[0] for place in own if (found := calls_of(place)) and found[0].is_safe]
        titles = {call.title for call in each}
        if (
            len(each) == len(own)
            and len(titles) == 1
            and len({call.arguments(folder)[0] for call in each}) == 1
        ):
            unique = dict.fromkeys(written(call, folder) for call in each)
            lines.append((f"{titles.pop()}, one by one", "\n".join(unique)))
    return lines


def _open_first(links: Links) -> None:
    for _title, action in links.opens[:1]:
        action()


def _tell(console: Console, sentence: str, worked: bool) -> None:
    console.notice.emit(sentence, Notice.INFO if worked else Notice.BAD)
    if worked:
        console.run(operations.note_table_export, what=sentence)


# Records that are an object themselves, and not a row that names some: their first place is their own.
_OBJECTS = (
    TraceRow, CollectionRow, DocumentRow, VersionRow, PromptRow, PromptVersionRow, SetRow, RunRow,
    PipelineVersionRow, QueueRow, RolloutRow, AlertRow, ModelEntry,
)  # fmt: skip


# --- what records name ------------------------------------------------------------------------------------

Named = Iterable[Place | None]


def _version(collection: str, number: int | None) -> Place | None:
    return Place(Kind.VERSION, str(number), collection) if collection and number else None


def _collection(name: str) -> Place:
    return Place(Kind.COLLECTION, name)


def _trace(trace_id: str | None) -> Place:
    return Place(Kind.TRACE, trace_id or "")


def _of_run(run: RunRow) -> Named:
    prompt = run.prompt_version and Place(Kind.PROMPT_VERSION, str(run.prompt_version), run.prompt_name)
    return (
        Place(Kind.RUN, str(run.id)),
        Place(Kind.SET, run.set_name),
        Place(Kind.PIPELINE_VERSION, str(run.pipeline_number), run.pipeline),
        _version(run.collection, run.version_number),
        prompt or None,
    )


def _of_chunks(database: Database, *chunk_ids: int) -> Named:
    for chunk_id in chunk_ids:
        for document_id in find_documents_of_chunks(database, [chunk_id]):
            yield place_of_document(database, document_id, chunk_id)


def _of_file(outcome: FileOutcome, collection: str) -> Named:
    if outcome.outcome not in (FileStatus.FAILED, FileStatus.SKIPPED):
        yield Place(Kind.DOCUMENT, outcome.path, collection)


def _of_change(change: DocumentChange, database: Database) -> Named:
    for document_id in (change.new_id, change.old_id):
        if document_id is not None:
            yield place_of_document(database, document_id)


def _of_sum(total: CostSum) -> Named:
    if _TRACE_ID.fullmatch(total.key):  # summed up by answer
        yield _trace(total.key)


_OF_RECORD: dict[type, Callable[[Any, Database, str], Named]] = {
    Source: lambda r, _db, _c: (r.place,),
    TraceRow: lambda r, _db, _c: (
        _trace(r.id), _collection(r.collection), _version(r.collection, r.version_number),
    ),
    CollectionRow: lambda r, _db, _c: (_collection(r.name), _version(r.name, r.version_number)),
    DocumentRow: lambda r, _db, c: (Place(Kind.DOCUMENT, r.source, c),),
    VersionRow: lambda r, _db, _c: (_version(r.collection, r.number), _collection(r.collection)),
    Hit: lambda r, db, _c: (place_of_document(db, r.document_id, r.chunk_id),),
    Suspect: lambda r, db, _c: (place_of_document(db, r.document_id, r.chunk_id),),
    NearDuplicate: lambda r, db, _c: _of_chunks(db, r.chunk_id, r.other_id),
    FileOutcome: lambda r, _db, c: _of_file(r, c),
    DocumentChange: lambda r, db, _c: _of_change(r, db),
    WatchedFolderRow: lambda r, _db, _c: (_collection(r.collection),),
    PromptRow: lambda r, _db, _c: (Place(Kind.PROMPT, r.name),),
    PromptVersionRow: lambda r, _db, _c: (Place(Kind.PROMPT_VERSION, str(r.number), r.prompt),),
    SetRow: lambda r, _db, _c: (Place(Kind.SET, r.name),),
    RunRow: lambda r, _db, _c: _of_run(r),
    ResultRow: lambda r, _db, _c: (_trace(r.trace_id),),
    CaseComparison: lambda r, _db, _c: (_trace(answer.trace_id) for answer in r.answers if answer),
    PipelineVersionRow: lambda r, _db, _c: (Place(Kind.PIPELINE_VERSION, str(r.number), r.name),),
    DraftRow: lambda r, _db, _c: (Place(Kind.SET, r.set_name), _collection(r.collection)),
    FeedbackRow: lambda r, _db, _c: (
        _trace(r.trace_id), Place(Kind.CASE, r.case_key, r.set_name), _collection(r.collection),
    ),
    ReviewItemRow: lambda r, _db, _c: (_trace(r.trace_id),),
    ReviewDisagreement: lambda r, _db, _c: (_trace(r.trace_id),),
    QueueRow: lambda r, _db, _c: (Place(Kind.QUEUE, r.name),),
    RolloutRow: lambda r, _db, _c: (Place(Kind.ROLLOUT, str(r.id)), _collection(r.collection)),
    AlertRow: lambda r, _db, _c: (Place(Kind.ALERT, r.name), _collection(r.collection)),
    Member: lambda r, _db, _c: (_trace(r.trace_id),),
    NewQuestion: lambda r, _db, _c: (_trace(r.trace_id),),
    RegressionRow: lambda r, _db, _c: (_trace(r.trace_id), _trace(r.reference_trace_id)),
    CostSum: lambda r, _db, _c: _of_sum(r),
    ModelEntry: lambda r, _db, _c: (Place(Kind.MODEL, r.path),),
}  # fmt: skip
