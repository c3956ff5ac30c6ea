"""The tab "Search test": searching beside a preset or version, why a passage is missed, and changing the search."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from driving import click, notices, press_in_dialog, rows, when_asked
from fakes import drive
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.collections.page import CollectionsPage
from app.pages.collections.search_panel import SearchPanel
from rag.asking.rows import TraceFilter, count_traces
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import get_collection
from rag.settings import PRESETS, RetrievalSettings, preset_of
from rag.workspace import Workspace

Settle = Callable[[], None]


@pytest.fixture
def panel(qtbot: QtBot, console: Console, notes: Path, settle: Settle) -> Iterator[SearchPanel]:
    """The tab of the collection “Notes” in its page, which tells it of changes."""
    page = CollectionsPage(console)
    qtbot.addWidget(page)
    page.resize(1200, 800)
    page.show()
    page.tabs.setCurrentWidget(page.search)
    settle()
    yield page.search  # the page lives as long as the test


def search(panel: SearchPanel, text: str, settle: Settle) -> None:
    panel.query.setText(text)
    panel.search()
    settle()


def test_a_search_shows_candidates_and_times_and_leaves_no_trace(
    panel: SearchPanel, console: Console, settle: Settle
) -> None:
    search(panel, "What does rye bread need?", settle)
    assert [row[0] for row in rows(panel.sides[0].table)][:2] == ["1", "2"]
    assert panel.facts[0].text().startswith("Balanced, version ")
    for stage in ("query", "embed", "dense", "lexical", "fuse", "rerank"):
        assert stage in panel.facts[0].text()
    assert not panel._second.isVisible()
    assert count_traces(console.database, TraceFilter()) == 0


def test_nothing_is_searched_for_without_words(panel: SearchPanel, console: Console) -> None:
    panel.query.setText("  ")
    panel.search()
    assert console.engine.tasks == []


def test_two_presets_stand_side_by_side(panel: SearchPanel, settle: Settle) -> None:
    panel.second_box.setCurrentIndex(panel.second_box.findData("Classic"))
    search(panel, "rye bread", settle)
    assert panel._second.isVisible()
    assert panel.facts[1].text().startswith("Classic, version ")
    panel.second_box.setCurrentIndex(panel.second_box.findData(None))
    search(panel, "rye bread", settle)
    assert not panel._second.isVisible()


def test_an_older_version_stands_beside_the_active_one(
    panel: SearchPanel, open_workspace: Workspace, notes: Path, console: Console, settle: Settle
) -> None:
    (notes / "fresh.txt").write_text("Rye bread needs a hot stone.", "utf-8")
    drive(ingest_files(open_workspace, "Notes", [notes / "fresh.txt"]))
    console.data_changed.emit()
    number = [panel.second_box.itemData(i) for i in range(panel.second_box.count())][-1]
    assert isinstance(number, int)
    panel.second_box.setCurrentIndex(panel.second_box.findData(number))
    search(panel, "hot stone", settle)
    active, older = (rows(side.table) for side in panel.sides)
    assert any("fresh.txt" in row for row in active)
    assert not any("fresh.txt" in row for row in older)


def test_what_became_of_a_passage_is_told(panel: SearchPanel, settle: Settle) -> None:
    search(panel, "rye bread", settle)
    side = panel.sides[0]
    text = rows(side.table)[0][-1].split()[0]
    side.find_box.setText(text)
    side.find_words()
    assert "It was number" in side.explanation.text()
    side.find_box.setText("no passage has these words")
    side.find_words()
    settle()
    assert side.explanation.text().startswith("No passage of version ")
    side.find_box.setText("")
    side.find_words()
    assert side.explanation.text() == ""


def test_the_chosen_candidate_is_explained(panel: SearchPanel, settle: Settle) -> None:
    search(panel, "rye bread", settle)
    side = panel.sides[0]
    assert side.table.choose(lambda hit: hit.rank == 1)
    assert "candidate 1." in side.explanation.text()


@pytest.mark.parametrize("name", ["Fast", "Classic"])
def test_the_search_of_a_collection_is_changed_after_a_yes(
    qtbot: QtBot, panel: SearchPanel, console: Console, settle: Settle, name: str
) -> None:
    assert "of the data folder: Balanced" in panel.searched.text()
    panel.preset_box.setCurrentIndex(panel.preset_box.findData(name))
    when_asked(lambda dialog: press_in_dialog(dialog, "Cancel"))
    click(qtbot, panel, "Change to it…")
    settle()
    assert get_collection(console.database, "Notes").retrieval == ""
    panel.upgrade(name)
    settle()
    own = RetrievalSettings.model_validate_json(get_collection(console.database, "Notes").retrieval)
    assert preset_of(own) == name
    assert f"of its own: {name}" in panel.searched.text()
    assert notices(console)[-1][0].startswith(f"Searched as {name} from now on, instead of Balanced.")
    click(qtbot, panel, "Follow the settings")
    settle()
    assert "of the data folder: Balanced" in panel.searched.text()
    assert not panel.follow_button.isVisible()


def test_every_preset_is_offered_with_what_it_costs(panel: SearchPanel) -> None:
    names = [panel.preset_box.itemText(i) for i in range(panel.preset_box.count())]
    assert names == list(PRESETS)
    assert all(panel.preset_box.itemData(i, 3) for i in range(len(names)))
