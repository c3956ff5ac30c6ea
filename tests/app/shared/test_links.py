"""Whatever a table lists leads to the objects that it names, and says which command does the same."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
from data_folders import insert
from PySide6.QtTest import QSignalSpy
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.console import Console
from app.shared.links import PAGE_OF, LinkRow, link_tables, links_of, page_of, places_of
from app.widgets.item_models import Column, RecordTable
from app.widgets.tables.export import Form
from rag.asking.rows import TraceRow
from rag.costs.rows import CostSum
from rag.evaluation.rows import CaseAnswer, CaseComparison, RunRow, SetRow
from rag.finding.rows import Kind, Place
from rag.index.rows import Hit
from rag.knowledge.rows import (
    CollectionRow,
    DocumentChange,
    DocumentRow,
    FileOutcome,
    FileStatus,
    NearDuplicate,
)
from rag.monitoring.rows import RegressionRow
from rag.review.rows import FeedbackRow
from rag.workspace import Workspace

TIDES = Place(Kind.DOCUMENT, "/files/tides.txt", "Notes", "7")


def made(kind: type, **values: Any) -> Any:
    """Return a record with these values alone: the others are not read."""
    record = object.__new__(kind)
    for name, value in values.items():
        object.__setattr__(record, name, value)
    return record


TRACE = made(TraceRow, id="t" * 32, collection="Notes", version_number=2, question="How high is it?")


@pytest.fixture
def stored(open_workspace: Workspace) -> Workspace:
    insert(open_workspace, "collection", id=1, name="Notes", key="k")
    insert(
        open_workspace,
        "document",
        id=5,
        collection_id=1,
        source="/files/tides.txt",
        name="tides.txt",
        title="",
    )
    for chunk in (7, 8):
        insert(open_workspace, "chunk", id=chunk, document_id=5)
    return open_workspace


def test_every_kind_has_a_page() -> None:
    assert set(PAGE_OF) == set(Kind) - {Kind.PAGE}
    assert page_of(Place(Kind.PAGE, "costs")) == "costs"
    assert page_of(Place(Kind.RUN, "3")) == "evaluation"


def test_records_name_objects(console: Console, stored: Workspace) -> None:
    answers = (
        made(CaseAnswer, trace_id="a"),
        None,
        made(CaseAnswer, trace_id="b"),
    )
    run = made(
        RunRow, id=3, set_name="Night", pipeline="small", pipeline_number=2, collection="Notes", version_number=1,
        prompt_version=4, prompt_name="short",
    )  # fmt: skip
    trace, notes = Place(Kind.TRACE, "t" * 32), Place(Kind.COLLECTION, "Notes")
    other_chunk = Place(Kind.DOCUMENT, "/files/tides.txt", "Notes", "8")
    named: list[tuple[Any, list[Place]]] = [
        (TRACE, [trace, notes, Place(Kind.VERSION, "2", "Notes")]),
        (made(Hit, document_id=5, chunk_id=7), [TIDES]),
        (made(Hit, document_id=99, chunk_id=7), []),  # erased in the meantime
        (made(NearDuplicate, chunk_id=7, other_id=8), [TIDES, other_chunk]),
        (FileOutcome("/files/a.txt", FileStatus.ADDED), [Place(Kind.DOCUMENT, "/files/a.txt", "Here")]),
        (FileOutcome("/files/a.txt", FileStatus.FAILED), []),
        (made(DocumentChange, old_id=None, new_id=5), [Place(Kind.DOCUMENT, "/files/tides.txt", "Notes")]),
        (made(CaseComparison, answers=answers), [Place(Kind.TRACE, "a"), Place(Kind.TRACE, "b")]),
        (
            run,
            [
                Place(Kind.RUN, "3"),
                Place(Kind.SET, "Night"),
                Place(Kind.PIPELINE_VERSION, "2", "small"),
                Place(Kind.VERSION, "1", "Notes"),
                Place(Kind.PROMPT_VERSION, "4", "short"),
            ],
        ),
        (made(RegressionRow, trace_id=None, reference_trace_id="r"), [Place(Kind.TRACE, "r")]),
        (
            made(FeedbackRow, trace_id="f", case_key="", set_name="", collection="Notes"),
            [Place(Kind.TRACE, "f"), notes],
        ),
        (made(CostSum, key="Notes"), []),
        (made(CostSum, key="0" * 32), [Place(Kind.TRACE, "0" * 32)]),
    ]
    for record, places in named:
        assert places_of(record, console.database, "Here") == places, type(record)


def test_a_row_that_holds_records_names_what_they_name(console: Console) -> None:
    pair = (made(CostSum, key="0" * 32), "A question")
    assert places_of(pair, console.database) == [Place(Kind.TRACE, "0" * 32)]
    assert places_of("a text", console.database) == []


def test_the_object_itself_is_not_opened_from_its_own_page(console: Console) -> None:
    def opens(page: str) -> list[str]:
        return [title for title, _ in links_of([TRACE], console, page).opens]

    assert opens("traces") == ["Open collection “Notes”", "Open version 2 of “Notes”"]
    assert opens("overview") == ["Open trace tttttttt", *opens("traces")]
    assert links_of([TRACE, TRACE], console, "overview").opens == []
    spy = QSignalSpy(console.place_requested)
    links_of([TRACE], console, "traces").opens[0][1]()
    assert spy.at(0)[0] == Place(Kind.COLLECTION, "Notes")


def test_one_record_has_its_commands_and_several_have_theirs(console: Console) -> None:
    lines = dict(links_of([TRACE], console, "traces").commands)
    folder = shlex.quote(str(console.engine.folder))
    assert lines["Show it"] == f"ragdeck traces show {'t' * 32} --data {folder}"
    assert lines["Ask it"] == f"ragdeck ask 'How high is it?' -c Notes --data {folder}"
    other = made(TraceRow, id="u" * 32, collection="", version_number=None, question="")
    both = dict(links_of([TRACE, other], console, "traces").commands)
    assert both == {
        "Show it, one by one": f"ragdeck traces show {'t' * 32} --data {folder}\n"
        f"ragdeck traces show {'u' * 32} --data {folder}"
    }
    documents = [made(DocumentRow, source=f"/files/{name}.txt") for name in "ab"]
    together = dict(links_of(documents, console, "collections", "Notes").commands)
    assert (
        together["Remove 2 documents"] == f"ragdeck remove /files/a.txt /files/b.txt -c Notes --data {folder}"
    )
    bad = made(CollectionRow, name="two\nlines", version_number=None)
    assert links_of([bad], console, "overview").commands == []  # a terminal would obey the line end


@pytest.fixture
def page(qtbot: QtBot, console: Console) -> QWidget:
    made_page = QWidget()
    layout = QVBoxLayout(made_page)
    columns = (Column("Set", lambda record: record.name),)
    for name in ("linked", "with_its_own"):
        layout.addWidget(RecordTable(columns, console.theme, name))
    qtbot.addWidget(made_page)
    return made_page


def test_every_table_of_a_page_is_linked(
    qtbot: QtBot, page: QWidget, console: Console, tmp_path: Path
) -> None:
    linked, own = page.findChildren(RecordTable)
    opened: list[object] = []
    own.record_activated.connect(opened.append)
    link_tables(page, lambda: "overview", console)
    night = made(SetRow, name="Night")
    spy = QSignalSpy(console.place_requested)
    for table in (linked, own):
        table.set_records([night])
        assert table.links_for is not None
        assert [title for title, _ in table.links_for([night]).opens] == ["Open evaluation set “Night”"]
        table.record_activated.emit(night)
    assert spy.count() == 1  # by the table that opened nothing before
    assert spy.at(0)[0] == Place(Kind.SET, "Night")
    assert opened == [night]
    with qtbot.waitSignal(linked.exported):
        linked.export_to(tmp_path / "sets.csv", Form.CSV)
    with qtbot.waitSignal(linked.exported):
        linked.export_to(tmp_path / "missing" / "sets.csv", Form.CSV)
    (good, _), (bad, kind) = console.notices[-2:]  # type: ignore[attr-defined]
    assert good == "1 row was written to sets.csv."
    assert bad.startswith("sets.csv could not be written")
    assert kind == "bad"


def test_a_row_of_links_opens_what_it_names(qtbot: QtBot, console: Console) -> None:
    row = LinkRow(console)
    qtbot.addWidget(row)
    assert row.isHidden()
    row.show_places([("Notes", Place(Kind.COLLECTION, "Notes")), ("x" * 60, Place(Kind.PROMPT, "x" * 60))])
    assert not row.isHidden()
    links = [link for link in row.findChildren(QPushButton) if not link.isHidden()]
    assert [len(link.text()) for link in links] == [5, 40]
    assert links[0].accessibleName() == "Open Notes"
    spy = QSignalSpy(console.place_requested)
    links[0].click()
    assert spy.at(0)[0] == Place(Kind.COLLECTION, "Notes")
    row.show_places([])
    assert row.isHidden()
